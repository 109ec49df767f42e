// The LSTM on the CPU, sizes in the type. The work is done by functions of run-time sizes that all layers of a program
// share.
#pragma once

#include "../../core/macros_aside.hpp"

#include "lstm_backward.hpp"

namespace aila::inline v0::cpu {

template <class Scalar, class Arch, std::size_t Steps, std::size_t Features, std::size_t Units>
inline constexpr LstmSizes<Scalar, Arch> lstm_sizes{Steps, Features, Units};

/// Scalars of the packed weights; prediction needs the first part only.
template <class Scalar, class Arch, std::size_t Steps, std::size_t Features, std::size_t Units>
constexpr std::size_t lstm_packed_size(bool backward) noexcept {
  constexpr auto sizes = lstm_sizes<Scalar, Arch, Steps, Features, Units>;
  return backward ? sizes.packed_for_backward() : sizes.forward_size();
}

/// Scalars that forward keeps for backward, for a group of n samples.
template <class Scalar, class Arch, std::size_t Steps, std::size_t Features, std::size_t Units>
constexpr std::size_t lstm_saved_size(std::size_t n) noexcept {
  return lstm_sizes<Scalar, Arch, Steps, Features, Units>.saved_size(n);
}

/// Scalars of scratch that a call needs and that mean nothing between calls; grows with n.
template <class Scalar, class Arch, std::size_t Steps, std::size_t Features, std::size_t Units>
constexpr std::size_t lstm_scratch_size(std::size_t n, bool backward) noexcept {
  constexpr auto sizes = lstm_sizes<Scalar, Arch, Steps, Features, Units>;
  const std::size_t forward = sizes.forward_scratch(n), back = sizes.backward_scratch(n);
  return backward && back > forward ? back : forward;
}

/// Packs weight_ih [4 Units, Features], weight_hh [4 Units, Units], bias [4 Units]; gates i, f, g, o. `packed` lies on
/// 64 bytes.
template <class Scalar, class Arch, std::size_t Steps, std::size_t Features, std::size_t Units>
void lstm_pack(const Scalar* weight_ih, const Scalar* weight_hh, const Scalar* bias, Scalar* packed,
               bool backward) noexcept {
  pack_lstm(lstm_sizes<Scalar, Arch, Steps, Features, Units>, weight_ih, weight_hh, bias, packed, backward);
}

/// x [n, Steps, Features] -> y [n, Steps, Units]; n >= 1, `lengths` null or n numbers. `saved` null: nothing is kept.
template <class Scalar, class Arch, std::size_t Steps, std::size_t Features, std::size_t Units>
void lstm_forward(std::size_t n, const Scalar* x, const std::int32_t* lengths, const Scalar* packed, Scalar* y,
                  Scalar* saved, Scalar* scratch) noexcept {
  constexpr auto sizes = lstm_sizes<Scalar, Arch, Steps, Features, Units>;
  if (saved != nullptr) {
    lstm_forward_group<true>(sizes, n, x, lengths, packed, y, saved, scratch);
  } else {
    lstm_forward_group<false>(sizes, n, x, lengths, packed, y, saved, scratch);
  }
}

/// Adds the gradients to dx (may be null), d_weight_ih, d_weight_hh and d_bias; `packed` made of the same weights with
/// backward = true.
template <class Scalar, class Arch, std::size_t Steps, std::size_t Features, std::size_t Units>
void lstm_backward(std::size_t n, const Scalar* x, const std::int32_t* lengths, const Scalar* weight_ih,
                   const Scalar* weight_hh, const Scalar* packed, const Scalar* y, const Scalar* dy, Scalar* dx,
                   Scalar* d_weight_ih, Scalar* d_weight_hh, Scalar* d_bias, const Scalar* saved,
                   Scalar* scratch) noexcept {
  lstm_backward_group(lstm_sizes<Scalar, Arch, Steps, Features, Units>, n, x, lengths, weight_ih, weight_hh, packed, y,
                      dy, dx, d_weight_ih, d_weight_hh, d_bias, saved, scratch);
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
