// Linear on the CPU: packed products. Bound by fused multiply-adds for wide layers, by memory for few outputs.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../layer/linear.hpp"
#include "../../kernel.hpp"
#include "../product/product.hpp"
#include "../product/product_transposed.hpp"
#include "../simd/cpu.hpp"
#include "linear_step.hpp"

namespace aila::inline v0 {

/// Weights are packed transposed for y = x W^T + b, and for dx = dy W where they would not do as they are.
template <class S, class Arch, std::size_t Features, class In>
struct CpuLinear : KernelDefaults<S> {
  static constexpr const char* name = "cpu linear, packed products";
  static constexpr std::size_t inputs = In::features;
  static constexpr std::size_t forward_size = round_up(cpu::packed_size<S, Arch>(inputs, Features), alignment_elements);
  static constexpr bool packs_back = !cpu::packs_to_itself<S, Arch>(inputs);
  static constexpr std::size_t packed =
      forward_size + (packs_back ? round_up(cpu::packed_size<S, Arch>(Features, inputs), alignment_elements) : 0);

  static constexpr bool stays_normal = true;
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr bool sets_input_gradient = true;

  static void pack(Weights<S> w, S* to) {
    cpu::pack<S, Arch>(w[0], 1, inputs, inputs, Features, to);
    if constexpr (packs_back) cpu::pack<S, Arch>(w[0], inputs, 1, Features, inputs, to + forward_size);
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, S* y, NothingSaved&, S*) {
    if constexpr (C == Capability::stream && In::positions == 1)
      if (pass.samples == 1) return cpu::linear_step<S, Arch, inputs, Features>(x, w[0], packed_weights, w[1], y);
    forward_rows(pass.samples * In::positions, w[1], packed_weights, x, y);
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, const S*, const S* dy,
                       S* dx, Gradients<S> g, NothingSaved&, S*) {
    const std::size_t rows = pass.samples * In::positions;
    if (dx != nullptr)
      cpu::multiply_packed<S, Arch>(rows, Features, inputs, dy, Features, 1,
                                    packs_back ? packed_weights + forward_size : w[0], nullptr, dx, inputs,
                                    !pass.sets_input_gradient);
    if (g) {
      cpu::multiply_transposed_add<S, Arch>(rows, Features, inputs, dy, Features, x, inputs, g[0], inputs);
      cpu::add_columns<S, Arch>(rows, Features, dy, Features, g[1]);
    }
  }

 private:
  /// By itself, so that the code of one step of a stream has all registers.
  [[gnu::noinline]] static void forward_rows(std::size_t rows, const S* bias, const S* packed_weights, const S* x,
                                             S* y) {
    cpu::multiply_packed_of<inputs, Features, S, Arch>(rows, x, packed_weights, bias, y, false);
  }
};

template <std::size_t Features, class... Options, class In, class Arch, class S>
CpuLinear<S, Arch, Features, In> select_kernel(rank::Layer, Placed<Linear<Features, Options...>, In>,
                                               backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
