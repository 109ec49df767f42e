// The GRU over whole sequences: what its gates make of their sums, and back.
//
// r, z = sigmoid(...), n = tanh(W x + b + r (R h + c)), h_t = (1 - z) n + z h_{t-1}. Cost a step: n 6 units (units +
// features) FLOP, and three rational functions a unit.
// Measured on a core of Zen 4 (AVX-512), 64 units over 200 steps of 100 features, 8 samples: 82 % of the peak of
// fused multiply-adds.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "recurrent_backward.hpp"

namespace aila::inline v0::cpu {

/// See recurrent_pack.hpp, recurrent_forward.hpp and recurrent_backward.hpp for what a sequence is. A row keeps r, z, n
/// and the state's part of n going forward; coming back the gradients of the state's part of n, of r, of z and of n, so
/// that those of the three sums over the state lie together, and those of the three sums over the input.
template <class S, class ArchType>
struct GruSequence {
  using Scalar = S;
  using Arch = ArchType;
  using B = simd::Batch<S, Arch>;
  static constexpr const char* name = "cpu gru, whole sequence";
  static constexpr std::size_t reset_gate = 0, update_gate = 1, new_gate = 2, gates = 3, state_part = 3;
  static constexpr Places<gates> over_input{1, 2, 3}, over_state{1, 2, 0};
  static constexpr bool keeps_cells = false;

  template <bool Save, std::size_t W>
  [[gnu::always_inline]] static B forward(const RecurrentStep<S>& step, std::size_t at, const S (&sums)[gates][W],
                                          S* kept) noexcept {
    const B reset = simd::sigmoid_gate(simd::load<S, Arch>(sums[reset_gate]));
    const B update = simd::sigmoid_gate(simd::load<S, Arch>(sums[update_gate]));
    const B state = simd::load<S, Arch>(sums[new_gate]);
    const B fresh = simd::tanh_gate(simd::fmadd(reset, state, simd::load<S, Arch>(kept + new_gate * step.lanes)));
    const B h = simd::fmadd(update, simd::load<S, Arch>(step.h_before + at) - fresh, fresh);
    if constexpr (Save) {
      simd::store(kept + reset_gate * step.lanes, reset);
      simd::store(kept + update_gate * step.lanes, update);
      simd::store(kept + new_gate * step.lanes, fresh);
      simd::store(kept + state_part * step.lanes, state);
    }
    return h;
  }

  [[gnu::always_inline]] static void backward(const RecurrentBackStep<S>& step, UnitsAt at, const B& dy,
                                              const B& dh_next, S* row) noexcept {
    const std::size_t L = step.lanes;
    const B h_before = step.h_before == nullptr ? B(S(0)) : at.load_from<Arch>(step.h_before);
    const B one = B(S(1)), dh = dy + simd::load<S, Arch>(step.d_state + at.state) + dh_next;
    const B reset = simd::load<S, Arch>(row + reset_gate * L), update = simd::load<S, Arch>(row + update_gate * L);
    const B fresh = simd::load<S, Arch>(row + new_gate * L), state = simd::load<S, Arch>(row + state_part * L);
    const B d_fresh = dh * (one - update) * (one - fresh * fresh);
    simd::store(row + over_state[new_gate] * L, d_fresh * reset);
    simd::store(row + over_input[reset_gate] * L, d_fresh * state * reset * (one - reset));
    simd::store(row + over_input[update_gate] * L, dh * (h_before - fresh) * update * (one - update));
    simd::store(row + over_input[new_gate] * L, d_fresh);
    simd::store(step.d_state + at.state, dh * update);
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
