// GRU on the CPU: the kernel of the whole sequence, attached to the layer.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/gru.hpp"
#include "../kernel.hpp"
#include "cpu.hpp"
#include "gru_backward.hpp"
#include "gru_step.hpp"

namespace aila::inline v0 {

/// See gru_forward.hpp, gru_backward.hpp and gru_step.hpp for what bounds them.
template <class S, class Arch, std::size_t Units, class In>
struct CpuGru {
  using Scalar = S;
  static constexpr const char* name = "cpu gru, whole sequence";
  static constexpr cpu::GruSizes<S, Arch> sizes{{In::positions, In::features, Units}};
  static constexpr std::size_t packed = round_up(sizes.packed(), alignment_elements);

  /// One step of a stream keeps clear of denormal numbers by itself.
  static constexpr bool stays_normal = std::is_same_v<S, float>;
  static constexpr bool takes_blocks = true;
  using Cell = cpu::GruCell<S, Arch, In::features, Units>;

  static void pack(Weights<S> w, S* to) { cpu::pack_gru(sizes, w[0], w[1], w[2], w[3], to); }

  template <Capability C>
  struct Saved {
    S* kept = nullptr;  ///< gates; of a stream h
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C))
        kept = arena.take(sizes.saved_size(samples));
      else if constexpr (C == Capability::stream)
        kept = arena.take(cpu::OneStep<Cell>::state_size);
    }
  };
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    if (c == Capability::stream)
      return std::max(cpu::one_step_scratch<Cell>(), samples > 1 ? block(samples).forward_scratch(1) : 0);
    const std::size_t forward = sizes.forward_scratch(samples);
    return keeps_for_backward(c) ? std::max(forward, sizes.backward_scratch(samples)) : forward;
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S* packed_weights, const S* x, S* y, Saved<C>& saved,
                      S* scratch) {
    if constexpr (C != Capability::stream) {
      cpu::gru_forward<keeps_for_backward(C)>(sizes, pass.samples, x, pass.lengths, packed_weights, y, saved.kept,
                                              scratch);
    } else if (pass.samples == 1) {
      cpu::one_step<Cell>(x, packed_weights, saved.kept, y, scratch, pass.step);
    } else {
      forward_block(pass, packed_weights, x, y, saved.kept, scratch);
    }
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S>, const S* packed_weights, const S* x, const S* y, const S* dy,
                       S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    const cpu::GruGradients<S> to = g ? cpu::GruGradients<S>{g[0], g[1], g[2], g[3]} : cpu::GruGradients<S>{};
    cpu::gru_backward(sizes, pass.samples, x, pass.lengths, packed_weights, y, dy, dx, to, saved.kept, scratch);
  }

 private:
  static constexpr cpu::GruSizes<S, Arch> block(std::size_t count) { return {{count, In::features, Units}}; }
  /// Several steps of a stream. By itself, so that the code of one step has all registers.
  [[gnu::noinline]] static void forward_block(const Pass& pass, const S* packed_weights, const S* x, S* y, S* state,
                                              S* scratch) {
    const std::int32_t valid = cpu::valid_in_block(pass.lengths, pass.samples);
    cpu::with_carried<Cell>(state, pass.step, pass.samples, [&](cpu::CarriedState<S> carried) {
      cpu::gru_forward<false>(block(pass.samples), 1, x, &valid, packed_weights, y, static_cast<S*>(nullptr), scratch,
                              carried);
    });
  }
};

template <std::size_t Units, class... Options, class In, class Arch, class S>
CpuGru<S, Arch, Units, In> select_kernel(rank::Layer, Placed<Gru<Units, Options...>, In>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
