// The value residual on a GPU: values of rows mixed with those of the first core, the rest passed on; bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../integrate/value_residual.hpp"
#include "depth.hpp"

namespace aila::inline v0 {

/// Zero at padded steps, which pass nothing back.
template <class Open, class Own>
struct CudaValueResidual : KernelDefaults<float> {
  static constexpr const char* name = "cuda value residual, vectors";
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr InPlace in_place{.backward = true};
  static constexpr bool in_fours = Own::features % 4 == 0 && Open::value % 4 == 0 && Open::width % 4 == 0;
  static constexpr std::size_t vectors = in_fours ? Own::features / 4 : Own::features;  ///< of a row
  static constexpr std::size_t most_blocks = 528;

  /// Two sums of each block.
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return c == Capability::train
               ? 2 * std::min(cuda::divide_up(samples * Own::positions * vectors, cuda::tile::threads), most_blocks)
               : 0;
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float*, const float* own, const float* const* before,
                      float* z, NothingSaved&, float*);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float*, const float* own, const float* const* before,
                       const float* dz, float* d_own, float* const* d_before, Gradients<float> g, NothingSaved&,
                       float* scratch);
};

#ifdef __CUDACC__
namespace cuda::depth {

template <class K, class Open>
struct ValueVectors {
  using T = std::conditional_t<K::in_fours, float4, float>;
  static constexpr std::size_t of_four = K::in_fours ? 4 : 1;
  tile::Rows rows;
  __device__ bool counts(std::size_t i) const { return rows.lengths == nullptr || rows.counts(i / K::vectors); }
  __device__ static bool is_value(std::size_t i) {
    const std::size_t f = i % K::vectors * of_four;
    return f >= Open::value && f < Open::value + Open::width;
  }
};

template <class K, class Open>
struct MixValues : ValueVectors<K, Open> {
  using T = typename ValueVectors<K, Open>::T;
  const float* weight;
  const T *own, *before;
  T* z;
  __device__ void operator()(std::size_t i) const {
    T to{};
    if (this->counts(i)) {
      to = own[i];
      if (this->is_value(i)) to = add_times(add_times(T{}, weight[1], to), weight[0], before[i]);
    }
    z[i] = to;
  }
};

template <class K, class Open>
__global__ void __launch_bounds__(tile::threads)
    unmix_values(std::size_t size, ValueVectors<K, Open> of, const float* weight,
                 const typename ValueVectors<K, Open>::T* own, const typename ValueVectors<K, Open>::T* before,
                 const typename ValueVectors<K, Open>::T* dz, typename ValueVectors<K, Open>::T* d_own,
                 typename ValueVectors<K, Open>::T* d_before, float* sums) {
  using T = typename ValueVectors<K, Open>::T;
  float* const space = tile::shared_memory();
  const float first = weight[0], self = weight[1];
  const bool is_over = d_own == dz;
  float of_first = 0, of_self = 0;
  for_each_element(size, [&](std::size_t i) {
    if (!of.counts(i)) {
      if (is_over) d_own[i] = T{};
      return;
    }
    const T up = dz[i];
    const bool is_value = of.is_value(i);
    if (d_own != nullptr && (is_value || !is_over))
      d_own[i] = add_times(is_over ? T{} : d_own[i], is_value ? self : 1.0F, up);
    if (!is_value) return;
    if (d_before != nullptr) d_before[i] = add_times(d_before[i], first, up);
    of_first += dot_of(up, before[i]);
    of_self += dot_of(up, own[i]);
  });
  if (sums == nullptr) return;
  of_first = sum_of_block(of_first, space);
  of_self = sum_of_block(of_self, space);
  if (threadIdx.x != 0) return;
  sums[2 * blockIdx.x] = of_first;
  sums[2 * blockIdx.x + 1] = of_self;
}

/// to[j] += sum over b < count of sums[b][j], a block for each column j.
template <unsigned columns>
__global__ void __launch_bounds__(tile::threads) add_block_sums(std::size_t count, const float* sums, float* to) {
  float sum = 0;
  for (std::size_t b = threadIdx.x; b < count; b += tile::threads) sum += sums[b * columns + blockIdx.x];
  sum = sum_of_block(sum, tile::shared_memory());
  if (threadIdx.x == 0) to[blockIdx.x] += sum;
}

}  // namespace cuda::depth

template <class Open, class Own>
template <Capability C>
[[gnu::used]] void CudaValueResidual<Open, Own>::forward(const Pass& pass, Weights<float> w, const float*,
                                                         const float* own, const float* const* before, float* z,
                                                         NothingSaved&, float*) {
  using Vectors = cuda::depth::ValueVectors<CudaValueResidual, Open>;
  using T = typename Vectors::T;
  const auto rows = cuda::rows_of(pass, Own::positions, Own::rank == 2 && C != Capability::stream);
  cuda::over_elements(pass, rows.count * vectors,
                      cuda::depth::MixValues<CudaValueResidual, Open>{
                          {rows}, w[0], cuda::depth::as<T>(own), cuda::depth::as<T>(before[0]), cuda::depth::as<T>(z)});
}
template <class Open, class Own>
template <Capability C>
[[gnu::used]] void CudaValueResidual<Open, Own>::backward(const Pass& pass, Weights<float> w, const float*,
                                                          const float* own, const float* const* before, const float* dz,
                                                          float* d_own, float* const* d_before, Gradients<float> g,
                                                          NothingSaved&, float* scratch) {
  using Vectors = cuda::depth::ValueVectors<CudaValueResidual, Open>;
  using T = typename Vectors::T;
  namespace depth = cuda::depth;
  const auto rows = cuda::rows_of(pass, Own::positions, Own::rank == 2);
  const unsigned blocks = cuda::blocks_for(rows.count * vectors, cuda::tile::threads, most_blocks);
  constexpr std::size_t bytes = cuda::tile::threads / 32 * sizeof(float);
  cuda::launch(pass, &depth::unmix_values<CudaValueResidual, Open>, blocks, cuda::tile::threads, bytes,
               rows.count * vectors, Vectors{rows}, w[0], depth::as<T>(own), depth::as<T>(before[0]), depth::as<T>(dz),
               depth::as<T>(d_own), depth::as<T>(d_before[0]), g ? scratch : nullptr);
  if (g && blocks > 0)
    cuda::launch(pass, &depth::add_block_sums<2>, 2, cuda::tile::threads, bytes, static_cast<std::size_t>(blocks),
                 static_cast<const float*>(scratch), g[0]);
}
#endif

template <class Policy, class Own, class Before, CudaBackend Backend>
  requires requires { typename Policy::MixesValuesOf; }
CudaValueResidual<typename Policy::MixesValuesOf, Own> select_kernel(rank::Layer, Integration<Policy, Own, Before>,
                                                                     Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
