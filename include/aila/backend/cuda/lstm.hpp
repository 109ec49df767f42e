// LSTM on a GPU.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/lstm.hpp"
#include "recurrent.hpp"

namespace aila::inline v0 {

namespace cuda::recurrent {

/// Sums, gates and what is kept of them in the order i, f, g, o.
struct LstmCell {
  static constexpr const char* name = "cuda lstm";
  static constexpr std::size_t gates = 4;
  static constexpr bool keeps_cells = true;
};

#ifdef __CUDACC__
template <>
struct StepOf<LstmCell> {
  struct State {
    float h = 0.0F, c = 0.0F;
    __device__ State with(float other_h) const { return {other_h, c}; }
  };
  static __device__ bool has_input(unsigned) { return true; }
  static __device__ unsigned input_gate(unsigned sum) { return sum; }
  static __device__ unsigned input_sum(unsigned gate) { return gate; }
  static constexpr bool has_bias(bool with_inputs) { return with_inputs; }
  static __device__ float bias(const ForwardArguments& a, bool with_inputs, unsigned sum, unsigned unit,
                               unsigned units) {
    return with_inputs ? a.bias[sum * units + unit] : 0.0F;
  }
  static __device__ float activate(unsigned sum, float x) { return squash(x, sum == 2); }
  static __device__ State next(const State& before, const float (&values)[4], float (&kept)[4]) {
    const float i = values[0], f = values[1], g = values[2], o = values[3];
    kept[0] = i;
    kept[1] = f;
    kept[2] = g;
    kept[3] = o;
    const float c = fmaf(f, before.c, i * g);
    return {o * squash(c, true), c};
  }

  /// The cell of the step, and the gradient that reached it from the step after.
  struct Back {
    float c = 0.0F, carried = 0.0F;
  };
  static __device__ bool has_state(unsigned) { return true; }
  static __device__ unsigned state_gate(unsigned sum) { return sum; }
  static __device__ unsigned place_of_state(unsigned gate) { return gate; }
  static __device__ void back(Back& back, const float (&kept)[4], float c_before, float d_h, float (&d_sums)[4]) {
    const float i = kept[0], f = kept[1], g = kept[2], o = kept[3], squashed = squash(back.c, true);
    const float d_c = fmaf(d_h * o, 1.0F - squashed * squashed, back.carried);
    d_sums[0] = d_c * g * i * (1.0F - i);
    d_sums[1] = d_c * c_before * f * (1.0F - f);
    d_sums[2] = d_c * i * (1.0F - g * g);
    d_sums[3] = d_h * squashed * o * (1.0F - o);
    back.carried = d_c * f;
    back.c = c_before;
  }
};
#endif

}  // namespace cuda::recurrent

template <std::size_t Units, class... Options, class In>
CudaRecurrent<cuda::recurrent::LstmCell, Units, In> select_kernel(rank::Layer, Placed<Lstm<Units, Options...>, In>,
                                                                  backend::Cuda);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
