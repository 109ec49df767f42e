// What a step of a recurrent layer asks of the device itself: its functions, copies on the side, tensor cores.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>

#include "launch.hpp"

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

/// A place in shared memory. An address of 32 bits, and not a pointer: what a step adds to it is then known to cost one
/// instruction.
struct Shared {
  std::uint32_t at;

  __device__ Shared operator+(std::size_t floats) const { return {at + 4 * static_cast<std::uint32_t>(floats)}; }
  __device__ float load() const {
    float x;
    asm volatile("ld.shared.f32 %0, [%1];" : "=f"(x) : "r"(at) : "memory");
    return x;
  }
  __device__ float4 load_four() const {
    float4 x;
    asm volatile("ld.shared.v4.f32 {%0,%1,%2,%3}, [%4];"
                 : "=f"(x.x), "=f"(x.y), "=f"(x.z), "=f"(x.w)
                 : "r"(at)
                 : "memory");
    return x;
  }
  __device__ void store(float x) const { asm volatile("st.shared.f32 [%0], %1;" ::"r"(at), "f"(x) : "memory"); }
  __device__ void store_four(float4 x) const {
    asm volatile("st.shared.v4.f32 [%0], {%1,%2,%3,%4};" ::"r"(at), "f"(x.x), "f"(x.y), "f"(x.z), "f"(x.w) : "memory");
  }
};
/// The block's dynamic shared memory.
inline __device__ float* block_memory() {
  extern __shared__ float4 recurrent_memory[];
  return reinterpret_cast<float*>(recurrent_memory);
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

/// To global memory, of which the compiler does not know that a held address lies there.
inline __device__ void write(float* to, float x) {
  asm volatile("st.global.f32 [%0], %1;" ::"l"(to), "f"(x) : "memory");
}

/// Copies Floats (1 or 4, aligned) from global to shared memory without a wait.
template <unsigned Floats>
__device__ void copy_aside(Shared to, const float* from) {
  if constexpr (Floats == 4)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to.at), "l"(from) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(to.at), "l"(from) : "memory");
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
  const auto round = [](float v) {
    std::uint32_t y;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(v));
    return __uint_as_float(y);
  };
  const float high = round(x);
  return {high, round(x - high)};
}
/// d += a b, with a [16, 8], b [8, 8].
inline __device__ void multiply_tiles(float (&d)[4], const float (&a)[4], float b0, float b1) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])), "r"(__float_as_uint(a[3])),
        "r"(__float_as_uint(b0)), "r"(__float_as_uint(b1)));
}
/// The 64 threads of two neighbouring warps meet.
inline __device__ void pair_of_warps_meets(unsigned pair) {
  asm volatile("bar.sync %0, 64;" ::"r"(pair + 1) : "memory");
}

}  // namespace aila::inline v0::cuda::recurrent

#endif

#include "../../core/macros_back.hpp"
