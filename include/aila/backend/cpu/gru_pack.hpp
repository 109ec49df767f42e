// A GRU's sizes in memory, and its weights in the order in which the kernels read them.
#pragma once

#include "../../core/macros_aside.hpp"

#include "lstm_pack.hpp"

namespace aila::inline v0::cpu {

/// PyTorch's order of the gates.
inline constexpr std::size_t reset_gate = 0, update_gate = 1, new_gate = 2, gru_gates = 3;

/// Where everything of a group lies. A step keeps four vectors a unit, as an LSTM's does, so its sizes serve here: r,
/// z, n and the state's part of n going forward; coming back the gradients of the state's part of n, of r, of z and of
/// n, so that those of the three sums over the state lie together, and those of the three sums over the input.
template <class Scalar, class Arch>
struct GruSizes : LstmSizes<Scalar, Arch> {
  using Base = LstmSizes<Scalar, Arch>;
  using Base::features, Base::units, Base::W, Base::lanes, Base::round, Base::vectors;

  constexpr std::size_t sums() const noexcept { return gru_gates * lanes(); }

  // Packed weights: biases of the input's sums (those of the state added but for n) and of the state's n | input
  // [features, sums] | recurrent, a panel of three gates a vector | both again for backward.
  constexpr std::size_t state_bias_at() const noexcept { return sums(); }
  constexpr std::size_t input_at() const noexcept { return round(sums() + lanes()); }
  constexpr std::size_t recurrent_at() const noexcept { return input_at() + round(features * sums()); }
  constexpr std::size_t recurrent_back_at() const noexcept { return recurrent_at() + round(units * sums()); }
  constexpr std::size_t input_back_at() const noexcept {
    return recurrent_back_at() + round(packed_size<Scalar, Arch>(sums(), units));
  }
  constexpr std::size_t packed() const noexcept {
    return input_back_at() + round(packed_size<Scalar, Arch>(sums(), features));
  }
  constexpr std::size_t saved_size(std::size_t n) const noexcept { return this->steps * this->step_stride(n); }
};

/// Rows of weight [3 units, columns] in the order of `gates` as the right-hand side [sums, columns]: the padding of
/// each gate is zero rows.
template <class Scalar, class Arch>
[[gnu::noinline]] void pack_gru_rows(GruSizes<Scalar, Arch> sizes, const std::size_t (&gates)[gru_gates],
                                     const Scalar* weight, std::size_t columns, Scalar* out) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const Parts panels(ceil_div(columns, W), panel_vectors);
  for (std::size_t p = 0; p < panels.count; ++p) {
    const std::size_t stride = panels.size(p) * W;
    Scalar* rows = out + panels.begin(p) * W * sizes.sums();
    for (const std::size_t gate : gates) {
      for (std::size_t v = 0; v < panels.size(p); ++v) {
        const std::size_t column = (panels.begin(p) + v) * W;
        pack_vector<Scalar, Arch>(weight + gate * sizes.units * columns + column, columns, 1, sizes.units,
                                  smaller(W, columns - column), rows + v * W, stride);
      }
      std::memset(rows + sizes.units * stride, 0, (sizes.lanes() - sizes.units) * stride * sizeof(Scalar));
      rows += sizes.lanes() * stride;
    }
  }
}

/// Packs weight_ih [3 units, features], weight_hh [3 units, units] and the biases [3 units], gates r, z, n.
template <class Scalar, class Arch>
[[gnu::noinline]] void pack_gru(GruSizes<Scalar, Arch> sizes, const Scalar* weight_ih, const Scalar* weight_hh,
                                const Scalar* bias_ih, const Scalar* bias_hh, Scalar* packed) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t U = sizes.units, F = sizes.features, L = sizes.lanes();
  std::memset(packed, 0, sizes.input_at() * sizeof(Scalar));
  for (std::size_t u = 0; u < gru_gates * U; ++u) {
    const std::size_t gate = u / U, lane = u % U;
    packed[gate * L + lane] = gate == new_gate ? bias_ih[u] : bias_ih[u] + bias_hh[u];
    if (gate == new_gate) packed[sizes.state_bias_at() + lane] = bias_hh[u];
  }
  const Parts panels(gru_gates * sizes.vectors(), panel_vectors);
  for (std::size_t p = 0; p < panels.count; ++p)
    for (std::size_t i = panels.begin(p); i < panels.begin(p) + panels.size(p); ++i) {
      const std::size_t gate = i / sizes.vectors(), v = i % sizes.vectors();
      const std::size_t row = gate * U + v * W, valid = smaller(W, U - v * W), width = panels.size(p) * W;
      pack_vector<Scalar, Arch>(weight_ih + row * F, 1, F, F, valid,
                                packed + sizes.input_at() + panels.begin(p) * W * F + (i - panels.begin(p)) * W, width);
      pack_vector<Scalar, Arch>(weight_hh + row * U, 1, U, U, valid,
                                packed + sizes.recurrent_at() + (v * U * gru_gates + gate) * W, gru_gates * W);
    }
  pack_gru_rows(sizes, {new_gate, reset_gate, update_gate}, weight_hh, U, packed + sizes.recurrent_back_at());
  pack_gru_rows(sizes, {reset_gate, update_gate, new_gate}, weight_ih, F, packed + sizes.input_back_at());
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
