// What a step of a recurrent layer asks of the device itself: its functions, copies on the side, tensor cores.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>

#include "instructions.hpp"
#include "launch.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

/// The block's dynamic shared memory.
inline __device__ float* block_memory() {
  return dynamic_shared();
}
inline __device__ Shared shared_memory() {
  return {static_cast<std::uint32_t>(__cvta_generic_to_shared(block_memory()))};
}

inline constexpr unsigned all_lanes = 0xffffffffU;
inline __device__ float from_lane_xor(float x, unsigned mask) {
  return __shfl_xor_sync(all_lanes, x, mask);
}
inline __device__ float from_lane(float x, unsigned lane) {
  return __shfl_sync(all_lanes, x, lane);
}

/// x, by way of the thread's own lane, so that the compiler keeps it in a register: what it knows how to work out it
/// works out anew in every step, in more instructions than the step's mathematics has. For all threads of a warp.
inline __device__ unsigned held(unsigned x) {
  return __shfl_sync(all_lanes, x, threadIdx.x % 32);
}
inline __device__ Shared held(Shared x) {
  return {held(x.at)};
}
template <class T>
__device__ T* held(T* p) {
  const auto bits = reinterpret_cast<std::uintptr_t>(p);
  const std::uintptr_t high = held(static_cast<unsigned>(bits >> 32));
  return reinterpret_cast<T*>(high << 32 | held(static_cast<unsigned>(bits)));
}

/// The same where there are registers for it.
template <bool holds, class T>
__device__ T held_if(T x) {
  if constexpr (holds)
    return held(x);
  else
    return x;
}

/// A number as the sum of two of TF32, of which tensor cores do not look at the last 13 bits.
struct Parts {
  float high, low;
};
/// The first is rounded. What is no number is none in the second.
inline __device__ Parts parts_of(float x) {
  const float high = __uint_as_float((__float_as_uint(x) + 0x1000U) & 0xffffe000U);
  return {high, x - high};
}
/// Both are rounded, by an instruction that is too slow to be done anew in every step: the compiler keeps the parts.
inline __device__ Parts parts_to_keep(float x) {
  const float high = rounded(x);
  return {high, rounded(x - high)};
}

}  // namespace aila::inline v0::cuda::recurrent

#endif

#include "../../core/macros_back.hpp"
