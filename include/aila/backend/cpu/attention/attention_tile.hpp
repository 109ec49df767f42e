// Softmax of attention over columns: a lane is a query, a row is a key, so that sums over keys need no shuffles.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <array>
#include <limits>

#include "../product/product.hpp"
#include "../simd/power_of_two.hpp"

namespace aila::inline v0::cpu {

/// 0, 1, 2, ...
template <class Scalar, std::size_t width>
inline constexpr auto lane_numbers = [] {
  std::array<Scalar, width> all{};
  for (std::size_t i = 0; i < width; ++i) all[i] = static_cast<Scalar>(i);
  return all;
}();

/// Whether the lanes of vector v of a block of queries, which are numbered from 0, are at or behind query `first`.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline auto lanes_from(std::size_t first, std::size_t v) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  return simd::load<Scalar, Arch>(lane_numbers<Scalar, W>.data()) + B(static_cast<Scalar>(v * W)) >=
         B(static_cast<Scalar>(first));
}

/// scores [keys, Vectors width] -> 2^(scale (score - largest)) with the largest over the keys, and inverse = 1 / sum
/// over the keys; the weights are what is left in `scores` times `inverse`. `scale` has log2(e) in it. Of key
/// `diagonal` + i the lanes before i are masked: their weights are 0.
template <class Scalar, class Arch, std::size_t Vectors>
[[gnu::noinline]] void softmax_columns(std::size_t keys, std::size_t diagonal, Scalar scale, Scalar* scores,
                                       Scalar* largest, Scalar* inverse) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>, lanes = Vectors * W;
  B top[Vectors], sum[Vectors];
  AILA_UNROLL
  for (std::size_t v = 0; v < Vectors; ++v) {
    top[v] = simd::load<Scalar, Arch>(scores + v * W);  // no lane of the first key is masked
    sum[v] = B(Scalar(0));
  }
  for (std::size_t k = 1; k < keys; ++k) {
    Scalar* row = scores + k * lanes;
    if (k <= diagonal) {
      AILA_UNROLL
      for (std::size_t v = 0; v < Vectors; ++v) top[v] = math::max(top[v], simd::load<Scalar, Arch>(row + v * W));
    } else {
      AILA_UNROLL
      for (std::size_t v = 0; v < Vectors; ++v) {
        const B score = math::select(lanes_from<Scalar, Arch>(k - diagonal, v), simd::load<Scalar, Arch>(row + v * W),
                                     B(std::numeric_limits<Scalar>::lowest()));
        simd::store(row + v * W, score);
        top[v] = math::max(top[v], score);
      }
    }
  }
  AILA_UNROLL
  for (std::size_t v = 0; v < Vectors; ++v) simd::store(largest + v * W, top[v]);
  const B factor(scale);
  for (std::size_t k = 0; k < keys; ++k) {
    Scalar* row = scores + k * lanes;
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) {
      const B weight = power_of_two((simd::load<Scalar, Arch>(row + v * W) - top[v]) * factor);
      simd::store(row + v * W, weight);
      sum[v] += weight;
    }
  }
  AILA_UNROLL
  for (std::size_t v = 0; v < Vectors; ++v) simd::store(inverse + v * W, B(Scalar(1)) / sum[v]);
}

/// Back through the softmax, for scale, largest and inverse as above: scores -> weights P, d_scores (which holds dP) ->
/// P (dP - dot) d_scale, the gradient of the scores.
template <class Scalar, class Arch, std::size_t Vectors>
[[gnu::noinline]] void softmax_columns_backward(std::size_t keys, std::size_t diagonal, Scalar scale, Scalar d_scale,
                                                const Scalar* largest, const Scalar* inverse, const Scalar* dot,
                                                Scalar* scores, Scalar* d_scores) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>, lanes = Vectors * W;
  const B factor(scale), d_factor(d_scale), zero(Scalar(0));
  for (std::size_t k = 0; k < keys; ++k) {
    Scalar* row = scores + k * lanes;
    Scalar* d_row = d_scores + k * lanes;
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) {
      const B below = simd::load<Scalar, Arch>(row + v * W) - simd::load<Scalar, Arch>(largest + v * W);
      B weight = power_of_two(below * factor) * simd::load<Scalar, Arch>(inverse + v * W);
      if (k > diagonal) weight = math::select(lanes_from<Scalar, Arch>(k - diagonal, v), weight, zero);
      simd::store(row + v * W, weight);
      const B d = simd::load<Scalar, Arch>(d_row + v * W) - simd::load<Scalar, Arch>(dot + v * W);
      simd::store(d_row + v * W, weight * d_factor * d);
    }
  }
}

/// out[lane] = the sum over rows of a b, both [rows, Vectors width].
template <class Scalar, class Arch, std::size_t Vectors>
[[gnu::noinline]] void dot_columns(std::size_t rows, const Scalar* a, const Scalar* b, Scalar* out) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  B sum[Vectors];
  AILA_UNROLL
  for (std::size_t v = 0; v < Vectors; ++v) sum[v] = B(Scalar(0));
  for (std::size_t r = 0; r < rows; ++r) {
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v)
      sum[v] = simd::fmadd(simd::load<Scalar, Arch>(a + (r * Vectors + v) * W),
                           simd::load<Scalar, Arch>(b + (r * Vectors + v) * W), sum[v]);
  }
  AILA_UNROLL
  for (std::size_t v = 0; v < Vectors; ++v) simd::store(out + v * W, sum[v]);
}

/// to[lane stride + r] = columns [rows, lanes] of the first `count` lanes, times factor[lane] where it is not null.
/// `tile` has room for `rows` vectors.
template <class Scalar, class Arch>
[[gnu::noinline]] void store_columns(std::size_t rows, std::size_t count, const Scalar* columns, std::size_t lanes,
                                     const Scalar* factor, Scalar* to, std::size_t stride, Scalar* tile) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  B* const vectors = simd::as_vectors<B>(tile);
  for (std::size_t first = 0; first < count; first += W) {
    const B scale = factor == nullptr ? B(Scalar(1)) : simd::load<Scalar, Arch>(factor + first);
    for (std::size_t r = 0; r < rows; ++r) vectors[r] = simd::load<Scalar, Arch>(columns + r * lanes + first) * scale;
    simd::store_tile(to + first * stride, stride, smaller(W, count - first), rows, vectors);
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
