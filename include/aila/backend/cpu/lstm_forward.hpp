// The LSTM over whole sequences, forward.
//
// i, f, o = sigmoid(...), g = tanh(...), c_t = f c_{t-1} + i g, h_t = o tanh(c_t). Cost a step: n 8 units (units +
// features) FLOP, and five rational functions a unit, a tenth to a quarter of the product's time.
// Measured on a core of Zen 4 (AVX-512), 64 units over 200 steps of 100 features, 8 samples: 80 % of the peak of
// fused multiply-adds.
#pragma once

#include "../../core/macros_aside.hpp"

#include "recurrent_forward.hpp"

namespace aila::inline v0::cpu {

template <class Scalar>
struct LstmStep : RecurrentStep<Scalar> {
  const Scalar* c_before = nullptr;
  Scalar* c = nullptr;
};

/// Gates, cell and output of `Rows` samples and one vector of units.
template <class Scalar, class Arch, std::size_t Rows, bool Save>
[[gnu::noinline]] void lstm_forward_tile(const LstmStep<Scalar>& step, std::size_t row, std::size_t v) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t L = step.lanes, stride = gate_count * L;
  Scalar* gates = step.gates + row * stride + v * W;
  Sums<Scalar, Arch, Rows, gate_count> sums;
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t g = 0; g < gate_count; ++g) sums.at[r][g] = simd::load<Scalar, Arch>(gates + r * stride + g * L);
  }
  multiply_add(step.inner, step.h_before + row * L, L, 1, step.weights + v * W * gate_count * step.units,
               gate_count * W, W, sums);
  alignas(64) Scalar sum[Rows][gate_count][W];
  store_sums(sums, sum);
  for (std::size_t r = 0; r < Rows; ++r, gates += stride) {
    const B i = simd::sigmoid_gate(simd::load<Scalar, Arch>(sum[r][input_gate]));
    const B f = simd::sigmoid_gate(simd::load<Scalar, Arch>(sum[r][forget_gate]));
    const B g = simd::tanh_gate(simd::load<Scalar, Arch>(sum[r][cell_gate]));
    const B o = simd::sigmoid_gate(simd::load<Scalar, Arch>(sum[r][output_gate]));
    const std::size_t at = (row + r) * L + v * W;
    const B c = simd::fmadd(f, simd::load<Scalar, Arch>(step.c_before + at), i * g);
    const B h = o * simd::tanh_gate(c);
    simd::store(step.c + at, c);
    simd::store(step.h + at, h);
    if constexpr (Save) {
      simd::store(gates + input_gate * L, i);
      simd::store(gates + forget_gate * L, f);
      simd::store(gates + cell_gate * L, g);
      simd::store(gates + output_gate * L, o);
    }
    step.template put<Arch>(row + r, v, h);
  }
}

template <class Scalar, class Arch>
struct LstmSequence {
  using Sizes = LstmSizes<Scalar, Arch>;
  using Step = LstmStep<Scalar>;
  static constexpr std::size_t rows = lstm_rows<Arch>, states = 3;
  static constexpr std::size_t input_sums(const Sizes& sizes) noexcept { return sizes.gates(); }
  static constexpr void begin(Step& step, const Sizes&, const Scalar*, const Scalar* c_before, Scalar* cells) noexcept {
    step.c_before = c_before;
    step.c = cells;
  }
  template <std::size_t Rows, bool Save>
  static void tile(const Step& step, std::size_t row, std::size_t v) noexcept {
    lstm_forward_tile<Scalar, Arch, Rows, Save>(step, row, v);
  }
  static constexpr void next(Step& step, std::size_t state, bool save) noexcept {
    step.c_before = step.c;
    if (save) step.c += state;
  }
};

/// See recurrent_forward; `saved` has gates and cells.
template <bool Save, class Scalar, class Arch>
void lstm_forward_group(LstmSizes<Scalar, Arch> sizes, std::size_t n, const Scalar* x, const std::int32_t* lengths,
                        const Scalar* packed, Scalar* y, Scalar* saved, Scalar* scratch,
                        CarriedState<Scalar> carried = {}) noexcept {
  recurrent_forward<LstmSequence<Scalar, Arch>, Save, Scalar, Arch>(sizes, n, x, lengths, packed, y, saved, scratch,
                                                                    carried);
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
