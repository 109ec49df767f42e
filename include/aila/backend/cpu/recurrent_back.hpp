// What one step back through an LSTM and through a GRU have in common.
#pragma once

#include "../../core/macros_aside.hpp"

#include "product_tile.hpp"

namespace aila::inline v0::cpu {

/// dh[row, vector] = the gradients of the gates of the step behind, times the recurrent weights: what reaches h from
/// there.
template <class Arch, class Scalar, std::size_t Rows, std::size_t Vectors, std::size_t Width>
[[gnu::always_inline]] inline void back_through_state(std::size_t inner, const Scalar* d_gates_after,
                                                      std::size_t stride, const Scalar* weights,
                                                      Scalar (&dh)[Rows][Vectors][Width]) noexcept {
  Sums<Scalar, Arch, Rows, Vectors> sums;
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) sums.at[r][v] = simd::Batch<Scalar, Arch>(Scalar(0));
  }
  multiply_add(inner, d_gates_after, stride, 1, weights, Vectors * Width, Width, sums);
  store_sums(sums, dh);
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
