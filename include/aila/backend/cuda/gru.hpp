// GRU on a GPU.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/gru.hpp"
#include "recurrent.hpp"

namespace aila::inline v0 {

namespace cuda::recurrent {

/// Forward the sums of r, z, the state's part of n and the inputs' part of it. Kept are r, z, n and the state's part;
/// coming back in their places the gradients of the sums of r, z, of the inputs' part of n and of the state's, so that
/// those of the three sums over the inputs lie together.
struct GruCell {
  static constexpr const char* name = "cuda gru";
  static constexpr std::size_t gates = 3;
  static constexpr bool keeps_cells = false;
};

#ifdef __CUDACC__
template <>
struct StepOf<GruCell> {
  struct State {
    float h = 0.0F;
    __device__ State with(float other_h) const { return {other_h}; }
  };
  static __device__ bool has_input(unsigned sum) { return sum != 2; }
  static __device__ unsigned input_gate(unsigned sum) { return sum == 3 ? 2 : sum; }
  static __device__ unsigned input_sum(unsigned gate) { return gate == 2 ? 3 : gate; }
  static constexpr bool has_bias(bool) { return true; }
  static __device__ float bias(const ForwardArguments& a, bool with_inputs, unsigned sum, unsigned unit,
                               unsigned units) {
    const float of_state = sum < 3 ? a.state_bias[sum * units + unit] : 0.0F;
    return with_inputs && has_input(sum) ? of_state + a.bias[input_gate(sum) * units + unit] : of_state;
  }
  static __device__ float activate(unsigned sum, float x) { return sum < 2 ? squash(x, false) : x; }
  static __device__ State next(const State& before, const float (&values)[4], float (&kept)[4]) {
    const float r = values[0], z = values[1], state = values[2], n = squash(fmaf(r, state, values[3]), true);
    kept[0] = r;
    kept[1] = z;
    kept[2] = n;
    kept[3] = state;
    return {fmaf(z, before.h - n, n)};
  }

  /// The gradient that reached h past the gates of the step after.
  struct Back {
    float carried = 0.0F;
  };
  static __device__ bool has_state(unsigned sum) { return sum != 2; }
  static __device__ unsigned state_gate(unsigned sum) { return sum == 3 ? 2 : sum; }
  static __device__ unsigned place_of_state(unsigned gate) { return gate == 2 ? 3 : gate; }
  static __device__ void back(Back& back, const float (&kept)[4], float h_before, float d_h, float (&d_sums)[4]) {
    const float r = kept[0], z = kept[1], n = kept[2], state = kept[3], d = d_h + back.carried;
    const float d_n = d * (1.0F - z) * (1.0F - n * n);
    d_sums[0] = d_n * state * r * (1.0F - r);
    d_sums[1] = d * (h_before - n) * z * (1.0F - z);
    d_sums[2] = d_n;
    d_sums[3] = d_n * r;
    back.carried = d * z;
  }
};
#endif

}  // namespace cuda::recurrent

template <std::size_t Units, class... Options, class In>
CudaRecurrent<cuda::recurrent::GruCell, Units, In> select_kernel(rank::Layer, Placed<Gru<Units, Options...>, In>,
                                                                 backend::Cuda);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
