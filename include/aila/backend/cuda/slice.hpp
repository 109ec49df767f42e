// Slice on a GPU: columns copied, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <numeric>

#include "../../layer/slice.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

template <class L, class In>
struct CudaSlice : KernelDefaults<float> {
  static constexpr const char* name = "cuda slice";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool sets_input_gradient = true;
  static constexpr std::size_t v = cuda::vector_width(std::gcd(std::gcd(L::first, L::count), In::features));

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

template <std::size_t First, std::size_t Count, class In>
CudaSlice<Slice<First, Count>, In> select_kernel(rank::Layer, Placed<Slice<First, Count>, In>, backend::Cuda);

#ifdef __CUDACC__

namespace cuda {

/// In vectors: columns [first, first + count) of rows of `all`.
template <std::size_t v, std::size_t first, std::size_t count, std::size_t all>
struct SliceForward {
  const float* x;
  float* y;
  __device__ void operator()(std::size_t i) const {
    as_vectors<v>(y)[i] = as_vectors<v>(x)[i / count * all + first + i % count];
  }
};
template <std::size_t v, std::size_t first, std::size_t count, std::size_t all, class Valid>
struct SliceBackward {
  Valid valid;
  const float* dy;
  float* dx;
  __device__ void operator()(std::size_t i) const {
    const std::size_t row = i / all, column = i % all - first;  // huge where it is before the first
    as_vectors<v>(dx)[i] = column < count && valid.has(row) ? as_vectors<v>(dy)[row * count + column] : RowVector<v>{};
  }
};
template <std::size_t v, std::size_t first, std::size_t count, std::size_t all, class Valid>
struct SliceAdd {
  Valid valid;
  const float* dy;
  float* dx;
  __device__ void operator()(std::size_t i) const {
    if (valid.has(i / count))
      store_or_add(as_vectors<v>(dx) + (i / count * all + first + i % count), as_vectors<v>(dy)[i], true);
  }
};

}  // namespace cuda

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaSlice<L, In>::forward(const Pass& pass, Weights<float>, const float*, const float* x, float* y,
                                             NothingSaved&, float*) {
  cuda::over_elements(pass, pass.samples * In::positions * (L::count / v),
                      cuda::SliceForward<v, L::first / v, L::count / v, In::features / v>{x, y});
}
template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaSlice<L, In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                              const float*, const float* dy, float* dx, Gradients<float>, NothingSaved&,
                                              float*) {
  if (dx == nullptr) return;
  using Valid = cuda::StepsOf<In>;
  const std::size_t rows = pass.samples * In::positions;
  if (pass.sets_input_gradient)
    cuda::over_elements(
        pass, rows * (In::features / v),
        cuda::SliceBackward<v, L::first / v, L::count / v, In::features / v, Valid>{Valid(pass), dy, dx});
  else
    cuda::over_elements(pass, rows * (L::count / v),
                        cuda::SliceAdd<v, L::first / v, L::count / v, In::features / v, Valid>{Valid(pass), dy, dx});
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
