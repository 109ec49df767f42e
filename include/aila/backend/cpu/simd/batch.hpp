// One SIMD register as a value: the only header that includes xsimd (any release from 8 on) and the intrinsics.
//
// Everything is a template on the architecture, so that translation units compiled with different flags never share
// code. Call these functions qualified, simd::store(p, v): xsimd's own of the same names are found through their
// arguments.
#pragma once

#include "../../../core/macros_aside.hpp"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#elif defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif
#include <xsimd/xsimd.hpp>
#if defined(__clang__)
#pragma clang diagnostic pop
#elif defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "../../../core/config.hpp"

// Before a loop over registers: its bounds are constants, and it must vanish for the registers to be registers.
#if defined(__clang__)
#define AILA_UNROLL _Pragma("clang loop unroll(full)")
#define AILA_UNROLL_2 _Pragma("clang loop unroll_count(2)")
#define AILA_UNROLL_4 _Pragma("clang loop unroll_count(4)")
#else
#define AILA_UNROLL _Pragma("GCC unroll 64")
#define AILA_UNROLL_2 _Pragma("GCC unroll 2")
#define AILA_UNROLL_4 _Pragma("GCC unroll 4")
#endif

namespace aila::inline v0::simd {

/// The best architecture that the compiler's flags allow.
using DefaultArch = xsimd::default_arch;

/// `width` Scalars that are computed on at once.
template <class Scalar, class Arch>
using Batch = xsimd::batch<Scalar, Arch>;
template <class Scalar, class Arch>
inline constexpr std::size_t width = Batch<Scalar, Arch>::size;

template <class Arch>
inline constexpr bool is_avx512 = std::is_base_of_v<xsimd::avx512f, Arch>;
template <class Arch>
inline constexpr bool is_avx = std::is_base_of_v<xsimd::avx, Arch> && !is_avx512<Arch>;
template <class Arch>
inline constexpr bool is_sse = std::is_base_of_v<xsimd::sse2, Arch> && !is_avx<Arch> && !is_avx512<Arch>;

/// Vector registers a kernel may plan with.
template <class Arch>
inline constexpr std::size_t register_count = is_avx512<Arch> || std::is_base_of_v<xsimd::neon64, Arch> ? 32 : 16;

template <class Scalar, class Arch>
[[gnu::always_inline]] inline Batch<Scalar, Arch> load(const Scalar* from) noexcept {
  return Batch<Scalar, Arch>::load_unaligned(from);
}
template <class Scalar, class Arch>
[[gnu::always_inline]] inline Batch<Scalar, Arch> broadcast(Scalar value) noexcept {
  return Batch<Scalar, Arch>(value);
}
template <class Scalar, class Arch>
[[gnu::always_inline]] inline void store(Scalar* to, const xsimd::batch<Scalar, Arch>& v) noexcept {
  v.store_unaligned(to);
}

/// Memory of scalars, which must lie where a vector may, as vectors.
template <class V, class Scalar>
[[gnu::always_inline]] inline V* as_vectors(Scalar* memory) noexcept {
  void* const vectors = memory;
  return static_cast<V*>(vectors);
}

/// Keeps a value that is used several times in a register: g++ otherwise loads it from memory again for each use.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline void hold([[maybe_unused]] xsimd::batch<Scalar, Arch>& v) noexcept {
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
  typename Batch<Scalar, Arch>::register_type held = v;
  asm("" : "+v"(held));
  v = held;
#endif
}

/// a b + c, rounded once wherever the architecture can (xsimd 8 leaves it to the compiler on AVX-512; clang then rounds
/// twice).
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> fmadd(const xsimd::batch<Scalar, Arch>& a,
                                                               const xsimd::batch<Scalar, Arch>& b,
                                                               const xsimd::batch<Scalar, Arch>& c) noexcept {
#if defined(__AVX512F__)
  if constexpr (is_avx512<Arch>) {
    if constexpr (std::is_same_v<Scalar, float>) {
      return _mm512_fmadd_ps(a, b, c);
    } else {
      return _mm512_fmadd_pd(a, b, c);
    }
  } else
#endif
    return xsimd::fma(a, b, c);
}

/// a < b ? b : a, lane by lane. A NaN in the first place stays, one in the second is passed over, as with scalars:
/// which of them xsimd's gives depends on the release, and what x86 gives is the second operand.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> max(const xsimd::batch<Scalar, Arch>& a,
                                                             const xsimd::batch<Scalar, Arch>& b) noexcept {
#if defined(__AVX512F__)
  if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, float>) {
    return _mm512_max_ps(b, a);
  } else if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, double>) {
    return _mm512_max_pd(b, a);
  } else
#endif
#if defined(__AVX__)
      if constexpr (is_avx<Arch> && std::is_same_v<Scalar, float>) {
    return _mm256_max_ps(b, a);
  } else if constexpr (is_avx<Arch> && std::is_same_v<Scalar, double>) {
    return _mm256_max_pd(b, a);
  } else
#endif
#if defined(__SSE2__)
      if constexpr (is_sse<Arch> && std::is_same_v<Scalar, float>) {
    return _mm_max_ps(b, a);
  } else if constexpr (is_sse<Arch> && std::is_same_v<Scalar, double>) {
    return _mm_max_pd(b, a);
  } else
#endif
    return xsimd::select(a < b, b, a);
}

/// b < a ? b : a, lane by lane: NaN as with max.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> min(const xsimd::batch<Scalar, Arch>& a,
                                                             const xsimd::batch<Scalar, Arch>& b) noexcept {
#if defined(__AVX512F__)
  if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, float>) {
    return _mm512_min_ps(b, a);
  } else if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, double>) {
    return _mm512_min_pd(b, a);
  } else
#endif
#if defined(__AVX__)
      if constexpr (is_avx<Arch> && std::is_same_v<Scalar, float>) {
    return _mm256_min_ps(b, a);
  } else if constexpr (is_avx<Arch> && std::is_same_v<Scalar, double>) {
    return _mm256_min_pd(b, a);
  } else
#endif
#if defined(__SSE2__)
      if constexpr (is_sse<Arch> && std::is_same_v<Scalar, float>) {
    return _mm_min_ps(b, a);
  } else if constexpr (is_sse<Arch> && std::is_same_v<Scalar, double>) {
    return _mm_min_pd(b, a);
  } else
#endif
    return xsimd::select(b < a, b, a);
}

}  // namespace aila::inline v0::simd

#include "../../../core/macros_back.hpp"
