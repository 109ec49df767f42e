// An LSTM's sizes in memory, and its weights in the order in which the kernels read them.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstring>

#include "product.hpp"

namespace aila::inline v0::cpu {

/// The four gates of one unit, in PyTorch's order.
inline constexpr std::size_t input_gate = 0, forget_gate = 1, cell_gate = 2, output_gate = 3, gate_count = 4;

/// Samples of a tile: a group of eight is two tiles of four, and fewer sizes are compiled.
template <class Arch>
inline constexpr std::size_t lstm_rows = smaller(4, most_rows<Arch>(gate_count));

/// Where everything of a group lies. Units are padded to whole vectors (`lanes`); the padding is zero and stays zero.
/// Inside, time is outermost: a step's rows lie together, and 64 bytes between steps keep equal samples off equal cache
/// sets.
template <class Scalar, class Arch>
struct LstmSizes {
  std::size_t steps, features, units;

  static constexpr std::size_t W = simd::width<Scalar, Arch>;
  static constexpr std::size_t line = 64 / sizeof(Scalar);
  static constexpr std::size_t round(std::size_t n) noexcept { return ceil_div(n, line) * line; }

  constexpr std::size_t vectors() const noexcept { return ceil_div(units, W); }
  constexpr std::size_t lanes() const noexcept { return vectors() * W; }
  constexpr std::size_t gates() const noexcept { return gate_count * lanes(); }

  // Packed weights: bias | input [features, gates] | recurrent, a panel of four gates a vector | both again for
  // backward, where the weights as they are would not do.
  constexpr std::size_t input_at() const noexcept { return round(gates()); }
  constexpr std::size_t recurrent_at() const noexcept { return input_at() + round(features * gates()); }
  constexpr std::size_t forward_size() const noexcept { return recurrent_at() + round(units * gates()); }
  constexpr std::size_t recurrent_back_at() const noexcept { return forward_size(); }
  constexpr std::size_t input_back_at() const noexcept {
    return recurrent_back_at() + (packs_back(units) ? round(packed_size<Scalar, Arch>(gates(), units)) : 0);
  }
  constexpr std::size_t packed_for_backward() const noexcept {
    return input_back_at() + (packs_back(features) ? round(packed_size<Scalar, Arch>(gates(), features)) : 0);
  }
  /// Whether a weight [4 units, columns] is packed for backward, as a right-hand side [gates, columns].
  constexpr bool packs_back(std::size_t columns) const noexcept {
    return lanes() != units || !packs_to_itself<Scalar, Arch>(columns);
  }

  constexpr std::size_t step_stride(std::size_t n) const noexcept { return round(n * gates()) + line; }
  constexpr std::size_t state_size(std::size_t n) const noexcept { return round(n * lanes()); }
  static constexpr std::size_t chunk_rows = 96;
  /// Steps whose gates are in the second-level cache between the products over all steps and the recurrence.
  constexpr std::size_t chunk(std::size_t n) const noexcept { return smaller(steps, ceil_div(chunk_rows, n)); }
  constexpr std::size_t saved_size(std::size_t n) const noexcept { return steps * (step_stride(n) + state_size(n)); }
  /// Scratch of a group of up to n samples. A smaller one has longer chunks, and may need more.
  constexpr std::size_t forward_scratch(std::size_t n) const noexcept {
    return most_of(n, [this](std::size_t m) { return 3 * state_size(m) + chunk(m) * step_stride(m); });
  }
  constexpr std::size_t backward_scratch(std::size_t n) const noexcept {
    return most_of(n,
                   [this](std::size_t m) { return state_size(m) + round(gates()) + (chunk(m) + 1) * step_stride(m); });
  }
  /// The most that f gives for 1 to n samples: it rises once chunks are of one step.
  template <class F>
  static constexpr std::size_t most_of(std::size_t n, F&& f) noexcept {
    std::size_t most = n > 0 ? f(n) : 0;
    for (std::size_t m = 1; m < n && m <= chunk_rows; ++m) most = std::max(most, f(m));
    return most;
  }

  /// Steps of sample s that are before its length, at most `most`; null lengths are full ones.
  constexpr std::size_t valid_steps(const std::int32_t* lengths, std::size_t s, std::size_t most) const noexcept {
    if (lengths == nullptr) return most;
    return lengths[s] <= 0 ? 0 : smaller(static_cast<std::size_t>(lengths[s]), most);
  }
  constexpr std::size_t longest(const std::int32_t* lengths, std::size_t n) const noexcept {
    std::size_t most = 0;
    for (std::size_t s = 0; s < n; ++s) {
      most = std::max(most, valid_steps(lengths, s, steps));
    }
    return most;
  }
};

/// What a recurrent layer carries for one sample: h, and an LSTM's c, [lanes] each. Null: nothing is carried.
template <class Scalar>
struct CarriedState {
  Scalar* h = nullptr;
  Scalar* c = nullptr;
  bool zero = false;  ///< known to be, before the first step: it is not read
};

/// Rows of weight [4 units, columns], gate after gate, as the right-hand side [gates, columns]: the padding of each
/// gate is zero rows.
template <class Scalar, class Arch>
[[gnu::noinline]] void pack_gate_rows(LstmSizes<Scalar, Arch> sizes, const Scalar* weight, std::size_t columns,
                                      Scalar* out) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const Parts panels(ceil_div(columns, W), panel_vectors);
  for (std::size_t p = 0; p < panels.count; ++p) {
    const std::size_t stride = panels.size(p) * W;
    Scalar* rows = out + panels.begin(p) * W * sizes.gates();
    for (std::size_t gate = 0; gate < gate_count; ++gate, rows += sizes.lanes() * stride) {
      for (std::size_t v = 0; v < panels.size(p); ++v) {
        const std::size_t column = (panels.begin(p) + v) * W;
        pack_vector<Scalar, Arch>(weight + gate * sizes.units * columns + column, columns, 1, sizes.units,
                                  smaller(W, columns - column), rows + v * W, stride);
      }
      const std::size_t padding = sizes.lanes() - sizes.units;
      std::memset(rows + sizes.units * stride, 0, padding * stride * sizeof(Scalar));
    }
  }
}

/// Packs weight_ih [4 units, features], weight_hh [4 units, units] and bias [4 units], gates i, f, g, o, into
/// forward_size() Scalars, or packed_for_backward() with `backward`.
template <class Scalar, class Arch>
[[gnu::noinline]] void pack_lstm(LstmSizes<Scalar, Arch> sizes, const Scalar* weight_ih, const Scalar* weight_hh,
                                 const Scalar* bias, Scalar* packed, bool backward) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t U = sizes.units, F = sizes.features;
  for (std::size_t i = 0; i < gate_count * sizes.vectors(); ++i) {
    const std::size_t gate = i / sizes.vectors(), v = i % sizes.vectors();
    const std::size_t row = gate * U + v * W, valid = smaller(W, U - v * W);
    pack_vector<Scalar, Arch>(
        weight_ih + row * F, 1, F, F, valid,
        packed + sizes.input_at() + (i / panel_vectors * F * panel_vectors + i % panel_vectors) * W, panel_vectors * W);
    pack_vector<Scalar, Arch>(weight_hh + row * U, 1, U, U, valid,
                              packed + sizes.recurrent_at() + (v * U * gate_count + gate) * W, gate_count * W);
    pack_vector<Scalar, Arch>(bias + row, 0, 1, 1, valid, packed + i * W, W);
  }
  if (backward) {
    if (sizes.packs_back(U)) pack_gate_rows(sizes, weight_hh, U, packed + sizes.recurrent_back_at());
    if (sizes.packs_back(F)) pack_gate_rows(sizes, weight_ih, F, packed + sizes.input_back_at());
  }
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
