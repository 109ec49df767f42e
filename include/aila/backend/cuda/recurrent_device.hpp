// What a step of a recurrent layer asks of the device itself: its functions, copies on the side, tensor cores.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>

#include "launch.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

/// Shared memory of a block.
inline __device__ float* block_memory() {
  extern __shared__ float4 recurrent_memory[];
  return reinterpret_cast<float*>(recurrent_memory);
}

/// 2^x, and 1 / x of x >= 1, within two units in the last place; numbers below 2^-126 are 0.
inline __device__ float power_of_two(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
inline __device__ float reciprocal(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

inline constexpr unsigned all_lanes = 0xffffffffU;
inline __device__ float from_lane_xor(float x, unsigned mask) {
  return __shfl_xor_sync(all_lanes, x, mask);
}
inline __device__ float from_lane(float x, unsigned lane) {
  return __shfl_sync(all_lanes, x, lane);
}

/// Copies from global to shared memory without a wait; both at multiples of Bytes (4 or 16).
template <unsigned Bytes>
__device__ void copy_aside(float* to, const float* from) {
  const auto at = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(at), "l"(from) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(at), "l"(from) : "memory");
}
/// Ends a group of this thread's copies.
inline __device__ void end_copies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
/// Waits until no more than the last Groups of them are under way.
template <unsigned Groups>
__device__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Groups) : "memory");
}

/// What a tensor core takes x for.
inline __device__ std::uint32_t to_tf32(float x) {
  std::uint32_t y;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
  return y;
}
/// x as the sum of two such numbers.
struct Parts {
  std::uint32_t high, low;
};
inline __device__ Parts parts_of(float x) {
  const std::uint32_t high = to_tf32(x);
  return {high, to_tf32(x - __uint_as_float(high))};
}
/// d += a b, with a [16, 8], b [8, 8].
inline __device__ void multiply_tiles(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
/// The 64 threads of two neighbouring warps meet.
inline __device__ void pair_of_warps_meets(unsigned pair) {
  asm volatile("bar.sync %0, 64;" ::"r"(pair + 1) : "memory");
}

}  // namespace aila::inline v0::cuda::recurrent

#endif

#include "../../core/macros_back.hpp"
