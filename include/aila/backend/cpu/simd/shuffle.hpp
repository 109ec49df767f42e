// Lanes across registers: interleaving, transposing a square of registers, and reducing a register to one Scalar.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <bit>

#include "../../../core/list.hpp"
#include "batch.hpp"

namespace aila::inline v0::simd {

/// a0 b0 a1 b1 ... from the lower halves of a and b over the whole register (xsimd 8 does it within 128 bits on AVX).
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> zip_low(const xsimd::batch<Scalar, Arch>& a,
                                                                 const xsimd::batch<Scalar, Arch>& b) noexcept {
#if defined(__AVX512F__)
  if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, float>) {
    return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b);
  } else if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, double>) {
    return _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), b);
  } else
#endif
#if defined(__AVX__)
      if constexpr (is_avx<Arch> && std::is_same_v<Scalar, float>) {
    return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20);
  } else if constexpr (is_avx<Arch> && std::is_same_v<Scalar, double>) {
    return _mm256_permute2f128_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b), 0x20);
  } else
#endif
    return xsimd::zip_lo(a, b);
}

/// The same from the upper halves.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> zip_high(const xsimd::batch<Scalar, Arch>& a,
                                                                  const xsimd::batch<Scalar, Arch>& b) noexcept {
#if defined(__AVX512F__)
  if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, float>) {
    return _mm512_permutex2var_ps(a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
                                  b);
  } else if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, double>) {
    return _mm512_permutex2var_pd(a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15), b);
  } else
#endif
#if defined(__AVX__)
      if constexpr (is_avx<Arch> && std::is_same_v<Scalar, float>) {
    return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31);
  } else if constexpr (is_avx<Arch> && std::is_same_v<Scalar, double>) {
    return _mm256_permute2f128_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b), 0x31);
  } else
#endif
    return xsimd::zip_hi(a, b);
}

/// rows[i][j] <-> rows[j][i] of `width` registers. log2(width) rounds of interleaving register i with register i +
/// width / 2.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline void transpose(xsimd::batch<Scalar, Arch>* rows) noexcept {
  constexpr std::size_t half = width<Scalar, Arch> / 2;
  AILA_UNROLL
  for (std::size_t round = 1; round < 2 * half; round *= 2) {
    xsimd::batch<Scalar, Arch> zipped[2 * half];
    AILA_UNROLL
    for (std::size_t i = 0; i < half; ++i) {
      zipped[2 * i] = zip_low(rows[i], rows[i + half]);
      zipped[2 * i + 1] = zip_high(rows[i], rows[i + half]);
    }
    AILA_UNROLL
    for (std::size_t i = 0; i < 2 * half; ++i) rows[i] = zipped[i];
  }
}

/// Lane r is the sum of the lanes of rows[r], for `width` registers, which are overwritten: three operations a sum. The
/// additions are those of reduce_add, in its order.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> sums_of_rows(xsimd::batch<Scalar, Arch>* rows) noexcept {
  // Rounds with a constant number of steps: g++ unrolls others 64 times, with an exit behind each.
  for_each_index<std::bit_width(width<Scalar, Arch>) - 1>([&](auto round) __attribute__((always_inline)) {
    constexpr std::size_t half = width<Scalar, Arch> >> (decltype(round)::value + 1);
    AILA_UNROLL
    for (std::size_t i = 0; i < half; ++i)
      rows[i] = zip_low(rows[i], rows[i + half]) + zip_high(rows[i], rows[i + half]);
  });
  return rows[0];
}

/// The sum of all lanes; the order of additions depends on the width alone.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline Scalar reduce_add(const xsimd::batch<Scalar, Arch>& v) noexcept {
  auto folded = v;
  AILA_UNROLL
  for (std::size_t n = 1; n < width<Scalar, Arch>; n *= 2) folded = zip_low(folded, folded) + zip_high(folded, folded);
  alignas(64) Scalar lanes[width<Scalar, Arch>];
  simd::store(lanes, folded);
  return lanes[0];
}

/// The largest lane; NaN where one is.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline Scalar reduce_max(const xsimd::batch<Scalar, Arch>& v) noexcept {
  auto folded = v;
  AILA_UNROLL
  for (std::size_t n = 1; n < width<Scalar, Arch>; n *= 2) {
    const auto high = zip_high(folded, folded);
    folded = xsimd::select(high == high, simd::max(zip_low(folded, folded), high), high);
  }
  alignas(64) Scalar lanes[width<Scalar, Arch>];
  simd::store(lanes, folded);
  return lanes[0];
}

}  // namespace aila::inline v0::simd

#include "../../../core/macros_back.hpp"
