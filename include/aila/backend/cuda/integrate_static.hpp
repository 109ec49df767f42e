// Static mixtures on a GPU: DenseFormer, the read-out of ELMo, and any Mixture whose weights see no item; bound by
// memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../integrate/mixture.hpp"
#include "depth.hpp"

namespace aila::inline v0 {

namespace cuda::depth {

/// Where the newest item stands among those of a mixture, or none does: own is n.
struct StaticItems {
  Addresses<const float> of;
  int n;
};

/// A block of a backward goes through so many floats at once.
inline constexpr std::size_t static_chunk = tile::threads * 16;

#ifdef __CUDACC__

/// Weights of the items, and their products with the gain, by every thread for itself; `space` has room for n of both.
template <class P>
__device__ void weigh_static(int n, const float* score, const float* gain, float* weights, float* factors) {
  if (threadIdx.x == 0) {
    for (int i = 0; i < n; ++i) weights[i] = score[i];
    P::Normaliser::forward(weights, static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) factors[i] = gain == nullptr ? weights[i] : weights[i] * gain[0];
  }
  __syncthreads();
}

/// z = sum of factors * items, zero at padded steps; T is float, or four of a row.
template <class P, class T>
__global__ void __launch_bounds__(tile::threads)
    mix_static(tile::Rows rows, std::size_t vectors, const __grid_constant__ StaticItems items, const float* score,
               const float* gain, T* z) {
  float* const weights = tile::shared_memory();
  float* const factors = weights + items.n;
  weigh_static<P>(items.n, score, gain, weights, factors);
  for_each_element(rows.count * vectors, [&](std::size_t e) {
    T sum{};
    if (rows.lengths == nullptr || rows.counts(e / vectors)) {
      for (int i = 0; i < items.n; i += 4) {
        T x[4];
#pragma unroll
        for (int c = 0; c < 4; ++c)
          if (i + c < items.n) x[c] = as<T>(items.of.of[i + c])[e];
#pragma unroll
        for (int c = 0; c < 4; ++c)
          if (i + c < items.n) sum = add_times(sum, factors[i + c], x[c]);
      }
    }
    z[e] = sum;
  });
}

/// d_item += factor * dz of each, and what blocks have of <dz, item> to sums [blocks, n].
template <class P, class T>
__global__ void __launch_bounds__(tile::threads)
    unmix_static(tile::Rows rows, std::size_t vectors, const __grid_constant__ StaticItems items,
                 const __grid_constant__ Addresses<float> d_items, const float* score, const float* gain, const T* dz,
                 float* sums) {
  constexpr int each = static_cast<int>(16 * sizeof(float) / sizeof(T));
  float* const weights = tile::shared_memory();
  float *const factors = weights + items.n, *const space = factors + items.n;
  weigh_static<P>(items.n, score, gain, weights, factors);
  const std::size_t size = rows.count * vectors;
  const std::size_t first = static_cast<std::size_t>(blockIdx.x) * (each * tile::threads) + threadIdx.x;
  T up[each];
  bool counts[each];
#pragma unroll
  for (int j = 0; j < each; ++j) {
    const std::size_t e = first + static_cast<std::size_t>(j * tile::threads);
    counts[j] = e < size && (rows.lengths == nullptr || rows.counts(e / vectors));
    up[j] = counts[j] ? dz[e] : T{};
  }
  for (int i = 0; i < items.n; ++i) {
    const float factor = factors[i];
    float dot = 0;
    T* const d_item = as<T>(d_items.of[i]);
#pragma unroll
    for (int j = 0; j < each; ++j) {
      if (!counts[j]) continue;
      const std::size_t e = first + static_cast<std::size_t>(j * tile::threads);
      if (sums != nullptr) dot += dot_of(up[j], as<T>(items.of.of[i])[e]);
      if (d_item != nullptr) d_item[e] = add_times(d_item[e], factor, up[j]);
    }
    if (sums == nullptr) continue;
    dot = sum_of_block(dot, space);
    if (threadIdx.x == 0) sums[static_cast<std::size_t>(blockIdx.x) * items.n + i] = dot;
  }
}

/// From the sums of all blocks to the gradients of scores and gain, by one block.
template <class P>
__global__ void __launch_bounds__(tile::threads)
    static_gradients(int n, std::size_t blocks, const float* sums, const float* score, const float* gain,
                     float* d_score, float* d_gain) {
  float* const weights = tile::shared_memory();
  float *const factors = weights + n, *const slopes = factors + n, *const space = slopes + n;
  weigh_static<P>(n, score, gain, weights, factors);
  for (int i = 0; i < n; ++i) {
    float sum = 0;
#pragma unroll 8
    for (std::size_t b = threadIdx.x; b < blocks; b += tile::threads) sum += sums[b * n + i];
    sum = sum_of_block(sum, space);
    if (threadIdx.x == 0) slopes[i] = sum;
  }
  if (threadIdx.x != 0) return;
  if (d_gain != nullptr) {
    float slope = 0;
    for (int i = 0; i < n; ++i) {
      slope += weights[i] * slopes[i];
      slopes[i] *= gain[0];
    }
    d_gain[0] += slope;
  }
  P::Normaliser::backward(static_cast<const float*>(weights), slopes, static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) d_score[i] += slopes[i];
}

/// weights [rows, n], the same in all rows.
template <class P>
__global__ void __launch_bounds__(tile::threads) tell_static(std::size_t rows, int n, const float* score, float* to) {
  float* const weights = tile::shared_memory();
  weigh_static<P>(n, score, nullptr, weights, weights + n);
  for_each_element(rows * n, [&](std::size_t e) { to[e] = weights[e % n]; });
}

#endif

}  // namespace cuda::depth

/// What all layers of a stack share: how many items there are, and in which order, are numbers.
template <class P, std::size_t features>
struct SharedCudaStaticMixture {
  struct Numbers {
    std::uint32_t n = 0, own = 0;  ///< items, and which of them is the newest; n: none is
    std::uint32_t positions = 0;
    bool are_steps = false;
    std::uint32_t score_tensor = 0, gain_tensor = 0;
  };
  static constexpr void pack(Numbers, Weights<float>, float*) {}
  template <Capability C>
  using Saved = NothingSaved;
  template <Capability C>
  static constexpr void bind(Numbers, NothingSaved&, Arena<float>&, std::size_t) {}
  static constexpr std::size_t blocks(Numbers of, std::size_t samples) {
    return cuda::divide_up(samples * of.positions * features, cuda::depth::static_chunk);
  }
  static constexpr std::size_t scratch(Numbers of, std::size_t samples, Capability c) {
    return c == Capability::train ? blocks(of, samples) * of.n : 0;
  }

  template <Capability C>
  static void forward(Numbers of, const Pass& pass, Weights<float> w, const float*, const float* own,
                      const float* const* before, float* to, NothingSaved&, float* scratch);
  template <Capability C>
  static void backward(Numbers of, const Pass& pass, Weights<float> w, const float*, const float* own,
                       const float* const* before, const float* d_to, float* d_own, float* const* d_before,
                       Gradients<float> g, NothingSaved&, float* scratch);
  static void mixture(Numbers of, const Pass& pass, Weights<float> w, const float* own, const float* const* before,
                      float* weights, float* scratch);

 private:
  template <class T>
  static cuda::depth::Addresses<T> items_of(Numbers of, T* own, T* const* before);
};

/// One map of weights for a whole mixture of maps of one width.
template <class P, class Own, class Before>
concept CudaStaticMixed = requires {
  requires P::has_kernels && P::is_static && !P::maps_values && P::vectors == 0 && P::place != integrate::Place::after;
  requires P::template Sizes<Own, Before>::heads == 1 && P::template Sizes<Own, Before>::scored;
  requires P::template Sizes<Own, Before>::n <= cuda::depth::most_items;
};

template <class Part, class P = typename Part::Policy>
struct CudaStaticMixture
    : CudaSharedMixture<CudaStaticMixture<Part, P>, SharedCudaStaticMixture<typename P::Axes, Part::Own::features>> {
  static constexpr const char* name = "cuda static mixture, whole maps";
  using Sizes = typename P::template Sizes<typename Part::Own, typename Part::Before>;
  static constexpr typename CudaStaticMixture::Shared::Numbers numbers{
      .n = Sizes::n,
      .own = static_cast<std::uint32_t>(P::mixes_own ? Part::Before::count : Sizes::n),
      .positions = Part::Own::positions,
      .are_steps = Part::Own::rank == 2,
      .score_tensor = Sizes::score_tensor,
      .gain_tensor = Sizes::gain_tensor};
};

#ifdef __CUDACC__
template <class P, std::size_t features>
template <class T>
[[gnu::used]] cuda::depth::Addresses<T> SharedCudaStaticMixture<P, features>::items_of(Numbers of, T* own,
                                                                                       T* const* before) {
  cuda::depth::Addresses<T> all{};
  for (std::uint32_t i = 0; i < of.n; ++i) all.of[i] = i == of.own ? own : before[i - (i > of.own ? 1 : 0)];
  return all;
}

template <class P, std::size_t features>
template <Capability C>
[[gnu::used]] void SharedCudaStaticMixture<P, features>::forward(Numbers of, const Pass& pass, Weights<float> w,
                                                                 const float*, const float* own,
                                                                 const float* const* before, float* to, NothingSaved&,
                                                                 float*) {
  namespace depth = cuda::depth;
  using T = depth::VectorOf<features>;
  constexpr std::size_t vectors = features * sizeof(float) / sizeof(T);
  const auto rows = cuda::rows_of(pass, of.positions, of.are_steps && C != Capability::stream);
  const depth::StaticItems items{items_of(of, own, before), static_cast<int>(of.n)};
  cuda::launch(pass, &depth::mix_static<P, T>, cuda::blocks_for(rows.count * vectors, cuda::tile::threads),
               cuda::tile::threads, 2 * of.n * sizeof(float), rows, vectors, items, w[of.score_tensor],
               P::has_gain ? w[of.gain_tensor] : nullptr, depth::as<T>(to));
}

template <class P, std::size_t features>
template <Capability C>
[[gnu::used]] void SharedCudaStaticMixture<P, features>::backward(Numbers of, const Pass& pass, Weights<float> w,
                                                                  const float*, const float* own,
                                                                  const float* const* before, const float* d_to,
                                                                  float* d_own, float* const* d_before,
                                                                  Gradients<float> g, NothingSaved&, float* scratch) {
  namespace depth = cuda::depth;
  using T = depth::VectorOf<features>;
  constexpr std::size_t vectors = features * sizeof(float) / sizeof(T);
  const auto rows = cuda::rows_of(pass, of.positions, of.are_steps);
  const depth::StaticItems items{items_of(of, own, before), static_cast<int>(of.n)};
  const std::size_t count = blocks(of, pass.samples), bytes = (3 * of.n + 8) * sizeof(float);
  const float* const gain = P::has_gain ? w[of.gain_tensor] : nullptr;
  cuda::launch(pass, &depth::unmix_static<P, T>, static_cast<unsigned>(count), cuda::tile::threads, bytes, rows,
               vectors, items, items_of(of, d_own, d_before), w[of.score_tensor], gain, depth::as<T>(d_to),
               g ? scratch : nullptr);
  if (g && count > 0)
    cuda::launch(pass, &depth::static_gradients<P>, 1, cuda::tile::threads, bytes, items.n, count,
                 static_cast<const float*>(scratch), w[of.score_tensor], gain, g[of.score_tensor],
                 P::has_gain ? g[of.gain_tensor] : nullptr);
}

template <class P, std::size_t features>
[[gnu::used]] void SharedCudaStaticMixture<P, features>::mixture(Numbers of, const Pass& pass, Weights<float> w,
                                                                 const float*, const float* const*, float* weights,
                                                                 float*) {
  namespace depth = cuda::depth;
  const std::size_t rows = pass.samples * of.positions;
  cuda::launch(pass, &depth::tell_static<P>, cuda::blocks_for(rows * of.n, cuda::tile::threads), cuda::tile::threads,
               2 * of.n * sizeof(float), rows, static_cast<int>(of.n), w[of.score_tensor], weights);
}
#endif

template <class P, class Own, class Before, CudaBackend Backend>
  requires CudaStaticMixed<P, Own, Before>
CudaStaticMixture<Integration<P, Own, Before>> select_kernel(rank::Layer, Integration<P, Own, Before>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
