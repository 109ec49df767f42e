// The LSTM over whole sequences, backward through time.
//
// Per step one product with the recurrent weights, whose epilogue gives the gates' gradients; per chunk of steps, while
// those are in the second-level cache, the gradients of the input and of the weights. Cost a step: n 8 units (2 units +
// features, twice with an input gradient) FLOP.
// Measured as in lstm_forward.hpp: 83 % of the peak of fused multiply-adds.
#pragma once

#include "../../core/macros_aside.hpp"

#include "lstm_backward_tile.hpp"

namespace aila::inline v0::cpu {

/// d_weight [4 units, columns] += d_gates^T b over the steps [begin, end) of all samples, d_gates of step t at d_gates
/// + (t - first) stride, b of sample s and step t at b + (s steps + t - delay) columns.
template <class Scalar, class Arch>
[[gnu::noinline]] void add_weight_gradient(LstmSizes<Scalar, Arch> sizes, std::size_t n, std::size_t first,
                                           std::size_t begin, std::size_t end, std::size_t delay,
                                           const std::int32_t* lengths, const Scalar* d_gates, const Scalar* b,
                                           std::size_t columns, Scalar* d_weight) noexcept {
  constexpr std::size_t most = 32;
  const std::size_t stride = sizes.step_stride(n), U = sizes.units;
  const bool padded = sizes.lanes() != U;
  for (std::size_t block = 0; block < n; block += most) {
    RowSegment<Scalar> segments[most];
    std::size_t count = 0;
    for (std::size_t s = block; s < smaller(block + most, n); ++s) {
      const std::size_t length = sizes.valid_steps(lengths, s, end);
      if (length > begin)
        segments[count++] = {d_gates + (begin - first) * stride + s * sizes.gates(),
                             b + (s * sizes.steps + begin - delay) * columns, length - begin};
    }
    for (std::size_t gate = 0; gate < (padded ? gate_count : 1); ++gate) {
      multiply_segments_add<Scalar, Arch>(segments, count, padded ? U : gate_count * U, columns, stride, columns,
                                          d_weight + gate * U * columns, columns);
      for (std::size_t i = 0; i < count; ++i) segments[i].a += sizes.lanes();
    }
  }
}

/// Adds to dx [n, steps, features] (or null: not wanted), d_weight_ih [4 units, features], d_weight_hh [4 units, units]
/// and d_bias [4 units] (all three or none may be null) what dy [n, steps, units] gives. x, lengths, packed, y and
/// saved are those of forward; nothing at or behind a sample's length is read of x, y and dy. `weight_ih` and
/// `weight_hh` are those that were packed.
template <class Scalar, class Arch>
[[gnu::noinline]] void lstm_backward_group(LstmSizes<Scalar, Arch> sizes, std::size_t n, const Scalar* x,
                                           const std::int32_t* lengths, const Scalar* weight_ih,
                                           const Scalar* weight_hh, const Scalar* packed, const Scalar* y,
                                           const Scalar* dy, Scalar* dx, Scalar* d_weight_ih, Scalar* d_weight_hh,
                                           Scalar* d_bias, const Scalar* saved, Scalar* scratch) noexcept {
  const std::size_t T = sizes.steps, F = sizes.features, U = sizes.units, G = sizes.gates();
  const std::size_t stride = sizes.step_stride(n), state = sizes.state_size(n), chunk = sizes.chunk(n);
  const std::size_t longest = sizes.longest(lengths, n);
  const bool wants_weights = d_weight_ih != nullptr;
  const Scalar* const input_back = sizes.packs_back(F) ? packed + sizes.input_back_at() : weight_ih;
  Scalar* bias_sums = scratch + state;
  Scalar* d_gates = bias_sums + sizes.round(G);
  std::memset(scratch, 0, (state + G) * sizeof(Scalar));
  LstmBackStep<Scalar> step{.inner = 0,
                            .units = U,
                            .lanes = sizes.lanes(),
                            .d_gates_after = d_gates,
                            .weights = sizes.packs_back(U) ? packed + sizes.recurrent_back_at() : weight_hh,
                            .gates = nullptr,
                            .c = nullptr,
                            .c_before = nullptr,
                            .dy = nullptr,
                            .dy_stride = T * U,
                            .d_gates = nullptr,
                            .dc = scratch,
                            .lengths = lengths,
                            .step = 0};
  const Parts panels(sizes.vectors(), panel_vectors);
  for (std::size_t end = longest; end > 0;) {
    const std::size_t begin = end > chunk ? end - chunk : 0;
    if (end < longest) {  // the chunk before began where this one ends
      std::memcpy(d_gates + (end - begin) * stride, d_gates, n * G * sizeof(Scalar));
    }
    for (std::size_t t = end; t-- > begin;) {
      step.step = static_cast<std::int32_t>(t);
      step.d_gates = d_gates + (t - begin) * stride;
      step.d_gates_after = step.d_gates + stride;
      step.gates = saved + t * stride;
      step.c = saved + T * stride + t * state;
      step.c_before = t == 0 ? nullptr : step.c - state;
      step.dy = dy + t * U;
      for (std::size_t p = 0; p < panels.count; ++p)
        with_constant<panel_vectors>(panels.size(p), [&](auto vectors) {
          constexpr std::size_t V = decltype(vectors)::value;
          const Parts tiles(n, lstm_rows<Arch>);
          for (std::size_t i = 0; i < tiles.count; ++i)
            with_constant<lstm_rows<Arch>>(tiles.size(i), [&](auto rows) {
              lstm_backward_tile<Scalar, Arch, decltype(rows)::value, V>(step, tiles.begin(i), panels.begin(p));
            });
        });
      step.inner = G;
    }
    for (std::size_t s = 0; s < n; ++s) {
      const std::size_t length = sizes.valid_steps(lengths, s, end), rows = length > begin ? length - begin : 0;
      if (wants_weights) add_columns<Scalar, Arch>(rows, G, d_gates + s * G, stride, bias_sums);
      if (dx != nullptr)
        multiply_packed<Scalar, Arch>(rows, G, F, d_gates + s * G, stride, 1, input_back, nullptr,
                                      dx + (s * T + begin) * F, F, true);
    }
    if (wants_weights) add_weight_gradient(sizes, n, begin, begin, end, 0, lengths, d_gates, x, F, d_weight_ih);
    const std::size_t second = begin == 0 ? 1 : begin;  // the state before the first step is zero
    if (wants_weights && second < end)
      add_weight_gradient(sizes, n, begin, second, end, 1, lengths, d_gates, y, U, d_weight_hh);
    end = begin;
  }
  for (std::size_t gate = 0; wants_weights && gate < gate_count; ++gate)
    add_columns<Scalar, Arch>(1, U, bias_sums + gate * sizes.lanes(), 0, d_bias + gate * U);
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
