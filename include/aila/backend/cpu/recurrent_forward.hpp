// The way of a recurrent layer through whole sequences, forward: what the LSTM and the GRU share.
//
// The inputs of a chunk of steps are one product; then each step is one product with the recurrent weights, a panel of
// which holds all gates of its units, so that gates and state follow while the sums are at hand.
#pragma once

#include "../../core/macros_aside.hpp"

#include "lstm_pack.hpp"

namespace aila::inline v0::cpu {

/// One step of a group: rows are samples.
template <class Scalar>
struct RecurrentStep {
  std::size_t inner = 0, units, lanes;  // inner is 0 in the first step, where h is zero
  const Scalar* h_before;
  const Scalar* weights;
  Scalar* gates = nullptr;
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

/// x [n, steps, features] -> y = h [n, steps, units], zero state before the first step. `lengths` may be null; steps at
/// or behind a sample's length give y = 0 and are not read. With Save, `saved` (saved_size(n)) keeps gates and more for
/// backward; without, it may be null. Of one sample, `carried` is the state before the first step, and then that behind
/// the last valid one.
///
/// A Cell has
///   Sizes, Step (a RecurrentStep and what else its tile needs), rows (most samples of a tile),
///   states: how many arrays of h's size it has scratch for: two of h and, of an LSTM, c
///   input_sums(sizes): sums over the input of a sample and step
///   begin(step, sizes, packed, cells): what else its step needs; `cells` is memory for c, of one step or of all
///   tile<Rows, Save>(step, row, vector), next(step, state, Save): after all tiles of a step.
template <class Cell, bool Save, class Scalar, class Arch>
[[gnu::noinline]] void recurrent_forward(typename Cell::Sizes sizes, std::size_t n, const Scalar* x,
                                         const std::int32_t* lengths, const Scalar* packed, Scalar* y, Scalar* saved,
                                         Scalar* scratch, CarriedState<Scalar> carried) noexcept {
  const std::size_t T = sizes.steps, F = sizes.features, U = sizes.units, G = sizes.gates(), L = sizes.lanes();
  const std::size_t sums = Cell::input_sums(sizes);
  const std::size_t stride = sizes.step_stride(n), state = sizes.state_size(n), chunk = sizes.chunk(n);
  const std::size_t longest = sizes.longest(lengths, n);
  for (std::size_t s = 0; s < n; ++s) std::memset(y + (s * T + longest) * U, 0, (T - longest) * U * sizeof(Scalar));
  std::memset(scratch, 0, Cell::states * state * sizeof(Scalar));
  Scalar* h_before = scratch;
  typename Cell::Step step{{.units = U,
                            .lanes = L,
                            .h_before = h_before,
                            .weights = packed + sizes.recurrent_at(),
                            .h = scratch + state,
                            .y = y,
                            .y_stride = T * U,
                            .lengths = lengths}};
  Cell::begin(step, sizes, packed, scratch + 2 * state, Save ? saved + T * stride : scratch + 2 * state);
  if (carried.h != nullptr && !carried.zero) {
    std::memcpy(h_before, carried.h, L * sizeof(Scalar));
    if (Cell::states == 3) std::memcpy(scratch + 2 * state, carried.c, L * sizeof(Scalar));
    step.inner = U;
  }
  for (std::size_t begin = 0; begin < longest; begin += chunk) {
    const std::size_t end = smaller(begin + chunk, longest);
    step.gates = Save ? saved + begin * stride : scratch + Cell::states * state;
    for (std::size_t s = 0; s < n; ++s) {
      const std::size_t length = sizes.valid_steps(lengths, s, end), rows = length > begin ? length - begin : 0;
      multiply_packed<Scalar, Arch>(rows, F, sums, x + (s * T + begin) * F, F, 1, packed + sizes.input_at(), packed,
                                    step.gates + s * G, stride, false);
      for (std::size_t t = begin + rows; t < end; ++t)  // finite numbers for the lanes that run on behind a length
        std::memset(step.gates + (t - begin) * stride + s * G, 0, sums * sizeof(Scalar));
    }
    for (std::size_t t = begin; t < end; ++t, step.gates += stride, step.y += U) {
      step.step = static_cast<std::int32_t>(t);
      const Parts tiles(n, Cell::rows);
      for (std::size_t part = 0; part < sizes.vectors(); ++part) {
        // Every other step from the last vector on, whose weights the step before left in the first-level cache.
        const std::size_t v = t % 2 == 0 ? part : sizes.vectors() - 1 - part;
        for (std::size_t i = 0; i < tiles.count; ++i)
          with_constant<Cell::rows>(tiles.size(i), [&](auto rows) {
            Cell::template tile<decltype(rows)::value, Save>(step, tiles.begin(i), v);
          });
      }
      step.inner = U;
      std::swap(h_before, step.h);
      step.h_before = h_before;
      Cell::next(step, state, Save);
    }
  }
  if (carried.h != nullptr) {
    std::memcpy(carried.h, h_before, L * sizeof(Scalar));
    if (Cell::states == 3) std::memcpy(carried.c, scratch + 2 * state, L * sizeof(Scalar));
  }
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
