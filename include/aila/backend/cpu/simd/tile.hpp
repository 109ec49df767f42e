// Tiles of `width` positions: from features innermost in memory to positions innermost in registers, and back.
//
// With a position in each lane, a sum over features needs no shuffles. One tile costs log2(width) shuffles a register.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "partial.hpp"
#include "shuffle.hpp"

namespace aila::inline v0::simd {

/// out[f] lane p = from[p stride + f] for f < features; positions from `valid` on (1 <= valid <= width) repeat the last
/// valid one, so that no lane holds a number that was never computed. Reads exactly valid x features Scalars.
template <class Scalar, class Arch>
inline void load_tile(const Scalar* from, std::size_t stride, std::size_t valid, std::size_t features,
                      xsimd::batch<Scalar, Arch>* out) noexcept {
  constexpr std::size_t W = width<Scalar, Arch>;
  for (std::size_t f = 0; f < features; f += W) {
    const std::size_t count = features - f < W ? features - f : W;
    xsimd::batch<Scalar, Arch> rows[W];
    for (std::size_t p = 0; p < W; ++p) {
      const Scalar* row = from + (p < valid ? p : valid - 1) * stride + f;
      rows[p] = count == W ? load<Scalar, Arch>(row) : load_first<Scalar, Arch>(row, count);
    }
    simd::transpose(rows);
    for (std::size_t i = 0; i < count; ++i) out[f + i] = rows[i];
  }
}

template <bool Add, class Scalar, class Arch>
inline void put_tile(Scalar* to, std::size_t stride, std::size_t valid, std::size_t features,
                     const xsimd::batch<Scalar, Arch>* in) noexcept {
  constexpr std::size_t W = width<Scalar, Arch>;
  for (std::size_t f = 0; f < features; f += W) {
    const std::size_t count = features - f < W ? features - f : W;
    xsimd::batch<Scalar, Arch> rows[W];
    for (std::size_t i = 0; i < W; ++i) rows[i] = in[f + (i < count ? i : count - 1)];
    simd::transpose(rows);
    for (std::size_t p = 0; p < W; ++p) {
      if (p >= valid) break;
      Scalar* row = to + p * stride + f;
      if (count == W) {
        if constexpr (Add) rows[p] += load<Scalar, Arch>(row);
        simd::store(row, rows[p]);
      } else {
        if constexpr (Add) rows[p] += load_first<Scalar, Arch>(row, count);
        simd::store_first(row, rows[p], count);
      }
    }
  }
}

/// to[p stride + f] = in[f] lane p for p < valid, f < features; nothing else is written.
template <class Scalar, class Arch>
inline void store_tile(Scalar* to, std::size_t stride, std::size_t valid, std::size_t features,
                       const xsimd::batch<Scalar, Arch>* in) noexcept {
  put_tile<false>(to, stride, valid, features, in);
}

/// to[p stride + f] += in[f] lane p for p < valid, f < features; nothing else is read or written.
template <class Scalar, class Arch>
inline void add_tile(Scalar* to, std::size_t stride, std::size_t valid, std::size_t features,
                     const xsimd::batch<Scalar, Arch>* in) noexcept {
  put_tile<true>(to, stride, valid, features, in);
}

}  // namespace aila::inline v0::simd

#include "../../../core/macros_back.hpp"
