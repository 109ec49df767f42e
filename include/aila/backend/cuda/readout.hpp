// Flatten, LastStep and MeanOverPositions on a GPU: copies and sums, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/readout.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

/// Of padded steps y has zeros. Over its input it does nothing else.
template <class In>
struct CudaFlatten : KernelDefaults<float> {
  static constexpr const char* name = "cuda flatten";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr bool sets_input_gradient = true;
  static constexpr bool copies = true;

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

/// A sample of length 0 reads its first step.
template <class In>
struct CudaLastStep : KernelDefaults<float> {
  static constexpr const char* name = "cuda last step";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool sets_input_gradient = true;
  static constexpr bool copies = In::positions == 1;

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

/// Only sequences have lengths. A sample of length 0 has the mean 0.
template <class In>
struct CudaMean : KernelDefaults<float> {
  static constexpr const char* name = "cuda mean";
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
CudaFlatten<In> select_kernel(rank::Layer, Placed<Flatten, In>, backend::Cuda);
template <class In>
CudaLastStep<In> select_kernel(rank::Layer, Placed<LastStep, In>, backend::Cuda);
template <class In>
CudaMean<In> select_kernel(rank::Layer, Placed<MeanOverPositions, In>, backend::Cuda);

#ifdef __CUDACC__

namespace cuda {

/// to = x, or to += x, at steps that count; at others zeros where nothing is added.
template <class Map>
struct CopySteps {
  StepsOf<Map> valid;
  const float* x;
  float* to;
  bool adds;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(Map::features);
    const bool counts = valid.has(i / (Map::features / v));
    if (!counts && adds) return;
    if (counts && !adds && x == to) return;
    store_or_add(as_vectors<v>(to) + i, counts ? as_vectors<v>(x)[i] : RowVector<v>{}, adds);
  }
};
/// The same for a whole map; nothing where nothing is to do.
template <class Map>
void copy_steps(const Pass& pass, const StepsOf<Map>& valid, const float* x, float* to, bool adds) {
  if (x == to && !adds && valid.all()) return;
  over_elements(pass, pass.samples * Map::elements / vector_width(Map::features), CopySteps<Map>{valid, x, to, adds});
}

/// The step of a sample that LastStep reads.
template <class In>
constexpr std::size_t last_step(const StepsOf<In>& valid, std::size_t sample) {
  const std::size_t length = valid.of(sample);
  return length > 0 ? length - 1 : 0;
}

template <class In>
struct LastStepForward {
  StepsOf<In> valid;
  const float* x;
  float* y;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), vectors = In::features / v;
    const std::size_t sample = i / vectors;
    as_vectors<v>(y)[i] = as_vectors<v>(x)[(sample * In::positions + last_step(valid, sample)) * vectors + i % vectors];
  }
};
template <class In>
struct LastStepBackward {
  StepsOf<In> valid;
  const float* dy;
  float* dx;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), vectors = In::features / v;
    const std::size_t row = i / vectors, sample = row / In::positions;
    as_vectors<v>(dx)[i] = row % In::positions == last_step(valid, sample)
                               ? as_vectors<v>(dy)[sample * vectors + i % vectors]
                               : RowVector<v>{};
  }
};
template <class In>
struct LastStepAdd {
  StepsOf<In> valid;
  const float* dy;
  float* dx;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), vectors = In::features / v;
    const std::size_t sample = i / vectors, row = sample * In::positions + last_step(valid, sample);
    store_or_add(as_vectors<v>(dx) + row * vectors + i % vectors, as_vectors<v>(dy)[i], true);
  }
};

template <class In>
__global__ void __launch_bounds__(SamplePlan<In>::threads)
    mean_over_positions(StepsOf<In> valid, const float* __restrict__ x, float* __restrict__ y) {
  using Plan = SamplePlan<In>;
  constexpr std::size_t v = Plan::v;
  constexpr unsigned chunk = Plan::chunk, lanes = Plan::lanes;
  __shared__ RowVector<v> shared[Plan::threads];
  const unsigned lane = threadIdx.x / chunk;
  const std::size_t sample = blockIdx.x / static_cast<unsigned>(Plan::chunks);
  const std::size_t vector = blockIdx.x % static_cast<unsigned>(Plan::chunks) * chunk + threadIdx.x % chunk;
  const bool has = vector < Plan::vectors;
  const std::size_t count = valid.of(sample);
  RowVector<v> sum{};
  if (has) {
    const RowVector<v>* const from = as_vectors<v>(x) + sample * In::positions * Plan::vectors + vector;
#pragma unroll 4
    for (std::size_t p = lane; p < count; p += lanes) add_to(sum, from[p * Plan::vectors]);
  }
  shared[threadIdx.x] = sum;
  combine_lanes(shared, lane, lanes, chunk, [](RowVector<v>& a, const RowVector<v>& b) { add_to(a, b); });
  if (lane > 0 || !has) return;
  sum = shared[threadIdx.x];
  const float share = count > 0 ? 1.0F / static_cast<float>(count) : 0.0F;
#pragma unroll
  for (std::size_t f = 0; f < v; ++f) sum.at[f] *= share;
  as_vectors<v>(y)[sample * Plan::vectors + vector] = sum;
}

template <class In>
struct MeanBackward {
  StepsOf<In> valid;
  const float* dy;
  float* dx;
  bool adds;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = vector_width(In::features), vectors = In::features / v;
    const std::size_t row = i / vectors, sample = row / In::positions, count = valid.of(sample);
    const bool counts = row % In::positions < count;
    if (!counts && adds) return;
    RowVector<v> d{};
    if (counts) {
      d = as_vectors<v>(dy)[sample * vectors + i % vectors];
      const float share = 1.0F / static_cast<float>(count);
#pragma unroll
      for (std::size_t f = 0; f < v; ++f) d.at[f] *= share;
    }
    store_or_add(as_vectors<v>(dx) + i, d, adds);
  }
};

}  // namespace cuda

template <class In>
template <Capability C>
[[gnu::used]] void CudaFlatten<In>::forward(const Pass& pass, Weights<float>, const float*, const float* x, float* y,
                                            NothingSaved&, float*) {
  cuda::copy_steps(pass, C == Capability::stream ? cuda::StepsOf<In>() : cuda::StepsOf<In>(pass), x, y, false);
}
template <class In>
template <Capability C>
[[gnu::used]] void CudaFlatten<In>::backward(const Pass& pass, Weights<float>, const float*, const float*, const float*,
                                             const float* dy, float* dx, Gradients<float>, NothingSaved&, float*) {
  if (dx == nullptr) return;
  cuda::copy_steps(pass, cuda::StepsOf<In>(pass), dy, dx, !pass.sets_input_gradient);
}

template <class In>
template <Capability C>
[[gnu::used]] void CudaLastStep<In>::forward(const Pass& pass, Weights<float>, const float*, const float* x, float* y,
                                             NothingSaved&, float*) {
  cuda::over_elements(pass, pass.samples * In::features / cuda::vector_width(In::features),
                      cuda::LastStepForward<In>{cuda::StepsOf<In>(pass), x, y});
}
template <class In>
template <Capability C>
[[gnu::used]] void CudaLastStep<In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                              const float*, const float* dy, float* dx, Gradients<float>, NothingSaved&,
                                              float*) {
  if (dx == nullptr) return;
  constexpr std::size_t v = cuda::vector_width(In::features);
  const cuda::StepsOf<In> valid(pass);
  if (pass.sets_input_gradient)
    cuda::over_elements(pass, pass.samples * In::elements / v, cuda::LastStepBackward<In>{valid, dy, dx});
  else
    cuda::over_elements(pass, pass.samples * In::features / v, cuda::LastStepAdd<In>{valid, dy, dx});
}

template <class In>
template <Capability C>
[[gnu::used]] void CudaMean<In>::forward(const Pass& pass, Weights<float>, const float*, const float* x, float* y,
                                         NothingSaved&, float*) {
  using Plan = cuda::SamplePlan<In>;
  cuda::launch(pass, &cuda::mean_over_positions<In>, static_cast<unsigned>(pass.samples * Plan::chunks),
               static_cast<unsigned>(Plan::threads), 0, cuda::StepsOf<In>(pass), x, y);
}
template <class In>
template <Capability C>
[[gnu::used]] void CudaMean<In>::backward(const Pass& pass, Weights<float>, const float*, const float*, const float*,
                                          const float* dy, float* dx, Gradients<float>, NothingSaved&, float*) {
  if (dx == nullptr) return;
  cuda::over_elements(pass, pass.samples * In::elements / cuda::vector_width(In::features),
                      cuda::MeanBackward<In>{cuda::StepsOf<In>(pass), dy, dx, !pass.sets_input_gradient});
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
