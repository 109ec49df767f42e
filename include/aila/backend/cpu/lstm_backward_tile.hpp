// One step back through an LSTM: the product with the recurrent weights and, in its epilogue, the gates' gradients.
#pragma once

#include "../../core/macros_aside.hpp"

#include "lstm_forward.hpp"
#include "recurrent_back.hpp"

namespace aila::inline v0::cpu {

template <class Scalar>
struct LstmBackStep {
  std::size_t inner, units, lanes;  // inner is 0 in the last step, behind which no gradient comes from
  const Scalar* d_gates_after;
  const Scalar* weights;
  const Scalar* gates;
  const Scalar* c;
  const Scalar* c_before;  // null in the first step
  const Scalar* dy;
  std::size_t dy_stride;
  Scalar* d_gates;
  Scalar* dc;
  const std::int32_t* lengths;
  std::int32_t step;
};

/// Gradients of the gates' sums of `Rows` samples and `Vectors` vectors of units from vector `first` on.
template <class Scalar, class Arch, std::size_t Rows, std::size_t Vectors>
[[gnu::noinline]] void lstm_backward_tile(const LstmBackStep<Scalar>& step, std::size_t row,
                                          std::size_t first) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t L = step.lanes, stride = gate_count * L;
  alignas(64) Scalar dh_next[Rows][Vectors][W];
  back_through_state<Arch>(step.inner, step.d_gates_after + row * stride, stride, step.weights + first * W * stride,
                           dh_next);
  const B one = B(Scalar(1));
  for (std::size_t r = 0; r < Rows; ++r) {
    const bool valid = step.lengths == nullptr || step.lengths[row + r] > step.step;
    for (std::size_t v = 0; v < Vectors; ++v) {
      const std::size_t unit = (first + v) * W, at = (row + r) * L + unit;
      const Scalar* gates = step.gates + (row + r) * stride + unit;
      Scalar* d_gates = step.d_gates + (row + r) * stride + unit;
      if (!valid) {
        for (std::size_t g = 0; g < gate_count; ++g) simd::store(d_gates + g * L, B(Scalar(0)));
        continue;
      }
      const Scalar* from = step.dy + (row + r) * step.dy_stride + unit;
      const B dy = unit + W <= step.units ? simd::load<Scalar, Arch>(from)
                                          : simd::load_first<Scalar, Arch>(from, step.units - unit);
      const B dh = dy + simd::load<Scalar, Arch>(dh_next[r][v]);
      const B i = simd::load<Scalar, Arch>(gates + input_gate * L),
              f = simd::load<Scalar, Arch>(gates + forget_gate * L);
      const B g = simd::load<Scalar, Arch>(gates + cell_gate * L),
              o = simd::load<Scalar, Arch>(gates + output_gate * L);
      const B c_before = step.c_before == nullptr ? B(Scalar(0)) : simd::load<Scalar, Arch>(step.c_before + at);
      const B tanh_c = simd::tanh_gate(simd::load<Scalar, Arch>(step.c + at));
      const B dc = simd::fmadd(dh * o, one - tanh_c * tanh_c, simd::load<Scalar, Arch>(step.dc + at));
      simd::store(d_gates + input_gate * L, dc * g * i * (one - i));
      simd::store(d_gates + forget_gate * L, dc * c_before * f * (one - f));
      simd::store(d_gates + cell_gate * L, dc * i * (one - g * g));
      simd::store(d_gates + output_gate * L, dh * tanh_c * o * (one - o));
      simd::store(step.dc + at, dc * f);
    }
  }
}

}  // namespace aila::inline v0::cpu

#include "../../core/macros_back.hpp"
