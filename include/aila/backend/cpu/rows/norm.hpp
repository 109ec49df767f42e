// LayerNorm, and ReLU before it, on the CPU.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../layer/layer_norm.hpp"
#include "../../kernel.hpp"
#include "norm_rows.hpp"

namespace aila::inline v0 {

template <class S, class Arch, class L, class In>
struct CpuNorm : KernelDefaults<S> {
  static constexpr const char* name = "cpu layer norm, fused";
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr bool sets_input_gradient = true;
  using First = typename L::First;
  static constexpr std::size_t d = In::features, lanes = simd::width<S, Arch>;
  static constexpr bool partial = d % lanes != 0;
  static constexpr S epsilon = S(L::epsilon);

  /// The gradients of weight and bias.
  static constexpr std::size_t scratch(std::size_t, Capability c) {
    return keeps_for_backward(c) ? 2 * round_up(d, lanes) : 0;
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    cpu::norm_forward<S, Arch, First, partial>(pass.samples * In::positions, d, epsilon, w[0], w[1], x, y);
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                       Gradients<S> g, NothingSaved&, S* scratch) {
    // Two functions, so that in each a product is fused with what it is added to.
    if (pass.sets_input_gradient)
      go_back<false>(pass, w, x, dy, dx, g, scratch);
    else
      go_back<true>(pass, w, x, dy, dx, g, scratch);
  }

 private:
  template <bool adds>
  static void go_back(const Pass& pass, Weights<S> w, const S* x, const S* dy, S* dx, Gradients<S> g, S* scratch) {
    cpu::norm_backward<adds, S, Arch, First, partial>(pass.samples * In::positions, d, epsilon, w[0], x, dy, dx,
                                                      g ? g[0] : nullptr, g ? g[1] : nullptr, scratch);
  }
};

template <class In, class Arch, class S>
CpuNorm<S, Arch, LayerNorm, In> select_kernel(rank::Layer, Placed<LayerNorm, In>, backend::CpuOn<Arch, S>);
template <class In, class Arch, class S>
CpuNorm<S, Arch, ReluLayerNorm, In> select_kernel(rank::Layer, Placed<ReluLayerNorm, In>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
