// The LSTM over whole sequences, forward.
//
// i, f, o = sigmoid(...), g = tanh(...), c_t = f c_{t-1} + i g, h_t = o tanh(c_t). The inputs of a chunk of steps are
// one product; then each step is one product with the recurrent weights, a panel of which holds all four gates of its
// units, so that gates and cell follow while the sums are at hand. Cost a step: n 8 units^2 FLOP, and five rational
// functions a unit, a tenth to a quarter of the product's time.
#pragma once

#include "lstm_pack.hpp"

namespace aila::inline v0::cpu {

/// One step of a group: rows are samples.
template <class Scalar>
struct LstmStep {
  std::size_t inner, units, lanes;  // inner is 0 in the first step, where h is zero
  const Scalar* h_before;
  const Scalar* c_before;
  const Scalar* weights;
  Scalar* gates;
  Scalar* c;
  Scalar* h;
  Scalar* y;
  std::size_t y_stride;
  const std::int32_t* lengths;
  std::int32_t step;
};

/// Gates, cell and output of `Rows` samples and one vector of units.
template <class Scalar, class Arch, std::size_t Rows, bool Save>
[[gnu::noinline]] void lstm_forward_tile(const LstmStep<Scalar>& step, std::size_t row, std::size_t v) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t L = step.lanes, stride = gate_count * L, last = smaller(W, step.units - v * W);
  Scalar* gates = step.gates + row * stride + v * W;
  Sums<Scalar, Arch, Rows, gate_count> sums;
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t g = 0; g < gate_count; ++g) sums.at[r][g] = simd::load<Scalar, Arch>(gates + r * stride + g * L);
  }
  multiply_add(step.inner, step.h_before + row * L, L, 1, step.weights + v * W * gate_count * step.units,
               gate_count * W, W, sums);
  alignas(64) Scalar sum[Rows][gate_count][W];  // in the first-level cache: the loop below stays small
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t g = 0; g < gate_count; ++g) simd::store(sum[r][g], sums.at[r][g]);
  }
  for (std::size_t r = 0; r < Rows; ++r, gates += stride) {
    const B i = simd::sigmoid_gate(simd::load<Scalar, Arch>(sum[r][input_gate]));
    const B f = simd::sigmoid_gate(simd::load<Scalar, Arch>(sum[r][forget_gate]));
    const B g = simd::tanh_gate(simd::load<Scalar, Arch>(sum[r][cell_gate]));
    const B o = simd::sigmoid_gate(simd::load<Scalar, Arch>(sum[r][output_gate]));
    const std::size_t at = (row + r) * L + v * W;
    const B c = simd::fmadd(f, simd::load<Scalar, Arch>(step.c_before + at), i * g);
    B h = o * simd::tanh_gate(c);
    simd::store(step.c + at, c);
    simd::store(step.h + at, h);
    if constexpr (Save) {
      simd::store(gates + input_gate * L, i);
      simd::store(gates + forget_gate * L, f);
      simd::store(gates + cell_gate * L, g);
      simd::store(gates + output_gate * L, o);
    }
    if (step.lengths != nullptr && step.lengths[row + r] <= step.step) h = B(Scalar(0));
    Scalar* y = step.y + (row + r) * step.y_stride + v * W;
    if (last == W) {
      simd::store(y, h);
    } else {
      simd::store_first(y, h, last);
    }
  }
}

/// x [n, steps, features] -> y = h [n, steps, units], zero state before the first step. `lengths` may be null; steps at
/// or behind a sample's length give y = 0 and are not read. With Save, `saved` (saved_size(n)) keeps gates and cells
/// for backward; without, it may be null. Of one sample, `carried` is the state before the first step, and then that
/// behind the last valid one.
template <bool Save, class Scalar, class Arch>
[[gnu::noinline]] void lstm_forward_group(LstmSizes<Scalar, Arch> sizes, std::size_t n, const Scalar* x,
                                          const std::int32_t* lengths, const Scalar* packed, Scalar* y, Scalar* saved,
                                          Scalar* scratch, CarriedState<Scalar> carried = {}) noexcept {
  const std::size_t T = sizes.steps, F = sizes.features, U = sizes.units, G = sizes.gates();
  const std::size_t stride = sizes.step_stride(n), state = sizes.state_size(n), chunk = sizes.chunk(n);
  const std::size_t longest = sizes.longest(lengths, n);
  for (std::size_t s = 0; s < n; ++s) std::memset(y + (s * T + longest) * U, 0, (T - longest) * U * sizeof(Scalar));
  Scalar* cells = Save ? saved + T * stride : scratch + 2 * state;
  std::memset(scratch, 0, 3 * state * sizeof(Scalar));
  LstmStep<Scalar> step{.inner = 0,
                        .units = U,
                        .lanes = sizes.lanes(),
                        .h_before = scratch,
                        .c_before = scratch + 2 * state,
                        .weights = packed + sizes.recurrent_at(),
                        .gates = nullptr,
                        .c = cells,
                        .h = scratch + state,
                        .y = y,
                        .y_stride = T * U,
                        .lengths = lengths,
                        .step = 0};
  if (carried.h != nullptr) {
    std::memcpy(scratch, carried.h, sizes.lanes() * sizeof(Scalar));
    std::memcpy(scratch + 2 * state, carried.c, sizes.lanes() * sizeof(Scalar));
    step.inner = U;
  }
  for (std::size_t begin = 0; begin < longest; begin += chunk) {
    const std::size_t end = smaller(begin + chunk, longest);
    step.gates = Save ? saved + begin * stride : scratch + 3 * state;
    for (std::size_t s = 0; s < n; ++s) {
      const std::size_t length = sizes.valid_steps(lengths, s, end), rows = length > begin ? length - begin : 0;
      multiply_packed<Scalar, Arch>(rows, F, G, x + (s * T + begin) * F, F, 1, packed + sizes.input_at(), packed,
                                    step.gates + s * G, stride, false);
      for (std::size_t t = begin + rows; t < end; ++t)  // finite numbers for the lanes that run on behind a length
        std::memset(step.gates + (t - begin) * stride + s * G, 0, G * sizeof(Scalar));
    }
    for (std::size_t t = begin; t < end; ++t, step.gates += stride, step.y += U) {
      step.step = static_cast<std::int32_t>(t);
      const Parts tiles(n, lstm_rows<Arch>);
      for (std::size_t part = 0; part < sizes.vectors(); ++part) {
        // Every other step from the last vector on, whose weights the step before left in the first-level cache.
        const std::size_t v = t % 2 == 0 ? part : sizes.vectors() - 1 - part;
        for (std::size_t i = 0; i < tiles.count; ++i)
          with_constant<lstm_rows<Arch>>(tiles.size(i), [&](auto rows) {
            lstm_forward_tile<Scalar, Arch, decltype(rows)::value, Save>(step, tiles.begin(i), v);
          });
      }
      step.inner = U;
      step.c_before = step.c;
      if (Save) step.c += state;
      Scalar* h = step.h;
      step.h = const_cast<Scalar*>(step.h_before);
      step.h_before = h;
    }
  }
  if (carried.h != nullptr) {
    std::memcpy(carried.h, step.h_before, sizes.lanes() * sizeof(Scalar));
    std::memcpy(carried.c, step.c_before, sizes.lanes() * sizeof(Scalar));
  }
}

}  // namespace aila::inline v0::cpu
