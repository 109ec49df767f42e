// Shortcuts on a GPU: rows copied with a stride, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <numeric>

#include "../../layer/shortcut.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

template <class L, class In>
struct CudaShortcut : KernelDefaults<float> {
  static constexpr const char* name = "cuda shortcut";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool sets_input_gradient = true;

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      NothingSaved& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved& saved, float* scratch);
};

template <class L, class In>
  requires(L::is_shortcut)
CudaShortcut<L, In> select_kernel(rank::Layer, Placed<L, In>, backend::Cuda);

namespace cuda {

template <class L, class In>
struct ShortcutPlan {
  using Map = In;
  using Out = typename L::template Out<In>;
  static constexpr WindowPlan plan = L::template window<In>;
  static constexpr std::size_t v = vector_width(std::gcd(In::features, Out::features));
  static constexpr std::size_t in_vectors = In::features / v, out_vectors = Out::features / v;
  static constexpr std::size_t in_rows = plan.y.in, in_columns = plan.x.in;
  static constexpr std::size_t out_rows = plan.y.out(), out_columns = plan.x.out();
  static constexpr std::size_t row_stride = plan.y.stride, column_stride = plan.x.stride;

  /// The position [samples, rows, columns] of the input that one of the output is from.
  static constexpr std::size_t from(std::size_t position) {
    const std::size_t column = position % out_columns, row = position / out_columns % out_rows;
    const std::size_t sample = position / (out_columns * out_rows);
    return (sample * in_rows + row * row_stride) * in_columns + column * column_stride;
  }
  /// Whether a position of the input goes to the output.
  static constexpr bool goes_on(std::size_t position) {
    return position % in_columns % column_stride == 0 && position / in_columns % in_rows % row_stride == 0;
  }
  /// And where to.
  static constexpr std::size_t to(std::size_t position) {
    const std::size_t column = position % in_columns / column_stride,
                      row = position / in_columns % in_rows / row_stride;
    return (position / (in_columns * in_rows) * out_rows + row) * out_columns + column;
  }
};

#ifdef __CUDACC__

template <class Plan>
struct ShortcutForward {
  const float* x;
  float* y;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = Plan::v;
    const std::size_t vector = i % Plan::out_vectors;
    as_vectors<v>(y)[i] = vector < Plan::in_vectors
                              ? as_vectors<v>(x)[Plan::from(i / Plan::out_vectors) * Plan::in_vectors + vector]
                              : RowVector<v>{};
  }
};
template <class Plan>
struct ShortcutBackward {
  StepsOf<typename Plan::Map> valid;
  const float* dy;
  float* dx;
  bool adds;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t v = Plan::v;
    const std::size_t position = i / Plan::in_vectors, vector = i % Plan::in_vectors;
    const bool gets = Plan::goes_on(position) && valid.has(position);
    if (!gets && adds) return;
    store_or_add(as_vectors<v>(dx) + i,
                 gets ? as_vectors<v>(dy)[Plan::to(position) * Plan::out_vectors + vector] : RowVector<v>{}, adds);
  }
};

#endif

}  // namespace cuda

#ifdef __CUDACC__

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaShortcut<L, In>::forward(const Pass& pass, Weights<float>, const float*, const float* x,
                                                float* y, NothingSaved&, float*) {
  using Plan = cuda::ShortcutPlan<L, In>;
  cuda::over_elements(pass, pass.samples * Plan::out_rows * Plan::out_columns * Plan::out_vectors,
                      cuda::ShortcutForward<Plan>{x, y});
}
template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaShortcut<L, In>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                                 const float*, const float* dy, float* dx, Gradients<float>,
                                                 NothingSaved&, float*) {
  if (dx == nullptr) return;
  using Plan = cuda::ShortcutPlan<L, In>;
  cuda::over_elements(pass, pass.samples * Plan::in_rows * Plan::in_columns * Plan::in_vectors,
                      cuda::ShortcutBackward<Plan>{cuda::StepsOf<In>(pass), dy, dx, !pass.sets_input_gradient});
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
