// What the kernels of recurrent layers share: the arguments of a launch, functions of gates, sums over the threads of a
// unit.
#pragma once

#include "../../core/macros_aside.hpp"

#include "recurrent_device.hpp"
#include "recurrent_forms.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

/// What a cell makes of its sums and back, by a specialisation for each:
///   State            what a sample carries from step to step: h, and what else
///   activate(sum, x) a gate, or the sum itself where it is none yet
///   next(state, values, kept)   the state after a step, from all four values; kept[4] is what backward needs
///   has_input(sum), input_gate(sum), input_sum(gate)   where the inputs' part of a sum comes from, or goes to
///   bias(arguments, with_inputs, sum, unit, units)
///   Back, start(back, state), back(back, kept, before, d_h, d_sums)   from the last step to the first; `before` is the
///                    state before the step: of a cell that keeps cells its cell, else h
///   has_state(sum), state_gate(sum)   which of d_sums are those of sums over the state
template <class Cell>
struct StepOf;

struct ForwardArguments {
  std::size_t samples = 0, steps = 0, inputs = 0;
  const std::int32_t* lengths = nullptr;  ///< of a stream, one for each step
  const float* x = nullptr;               ///< [samples, steps, inputs], where a step multiplies them
  const float* sums = nullptr;            ///< or their part of the sums: [samples, steps], in rows of sums_row
  std::size_t sums_row = 0;
  const float* weight_ih = nullptr;
  const float* weight_hh = nullptr;
  const float* bias = nullptr;
  const float* state_bias = nullptr;
  float* y = nullptr;
  float* gates = nullptr;    ///< for backward, with `keeps`: [samples, steps, 4 units]
  float* cells = nullptr;    ///< [samples, steps, units]
  float* before = nullptr;   ///< the same, h of the step before; null: not asked for
  float* carried = nullptr;  ///< of a stream: h, then the cell
};

struct BackwardArguments {
  std::size_t samples = 0, steps = 0;
  const std::int32_t* lengths = nullptr;
  const float* weight_hh = nullptr;
  float* gates = nullptr;         ///< what forward kept; then gradients of the sums, zeros at padded steps
  const float* states = nullptr;  ///< [samples, steps, units]: a step's cell, or where there is none h before it
  const float* dy = nullptr;
  float* bias_sums = nullptr;  ///< [blocks, 4 units], gradients of a block's samples; null: not asked for
};

inline __device__ unsigned valid_steps(const std::int32_t* lengths, std::size_t n, std::size_t steps) {
  if (lengths == nullptr) return static_cast<unsigned>(steps);
  const std::int32_t length = lengths[n];
  return length < 0 ? 0U : min(static_cast<unsigned>(length), static_cast<unsigned>(steps));
}
/// Of the `rows` samples from number `first` on.
template <std::size_t Rows>
__device__ unsigned longest_of(const std::int32_t* lengths, std::size_t first, std::size_t samples, std::size_t steps) {
  unsigned longest = 0;
#pragma unroll
  for (unsigned row = 0; row < Rows; ++row)
    if (first + row < samples) longest = max(longest, valid_steps(lengths, first + row, steps));
  return longest;
}

/// tanh, or the sigmoid. Near zero by a polynomial in x^2: the quotient would lose what 1 - e loses.
inline __device__ float squash(float x, bool is_tanh) {
  constexpr float log2_e = 1.4426950408889634F, near_zero = 0.45F;
  const float size = fabsf(x), e = power_of_two(size * (is_tanh ? -2.0F * log2_e : -log2_e));
  const float inverse = reciprocal(1.0F + e);
  if (!is_tanh) return x < 0.0F ? e * inverse : inverse;
  const float square = x * x;
  const float series = fmaf(square, fmaf(square, fmaf(square, 0.018648911F, -0.053574473F), 0.1333176F), -0.33333323F);
  return size < near_zero ? fmaf(x * square, series, x) : copysignf((1.0F - e) * inverse, x);
}

/// Element `place` of an array in registers.
template <std::size_t N>
__device__ float pick(const float (&values)[N], unsigned place) {
  float value = values[0];
#pragma unroll
  for (unsigned i = 1; i < N; ++i) value = place == i ? values[i] : value;
  return value;
}

/// Four numbers of a row of `width` from `column` on, zeros behind its end.
inline __device__ float4 four_of(const float* row, std::size_t column, std::size_t width) {
  if (width % 4 == 0)
    return column < width ? *reinterpret_cast<const float4*>(row + column) : float4{0.0F, 0.0F, 0.0F, 0.0F};
  return {column < width ? row[column] : 0.0F, column + 1 < width ? row[column + 1] : 0.0F,
          column + 2 < width ? row[column + 2] : 0.0F, column + 3 < width ? row[column + 3] : 0.0F};
}
inline __device__ float add_product(float4 a, float4 b, float sum) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

/// Two threads whose numbers differ in a bit each keep the sum of one of two numbers: `upper` those of b.
inline __device__ float share_sum(float a, float b, bool upper, unsigned mask) {
  const float kept = upper ? b : a, given = upper ? a : b;
  return kept + from_lane_xor(given, mask);
}

/// Sums[row][i] over the four threads of a unit, shared out as Quad<Rows> says: of its sample number i a thread then
/// has sums[4 i], and with fewer than four samples the first Quad<Rows>::sums of sums[0].
template <std::size_t Rows, std::size_t Sums>
__device__ void share_out(unsigned lane, float (&sums)[Rows][Sums]) {
  const bool second = (lane & 1U) != 0, upper = (lane & 2U) != 0;
  if constexpr (Rows >= 4) {
#pragma unroll
    for (unsigned row = 0; row < Rows; row += 4)
#pragma unroll
      for (unsigned i = 0; i < Sums; ++i) {
        const float even = share_sum(sums[row][i], sums[row + 2][i], upper, 2);
        const float odd = share_sum(sums[row + 1][i], sums[row + 3][i], upper, 2);
        sums[row][i] = share_sum(even, odd, second, 1);
      }
  } else {
    static_assert(Sums == 4);
    float half[4];
    if constexpr (Rows == 2) {
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) half[i] = share_sum(sums[0][i], sums[1][i], second, 1);
    } else {
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) half[i] = sums[0][i];
    }
    half[0] = share_sum(half[0], half[2], upper, 2);
    half[1] = share_sum(half[1], half[3], upper, 2);
    if constexpr (Rows == 2) {
      sums[0][0] = half[0];
      sums[0][1] = half[1];
    } else {
      sums[0][0] = share_sum(half[0], half[1], second, 1);
    }
  }
}
/// What the threads of a sample have, in all of them.
template <std::size_t Rows>
__device__ void gather(unsigned lane, const float (&own)[Quad<Rows>::sums], float (&all)[4]) {
  using Q = Quad<Rows>;
#pragma unroll
  for (unsigned i = 0; i < 4; ++i) {
    if constexpr (Q::shares == 1)
      all[i] = own[i];
    else
      all[i] = from_lane(own[i % Q::sums], (threadIdx.x % 32 & ~3U) + Q::lane(i / Q::sums, Q::row(lane, 0)));
  }
}

/// sums[row] over the four threads of a unit: of its sample number i a thread then has sums[4 i].
template <std::size_t Rows>
__device__ void share_out(unsigned lane, float (&sums)[Rows]) {
  const bool second = (lane & 1U) != 0, upper = (lane & 2U) != 0;
  if constexpr (Rows >= 4) {
#pragma unroll
    for (unsigned row = 0; row < Rows; row += 4)
      sums[row] = share_sum(share_sum(sums[row], sums[row + 2], upper, 2),
                            share_sum(sums[row + 1], sums[row + 3], upper, 2), second, 1);
  } else if constexpr (Rows == 2) {
    const float one = share_sum(sums[0], sums[1], second, 1);
    sums[0] = one + from_lane_xor(one, 2);
  } else {
    const float half = sums[0] + from_lane_xor(sums[0], 2);
    sums[0] = half + from_lane_xor(half, 1);
  }
}

/// Zeros in the steps that no sample of a block reaches, of a map [samples, steps, width].
inline __device__ void clear_behind(float* map, std::size_t first, std::size_t rows, std::size_t samples,
                                    std::size_t steps, std::size_t longest, std::size_t width) {
  for (std::size_t n = first; n < first + rows && n < samples; ++n) {
    float* const from = map + (n * steps + longest) * width;
    for (std::size_t i = threadIdx.x; i < (steps - longest) * width; i += blockDim.x) from[i] = 0.0F;
  }
}

}  // namespace aila::inline v0::cuda::recurrent

#endif

#include "../../core/macros_back.hpp"
