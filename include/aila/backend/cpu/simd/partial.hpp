// The first lanes of a register to and from memory of which nothing else may be touched: the ends of rows.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "batch.hpp"

namespace aila::inline v0::simd {

/// Masks for the first 0..8 lanes of an AVX register are windows into this.
inline constexpr std::int32_t avx_mask_words[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

/// The first `count` <= width Scalars, zeros behind them; memory behind them is not touched.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline Batch<Scalar, Arch> load_first(const Scalar* from, std::size_t count) noexcept {
#if defined(__AVX512F__)
  if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, float>) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1U), from);
  } else if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, double>) {
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1U << count) - 1U), from);
  } else
#endif
#if defined(__AVX__)
      if constexpr (is_avx<Arch>) {
    constexpr std::size_t words = sizeof(Scalar) / sizeof(std::int32_t);
    const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(avx_mask_words + 8 - words * count));
    if constexpr (std::is_same_v<Scalar, float>) {
      return _mm256_maskload_ps(from, mask);
    } else {
      return _mm256_maskload_pd(from, mask);
    }
  } else
#endif
  {
    alignas(64) Scalar lanes[width<Scalar, Arch>] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = from[i];
    return load<Scalar, Arch>(lanes);
  }
}

/// Writes the first `count` <= width lanes; memory behind them is not touched.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline void store_first(Scalar* to, const xsimd::batch<Scalar, Arch>& v,
                                               std::size_t count) noexcept {
#if defined(__AVX512F__)
  if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, float>) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1U << count) - 1U), v);
  } else if constexpr (is_avx512<Arch> && std::is_same_v<Scalar, double>) {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1U << count) - 1U), v);
  } else
#endif
#if defined(__AVX__)
      if constexpr (is_avx<Arch>) {
    constexpr std::size_t words = sizeof(Scalar) / sizeof(std::int32_t);
    const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(avx_mask_words + 8 - words * count));
    if constexpr (std::is_same_v<Scalar, float>) {
      _mm256_maskstore_ps(to, mask, v);
    } else {
      _mm256_maskstore_pd(to, mask, v);
    }
  } else
#endif
  {
    alignas(64) Scalar lanes[width<Scalar, Arch>];
    simd::store(lanes, v);
    for (std::size_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
}

}  // namespace aila::inline v0::simd

#include "../../../core/macros_back.hpp"
