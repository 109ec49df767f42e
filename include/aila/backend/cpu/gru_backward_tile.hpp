// One step back through a GRU: the product with the recurrent weights and, in its epilogue, the gates' gradients.
#pragma once

#include "../../core/macros_aside.hpp"

#include "gru_forward.hpp"
#include "recurrent_back.hpp"

namespace aila::inline v0::cpu {

/// Gradients in the rows of `d_gates`, vector after vector: of the state's part of n, of r, of z, of n.
inline constexpr std::size_t d_state = 0, d_reset = 1, d_update = 2, d_new = 3;

template <class Scalar>
struct GruBackStep {
  std::size_t inner, units, lanes;  // inner is 0 in the last step, behind which no gradient comes from
  const Scalar* d_gates_after;
  const Scalar* weights;
  const Scalar* gates;
  const Scalar* h_before;  // null in the first step
  const Scalar* dy;
  std::size_t y_stride;
  Scalar* d_gates;
  Scalar* dh;  // what reached h through the update gate alone
  const std::int32_t* lengths;
  std::int32_t step;
};

/// Gradients of the gates' sums of `Rows` samples and `Vectors` vectors of units from vector `first` on.
template <class Scalar, class Arch, std::size_t Rows, std::size_t Vectors>
[[gnu::noinline]] void gru_backward_tile(const GruBackStep<Scalar>& step, std::size_t row, std::size_t first) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t L = step.lanes, stride = gate_count * L;
  alignas(64) Scalar dh_next[Rows][Vectors][W];
  back_through_state<Arch>(step.inner, step.d_gates_after + row * stride, stride,
                           step.weights + first * W * gru_gates * L, dh_next);
  const B one = B(Scalar(1));
  for (std::size_t r = 0; r < Rows; ++r) {
    const bool valid = step.lengths == nullptr || step.lengths[row + r] > step.step;
    for (std::size_t v = 0; v < Vectors; ++v) {
      const std::size_t unit = (first + v) * W, at = (row + r) * L + unit, count = smaller(W, step.units - unit);
      const Scalar* gates = step.gates + (row + r) * stride + unit;
      Scalar* d_gates = step.d_gates + (row + r) * stride + unit;
      if (!valid) {
        for (std::size_t g = 0; g < gate_count; ++g) simd::store(d_gates + g * L, B(Scalar(0)));
        continue;
      }
      const std::size_t from = (row + r) * step.y_stride + unit;
      const B h_before =
          step.h_before == nullptr ? B(Scalar(0)) : simd::load_first<Scalar, Arch>(step.h_before + from, count);
      const B dh = simd::load_first<Scalar, Arch>(step.dy + from, count) + simd::load<Scalar, Arch>(step.dh + at) +
                   simd::load<Scalar, Arch>(dh_next[r][v]);
      const B reset = simd::load<Scalar, Arch>(gates + reset_gate * L);
      const B update = simd::load<Scalar, Arch>(gates + update_gate * L);
      const B fresh = simd::load<Scalar, Arch>(gates + new_gate * L);
      const B state = simd::load<Scalar, Arch>(gates + gru_gates * L);
      const B d_fresh = dh * (one - update) * (one - fresh * fresh);
      simd::store(d_gates + d_state * L, d_fresh * reset);
      simd::store(d_gates + d_reset * L, d_fresh * state * reset * (one - reset));
      simd::store(d_gates + d_update * L, dh * (h_before - fresh) * update * (one - update));
      simd::store(d_gates + d_new * L, d_fresh);
      simd::store(step.dh + at, dh * update);
    }
  }
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
