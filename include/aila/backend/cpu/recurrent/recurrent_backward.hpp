// The way of a recurrent layer back through time.
//
// Per step one product with the recurrent weights, whose epilogue gives the gates' gradients; per chunk of steps, while
// those are in the second-level cache, the gradients of the input and of the weights. Cost a step, with g gates: n 2 g
// units (2 units + features, twice with an input gradient) FLOP.
// Measured as in lstm_sequence.hpp and gru_sequence.hpp: 83 and 86 % of the peak of fused multiply-adds.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>
#include <utility>

#include "recurrent_forward.hpp"

namespace aila::inline v0::cpu {

/// One step back of a group: rows are samples.
template <class Scalar>
struct RecurrentBackStep {
  std::size_t inner = 0, units, lanes;  // inner is 0 in the last step, behind which no gradient comes from
  const Scalar* d_gates_after = nullptr;
  const Scalar* weights;
  Scalar* gates = nullptr;  // what forward kept; then their gradients
  const Scalar* c = nullptr;
  const Scalar* c_before = nullptr;  // null in the first step, as h_before is
  const Scalar* h_before = nullptr;  // rows as those of dy
  const Scalar* dy = nullptr;
  std::size_t y_stride;
  Scalar* d_state;  // what reached the state by itself: an LSTM's c, a GRU's h through the update gate
  const std::int32_t* lengths;
  std::int32_t step = 0;
};

/// Where one sample's vector of units lies: in rows of states and in those of y, which have `count` of its lanes.
struct UnitsAt {
  std::size_t state, y, count;
  template <class Arch, class Scalar>
  [[gnu::always_inline]] simd::Batch<Scalar, Arch> load_from(const Scalar* like_y) const noexcept {
    return count == simd::width<Scalar, Arch> ? simd::load<Scalar, Arch>(like_y + y)
                                              : simd::load_first<Scalar, Arch>(like_y + y, count);
  }
};

/// Gradients of the gates' sums of `Rows` samples and `Vectors` vectors of units from vector `first` on.
template <class Sequence, std::size_t Rows, std::size_t Vectors, class Scalar>
[[gnu::noinline]] void recurrent_backward_tile(const RecurrentBackStep<Scalar>& step, std::size_t row,
                                               std::size_t first) noexcept {
  using Arch = typename Sequence::Arch;
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t L = step.lanes, stride = row_vectors * L;
  Sums<Scalar, Arch, Rows, Vectors> sums;
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) sums.at[r][v] = B(Scalar(0));
  }
  multiply_add(step.inner, step.d_gates_after + row * stride, stride, 1, step.weights + first * W * Sequence::gates * L,
               Vectors * W, W, sums);
  alignas(64) Scalar dh_next[Rows][Vectors][W];  // what reaches h from the step behind
  store_sums(sums, dh_next);
  for (std::size_t r = 0; r < Rows; ++r) {
    const bool valid = step.lengths == nullptr || step.lengths[row + r] > step.step;
    for (std::size_t v = 0; v < Vectors; ++v) {
      const std::size_t unit = (first + v) * W, gate = (row + r) * stride + unit;
      Scalar* const gates = step.gates + gate;
      if (!valid) {
        for (std::size_t g = 0; g < row_vectors; ++g) simd::store(gates + g * L, B(Scalar(0)));
        continue;
      }
      const UnitsAt at{(row + r) * L + unit, (row + r) * step.y_stride + unit, smaller(W, step.units - unit)};
      Sequence::backward(step, at, at.load_from<Arch>(step.dy), simd::load<Scalar, Arch>(dh_next[r][v]), gates);
    }
  }
}

/// d_weight [gates units, columns] += d_gates^T b over the steps [begin, end) of all samples; the gradients of gate g
/// lie at vector places[g] of the rows of d_gates (step `first`), b of sample s and step t at b + (s steps + t - delay)
/// columns. Where `is_new`, they are written.
template <class Sequence, class Scalar = typename Sequence::Scalar>
[[gnu::noinline]] void add_weight_gradient(RecurrentSizes<Sequence> sizes, std::size_t n, std::size_t first,
                                           std::size_t begin, std::size_t end, std::size_t delay,
                                           const std::int32_t* lengths, const Places<Sequence::gates>& places,
                                           const Scalar* d_gates, const Scalar* b, std::size_t columns,
                                           Scalar* d_weight, bool is_new) noexcept {
  constexpr std::size_t most = 32;
  const std::size_t stride = sizes.step_stride(n), U = sizes.units;
  const std::size_t together = sizes.lanes() == U && in_order(places) ? sizes.gates : 1;
  for (std::size_t block = 0; block < n; block += most)
    for (std::size_t gate = 0; gate < sizes.gates; gate += together) {
      RowSegment<Scalar> segments[most];
      std::size_t count = 0;
      for (std::size_t s = block; s < smaller(block + most, n); ++s) {
        const std::size_t length = sizes.valid_steps(lengths, s, end);
        if (length > begin)
          segments[count++] = {d_gates + (begin - first) * stride + s * sizes.row() + places[gate] * sizes.lanes(),
                               b + (s * sizes.steps + begin - delay) * columns, length - begin};
      }
      multiply_segments_add<Scalar, typename Sequence::Arch>(segments, count, together * U, columns, stride, columns,
                                                             d_weight + gate * U * columns, columns,
                                                             is_new && block == 0);
    }
}

/// Adds to dx [n, steps, features] (or null: not wanted; with `sets_dx` writes it) and to `to` (all or none of its
/// weights null; with `sets_to` writes them) what dy [n, steps, units] gives. x, lengths, packed, y and saved are those
/// of forward; nothing at or behind a sample's length is read of x, y and dy. `from` are those that were packed.
///
/// A Sequence has backward(step, at, dy, dh_next, gates): from the gradient of one sample's vector of units, of y and
/// from the step behind, and what forward left in `gates`, those of the gates' sums, in its place.
template <class Sequence, class Scalar = typename Sequence::Scalar>
[[gnu::noinline]] void recurrent_backward(RecurrentSizes<Sequence> sizes, std::size_t n, const Scalar* x,
                                          const std::int32_t* lengths, RecurrentTensors<const Scalar> from,
                                          const Scalar* packed, const Scalar* y, const Scalar* dy, Scalar* dx,
                                          bool sets_dx, RecurrentTensors<Scalar> to, bool sets_to, Scalar* saved,
                                          Scalar* scratch) noexcept {
  using Arch = typename Sequence::Arch;
  constexpr auto over_input = Sequence::over_input, over_state = Sequence::over_state;
  const std::size_t T = sizes.steps, F = sizes.features, U = sizes.units, L = sizes.lanes(), G = sizes.row();
  const std::size_t stride = sizes.step_stride(n), state = sizes.state_size(n), chunk = sizes.chunk(n);
  const std::size_t longest = sizes.longest(lengths, n);
  const bool wants_weights = to.weight_ih != nullptr;
  const Scalar* const input_back = sizes.packs_back(F, over_input) ? packed + sizes.input_back_at() : from.weight_ih;
  Scalar* bias_sums = scratch + state;
  std::memset(scratch, 0, (state + G) * sizeof(Scalar));
  RecurrentBackStep<Scalar> step{
      .units = U,
      .lanes = L,
      .weights = sizes.packs_back(U, over_state) ? packed + sizes.recurrent_back_at() : from.weight_hh,
      .y_stride = T * U,
      .d_state = scratch,
      .lengths = lengths};
  for (std::size_t s = 0; s < n && dx != nullptr && sets_dx; ++s)
    std::fill(dx + (s * T + sizes.valid_steps(lengths, s, T)) * F, dx + (s + 1) * T * F, Scalar(0));
  bool ih_is_new = sets_to && wants_weights, hh_is_new = ih_is_new;
  const Parts panels(sizes.vectors(), panel_vectors);
  for (std::size_t end = longest; end > 0;) {
    const std::size_t begin = end > chunk ? end - chunk : 0;
    for (std::size_t t = end; t-- > begin;) {
      step.step = static_cast<std::int32_t>(t);
      step.gates = saved + t * stride;
      step.d_gates_after = step.gates + stride;
      if (Sequence::keeps_cells) {
        step.c = saved + T * stride + t * state;
        step.c_before = t == 0 ? nullptr : step.c - state;
      }
      step.h_before = t == 0 ? nullptr : y + (t - 1) * U;
      step.dy = dy + t * U;
      for (std::size_t p = 0; p < panels.count; ++p)
        with_constant<panel_vectors>(panels.size(p), [&](auto vectors) {
          constexpr std::size_t V = decltype(vectors)::value, most = recurrent_rows<Sequence>;
          const Parts tiles(n, most);
          for (std::size_t i = 0; i < tiles.count; ++i)
            with_constant<most>(tiles.size(i), [&](auto rows) {
              recurrent_backward_tile<Sequence, decltype(rows)::value, V>(step, tiles.begin(i), panels.begin(p));
            });
        });
      step.inner = sizes.sums();
    }
    const Scalar* const d_gates = saved + begin * stride;
    for (std::size_t s = 0; s < n; ++s) {
      const std::size_t length = sizes.valid_steps(lengths, s, end), rows = length > begin ? length - begin : 0;
      if (wants_weights) add_columns<Scalar, Arch>(rows, G, d_gates + s * G, stride, bias_sums);
      if (dx != nullptr)
        multiply_packed<Scalar, Arch>(rows, sizes.sums(), F, d_gates + s * G + first_place(over_input) * L, stride, 1,
                                      input_back, nullptr, dx + (s * T + begin) * F, F, !sets_dx);
    }
    if (wants_weights) {
      add_weight_gradient(sizes, n, begin, begin, end, 0, lengths, over_input, d_gates, x, F, to.weight_ih,
                          std::exchange(ih_is_new, false));
      const std::size_t second = begin == 0 ? 1 : begin;  // the state before the first step is zero
      if (second < end)
        add_weight_gradient(sizes, n, begin, second, end, 1, lengths, over_state, d_gates, y, U, to.weight_hh,
                            std::exchange(hh_is_new, false));
    }
    end = begin;
  }
  if (ih_is_new) std::fill_n(to.weight_ih, sizes.gates * U * F, Scalar(0));
  if (hh_is_new) std::fill_n(to.weight_hh, sizes.gates * U * U, Scalar(0));  // a single step has no state before it
  if (sets_to && to.bias != nullptr) std::fill_n(to.bias, sizes.gates * U, Scalar(0));
  if (sets_to && to.bias_hh != nullptr) std::fill_n(to.bias_hh, sizes.gates * U, Scalar(0));
  for (std::size_t gate = 0; wants_weights && gate < sizes.gates; ++gate) {
    add_columns<Scalar, Arch>(1, U, bias_sums + over_input[gate] * L, 0, to.bias + gate * U);
    if (to.bias_hh != nullptr)
      add_columns<Scalar, Arch>(1, U, bias_sums + over_state[gate] * L, 0, to.bias_hh + gate * U);
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
