// Learned and sinusoidal positions on a GPU: one addition an element, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/positions.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "readout.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

namespace cuda {

/// How blocks share the gradient of a table [positions, features]: 64 vectors of it, of every fourth sample of a part.
template <class In>
struct PositionSums {
  static constexpr std::size_t v = vector_width(In::features), vectors = In::elements / v;
  static constexpr std::size_t chunk = 64, lanes = 4, chunks = divide_up(vectors, chunk);
  /// Parts of the samples: enough blocks for the device, and eight samples or more a thread.
  static constexpr std::size_t parts(std::size_t samples) {
    return std::clamp<std::size_t>(divide_up(samples, 8 * lanes), 1,
                                   std::max<std::size_t>(cuda::multiprocessors * 8 / chunks, 1));
  }
};

}  // namespace cuda

template <class In>
struct CudaLearnedPositions : KernelDefaults<float> {
  static constexpr const char* name = "cuda learned positions";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr bool sets_input_gradient = true;
  using Sums = cuda::PositionSums<In>;

  /// The sums of each part of the samples.
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return c == Capability::train && Sums::parts(samples) > 1 ? Sums::parts(samples) * In::elements : 0;
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

template <class In>
struct CudaSinusoidalPositions : KernelDefaults<float> {
  static constexpr const char* name = "cuda sinusoidal positions";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr bool sets_input_gradient = true;

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

template <class In>
CudaLearnedPositions<In> select_kernel(rank::Layer, Placed<LearnedPositions, In>, backend::Cuda);
template <class In>
CudaSinusoidalPositions<In> select_kernel(rank::Layer, Placed<SinusoidalPositions, In>, backend::Cuda);

#ifdef __CUDACC__

namespace cuda {

template <class In>
struct AddPositions {
  const float *table, *x;
  float* y;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), all = In::elements / v;
    RowVector<v> value = as_vectors<v>(x)[i];
    add_to(value, as_vectors<v>(table)[i % all]);
    as_vectors<v>(y)[i] = value;
  }
};

/// Sums of dy over the samples of a part: to `partials` [parts, elements], or where there is one part to the gradient.
/// What dx gets is passed on in the same way through dy.
template <class In>
__global__ void __launch_bounds__(256)
    learned_positions_backward(std::size_t samples, StepsOf<In> valid, const float* dy, float* dx, bool adds,
                               float* partials, float* to_table) {
  using Sums = PositionSums<In>;
  constexpr std::size_t v = Sums::v;
  constexpr unsigned chunk = Sums::chunk, lanes = Sums::lanes;
  __shared__ RowVector<v> shared[256];
  const unsigned lane = threadIdx.x / chunk;
  const std::size_t vector = static_cast<std::size_t>(blockIdx.x) * chunk + threadIdx.x % chunk;
  const std::size_t position = vector / (In::features / v);
  const bool has = vector < Sums::vectors;
  RowVector<v> sum{};
  if (has)
#pragma unroll 4
    for (std::size_t n = static_cast<std::size_t>(blockIdx.y) * lanes + lane; n < samples;
         n += static_cast<std::size_t>(gridDim.y) * lanes) {
      const bool counts = position < valid.of(n);
      const RowVector<v> up = counts ? as_vectors<v>(dy)[n * Sums::vectors + vector] : RowVector<v>{};
      add_to(sum, up);
      if (dx != nullptr && (counts ? dx != dy : !adds))
        store_or_add(as_vectors<v>(dx) + n * Sums::vectors + vector, up, adds);
    }
  shared[threadIdx.x] = sum;
  combine_lanes(shared, lane, lanes, chunk, [](RowVector<v>& a, const RowVector<v>& b) { add_to(a, b); });
  if (lane > 0 || !has) return;
  if (gridDim.y == 1)
    store_or_add(as_vectors<v>(to_table) + vector, shared[threadIdx.x], true);
  else
    as_vectors<v>(partials)[blockIdx.y * Sums::vectors + vector] = shared[threadIdx.x];
}

template <class In>
struct AddPositionSums {
  const float* partials;
  std::size_t parts;
  float* to_table;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = PositionSums<In>::v, all = PositionSums<In>::vectors;
    RowVector<v> sum{};
#pragma unroll 8
    for (std::size_t p = 0; p < parts; ++p) add_to(sum, as_vectors<v>(partials)[p * all + i]);
    store_or_add(as_vectors<v>(to_table) + i, sum, true);
  }
};

/// Sine for even features, cosine for odd ones, of the angles t w_i: half turns in double, of which whole turns are
/// taken away, so that the rest has all digits of a float.
template <class In>
__device__ float sinusoid(std::size_t t, std::size_t feature) {
  constexpr double log_of_base = 9.210340371976182736, inverse_pi = 0.31830988618379067154;  // base 10000
  const double w = exp(-log_of_base / static_cast<double>(In::features) * static_cast<double>(feature / 2 * 2));
  const double half_turns = static_cast<double>(t) * (w * inverse_pi);
  const auto rest = static_cast<float>(half_turns - 2 * rint(half_turns * 0.5));
  return feature % 2 == 0 ? sinpif(rest) : cospif(rest);
}

/// A thread has one vector of the table, of every step-th sample.
template <class In>
struct AddSinusoids {
  std::size_t samples, step;
  const float* x;
  float* y;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), all = In::elements / v, row = In::features / v;
    const std::size_t at = i % all;
    RowVector<v> of;
#pragma unroll
    for (std::size_t f = 0; f < v; ++f) of.at[f] = sinusoid<In>(at / row, at % row * v + f);
    for (std::size_t n = i / all; n < samples; n += step) {
      RowVector<v> value = as_vectors<v>(x)[n * all + at];
      add_to(value, of);
      as_vectors<v>(y)[n * all + at] = value;
    }
  }
};

}  // namespace cuda

template <class In>
template <Capability C>
[[gnu::used]] void CudaLearnedPositions<In>::forward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                                     float* y, NothingSaved&, float*) {
  cuda::over_elements(pass, pass.samples * In::elements / cuda::vector_width(In::features),
                      cuda::AddPositions<In>{w[0], x, y});
}
template <class In>
template <Capability C>
[[gnu::used]] void CudaLearnedPositions<In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                                      const float*, const float* dy, float* dx, Gradients<float> g,
                                                      NothingSaved&, float* scratch) {
  const bool adds = !pass.sets_input_gradient;
  const cuda::StepsOf<In> valid(pass);
  if (pass.samples == 0 || (!g && dx == nullptr)) return;
  if (!g) return cuda::copy_steps(pass, valid, dy, dx, adds);
  const std::size_t parts = Sums::parts(pass.samples);
  cuda::launch(pass, &cuda::learned_positions_backward<In>,
               dim3(static_cast<unsigned>(Sums::chunks), static_cast<unsigned>(parts)), 256, 0, pass.samples, valid, dy,
               dx, adds, scratch, g[0]);
  if (parts > 1) cuda::over_elements(pass, Sums::vectors, cuda::AddPositionSums<In>{scratch, parts, g[0]});
}

template <class In>
template <Capability C>
[[gnu::used]] void CudaSinusoidalPositions<In>::forward(const Pass& pass, Weights<float>, const float*, const float* x,
                                                        float* y, NothingSaved&, float*) {
  constexpr std::size_t all = In::elements / cuda::vector_width(In::features);
  // Samples beside each other: enough threads for the device, of which each makes its sines once.
  const std::size_t step = std::min(pass.samples, std::max<std::size_t>(cuda::multiprocessors * 2048 / all, 1));
  cuda::over_elements(pass, step * all, cuda::AddSinusoids<In>{pass.samples, step, x, y});
}
template <class In>
template <Capability C>
[[gnu::used]] void CudaSinusoidalPositions<In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                                         const float*, const float* dy, float* dx, Gradients<float>,
                                                         NothingSaved&, float*) {
  if (dx != nullptr) cuda::copy_steps(pass, cuda::StepsOf<In>(pass), dy, dx, !pass.sets_input_gradient);
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
