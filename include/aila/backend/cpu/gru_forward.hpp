// The GRU over whole sequences, forward.
//
// r, z = sigmoid(...), n = tanh(W x + b + r (R h + c)), h_t = (1 - z) n + z h_{t-1}. Cost a step: n 6 units (units +
// features) FLOP, and three rational functions a unit.
// Measured on a core of Zen 4 (AVX-512), 64 units over 200 steps of 100 features, 8 samples: 82 % of the peak of
// fused multiply-adds.
#pragma once

#include "../../core/macros_aside.hpp"

#include "gru_pack.hpp"
#include "recurrent_forward.hpp"

namespace aila::inline v0::cpu {

/// Samples of a tile.
template <class Arch>
inline constexpr std::size_t gru_rows = smaller(4, most_rows<Arch>(gru_gates));

template <class Scalar>
struct GruStep : RecurrentStep<Scalar> {
  const Scalar* state_bias = nullptr;
};

/// Gates and output of `Rows` samples and one vector of units.
template <class Scalar, class Arch, std::size_t Rows, bool Save>
[[gnu::noinline]] void gru_forward_tile(const GruStep<Scalar>& step, std::size_t row, std::size_t v) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t L = step.lanes, stride = gate_count * L;
  Scalar* gates = step.gates + row * stride + v * W;
  Sums<Scalar, Arch, Rows, gru_gates> sums;
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    sums.at[r][reset_gate] = simd::load<Scalar, Arch>(gates + r * stride + reset_gate * L);
    sums.at[r][update_gate] = simd::load<Scalar, Arch>(gates + r * stride + update_gate * L);
    sums.at[r][new_gate] = simd::load<Scalar, Arch>(step.state_bias + v * W);
  }
  multiply_add(step.inner, step.h_before + row * L, L, 1, step.weights + v * W * gru_gates * step.units, gru_gates * W,
               W, sums);
  alignas(64) Scalar sum[Rows][gru_gates][W];
  store_sums(sums, sum);
  for (std::size_t r = 0; r < Rows; ++r, gates += stride) {
    const B reset = simd::sigmoid_gate(simd::load<Scalar, Arch>(sum[r][reset_gate]));
    const B update = simd::sigmoid_gate(simd::load<Scalar, Arch>(sum[r][update_gate]));
    const B state = simd::load<Scalar, Arch>(sum[r][new_gate]);
    const B fresh = simd::tanh_gate(simd::fmadd(reset, state, simd::load<Scalar, Arch>(gates + new_gate * L)));
    const std::size_t at = (row + r) * L + v * W;
    const B h = simd::fmadd(update, simd::load<Scalar, Arch>(step.h_before + at) - fresh, fresh);
    simd::store(step.h + at, h);
    if constexpr (Save) {
      simd::store(gates + reset_gate * L, reset);
      simd::store(gates + update_gate * L, update);
      simd::store(gates + new_gate * L, fresh);
      simd::store(gates + gru_gates * L, state);
    }
    step.template put<Arch>(row + r, v, h);
  }
}

template <class Scalar, class Arch>
struct GruSequence {
  using Sizes = GruSizes<Scalar, Arch>;
  using Step = GruStep<Scalar>;
  static constexpr std::size_t rows = gru_rows<Arch>, states = 2;
  static constexpr std::size_t input_sums(const Sizes& sizes) noexcept { return sizes.sums(); }
  static constexpr void begin(Step& step, const Sizes& sizes, const Scalar* packed, const Scalar*, Scalar*) noexcept {
    step.state_bias = packed + sizes.state_bias_at();
  }
  template <std::size_t Rows, bool Save>
  static void tile(const Step& step, std::size_t row, std::size_t v) noexcept {
    gru_forward_tile<Scalar, Arch, Rows, Save>(step, row, v);
  }
  static constexpr void next(Step&, std::size_t, bool) noexcept {}
};

/// See recurrent_forward; `saved` has the gates.
template <bool Save, class Scalar, class Arch>
void gru_forward(GruSizes<Scalar, Arch> sizes, std::size_t n, const Scalar* x, const std::int32_t* lengths,
                 const Scalar* packed, Scalar* y, Scalar* saved, Scalar* scratch,
                 CarriedState<Scalar> carried = {}) noexcept {
  recurrent_forward<GruSequence<Scalar, Arch>, Save, Scalar, Arch>(sizes, n, x, lengths, packed, y, saved, scratch,
                                                                   carried);
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
