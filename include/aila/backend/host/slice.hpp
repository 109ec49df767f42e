// Slice on the host: columns copied, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/slice.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

template <class L, class In, class Backend>
struct SliceKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host slice";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool sets_input_gradient = true;
  using S = typename Backend::Scalar;

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    const std::size_t rows = pass.samples * In::positions;
    for (std::size_t r = 0; r < rows; ++r) std::copy_n(x + r * In::features + L::first, L::count, y + r * L::count);
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    const std::size_t rows = pass.samples * In::positions;
    if (pass.sets_input_gradient) std::fill_n(dx, rows * In::features, S(0));
    for (std::size_t r = 0; r < rows; ++r, dy += L::count)
      for (std::size_t f = 0; f < L::count; ++f) dx[r * In::features + L::first + f] += dy[f];
  }
};

template <std::size_t First, std::size_t Count, class In, HostBackend Backend>
SliceKernel<Slice<First, Count>, In, Backend> select_kernel(rank::Layer, Placed<Slice<First, Count>, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
