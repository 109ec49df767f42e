// The GRU over whole sequences, backward through time.
//
// Per step one product with the recurrent weights, whose epilogue gives the gates' gradients; per chunk of steps, while
// those are in the second-level cache, the gradients of the input and of the weights. Cost a step: n 6 units (2 units +
// features, twice with an input gradient) FLOP.
// Measured as in gru_forward.hpp: 86 % of the peak of fused multiply-adds.
#pragma once

#include "../../core/macros_aside.hpp"

#include "gru_backward_tile.hpp"

namespace aila::inline v0::cpu {

/// d_weight [3 units, columns] += the gates' gradients^T b over the steps [begin, end) of all samples; those of gate g
/// lie at vectors[g] of the rows of d_gates (step `first`), b of sample s and step t at b + (s steps + t - delay)
/// columns.
template <class Scalar, class Arch>
[[gnu::noinline]] void add_gru_gradient(GruSizes<Scalar, Arch> sizes, std::size_t n, std::size_t first,
                                        std::size_t begin, std::size_t end, std::size_t delay,
                                        const std::int32_t* lengths, const std::size_t (&vectors)[gru_gates],
                                        const Scalar* d_gates, const Scalar* b, std::size_t columns,
                                        Scalar* d_weight) noexcept {
  constexpr std::size_t most = 32;
  const std::size_t stride = sizes.step_stride(n), U = sizes.units;
  for (std::size_t block = 0; block < n; block += most)
    for (std::size_t gate = 0; gate < gru_gates; ++gate) {
      RowSegment<Scalar> segments[most];
      std::size_t count = 0;
      for (std::size_t s = block; s < smaller(block + most, n); ++s) {
        const std::size_t length = sizes.valid_steps(lengths, s, end);
        if (length > begin)
          segments[count++] = {d_gates + (begin - first) * stride + s * sizes.gates() + vectors[gate] * sizes.lanes(),
                               b + (s * sizes.steps + begin - delay) * columns, length - begin};
      }
      multiply_segments_add<Scalar, Arch>(segments, count, U, columns, stride, columns, d_weight + gate * U * columns,
                                          columns);
    }
}

/// The gradients of weights and biases, all or none of them null.
template <class Scalar>
struct GruGradients {
  Scalar *weight_ih = nullptr, *weight_hh = nullptr, *bias_ih = nullptr, *bias_hh = nullptr;
};

/// Adds to dx [n, steps, features] (or null: not wanted) and to `to` what dy [n, steps, units] gives. x, lengths,
/// packed, y and saved are those of forward; nothing at or behind a sample's length is read of x, y and dy.
template <class Scalar, class Arch>
[[gnu::noinline]] void gru_backward(GruSizes<Scalar, Arch> sizes, std::size_t n, const Scalar* x,
                                    const std::int32_t* lengths, const Scalar* packed, const Scalar* y,
                                    const Scalar* dy, Scalar* dx, GruGradients<Scalar> to, const Scalar* saved,
                                    Scalar* scratch) noexcept {
  const std::size_t T = sizes.steps, F = sizes.features, U = sizes.units, L = sizes.lanes(), G = sizes.gates();
  const std::size_t stride = sizes.step_stride(n), state = sizes.state_size(n), chunk = sizes.chunk(n);
  const std::size_t longest = sizes.longest(lengths, n);
  const bool wants_weights = to.weight_ih != nullptr;
  constexpr std::size_t over_input[] = {d_reset, d_update, d_new}, over_state[] = {d_reset, d_update, d_state};
  Scalar* bias_sums = scratch + state;
  Scalar* d_gates = bias_sums + sizes.round(G);
  std::memset(scratch, 0, (state + G) * sizeof(Scalar));
  GruBackStep<Scalar> step{.inner = 0,
                           .units = U,
                           .lanes = L,
                           .d_gates_after = d_gates,
                           .weights = packed + sizes.recurrent_back_at(),
                           .gates = nullptr,
                           .h_before = nullptr,
                           .dy = nullptr,
                           .y_stride = T * U,
                           .d_gates = nullptr,
                           .dh = scratch,
                           .lengths = lengths,
                           .step = 0};
  const Parts panels(sizes.vectors(), panel_vectors);
  for (std::size_t end = longest; end > 0;) {
    const std::size_t begin = end > chunk ? end - chunk : 0;
    if (end < longest)  // the chunk before began where this one ends
      std::memcpy(d_gates + (end - begin) * stride, d_gates, n * G * sizeof(Scalar));
    for (std::size_t t = end; t-- > begin;) {
      step.step = static_cast<std::int32_t>(t);
      step.d_gates = d_gates + (t - begin) * stride;
      step.d_gates_after = step.d_gates + stride;
      step.gates = saved + t * stride;
      step.h_before = t == 0 ? nullptr : y + (t - 1) * U;
      step.dy = dy + t * U;
      for (std::size_t p = 0; p < panels.count; ++p)
        with_constant<panel_vectors>(panels.size(p), [&](auto vectors) {
          constexpr std::size_t V = decltype(vectors)::value;
          const Parts tiles(n, gru_rows<Arch>);
          for (std::size_t i = 0; i < tiles.count; ++i)
            with_constant<gru_rows<Arch>>(tiles.size(i), [&](auto rows) {
              gru_backward_tile<Scalar, Arch, decltype(rows)::value, V>(step, tiles.begin(i), panels.begin(p));
            });
        });
      step.inner = gru_gates * L;
    }
    for (std::size_t s = 0; s < n; ++s) {
      const std::size_t length = sizes.valid_steps(lengths, s, end), rows = length > begin ? length - begin : 0;
      if (wants_weights) add_columns<Scalar, Arch>(rows, G, d_gates + s * G, stride, bias_sums);
      if (dx != nullptr)
        multiply_packed<Scalar, Arch>(rows, gru_gates * L, F, d_gates + s * G + d_reset * L, stride, 1,
                                      packed + sizes.input_back_at(), nullptr, dx + (s * T + begin) * F, F, true);
    }
    if (wants_weights) {
      add_gru_gradient(sizes, n, begin, begin, end, 0, lengths, over_input, d_gates, x, F, to.weight_ih);
      const std::size_t second = begin == 0 ? 1 : begin;  // the state before the first step is zero
      if (second < end)
        add_gru_gradient(sizes, n, begin, second, end, 1, lengths, over_state, d_gates, y, U, to.weight_hh);
    }
    end = begin;
  }
  for (std::size_t gate = 0; wants_weights && gate < gru_gates; ++gate) {
    add_columns<Scalar, Arch>(1, U, bias_sums + over_input[gate] * L, 0, to.bias_ih + gate * U);
    add_columns<Scalar, Arch>(1, U, bias_sums + over_state[gate] * L, 0, to.bias_hh + gate * U);
  }
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
