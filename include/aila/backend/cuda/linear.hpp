// Linear on a GPU. Bound by tensor cores for wide layers, by memory where inputs or outputs are few.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/linear.hpp"
#include "../kernel.hpp"
#include "cuda.hpp"
#include "product.hpp"

namespace aila::inline v0 {

/// The bias' gradient is summed on the way of the weight's. Padded steps are computed on as others are, but reach no
/// gradient.
template <std::size_t Features, class In>
struct CudaLinear : KernelDefaults<float> {
  static constexpr const char* name = "cuda linear, three products of TF32";
  static constexpr std::size_t inputs = In::features;

  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr bool sets_input_gradient = true;

  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    const std::size_t rows = samples * In::positions;
    std::size_t back = keeps_for_backward(c) ? input_gradient_scratch(rows) : 0;
    if (c == Capability::train) back += cuda::weight_gradient_scratch(rows, inputs, Features);
    return std::max(cuda::product_scratch(rows, Features, inputs), back);
  }
  static constexpr std::size_t input_gradient_scratch(std::size_t rows) {
    return round_up(cuda::product_scratch(rows, inputs, Features), alignment_elements);
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y, NothingSaved&,
                      float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, NothingSaved&, float* scratch);
};

#ifdef __CUDACC__
template <std::size_t Features, class In>
template <Capability C>
[[gnu::used]] void CudaLinear<Features, In>::forward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                                     float* y, NothingSaved&, float* scratch) {
  cuda::product(pass, pass.samples * In::positions, Features, inputs, {x, inputs, 1}, {w[0], 1, inputs},
                {y, Features, w[1]}, scratch);
}

template <std::size_t Features, class In>
template <Capability C>
[[gnu::used]] void CudaLinear<Features, In>::backward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                                      const float*, const float* dy, float* dx, Gradients<float> g,
                                                      NothingSaved&, float* scratch) {
  const std::size_t rows = pass.samples * In::positions;
  cuda::detail::ValidSteps valid;
  if constexpr (In::rank == 2) valid = cuda::detail::valid_steps(pass.lengths, In::extents[0]);
  if (g)
    cuda::beside(pass, [&](const Pass& on) {
      cuda::detail::weight_gradient(on, rows, inputs, Features, x, dy, g[0], g[1], valid,
                                    scratch + input_gradient_scratch(rows));
    });
  if (dx != nullptr) {
    auto to = cuda::detail::places({dx, inputs, nullptr, !pass.sets_input_gradient}, rows, inputs);
    to.valid = valid;
    cuda::detail::multiply(pass, Features, {dy, Features, 1}, {w[0], inputs, 1}, to, scratch);
  }
}
#endif

template <std::size_t Features, class... Options, class In>
CudaLinear<Features, In> select_kernel(rank::Layer, Placed<Linear<Features, Options...>, In>, backend::Cuda);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
