// Dense products with a right-hand side packed in panels of columns.
//
// Bound by fused multiply-adds: a panel (inner x 4 vectors) is read from the first- or second-level cache once per tile
// of rows.
// Measured on a core of Zen 4 (AVX-512): 97 to 99 % of the peak from 16 rows of 64 on, 98 % of 4 rows of 256; a
// single row is bound by reading the weights, 28 bytes a nanosecond from the second-level cache.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "pack.hpp"
#include "product_transposed.hpp"

namespace aila::inline v0::cpu {

/// Chains of additions that the sum of each element is cut into, by turns over the inner dimension: narrow panels have
/// too few elements to hide the latency of an addition. They depend on the panel and K alone, so that an element has
/// the same bits whatever the number of rows.
template <class Arch>
constexpr std::size_t sum_chains(std::size_t vectors, std::size_t K) noexcept {
  const bool deep = K >= 64;  // or adding the chains up takes too long
  if (simd::register_count<Arch> == 32) return vectors == 1 ? (deep ? 4 : 2) : vectors == 2 && deep ? 2 : 1;
  return vectors == 1 ? 2 : 1;
}

/// f(chain, row, vector) for every sum, unrolled.
template <std::size_t Chains, std::size_t Rows, std::size_t Vectors, class F>
[[gnu::always_inline]] inline void for_each_sum(F&& f) noexcept {
  AILA_UNROLL
  for (std::size_t i = 0; i < Chains; ++i) {
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) {
      AILA_UNROLL
      for (std::size_t v = 0; v < Vectors; ++v) f(i, r, v);
    }
  }
}

/// One tile: c[r c_stride + j] (+)= bias[j] + sums, j < width (Vectors - 1) + last.
template <std::size_t Chains, class Scalar, class Arch, std::size_t Rows, std::size_t Vectors>
[[gnu::always_inline]] inline void product_tile_inline(std::size_t K, const Scalar* a, std::size_t a_stride,
                                                       std::size_t a_k_stride, const Scalar* panel, const Scalar* bias,
                                                       Scalar* c, std::size_t c_stride, std::size_t last,
                                                       bool accumulate) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  Sums<Scalar, Arch, Rows, Vectors> sums;
  AILA_UNROLL
  for (std::size_t v = 0; v < Vectors; ++v) {
    B start = B(Scalar(0));
    if (bias != nullptr)
      start = v + 1 == Vectors ? simd::load_first<Scalar, Arch>(bias + v * W, last)
                               : simd::load<Scalar, Arch>(bias + v * W);
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) sums.at[r][v] = start;
  }
  if (K >= 32) {  // rows of c come into the cache while the sums are made
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) {
      AILA_UNROLL
      for (std::size_t v = 0; v < Vectors; ++v) __builtin_prefetch(c + r * c_stride + v * W, 1);
    }
  }
  if constexpr (Chains == 1) {
    multiply_add(K, a, a_stride, a_k_stride, panel, Vectors * W, W, sums);
  } else {
    Sums<Scalar, Arch, Rows, Vectors> more[Chains - 1];
    for_each_sum<Chains - 1, Rows, Vectors>([&](std::size_t i, std::size_t r, std::size_t v)
                                                __attribute__((always_inline)) { more[i].at[r][v] = B(Scalar(0)); });
    std::size_t k = 0;
    for (; k + Chains <= K; k += Chains, a += Chains * a_k_stride, panel += Chains * Vectors * W) {
      multiply_add(1, a, a_stride, a_k_stride, panel, Vectors * W, W, sums);
      AILA_UNROLL
      for (std::size_t i = 1; i < Chains; ++i)
        multiply_add(1, a + i * a_k_stride, a_stride, a_k_stride, panel + i * Vectors * W, Vectors * W, W, more[i - 1]);
    }
    multiply_add(K - k, a, a_stride, a_k_stride, panel, Vectors * W, W, sums);
    for_each_sum<Chains - 1, Rows, Vectors>([&](std::size_t i, std::size_t r, std::size_t v)
                                                __attribute__((always_inline)) { sums.at[r][v] += more[i].at[r][v]; });
  }
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r, c += c_stride) {
    AILA_UNROLL
    for (std::size_t v = 0; v + 1 < Vectors; ++v) {
      if (accumulate) sums.at[r][v] += simd::load<Scalar, Arch>(c + v * W);
      simd::store(c + v * W, sums.at[r][v]);
    }
    Scalar* tail = c + (Vectors - 1) * W;
    B& sum = sums.at[r][Vectors - 1];
    if (last == W) {
      if (accumulate) sum += simd::load<Scalar, Arch>(tail);
      simd::store(tail, sum);
    } else {
      if (accumulate) sum += simd::load_first<Scalar, Arch>(tail, last);
      simd::store_first(tail, sum, last);
    }
  }
}

/// The same as a function that all products of a program share.
template <std::size_t Chains, class Scalar, class Arch, std::size_t Rows, std::size_t Vectors>
[[gnu::noinline]] void product_tile(std::size_t K, const Scalar* a, std::size_t a_stride, std::size_t a_k_stride,
                                    const Scalar* panel, const Scalar* bias, Scalar* c, std::size_t c_stride,
                                    std::size_t last, bool accumulate) noexcept {
  product_tile_inline<Chains, Scalar, Arch, Rows, Vectors>(K, a, a_stride, a_k_stride, panel, bias, c, c_stride, last,
                                                           accumulate);
}

/// c [M, N] = (or += with `accumulate`) a [M, K] b [K, N] + bias [N]; b packed by `pack`, bias may be null.
/// Element (m, k) of a is a[m a_row_stride + k a_k_stride]. Every element of c is a sum in one order (see sum_chains),
/// whatever M: a sample's result does not depend on the samples beside it.
template <class Scalar, class Arch>
[[gnu::noinline]] void multiply_packed(std::size_t M, std::size_t K, std::size_t N, const Scalar* a,
                                       std::size_t a_row_stride, std::size_t a_k_stride, const Scalar* packed_b,
                                       const Scalar* bias, Scalar* c, std::size_t c_row_stride,
                                       bool accumulate) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  constexpr std::size_t block_bytes = std::size_t{1} << 16;  // rows of a that stay in the second-level cache
  const Parts panels(ceil_div(N, W), panel_vectors);
  const std::size_t block_rows = M <= 48 ? 48 : 48 + block_bytes / (sizeof(Scalar) * (K + 1)) / 48 * 48;
  for (std::size_t block = 0; block < M; block += block_rows) {
    const std::size_t rows = smaller(block_rows, M - block);
    for (std::size_t p = 0; p < panels.count; ++p) {
      const std::size_t column = panels.begin(p) * W;
      with_constant<panel_vectors>(panels.size(p), [&](auto vectors) {
        constexpr std::size_t V = decltype(vectors)::value;
        constexpr std::size_t most = most_rows<Arch>(V);
        const std::size_t last = smaller(W, N - column - (V - 1) * W);
        const Parts tiles = row_parts<most>(rows);
        const auto multiply = [&](auto chains) __attribute__((always_inline)) {
          for (std::size_t t = 0; t < tiles.count; ++t)
            with_constant<most>(tiles.size(t), [&](auto tile_rows) {
              const std::size_t m = block + tiles.begin(t);
              product_tile<decltype(chains)::value, Scalar, Arch, decltype(tile_rows)::value, V>(
                  K, a + m * a_row_stride, a_row_stride, a_k_stride, packed_b + column * K,
                  bias == nullptr ? nullptr : bias + column, c + m * c_row_stride + column, c_row_stride, last,
                  accumulate);
            });
        };
        constexpr std::size_t shallow = sum_chains<Arch>(V, 1), deep = sum_chains<Arch>(V, 64);
        if (shallow == deep || sum_chains<Arch>(V, K) == deep)
          multiply(std::integral_constant<std::size_t, deep>{});
        else
          multiply(std::integral_constant<std::size_t, shallow>{});
      });
    }
  }
}

/// The same, of rows that lie together, for a K and N that the compiler knows. Calls and choices take as long as a
/// product of some hundred elements: of few rows, the loops over panels are written out where they are wanted, and
/// where there is one small panel the tile is, too. Bits are those of multiply_packed.
template <std::size_t K, std::size_t N, class Scalar, class Arch>
[[gnu::always_inline]] inline void multiply_packed_of(std::size_t M, const Scalar* a, const Scalar* packed_b,
                                                      const Scalar* bias, Scalar* c, bool accumulate) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>, vectors = ceil_div(N, W), few_rows = 48;
  constexpr Parts panels(vectors, panel_vectors);
  constexpr std::size_t usual = panels.base, panel_count = panels.count;  // nvcc takes no members in the lambdas
  if (M > few_rows) return multiply_packed<Scalar, Arch>(M, K, N, a, K, 1, packed_b, bias, c, N, accumulate);
  for (std::size_t p = 0; p < panels.count; ++p) {
    const std::size_t column = panels.begin(p) * W;
    with_constant<smaller(vectors, panel_vectors)>(panels.size(p), [&](auto size) __attribute__((always_inline)) {
      constexpr std::size_t V = decltype(size)::value, most = most_rows<Arch>(V), chains = sum_chains<Arch>(V, K);
      if constexpr (V != usual && V != usual + 1) return;
      const std::size_t last = smaller(W, N - column - (V - 1) * W);
      const Scalar* const from = packed_b + column * K;
      const Scalar* const start = bias == nullptr ? nullptr : bias + column;
      if constexpr (panel_count == 1 && K * V <= 64) {
        if (M - 1 < most)
          return with_constant<most>(M, [&](auto rows) __attribute__((always_inline)) {
            product_tile_inline<chains, Scalar, Arch, decltype(rows)::value, V>(K, a, K, 1, from, start, c, N, last,
                                                                                accumulate);
          });
      }
      const Parts tiles = row_parts<most>(M);
      for (std::size_t t = 0; t < tiles.count; ++t)
        with_constant<most>(tiles.size(t), [&](auto rows) __attribute__((always_inline)) {
          const std::size_t m = tiles.begin(t);
          product_tile<chains, Scalar, Arch, decltype(rows)::value, V>(K, a + m * K, K, 1, from, start,
                                                                       c + m * N + column, N, last, accumulate);
        });
    });
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
