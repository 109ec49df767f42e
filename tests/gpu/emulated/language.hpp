// CUDA C++ for a compiler of the host: included before all else where tests of kernels are compiled as C++.
#pragma once

#include <cuda_runtime_api.h>
#include <math.h>
#include <vector_functions.h>

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <type_traits>

#include "device.hpp"

#define AILA_EMULATED_DEVICE  // for tests of what no device can be made to do

// NOLINTBEGIN(bugprone-reserved-identifier): these are the language's names
#undef __global__
#undef __device__
#undef __host__
#undef __shared__
#undef __launch_bounds__
#undef __grid_constant__
#undef __forceinline__
#define __global__
#define __device__
#define __host__
#define __shared__ thread_local  // all of a program's are one piece of memory of the device's thread
#define __launch_bounds__(...)
#define __grid_constant__
#define __forceinline__ inline

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;

inline void __syncthreads(emulated::Where where = emulated::Where::current()) {
  emulated::meet_block(where);
}
inline void __syncwarp(unsigned mask = ~0U, emulated::Where where = emulated::Where::current()) {
  emulated::meet_warp(mask, 0, where);
}
template <class T>
T __shfl_sync(unsigned mask, T x, unsigned lane, emulated::Where where = emulated::Where::current()) {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8);
  std::uint64_t own = 0;
  std::memcpy(&own, &x, sizeof(T));
  std::memcpy(&x, emulated::meet_warp(mask, own, where) + lane % 32, sizeof(T));
  return x;
}
template <class T>
T __shfl_xor_sync(unsigned mask, T x, unsigned far, emulated::Where where = emulated::Where::current()) {
  return __shfl_sync(mask, x, threadIdx.x % 32 ^ far, where);
}
inline unsigned __ballot_sync(unsigned mask, bool own, emulated::Where where = emulated::Where::current()) {
  const std::uint64_t* const of = emulated::meet_warp(mask, own ? 1 : 0, where);
  unsigned all = 0;
  for (unsigned lane = 0; lane < 32; ++lane) all |= static_cast<unsigned>(of[lane]) << lane;
  return all;
}
inline void __threadfence() {}
inline unsigned atomicAdd(unsigned* to, unsigned x) {
  const unsigned before = *to;
  *to += x;
  return before;
}
template <class T>
T __ldcg(const T* from) {
  return *from;
}
inline int __ffs(unsigned x) {
  return x == 0 ? 0 : std::countr_zero(x) + 1;
}
inline unsigned __float_as_uint(float x) {
  return std::bit_cast<unsigned>(x);
}
inline float __uint_as_float(unsigned x) {
  return std::bit_cast<float>(x);
}
inline std::size_t __cvta_generic_to_shared(const void* at) {
  return static_cast<std::size_t>(static_cast<const std::byte*>(at) - emulated::dynamic_shared());
}
template <class T, class U>
constexpr std::common_type_t<T, U> min(T a, U b) {
  return b < a ? b : a;
}
template <class T, class U>
constexpr std::common_type_t<T, U> max(T a, U b) {
  return a < b ? b : a;
}
inline float rsqrtf(float x) {
  return 1 / std::sqrt(x);
}
inline float sinpif(float x) {
  return static_cast<float>(std::sin(std::numbers::pi * x));
}
inline float cospif(float x) {
  return static_cast<float>(std::cos(std::numbers::pi * x));
}
// What <aila/backend/cuda/instructions.hpp> has for nvcc.
#define AILA_CUDA_INSTRUCTIONS

namespace emulated {
void start(Launch launch, cudaStream_t stream);
}

namespace aila::inline v0::cuda {

template <class... P>
void start(void (*kernel)(P...), dim3 blocks, dim3 threads, std::size_t shared, cudaStream_t stream, P... arguments) {
  emulated::start({reinterpret_cast<const void*>(kernel), blocks, threads, shared, [=] { kernel(arguments...); }},
                  stream);
}
inline float* dynamic_shared() {
  return reinterpret_cast<float*>(emulated::dynamic_shared());
}

namespace detail {

inline void copy_16(float* to, const float* from, unsigned bytes) {
  emulated::copy_aside(to, from, bytes, 16 - bytes);
}
inline void copy_16_cached(float* to, const float* from, unsigned bytes) {
  emulated::copy_aside(to, from, bytes, 16 - bytes);
}
inline void copy_4(float* to, const float* from, unsigned bytes) {
  emulated::copy_aside(to, from, bytes, 4 - bytes);
}
inline unsigned anew(unsigned x) {
  return x;
}
inline void end_group_of_copies() {
  emulated::end_copies();
}
template <int groups>
void wait_for_copies() {
  emulated::wait_for_copies(groups);
}
inline void multiply_tile(float (&d)[4], float a0, float a1, float a2, float a3, float b0, float b1,
                          const float (&c)[4], emulated::Where where = emulated::Where::current()) {
  float sum[4] = {c[0], c[1], c[2], c[3]};
  emulated::multiply_tile(sum, {a0, a1, a2, a3}, {b0, b1}, where);
  std::copy(sum, sum + 4, d);
}

#define AILA_CUDA_MULTIPLIES_WIDE
inline constexpr std::size_t wide_alignment = 1024;
inline float* wide_aligned(float* at) {
  const std::size_t place = __cvta_generic_to_shared(at);
  return at + (wide_alignment - place % wide_alignment) % wide_alignment / sizeof(float);
}
struct WideTile {
  const float* at;
  explicit WideTile(const float* its_place) : at(its_place) {}
};
struct WideRows {
  float at[4];
};
inline void copies_are_for_tensor_cores() {}
inline void begin_products(WideRows (&)[4]) {}
inline void end_products() {}
inline void wait_for_products(float (&d)[32]) {
  emulated::wait_for_products(d);
}
template <bool sets>
void multiply_wide(float (&d)[32], const WideRows& a, const WideTile& b, unsigned eight,
                   emulated::Where where = emulated::Where::current()) {
  emulated::multiply_wide(d, sets, a.at, b.at, eight, where);
}

}  // namespace detail

namespace tile {

inline void copy_four(float* to, const float* from, bool counts) {
  emulated::copy_aside(to, from, counts ? 16 : 0, counts ? 0 : 16);
}
inline void copies_done() {
  emulated::end_copies();
  emulated::wait_for_copies(0);
}
inline void multiply_add(float (&c)[4], const float (&a)[4], const float (&b)[2],
                         emulated::Where where = emulated::Where::current()) {
  emulated::multiply_tile(c, a, b, where);
}

}  // namespace tile

namespace recurrent {

struct Shared {
  std::uint32_t at;

  Shared operator+(std::size_t floats) const { return {at + 4 * static_cast<std::uint32_t>(floats)}; }
  float* place() const { return reinterpret_cast<float*>(emulated::dynamic_shared() + at); }
  float load() const { return *place(); }
  float4 load_four() const { return *reinterpret_cast<const float4*>(place()); }
  void store(float x) const { *place() = x; }
  void store_four(float4 x) const { *reinterpret_cast<float4*>(place()) = x; }
};

inline float power_of_two(float x) {
  const float y = std::exp2(x);
  return y < FLT_MIN ? 0 : y;
}
inline float reciprocal(float x) {
  return 1 / x;
}
inline float choose(bool first, float a, float b) {
  return first ? a : b;
}
inline void write(float* to, float x) {
  *to = x;
}
template <unsigned Floats>
void copy_aside(Shared to, const float* from) {
  emulated::copy_aside(to.place(), from, 4 * Floats, 0);
}
inline void end_copies() {
  emulated::end_copies();
}
template <unsigned Groups>
void wait_for_copies() {
  emulated::wait_for_copies(Groups);
}
inline float rounded(float x) {
  return __uint_as_float((__float_as_uint(x) + 0x1000U) & 0xffffe000U);
}
inline void multiply_tiles(float (&d)[4], const float (&a)[4], float b0, float b1,
                           emulated::Where where = emulated::Where::current()) {
  emulated::multiply_tile(d, a, {b0, b1}, where);
}
inline void pair_of_warps_meets(unsigned pair, emulated::Where where = emulated::Where::current()) {
  emulated::meet_pair(pair, where);
}

}  // namespace recurrent

}  // namespace aila::inline v0::cuda

// The headers before this line are a host's.
#define __CUDACC__
// NOLINTEND(bugprone-reserved-identifier)
