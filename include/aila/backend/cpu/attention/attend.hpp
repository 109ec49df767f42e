// Attention without projections on the CPU, sample by sample.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../layer/attend.hpp"
#include "../../kernel.hpp"
#include "../simd/cpu.hpp"
#include "attention_backward.hpp"

namespace aila::inline v0 {

/// Bound by fused multiply-adds and exponentials. Only valid steps are read.
template <class S, class Arch, class L, class In>
struct CpuAttend : KernelDefaults<S> {
  static constexpr const char* name = "cpu attention, blocks of queries";
  static constexpr bool sets_input_gradient = true;
  static constexpr std::size_t steps = In::positions, d = In::features / 3;
  static constexpr cpu::AttentionSizes<S, Arch> sizes{steps, d, L::heads, L::causal};

  /// The statistics of the softmax of each sample.
  template <Capability C>
  struct Saved {
    S* statistics = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) statistics = arena.take(samples * sizes.statistics_size());
    }
  };
  static constexpr std::size_t scratch(std::size_t, Capability c) {
    return keeps_for_backward(c) ? std::max(sizes.forward_scratch(), sizes.backward_scratch())
                                 : sizes.forward_scratch() + sizes.statistics_size();
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, Saved<C>& saved, S* scratch) {
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, y += steps * d) {
      const std::size_t length = pass.length(n, steps);
      S* const statistics =
          keeps_for_backward(C) ? saved.statistics + n * sizes.statistics_size() : scratch + sizes.forward_scratch();
      cpu::attention_forward<S, Arch>(sizes, length, x, y, statistics, scratch);
      std::fill(y + length * d, y + steps * d, S(0));
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S>, const S*, const S* x, const S* y, const S* dy, S* dx, Gradients<S>,
                       Saved<C>& saved, S* scratch) {
    if (dx == nullptr) return;
    S* const d_qkv = scratch;
    S* const rest = d_qkv + sizes.qkv_size() + sizes.o_size();
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t length = pass.length(n, steps), valid = length * In::features;
      S* const to = dx + n * In::elements;
      cpu::attention_backward<S, Arch>(sizes, length, x + n * In::elements, y + n * steps * d,
                                       saved.statistics + n * sizes.statistics_size(), dy + n * steps * d, d_qkv, rest);
      if (pass.sets_input_gradient) {
        std::copy_n(d_qkv, valid, to);
        std::fill(to + valid, to + In::elements, S(0));
      } else {
        for (std::size_t i = 0; i < valid; ++i) to[i] += d_qkv[i];
      }
    }
  }
};

template <std::size_t HeadCount, class... Options, class In, class Arch, class S>
CpuAttend<S, Arch, Attend<HeadCount, Options...>, In> select_kernel(rank::Layer,
                                                                    Placed<Attend<HeadCount, Options...>, In>,
                                                                    backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
