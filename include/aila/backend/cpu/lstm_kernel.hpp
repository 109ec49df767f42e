// LSTM on the CPU: the kernel of the whole sequence, attached to the layer.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/lstm.hpp"
#include "../kernel.hpp"
#include "cpu.hpp"
#include "lstm.hpp"
#include "lstm_step.hpp"

namespace aila::inline v0 {

/// See lstm_forward.hpp, lstm_backward.hpp and lstm_step.hpp for what bounds them.
template <class S, class Arch, std::size_t Units, class In>
struct CpuLstm {
  using Scalar = S;
  static constexpr const char* name = "cpu lstm, whole sequence";
  static constexpr std::size_t steps = In::positions;
  static constexpr std::size_t inputs = In::features;
  static constexpr std::size_t packed =
      round_up(cpu::lstm_packed_size<S, Arch, steps, inputs, Units>(true), alignment_elements);

  /// One step of a stream keeps clear of denormal numbers by itself.
  static constexpr bool stays_normal = std::is_same_v<S, float>;
  static constexpr bool takes_blocks = true;
  using Cell = cpu::LstmCell<S, Arch, inputs, Units>;

  static void pack(Weights<S> w, S* to) { cpu::lstm_pack<S, Arch, steps, inputs, Units>(w[0], w[1], w[2], to, true); }

  template <Capability C>
  struct Saved {
    S* kept = nullptr;  ///< gates and cells; of a stream h and c
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C))
        kept = arena.take(cpu::lstm_saved_size<S, Arch, steps, inputs, Units>(samples));
      else if constexpr (C == Capability::stream)
        kept = arena.take(cpu::OneStep<Cell>::state_size);
    }
  };
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    if (c == Capability::stream)
      return std::max(cpu::one_step_scratch<Cell>(), samples > 1 ? block(samples).forward_scratch(1) : 0);
    return cpu::lstm_scratch_size<S, Arch, steps, inputs, Units>(samples, keeps_for_backward(c));
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S* packed_weights, const S* x, S* y, Saved<C>& saved,
                      S* scratch) {
    if constexpr (C != Capability::stream) {
      cpu::lstm_forward<S, Arch, steps, inputs, Units>(pass.samples, x, pass.lengths, packed_weights, y, saved.kept,
                                                       scratch);
    } else if (pass.samples == 1) {
      cpu::one_step<Cell>(x, packed_weights, saved.kept, y, scratch, pass.step);
    } else {
      forward_block(pass, packed_weights, x, y, saved.kept, scratch);
    }
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, const S* y, const S* dy,
                       S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    cpu::lstm_backward<S, Arch, steps, inputs, Units>(pass.samples, x, pass.lengths, w[0], w[1], packed_weights, y, dy,
                                                      dx, g ? g[0] : nullptr, g ? g[1] : nullptr, g ? g[2] : nullptr,
                                                      saved.kept, scratch);
  }

 private:
  static constexpr cpu::LstmSizes<S, Arch> block(std::size_t count) { return {count, inputs, Units}; }
  /// Several steps of a stream. By itself, so that the code of one step has all registers.
  [[gnu::noinline]] static void forward_block(const Pass& pass, const S* packed_weights, const S* x, S* y, S* state,
                                              S* scratch) {
    const std::int32_t valid = cpu::valid_in_block(pass.lengths, pass.samples);
    cpu::with_carried<Cell>(state, pass.step, pass.samples, [&](cpu::CarriedState<S> carried) {
      cpu::lstm_forward_group<false>(block(pass.samples), 1, x, &valid, packed_weights, y, static_cast<S*>(nullptr),
                                     scratch, carried);
    });
  }
};

template <std::size_t Units, class... Options, class In, class Arch, class S>
CpuLstm<S, Arch, Units, In> select_kernel(rank::Layer, Placed<Lstm<Units, Options...>, In>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
