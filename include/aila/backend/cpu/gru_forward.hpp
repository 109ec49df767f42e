// The GRU over whole sequences, forward.
//
// The inputs of a chunk of steps are one product; then each step is one product with the recurrent weights, a panel of
// which holds the three gates of its units, so that gates and state follow while the sums are at hand. Cost a step: n 6
// units^2 FLOP, and three rational functions a unit.
#pragma once

#include "gru_pack.hpp"

namespace aila::inline v0::cpu {

/// Samples of a tile.
template <class Arch>
inline constexpr std::size_t gru_rows = smaller(4, most_rows<Arch>(gru_gates));

/// One step of a group: rows are samples.
template <class Scalar>
struct GruStep {
  std::size_t inner, units, lanes;  // inner is 0 in the first step, where h is zero
  const Scalar* h_before;
  const Scalar* weights;
  const Scalar* state_bias;
  Scalar* gates;
  Scalar* h;
  Scalar* y;
  std::size_t y_stride;
  const std::int32_t* lengths;
  std::int32_t step;
};

/// Gates and output of `Rows` samples and one vector of units.
template <class Scalar, class Arch, std::size_t Rows, bool Save>
[[gnu::noinline]] void gru_forward_tile(const GruStep<Scalar>& step, std::size_t row, std::size_t v) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t L = step.lanes, stride = gate_count * L, last = smaller(W, step.units - v * W);
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
  alignas(64) Scalar sum[Rows][gru_gates][W];  // in the first-level cache: the loop below stays small
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t g = 0; g < gru_gates; ++g) simd::store(sum[r][g], sums.at[r][g]);
  }
  for (std::size_t r = 0; r < Rows; ++r, gates += stride) {
    const B reset = simd::sigmoid_gate(simd::load<Scalar, Arch>(sum[r][reset_gate]));
    const B update = simd::sigmoid_gate(simd::load<Scalar, Arch>(sum[r][update_gate]));
    const B state = simd::load<Scalar, Arch>(sum[r][new_gate]);
    const B fresh = simd::tanh_gate(simd::fmadd(reset, state, simd::load<Scalar, Arch>(gates + new_gate * L)));
    const std::size_t at = (row + r) * L + v * W;
    B h = simd::fmadd(update, simd::load<Scalar, Arch>(step.h_before + at) - fresh, fresh);
    simd::store(step.h + at, h);
    if constexpr (Save) {
      simd::store(gates + reset_gate * L, reset);
      simd::store(gates + update_gate * L, update);
      simd::store(gates + new_gate * L, fresh);
      simd::store(gates + gru_gates * L, state);
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
/// or behind a sample's length give y = 0 and are not read. With Save, `saved` (saved_size(n)) keeps the gates for
/// backward; without, it may be null. Of one sample, `carried` is the state before the first step, and then that behind
/// the last valid one.
template <bool Save, class Scalar, class Arch>
[[gnu::noinline]] void gru_forward(GruSizes<Scalar, Arch> sizes, std::size_t n, const Scalar* x,
                                   const std::int32_t* lengths, const Scalar* packed, Scalar* y, Scalar* saved,
                                   Scalar* scratch, CarriedState<Scalar> carried = {}) noexcept {
  const std::size_t T = sizes.steps, F = sizes.features, U = sizes.units, G = sizes.sums();
  const std::size_t stride = sizes.step_stride(n), state = sizes.state_size(n), chunk = sizes.chunk(n);
  const std::size_t longest = sizes.longest(lengths, n);
  for (std::size_t s = 0; s < n; ++s) std::memset(y + (s * T + longest) * U, 0, (T - longest) * U * sizeof(Scalar));
  std::memset(scratch, 0, 2 * state * sizeof(Scalar));
  Scalar* h_before = scratch;
  GruStep<Scalar> step{.inner = 0,
                       .units = U,
                       .lanes = sizes.lanes(),
                       .h_before = h_before,
                       .weights = packed + sizes.recurrent_at(),
                       .state_bias = packed + sizes.state_bias_at(),
                       .gates = nullptr,
                       .h = scratch + state,
                       .y = y,
                       .y_stride = T * U,
                       .lengths = lengths,
                       .step = 0};
  if (carried.h != nullptr) {
    std::memcpy(h_before, carried.h, sizes.lanes() * sizeof(Scalar));
    step.inner = U;
  }
  for (std::size_t begin = 0; begin < longest; begin += chunk) {
    const std::size_t end = smaller(begin + chunk, longest);
    step.gates = Save ? saved + begin * stride : scratch + 2 * state;
    for (std::size_t s = 0; s < n; ++s) {
      const std::size_t length = sizes.valid_steps(lengths, s, end), rows = length > begin ? length - begin : 0;
      multiply_packed<Scalar, Arch>(rows, F, G, x + (s * T + begin) * F, F, 1, packed + sizes.input_at(), packed,
                                    step.gates + s * sizes.gates(), stride, false);
      for (std::size_t t = begin + rows; t < end; ++t)  // finite numbers for the lanes that run on behind a length
        std::memset(step.gates + (t - begin) * stride + s * sizes.gates(), 0, G * sizeof(Scalar));
    }
    for (std::size_t t = begin; t < end; ++t, step.gates += stride, step.y += U) {
      step.step = static_cast<std::int32_t>(t);
      const Parts tiles(n, gru_rows<Arch>);
      for (std::size_t part = 0; part < sizes.vectors(); ++part) {
        // Every other step from the last vector on, whose weights the step before left in the first-level cache.
        const std::size_t v = t % 2 == 0 ? part : sizes.vectors() - 1 - part;
        for (std::size_t i = 0; i < tiles.count; ++i)
          with_constant<gru_rows<Arch>>(tiles.size(i), [&](auto rows) {
            gru_forward_tile<Scalar, Arch, decltype(rows)::value, Save>(step, tiles.begin(i), v);
          });
      }
      step.inner = U;
      std::swap(h_before, step.h);
      step.h_before = h_before;
    }
  }
  if (carried.h != nullptr) std::memcpy(carried.h, h_before, sizes.lanes() * sizeof(Scalar));
}

}  // namespace aila::inline v0::cpu
