// What the kernels of recurrent layers share: the arguments of a launch, functions of gates, sums over the threads of a
// unit.
#pragma once

#include "../../core/macros_aside.hpp"

#include "recurrent_device.hpp"
#include "recurrent_forms.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

/// What a cell makes of its sums and back, by a specialisation for each:
///   State            what a sample carries from step to step: h, and what else; with(h) replaces h
///   activate(sum, x) a gate, or the sum itself where it is none yet
///   next(state, values, kept)   the state after a step, from all four values; kept[4] is what backward needs
///   has_input(sum), input_gate(sum), input_sum(gate)   where the inputs' part of a sum comes from, or goes to
///   has_bias(with_inputs), bias(arguments, with_inputs, sum, unit, units)
///   Back, start(back, state), back(back, kept, before, d_h, d_sums)   from the last step to the first; `before` is the
///                    state before the step: of a cell that keeps cells its cell, else h
///   has_state(sum), state_gate(sum)   which of d_sums are those of sums over the state
template <class Cell>
struct StepOf;

struct ForwardArguments {
  std::size_t samples = 0, steps = 0, inputs = 0;
  const std::int32_t* lengths = nullptr;  ///< of a stream, one for each step [samples, steps]
  const float* x = nullptr;               ///< [samples, steps, inputs], where a step multiplies them
  const float* sums = nullptr;            ///< or their part of the sums: [samples, steps], in rows of sums_row
  unsigned sums_row = 0;
  const float* weight_ih = nullptr;
  const float* weight_hh = nullptr;
  const float* bias = nullptr;
  const float* state_bias = nullptr;
  float* y = nullptr;
  float* gates = nullptr;             ///< for backward, with `keeps`: [samples, steps, 4 units]
  float* cells = nullptr;             ///< [samples, steps, units]
  float* before = nullptr;            ///< the same, h of the step before; null: not asked for
  const float* state_from = nullptr;  ///< [samples], h and then the cell before the first step; null: zeros
  float* state_to = nullptr;          ///< the same after the last; null: not asked for
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

/// tanh, or the sigmoid. Near zero by a polynomial in x^2: the quotient would lose what 1 - e loses. Without a branch,
/// for threads of a warp differ.
inline __device__ float squash(float x, bool is_tanh) {
  constexpr float log2_e = 1.4426950408889634F, near_zero = 0.45F;
  const float size = fabsf(x), e = power_of_two(size * (is_tanh ? -2.0F * log2_e : -log2_e));
  const float inverse = reciprocal(1.0F + e), square = x * x;
  const float series = fmaf(square, fmaf(square, fmaf(square, 0.018648911F, -0.053574473F), 0.1333176F), -0.33333323F);
  const float quotient = (is_tanh ? 1.0F - e : x < 0.0F ? e : 1.0F) * inverse;
  const float small = fmaf(x * square, series, x), large = is_tanh ? copysignf(quotient, x) : quotient;
  return choose(is_tanh & (size < near_zero), small, large);
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

/// Two threads each keep the sum of one of two numbers, `second` that of b.
inline __device__ float choose_sum(float a, float b, bool second, unsigned mask) {
  return (second ? b : a) + from_lane_xor(second ? a : b, mask);
}

/// sums[slot of a row][slot of a sum] over the four threads of a unit, shared out as Quad<Rows> says: of its sample
/// number i a thread then has sums[4 i], and with fewer than four samples the first Quad<Rows>::sums of sums[0].
template <std::size_t Rows, bool orders_sums, std::size_t Sums>
__device__ void share_out(unsigned lane, float (&sums)[Rows][Sums]) {
  if constexpr (Rows >= 4) {
#pragma unroll
    for (unsigned row = 0; row < Rows; row += 4)
#pragma unroll
      for (unsigned i = 0; i < Sums; ++i) {
        const float even = sums[row][i] + from_lane_xor(sums[row + 2][i], 2);
        const float odd = sums[row + 1][i] + from_lane_xor(sums[row + 3][i], 2);
        sums[row][i] = even + from_lane_xor(odd, 1);
      }
  } else {
    static_assert(Sums == 4);
    if constexpr (Rows == 2) {
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) sums[0][i] += from_lane_xor(sums[1][i], 1);
    }
    if constexpr (orders_sums) {
      sums[0][0] += from_lane_xor(sums[0][2], 2);
      sums[0][1] += from_lane_xor(sums[0][3], 2);
      if constexpr (Rows == 1) sums[0][0] += from_lane_xor(sums[0][1], 1);
    } else {
      const bool upper = (lane & 2U) != 0;
      sums[0][0] = choose_sum(sums[0][0], sums[0][2], upper, 2);
      sums[0][1] = choose_sum(sums[0][1], sums[0][3], upper, 2);
      if constexpr (Rows == 1) sums[0][0] = choose_sum(sums[0][0], sums[0][1], (lane & 1U) != 0, 1);
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

/// The same of one sum, which all threads of a sample get.
template <std::size_t Rows>
__device__ void share_out(float (&sums)[Rows]) {
  if constexpr (Rows >= 4) {
#pragma unroll
    for (unsigned row = 0; row < Rows; row += 4) {
      const float even = sums[row] + from_lane_xor(sums[row + 2], 2);
      const float odd = sums[row + 1] + from_lane_xor(sums[row + 3], 2);
      sums[row] = even + from_lane_xor(odd, 1);
    }
  } else {
    if constexpr (Rows == 2)
      sums[0] += from_lane_xor(sums[1], 1);
    else
      sums[0] += from_lane_xor(sums[0], 1);
    sums[0] += from_lane_xor(sums[0], 2);
  }
}
/// Number `place` of four units to every four of 16 threads: of the sums of four units, in the order place ^ slot.
inline __device__ float share_out_units(float4 sums) {
  const float even = sums.x + from_lane_xor(sums.z, 8), odd = sums.y + from_lane_xor(sums.w, 8);
  return even + from_lane_xor(odd, 4);
}
inline __device__ float4 in_order_of(unsigned place, float4 v) {
  if ((place & 1U) != 0) v = {v.y, v.x, v.w, v.z};
  if ((place & 2U) != 0) v = {v.z, v.w, v.x, v.y};
  return v;
}

/// A thread's part of the copies of each step from global memory to a ring of steps in shared memory: Pieces of Vector
/// floats. For all threads of a warp.
template <std::size_t Pieces, std::size_t Threads, unsigned Vector, bool holds>
struct RingCopies {
  static constexpr unsigned each = divide_up(Pieces, Threads), none = ~0U;
  /// Added to `to` of a piece that step 0 has none of. Addresses have 32 bits and count bytes: there it is 2^32, or 0.
  static constexpr unsigned not_first = 1U << 30;
  const float* from[each];  ///< in the step that is copied next
  unsigned to[each];        ///< in a step's slot
  int step[each];           ///< floats from a step to the next one

  /// place(piece, from, to, step), which may leave `to` alone: then there is nothing to copy.
  template <class F>
  __device__ explicit RingCopies(F&& place) {
#pragma unroll
    for (unsigned i = 0; i < each; ++i) {
      const unsigned piece = i * static_cast<unsigned>(Threads) + threadIdx.x;
      from[i] = nullptr;
      to[i] = none;
      step[i] = 0;
      if (piece < Pieces) place(piece, from[i], to[i], step[i]);
      from[i] = held_if<holds>(from[i]);
      to[i] = held_if<holds>(to[i]);
    }
  }
  /// The next call is for the step after, or before where steps are negative.
  __device__ void start(Shared slot, bool is_first = false) {
#pragma unroll
    for (unsigned i = 0; i < each; ++i) {
      if (to[i] < (is_first ? not_first : none)) copy_aside<Vector>(slot + to[i], from[i]);
      from[i] += step[i];
    }
  }
};

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
