// ClassToken and FirstStep on a GPU: copies, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/class_token.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

template <class In>
struct CudaClassToken : KernelDefaults<float> {
  static constexpr const char* name = "cuda class token";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool sets_input_gradient = true;

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

template <class In>
struct CudaFirstStep : KernelDefaults<float> {
  static constexpr const char* name = "cuda first step";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool sets_input_gradient = true;

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

template <class In>
CudaClassToken<In> select_kernel(rank::Layer, Placed<ClassToken, In>, backend::Cuda);
template <class In>
CudaFirstStep<In> select_kernel(rank::Layer, Placed<FirstStep, In>, backend::Cuda);

#ifdef __CUDACC__

namespace cuda {

template <class In>
struct ClassTokenForward {
  const float *token, *x;
  float* y;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), row = In::features / v, rows = In::elements / v;
    const std::size_t sample = i / (rows + row), at = i % (rows + row);
    as_vectors<v>(y)[i] = at < row ? as_vectors<v>(token)[at] : as_vectors<v>(x)[sample * rows + at - row];
  }
};

/// The first `summing` blocks sum the gradient of the token over the samples, eight vectors of it each; the others pass
/// on that of the input.
template <class In>
__global__ void __launch_bounds__(256)
    class_token_backward(std::size_t samples, unsigned summing, StepsOf<In> valid, const float* __restrict__ dy,
                         float* __restrict__ dx, bool adds, float* __restrict__ to_token) {
  constexpr std::size_t v = vector_width(In::features), row = In::features / v, rows = In::elements / v;
  if (blockIdx.x < summing) {
    __shared__ RowVector<v> shared[256];
    constexpr unsigned chunk = 8, lanes = 256 / chunk;
    const unsigned lane = threadIdx.x / chunk, vector = blockIdx.x * chunk + threadIdx.x % chunk;
    RowVector<v> sum{};
    if (vector < row)
#pragma unroll 8
      for (std::size_t n = lane; n < samples; n += lanes) add_to(sum, as_vectors<v>(dy)[n * (rows + row) + vector]);
    shared[threadIdx.x] = sum;
    combine_lanes(shared, lane, lanes, chunk, [](RowVector<v>& a, const RowVector<v>& b) { add_to(a, b); });
    if (lane == 0 && vector < row) store_or_add(as_vectors<v>(to_token) + vector, shared[threadIdx.x], true);
    return;
  }
  const std::size_t step = static_cast<std::size_t>(gridDim.x - summing) * blockDim.x;
  for (std::size_t i = static_cast<std::size_t>(blockIdx.x - summing) * blockDim.x + threadIdx.x; i < samples * rows;
       i += step) {
    const bool counts = valid.has(i / row);
    if (!counts && adds) continue;
    store_or_add(as_vectors<v>(dx) + i,
                 counts ? as_vectors<v>(dy)[i / rows * (rows + row) + row + i % rows] : RowVector<v>{}, adds);
  }
}

template <class In>
struct FirstStepForward {
  const float* x;
  float* y;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), row = In::features / v;
    as_vectors<v>(y)[i] = as_vectors<v>(x)[i / row * In::positions * row + i % row];
  }
};
template <class In>
struct FirstStepBackward {
  const float* dy;
  float* dx;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), row = In::features / v, rows = In::positions * row;
    as_vectors<v>(dx)[i] = i % rows < row ? as_vectors<v>(dy)[i / rows * row + i % rows] : RowVector<v>{};
  }
};
template <class In>
struct FirstStepAdd {
  const float* dy;
  float* dx;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), row = In::features / v;
    store_or_add(as_vectors<v>(dx) + (i / row * In::positions * row + i % row), as_vectors<v>(dy)[i], true);
  }
};

}  // namespace cuda

template <class In>
template <Capability C>
[[gnu::used]] void CudaClassToken<In>::forward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                               float* y, NothingSaved&, float*) {
  cuda::over_elements(pass, pass.samples * (In::elements + In::features) / cuda::vector_width(In::features),
                      cuda::ClassTokenForward<In>{w[0], x, y});
}
template <class In>
template <Capability C>
[[gnu::used]] void CudaClassToken<In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                                const float*, const float* dy, float* dx, Gradients<float> g,
                                                NothingSaved&, float*) {
  constexpr std::size_t v = cuda::vector_width(In::features);
  const auto summing = static_cast<unsigned>(g && pass.samples > 0 ? cuda::divide_up(In::features / v, 8) : 0);
  const unsigned others = dx != nullptr ? cuda::blocks_for(pass.samples * In::elements / v, 256) : 0;
  cuda::launch(pass, &cuda::class_token_backward<In>, summing + others, 256, 0, pass.samples, summing,
               cuda::StepsOf<In>(pass), dy, dx, !pass.sets_input_gradient, g ? g[0] : nullptr);
}

template <class In>
template <Capability C>
[[gnu::used]] void CudaFirstStep<In>::forward(const Pass& pass, Weights<float>, const float*, const float* x, float* y,
                                              NothingSaved&, float*) {
  cuda::over_elements(pass, pass.samples * In::features / cuda::vector_width(In::features),
                      cuda::FirstStepForward<In>{x, y});
}
template <class In>
template <Capability C>
[[gnu::used]] void CudaFirstStep<In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                               const float*, const float* dy, float* dx, Gradients<float>,
                                               NothingSaved&, float*) {
  if (dx == nullptr) return;
  constexpr std::size_t v = cuda::vector_width(In::features);
  if (pass.sets_input_gradient)
    cuda::over_elements(pass, pass.samples * In::elements / v, cuda::FirstStepBackward<In>{dy, dx});
  else
    cuda::over_elements(pass, pass.samples * In::features / v, cuda::FirstStepAdd<In>{dy, dx});
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
