// Convolutions on the CPU: the kernels attached to the layers.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../layer/activation.hpp"
#include "../../../layer/conv.hpp"
#include "../../kernel.hpp"
#include "../simd/cpu.hpp"
#include "conv_backward.hpp"
#include "conv_forward.hpp"
#include "conv_pack.hpp"
#include "depthwise_backward.hpp"
#include "winograd.hpp"

namespace aila::inline v0 {

/// See conv_forward.hpp, conv_backward.hpp and depthwise.hpp for what bounds them.
template <class S, class Arch, class L, class In>
struct CpuConv : KernelDefaults<S> {
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr ConvPlan plan = L::template plan<In>;
  static constexpr bool depthwise = cpu::is_depthwise(plan);
  static constexpr bool winograd = cpu::uses_winograd<S, Arch>(plan);
  static constexpr const char* name = depthwise  ? "cpu depthwise convolution"
                                      : winograd ? "cpu convolution, minimal filtering"
                                                 : "cpu convolution, sums in registers";
  static constexpr std::size_t packed = depthwise  ? cpu::depthwise_packed_size<S, Arch>(plan)
                                        : winograd ? cpu::WinogradPacked<S, Arch>(plan).size
                                                   : cpu::ConvPacked<S, Arch>(plan).size;

  /// A batch normalisation behind the convolution may be folded into it.
  using Channels = cpu::ChannelScale<S>;
  static void pack(Weights<S> w, S* to) { pack(w, {}, to); }
  /// With a scale and a shift for each output feature folded in: y = (W x + b) scale + shift.
  static void pack(Weights<S> w, cpu::ChannelScale<S> channels, S* to) {
    const S* bias = L::has_bias ? w[1] : nullptr;
    if constexpr (depthwise)
      cpu::depthwise_pack<S, Arch>(plan, w[0], bias, to, channels);
    else if constexpr (winograd)
      cpu::winograd_pack<plan.x.stride, S, Arch>(plan, w[0], bias, to, channels);
    else
      cpu::conv_pack<S, Arch>(plan, w[0], bias, to, channels);
  }

  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    if (depthwise) return keeps_for_backward(c) ? cpu::depthwise_scratch<S, Arch>(plan) : 0;
    if constexpr (winograd) return Winograd::scratch(plan, samples, keeps_for_backward(c));
    return keeps_for_backward(c) ? cpu::conv_backward_scratch<S, Arch>(plan, samples)
                                 : cpu::conv_forward_scratch(plan, samples);
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S* packed_weights, const S* x, S* y, NothingSaved&,
                      S* scratch) {
    forward_then<Identity>(pass, packed_weights, x, y, scratch);
  }
  /// y = After(W x + b) with an element-wise layer.
  template <class After>
  static void forward_then(const Pass& pass, const S* packed_weights, const S* x, S* y, S* scratch) {
    if constexpr (depthwise)
      cpu::depthwise_forward<After, S, Arch>(plan, of_sequence(pass), packed_weights, x, y);
    else if constexpr (winograd)
      Winograd(plan, pass.samples, scratch).template forward<After>(packed_weights, x, y);
    else
      cpu::conv_forward<After, S, Arch>(plan, of_sequence(pass), packed_weights, x, y, scratch);
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S>, const S* packed_weights, const S* x, const S*, const S* dy, S* dx,
                       Gradients<S> g, NothingSaved&, S* scratch) {
    S* dw = g ? g[0] : nullptr;
    S* db = L::has_bias && g ? g[1] : nullptr;
    if constexpr (depthwise)
      cpu::depthwise_backward<S, Arch>(plan, of_sequence(pass), packed_weights, x, dy, dx, dw, db, scratch);
    else if constexpr (winograd) {
      Winograd(plan, pass.samples, scratch).backward(packed_weights, x, dy, dx, dw);
      if (db != nullptr)
        cpu::add_columns<S, Arch>(pass.samples * plan.out_positions(), plan.outputs, dy, plan.outputs, db);
    } else
      cpu::conv_backward<S, Arch>(plan, of_sequence(pass), packed_weights, x, dy, dx, dw, db, scratch);
  }

 private:
  using Winograd = cpu::Winograd<plan.x.stride == 2 ? 2 : 1, S, Arch>;
  static Pass of_sequence(Pass pass) {
    if (In::rank != 2) pass.lengths = nullptr;
    return pass;
  }
};

template <class L, class In, class Arch, class S>
  requires(L::is_convolution)
CpuConv<S, Arch, L, In> select_kernel(rank::Layer, Placed<L, In>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
