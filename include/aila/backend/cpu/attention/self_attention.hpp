// Self-attention on the CPU, sample by sample: packed products around the attention of attention_forward.hpp.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../layer/self_attention.hpp"
#include "../../kernel.hpp"
#include "../simd/cpu.hpp"
#include "attention_backward.hpp"

namespace aila::inline v0 {

/// Bound by fused multiply-adds and exponentials. Only valid steps are read.
template <class S, class Arch, class L, class In>
struct CpuSelfAttention : KernelDefaults<S> {
  static constexpr const char* name = "cpu self-attention, blocks of queries";
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr bool sets_input_gradient = true;
  static constexpr std::size_t steps = In::positions, d = In::features;
  static constexpr cpu::AttentionSizes<S, Arch> sizes{steps, d, L::heads, L::causal};
  static constexpr std::size_t packed = sizes.packed();

  static void pack(Weights<S> w, S* to) {
    cpu::pack<S, Arch>(w[0], 1, d, d, 3 * d, to);
    cpu::pack<S, Arch>(w[0], d, 1, 3 * d, d, to + sizes.input_back_at());
    cpu::pack<S, Arch>(w[2], 1, d, d, d, to + sizes.output_at());
    cpu::pack<S, Arch>(w[2], d, 1, d, d, to + sizes.output_back_at());
  }

  /// q, k, v, the heads' outputs, and the statistics of the softmax of each sample.
  template <Capability C>
  struct Saved {
    S* kept = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) kept = arena.take(samples * sizes.saved_size());
    }
  };
  static constexpr std::size_t scratch(std::size_t, Capability c) {
    return keeps_for_backward(c) ? std::max(sizes.forward_scratch(), sizes.backward_scratch())
                                 : sizes.forward_scratch() + sizes.saved_size();
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, S* y, Saved<C>& saved,
                      S* scratch) {
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, y += In::elements) {
      const std::size_t length = pass.length(n, steps);
      S* qkv = keeps_for_backward(C) ? saved.kept + n * sizes.saved_size() : scratch + sizes.forward_scratch();
      S* o = qkv + sizes.qkv_size();
      cpu::multiply_packed<S, Arch>(length, d, 3 * d, x, d, 1, packed_weights, w[1], qkv, 3 * d, false);
      cpu::attention_forward<S, Arch>(sizes, length, qkv, o, o + sizes.o_size(), scratch);
      cpu::multiply_packed<S, Arch>(length, d, d, o, d, 1, packed_weights + sizes.output_at(), w[3], y, d, false);
      std::fill(y + length * d, y + In::elements, S(0));
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S>, const S* packed_weights, const S* x, const S*, const S* dy, S* dx,
                       Gradients<S> g, Saved<C>& saved, S* scratch) {
    S* d_qkv = scratch;
    S* d_o = d_qkv + sizes.qkv_size();
    S* rest = d_o + sizes.o_size();
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, dy += In::elements) {
      const std::size_t length = pass.length(n, steps);
      const S* qkv = saved.kept + n * sizes.saved_size();
      const S* o = qkv + sizes.qkv_size();
      cpu::multiply_packed<S, Arch>(length, d, d, dy, d, 1, packed_weights + sizes.output_back_at(), nullptr, d_o, d,
                                    false);
      cpu::attention_backward<S, Arch>(sizes, length, qkv, o, o + sizes.o_size(), d_o, d_qkv, rest);
      if (dx != nullptr)
        cpu::multiply_packed<S, Arch>(length, 3 * d, d, d_qkv, 3 * d, 1, packed_weights + sizes.input_back_at(),
                                      nullptr, dx + n * In::elements, d, !pass.sets_input_gradient);
      if (dx != nullptr && pass.sets_input_gradient)
        std::fill(dx + n * In::elements + length * d, dx + (n + 1) * In::elements, S(0));
      if (!g) continue;
      cpu::multiply_transposed_add<S, Arch>(length, 3 * d, d, d_qkv, 3 * d, x, d, g[0], d);
      cpu::add_columns<S, Arch>(length, 3 * d, d_qkv, 3 * d, g[1]);
      cpu::multiply_transposed_add<S, Arch>(length, d, d, dy, d, o, d, g[2], d);
      cpu::add_columns<S, Arch>(length, d, dy, d, g[3]);
    }
  }
};

template <std::size_t HeadCount, class... Options, class In, class Arch, class S>
CpuSelfAttention<S, Arch, SelfAttention<HeadCount, Options...>, In> select_kernel(
    rank::Layer, Placed<SelfAttention<HeadCount, Options...>, In>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
