// A recurrent layer's sizes in memory, and its weights in the order in which the kernels read them.
//
// A sequence (lstm_sequence.hpp, gru_sequence.hpp) says what it is in
//   Scalar, Arch, name
//   gates                     of a unit, in PyTorch's order: the sums over the state, and as many over the input
//   over_input, over_state    which vector of a row of gradients is that of a gate's sum over the input, over the
//                             state; one vector where the two sums are added. Each are `gates` neighbours.
//   keeps_cells               whether a second state, c, goes from step to step.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>
#include <cstring>

#include "../product/product.hpp"

namespace aila::inline v0::cpu {

/// Vectors that a unit has in the rows of a step: of an LSTM its gates, of a GRU one more.
inline constexpr std::size_t row_vectors = 4;

/// Gate by gate, a place among the vectors of a row.
template <std::size_t Gates>
using Places = std::array<std::size_t, Gates>;
template <std::size_t Gates>
constexpr std::size_t first_place(const Places<Gates>& places) noexcept {
  return *std::min_element(places.begin(), places.end());
}
/// Whether the gates lie in their own order.
template <std::size_t Gates>
constexpr bool in_order(const Places<Gates>& places) noexcept {
  return std::is_sorted(places.begin(), places.end());
}

/// Where everything of a group lies. Units are padded to whole vectors (`lanes`); the padding is zero and stays zero.
/// Inside, time is outermost: a step's rows lie together, and 64 bytes between steps keep equal samples off equal cache
/// sets.
template <class Sequence>
struct RecurrentSizes {
  using Scalar = typename Sequence::Scalar;
  using Arch = typename Sequence::Arch;
  static constexpr std::size_t gates = Sequence::gates;
  std::size_t steps, features, units;

  static constexpr std::size_t W = simd::width<Scalar, Arch>;
  static constexpr std::size_t line = 64 / sizeof(Scalar);
  static constexpr std::size_t round(std::size_t n) noexcept { return ceil_div(n, line) * line; }

  constexpr std::size_t vectors() const noexcept { return ceil_div(units, W); }
  constexpr std::size_t lanes() const noexcept { return vectors() * W; }
  constexpr std::size_t sums() const noexcept { return gates * lanes(); }
  constexpr std::size_t row() const noexcept { return row_vectors * lanes(); }

  // Packed weights: biases of the sums over the input (with those over the state that are added to them) and of one
  // over the state that is not | input [features, sums] | recurrent, a panel of all gates a vector | both again for
  // backward, where the weights as they are would not do.
  constexpr std::size_t state_bias_at() const noexcept { return sums(); }
  constexpr std::size_t input_at() const noexcept { return round(row()); }
  constexpr std::size_t recurrent_at() const noexcept { return input_at() + round(features * sums()); }
  constexpr std::size_t recurrent_back_at() const noexcept { return recurrent_at() + round(units * sums()); }
  constexpr std::size_t input_back_at() const noexcept {
    return recurrent_back_at() + back_size(units, Sequence::over_state);
  }
  constexpr std::size_t packed() const noexcept { return input_back_at() + back_size(features, Sequence::over_input); }
  /// Whether a weight [gates units, columns] is packed for backward, as a right-hand side [sums, columns].
  constexpr bool packs_back(std::size_t columns, const Places<gates>& places) const noexcept {
    return lanes() != units || !packs_to_itself<Scalar, Arch>(columns) || !in_order(places);
  }
  constexpr std::size_t back_size(std::size_t columns, const Places<gates>& places) const noexcept {
    return packs_back(columns, places) ? round(packed_size<Scalar, Arch>(sums(), columns)) : 0;
  }

  constexpr std::size_t step_stride(std::size_t n) const noexcept { return round(n * row()) + line; }
  constexpr std::size_t state_size(std::size_t n) const noexcept { return round(n * lanes()); }
  static constexpr std::size_t chunk_rows = 96;
  /// Steps whose gates are in the second-level cache between the products over all steps and the recurrence.
  constexpr std::size_t chunk(std::size_t n) const noexcept { return smaller(steps, ceil_div(chunk_rows, n)); }
  constexpr std::size_t saved_size(std::size_t n) const noexcept {
    return steps * (step_stride(n) + (Sequence::keeps_cells ? state_size(n) : 0));
  }
  /// Arrays of h's size in forward's scratch: two of h and that of c.
  static constexpr std::size_t states = Sequence::keeps_cells ? 3 : 2;
  /// Scratch of a group of up to n samples. A smaller one has longer chunks, and may need more.
  constexpr std::size_t forward_scratch(std::size_t n, bool saves) const noexcept {
    return most_of(
        n, [this, saves](std::size_t m) { return states * state_size(m) + (saves ? 0 : chunk(m) * step_stride(m)); });
  }
  constexpr std::size_t backward_scratch(std::size_t n) const noexcept { return state_size(n) + round(row()); }
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

/// Samples of a tile: a group of eight is two tiles of four, and fewer sizes are compiled.
template <class Sequence>
inline constexpr std::size_t recurrent_rows = smaller(4, most_rows<typename Sequence::Arch>(Sequence::gates));

/// A layer's tensors or their gradients: weight_ih [gates units, features], weight_hh [gates units, units] and biases
/// [gates units], one for both sums where `bias_hh` is null.
template <class Scalar>
struct RecurrentTensors {
  Scalar *weight_ih = nullptr, *weight_hh = nullptr, *bias = nullptr, *bias_hh = nullptr;
};

/// Rows of weight [gates units, columns], in the order of `places`, as the right-hand side [sums, columns]: the padding
/// of each gate is zero rows.
template <class Sequence, class Scalar = typename Sequence::Scalar>
[[gnu::noinline]] void pack_gate_rows(RecurrentSizes<Sequence> sizes, const Places<Sequence::gates>& places,
                                      const Scalar* weight, std::size_t columns, Scalar* out) noexcept {
  constexpr std::size_t W = sizes.W;
  const Parts panels(ceil_div(columns, W), panel_vectors);
  for (std::size_t p = 0; p < panels.count; ++p) {
    const std::size_t stride = panels.size(p) * W;
    for (std::size_t gate = 0; gate < sizes.gates; ++gate) {
      const Scalar* from = weight + gate * sizes.units * columns;
      Scalar* rows =
          out + panels.begin(p) * W * sizes.sums() + (places[gate] - first_place(places)) * sizes.lanes() * stride;
      for (std::size_t v = 0; v < panels.size(p); ++v) {
        const std::size_t column = (panels.begin(p) + v) * W;
        pack_vector<Scalar, typename Sequence::Arch>(from + column, columns, 1, sizes.units,
                                                     smaller(W, columns - column), rows + v * W, stride);
      }
      std::memset(rows + sizes.units * stride, 0, (sizes.lanes() - sizes.units) * stride * sizeof(Scalar));
    }
  }
}

/// Packs into sizes.packed() Scalars, which lie on 64 bytes.
template <class Sequence, class Scalar = typename Sequence::Scalar>
[[gnu::noinline]] void pack_recurrent(RecurrentSizes<Sequence> sizes, RecurrentTensors<const Scalar> from,
                                      Scalar* packed) noexcept {
  using Arch = typename Sequence::Arch;
  constexpr std::size_t W = sizes.W, gates = Sequence::gates;
  const std::size_t U = sizes.units, F = sizes.features, L = sizes.lanes();
  std::memset(packed, 0, sizes.input_at() * sizeof(Scalar));
  for (std::size_t gate = 0; gate < gates; ++gate) {
    std::copy_n(from.bias + gate * U, U, packed + gate * L);
    if (from.bias_hh == nullptr) continue;
    const bool added = Sequence::over_input[gate] == Sequence::over_state[gate];
    Scalar* const state = packed + (added ? gate * L : sizes.state_bias_at());
    for (std::size_t u = 0; u < U; ++u) state[u] += from.bias_hh[gate * U + u];
  }
  const Parts panels(gates * sizes.vectors(), panel_vectors);
  for (std::size_t p = 0; p < panels.count; ++p)
    for (std::size_t i = panels.begin(p); i < panels.begin(p) + panels.size(p); ++i) {
      const std::size_t gate = i / sizes.vectors(), v = i % sizes.vectors();
      const std::size_t row = gate * U + v * W, valid = smaller(W, U - v * W), width = panels.size(p) * W;
      pack_vector<Scalar, Arch>(from.weight_ih + row * F, 1, F, F, valid,
                                packed + sizes.input_at() + panels.begin(p) * W * F + (i - panels.begin(p)) * W, width);
      pack_vector<Scalar, Arch>(from.weight_hh + row * U, 1, U, U, valid,
                                packed + sizes.recurrent_at() + (v * U * gates + gate) * W, gates * W);
    }
  if (sizes.packs_back(U, Sequence::over_state))
    pack_gate_rows(sizes, Sequence::over_state, from.weight_hh, U, packed + sizes.recurrent_back_at());
  if (sizes.packs_back(F, Sequence::over_input))
    pack_gate_rows(sizes, Sequence::over_input, from.weight_ih, F, packed + sizes.input_back_at());
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
