// What kernels ask of the processor in its own words, and how they are started. Nothing else in this library is beyond
// a compiler of the host: tests/gpu/emulated says the same in C++ under this header's guard, and runs kernels without a
// GPU.
#ifndef AILA_CUDA_INSTRUCTIONS
#define AILA_CUDA_INSTRUCTIONS

#include "../../core/macros_aside.hpp"

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#ifdef __CUDACC__

namespace aila::inline v0::cuda {

template <class... P>
void start(void (*kernel)(P...), dim3 blocks, dim3 threads, std::size_t shared, cudaStream_t stream, P... arguments) {
  kernel<<<blocks, threads, shared, stream>>>(arguments...);
}

/// All of a block's dynamic shared memory.
__device__ inline float* dynamic_shared() {
  extern __shared__ float4 aila_shared[];
  return reinterpret_cast<float*>(aila_shared);
}

namespace detail {  // of products

/// Copies `bytes` bytes of 16 to shared memory in the background, zeros behind them; past the first-level cache.
__device__ inline void copy_16(float* to, const float* from, unsigned bytes) {
  asm volatile(
      "cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(to))),
      "l"(from), "r"(bytes));
}
/// The same by way of that cache, for what the block reads again.
__device__ inline void copy_16_cached(float* to, const float* from, unsigned bytes) {
  asm volatile(
      "cp.async.ca.shared.global [%0], [%1], 16, %2;\n" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(to))),
      "l"(from), "r"(bytes));
}
__device__ inline void copy_4(float* to, const float* from, unsigned bytes) {
  asm volatile(
      "cp.async.ca.shared.global [%0], [%1], 4, %2;\n" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(to))),
      "l"(from), "r"(bytes));
}
/// x, of which the compiler does not know that it stays the same: what follows from it is worked out anew in every turn
/// of a loop, and holds no registers between.
__device__ inline unsigned anew(unsigned x) {
  asm volatile("" : "+r"(x));
  return x;
}
__device__ inline void end_group_of_copies() {
  asm volatile("cp.async.commit_group;\n" ::: "memory");
}
/// Waits until no more than so many groups of this thread's copies are under way.
template <int groups>
__device__ inline void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(groups) : "memory");
}
/// d = a b + c by a warp, [16, 8] x [8, 8] of TF32: the lower 13 bits of a and b are not looked at.
__device__ inline void multiply_tile(float (&d)[4], float a0, float a1, float a2, float a3, float b0, float b1,
                                     const float (&c)[4]) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%11,%12,%13};\n"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(__float_as_uint(a0)), "r"(__float_as_uint(a1)), "r"(__float_as_uint(a2)), "r"(__float_as_uint(a3)),
        "r"(__float_as_uint(b0)), "r"(__float_as_uint(b1)), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}

/// What is copied and stored to shared memory becomes visible to tensor cores that read it themselves, behind a
/// barrier.
__device__ inline void copies_are_for_tensor_cores() {
#if __CUDA_ARCH__ >= 900
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}
/// Bytes that tiles which tensor cores read themselves are aligned to.
inline constexpr std::size_t wide_alignment = 1024;
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define AILA_CUDA_MULTIPLIES_WIDE
__device__ inline float* wide_aligned(float* at) {
  const auto place = static_cast<unsigned>(__cvta_generic_to_shared(at));
  return at + (wide_alignment - place % wide_alignment) % wide_alignment / sizeof(float);
}
/// 64 columns by 32 along k in shared memory: a column's numbers are in 128 bytes, four of them, number f, at (f xor
/// column mod 8).
struct WideTile {
  std::uint64_t descriptor;
  __device__ explicit WideTile(const float* at)
      : descriptor((static_cast<unsigned>(__cvta_generic_to_shared(at)) & 0x3ffffU) >> 4 | std::uint64_t{1} << 16 |
                   std::uint64_t{1024 >> 4} << 32 | std::uint64_t{1} << 62) {}
};
/// A warp's 16 rows by 8 along k: of thread 4 g + t rows g and g + 8 at t, then at t + 4.
struct WideRows {
  float at[4];
};
#define AILA_FOUR(x, i) "+f"(x[i]), "+f"(x[i + 1]), "+f"(x[i + 2]), "+f"(x[i + 3])
/// The registers of these rows have their values, and products that read them may be started.
__device__ inline void begin_products(WideRows (&rows)[4]) {
  asm volatile("wgmma.fence.sync.aligned;"
               : AILA_FOUR(rows[0].at, 0), AILA_FOUR(rows[1].at, 0), AILA_FOUR(rows[2].at, 0), AILA_FOUR(rows[3].at, 0)
               :
               : "memory");
}
__device__ inline void end_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// All that were started are done, those that gave d among them.
__device__ inline void wait_for_products(float (&d)[32]) {
  asm volatile("wgmma.wait_group.sync.aligned 0;"
               : AILA_FOUR(d, 0), AILA_FOUR(d, 4), AILA_FOUR(d, 8), AILA_FOUR(d, 12), AILA_FOUR(d, 16),
                 AILA_FOUR(d, 20), AILA_FOUR(d, 24), AILA_FOUR(d, 28)
               :
               : "memory");
}
/// d = or += a b by four warps, [64, 8] x [8, 64] of TF32, b the `eight`-th eight along k of its tile. Of thread 4 g +
/// t of a warp d[4 j + c] is row g + 8 (c / 2), column 8 j + 2 t + c % 2. Under way until it is waited for.
template <bool sets>
__device__ inline void multiply_wide(float (&d)[32], const WideRows& a, const WideTile& b, unsigned eight) {
  asm volatile(
      "{.reg .pred adds;\n setp.ne.b32 adds, %37, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k8.f32.tf32.tf32 "
      "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,"
      "%30,%31}, {%32,%33,%34,%35}, %36, adds, 1, 1;}"
      : AILA_FOUR(d, 0), AILA_FOUR(d, 4), AILA_FOUR(d, 8), AILA_FOUR(d, 12), AILA_FOUR(d, 16), AILA_FOUR(d, 20),
        AILA_FOUR(d, 24), AILA_FOUR(d, 28)
      : "r"(__float_as_uint(a.at[0])), "r"(__float_as_uint(a.at[1])), "r"(__float_as_uint(a.at[2])),
        "r"(__float_as_uint(a.at[3])), "l"(b.descriptor + 2 * eight), "n"(sets ? 0 : 1));
}
#undef AILA_FOUR
#endif

}  // namespace detail

namespace tile {

/// Four floats from the device's memory to shared memory, zeros where they do not count. All that a thread has asked
/// for is there behind its `copies_done`.
__device__ inline void copy_four(float* to, const float* from, bool counts) {
  const auto at = static_cast<unsigned>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(at), "l"(from), "r"(counts ? 16 : 0) : "memory");
}
__device__ inline void copies_done() {
  asm volatile("cp.async.wait_all;\n" ::: "memory");
}

/// c += a b by a warp, [16, 8] x [8, 8] of TF32: the lower 13 bits of a and b are not looked at.
__device__ inline void multiply_add(float (&c)[4], const float (&a)[4], const float (&b)[2]) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])), "r"(__float_as_uint(a[3])),
        "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
}

}  // namespace tile

namespace recurrent {

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

/// a or b, both of which are there: no branch around what makes one of them.
inline __device__ float choose(bool first, float a, float b) {
  float y;
  asm("{.reg .pred p;\n setp.ne.u32 p, %1, 0;\n selp.f32 %0, %2, %3, p;}"
      : "=f"(y)
      : "r"(static_cast<unsigned>(first)), "f"(a), "f"(b));
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

/// x rounded to TF32.
inline __device__ float rounded(float x) {
  std::uint32_t y;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
  return __uint_as_float(y);
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

}  // namespace recurrent

}  // namespace aila::inline v0::cuda

#endif

#include "../../core/macros_back.hpp"

#endif
