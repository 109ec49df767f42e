// The way of a recurrent layer through whole sequences, forward.
//
// The inputs of a chunk of steps are one product; then each step is one product with the recurrent weights, a panel of
// which holds all gates of its units, so that gates and state follow while the sums are at hand.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "recurrent_pack.hpp"

namespace aila::inline v0::cpu {

/// What a recurrent layer carries for one sample: h, and an LSTM's c, [lanes] each. Null: nothing is carried.
template <class Scalar>
struct CarriedState {
  Scalar* h = nullptr;
  Scalar* c = nullptr;
  bool zero = false;  ///< known to be, before the first step: it is not read
};

/// One step of a group: rows are samples.
template <class Scalar>
struct RecurrentStep {
  std::size_t inner = 0, units, lanes;  // inner is 0 in the first step, where h is zero
  const Scalar* h_before;
  const Scalar* weights;
  const Scalar* state_bias;
  Scalar* gates = nullptr;
  const Scalar* c_before = nullptr;
  Scalar* c = nullptr;
  Scalar* h;
  Scalar* y;
  std::size_t y_stride;
  const std::int32_t* lengths;
  std::int32_t step = 0;

  /// One vector of y for this row: h, or zero behind the sample's length.
  template <class Arch>
  [[gnu::always_inline]] void put(std::size_t row, std::size_t v, simd::Batch<Scalar, Arch> value) const noexcept {
    constexpr std::size_t W = simd::width<Scalar, Arch>;
    const std::size_t last = smaller(W, units - v * W);
    if (lengths != nullptr && lengths[row] <= step) value = simd::Batch<Scalar, Arch>(Scalar(0));
    Scalar* to = y + row * y_stride + v * W;
    if (last == W) {
      simd::store(to, value);
    } else {
      simd::store_first(to, value, last);
    }
  }
};

/// Gates, states and output of `Rows` samples and one vector of units.
template <class Sequence, std::size_t Rows, bool Save, class Scalar>
[[gnu::noinline]] void recurrent_forward_tile(const RecurrentStep<Scalar>& step, std::size_t row,
                                              std::size_t v) noexcept {
  using Arch = typename Sequence::Arch;
  constexpr std::size_t W = simd::width<Scalar, Arch>, count = Sequence::gates;
  const std::size_t L = step.lanes, stride = row_vectors * L;
  Scalar* gates = step.gates + row * stride + v * W;
  Sums<Scalar, Arch, Rows, count> sums;
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t g = 0; g < count; ++g)
      sums.at[r][g] = simd::load<Scalar, Arch>(
          Sequence::over_input[g] == Sequence::over_state[g] ? gates + r * stride + g * L : step.state_bias + v * W);
  }
  multiply_add(step.inner, step.h_before + row * L, L, 1, step.weights + v * W * count * step.units, count * W, W,
               sums);
  alignas(64) Scalar sum[Rows][count][W];
  store_sums(sums, sum);
  for (std::size_t r = 0; r < Rows; ++r, gates += stride) {
    const std::size_t at = (row + r) * L + v * W;
    const auto h = Sequence::template forward<Save>(step, at, sum[r], gates);
    simd::store(step.h + at, h);
    step.template put<Arch>(row + r, v, h);
  }
}

/// x [n, steps, features] -> y = h [n, steps, units], zero state before the first step; n >= 1. `lengths` may be null;
/// steps at or behind a sample's length give y = 0 and are not read. With Save, `saved` (saved_size(n)) keeps gates and
/// cells for backward; without, it may be null. Of one sample, `carried` is the state before the first step, and then
/// that behind the last valid one.
///
/// A Sequence has forward<Save>(step, at, sums, gates), which from the sums of one sample's vector of units, whose
/// states lie at `at`, makes h, and with Save leaves in the vectors of `gates` what backward needs.
template <class Sequence, bool Save, class Scalar = typename Sequence::Scalar>
[[gnu::noinline]] void recurrent_forward(RecurrentSizes<Sequence> sizes, std::size_t n, const Scalar* x,
                                         const std::int32_t* lengths, const Scalar* packed, Scalar* y, Scalar* saved,
                                         Scalar* scratch, CarriedState<Scalar> carried) noexcept {
  const std::size_t T = sizes.steps, F = sizes.features, U = sizes.units, L = sizes.lanes(), sums = sizes.sums();
  const std::size_t stride = sizes.step_stride(n), state = sizes.state_size(n), chunk = sizes.chunk(n);
  const std::size_t longest = sizes.longest(lengths, n);
  constexpr bool cells = Sequence::keeps_cells;
  for (std::size_t s = 0; s < n; ++s) std::memset(y + (s * T + longest) * U, 0, (T - longest) * U * sizeof(Scalar));
  std::memset(scratch, 0, sizes.states * state * sizeof(Scalar));
  Scalar* h_before = scratch;
  RecurrentStep<Scalar> step{.units = U,
                             .lanes = L,
                             .h_before = h_before,
                             .weights = packed + sizes.recurrent_at(),
                             .state_bias = packed + sizes.state_bias_at(),
                             .h = scratch + state,
                             .y = y,
                             .y_stride = T * U,
                             .lengths = lengths};
  if constexpr (cells) {
    step.c_before = scratch + 2 * state;
    step.c = Save ? saved + T * stride : scratch + 2 * state;
  }
  if (carried.h != nullptr && !carried.zero) {
    std::memcpy(h_before, carried.h, L * sizeof(Scalar));
    if (cells) std::memcpy(scratch + 2 * state, carried.c, L * sizeof(Scalar));
    step.inner = U;
  }
  for (std::size_t begin = 0; begin < longest; begin += chunk) {
    const std::size_t end = smaller(begin + chunk, longest);
    step.gates = Save ? saved + begin * stride : scratch + sizes.states * state;
    for (std::size_t s = 0; s < n; ++s) {
      const std::size_t length = sizes.valid_steps(lengths, s, end), rows = length > begin ? length - begin : 0;
      multiply_packed<Scalar, typename Sequence::Arch>(rows, F, sums, x + (s * T + begin) * F, F, 1,
                                                       packed + sizes.input_at(), packed, step.gates + s * sizes.row(),
                                                       stride, false);
      for (std::size_t t = begin + rows; t < end; ++t)  // finite numbers for the lanes that run on behind a length
        std::memset(step.gates + (t - begin) * stride + s * sizes.row(), 0, sums * sizeof(Scalar));
    }
    for (std::size_t t = begin; t < end; ++t, step.gates += stride, step.y += U) {
      step.step = static_cast<std::int32_t>(t);
      constexpr std::size_t most = recurrent_rows<Sequence>;
      const Parts tiles(n, most);
      for (std::size_t part = 0; part < sizes.vectors(); ++part) {
        // Every other step from the last vector on, whose weights the step before left in the first-level cache.
        const std::size_t v = t % 2 == 0 ? part : sizes.vectors() - 1 - part;
        for (std::size_t i = 0; i < tiles.count; ++i)
          with_constant<most>(tiles.size(i), [&](auto rows) {
            recurrent_forward_tile<Sequence, decltype(rows)::value, Save>(step, tiles.begin(i), v);
          });
      }
      step.inner = U;
      std::swap(h_before, step.h);
      step.h_before = h_before;
      step.c_before = step.c;
      if (cells && Save) step.c += state;
    }
  }
  if (carried.h != nullptr) {
    std::memcpy(carried.h, h_before, L * sizeof(Scalar));
    if (cells) std::memcpy(carried.c, scratch + 2 * state, L * sizeof(Scalar));
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
