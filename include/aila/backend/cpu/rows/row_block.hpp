// Rows in blocks of as many as a register has lanes: what is one number a row - a product of two rows, a softmax - is
// one lane.
//
// A sum over a row costs three operations when `width` rows are summed together, and some fifteen by itself; exp and
// division are of whole registers. Results do not depend on which rows share a block.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "row.hpp"

namespace aila::inline v0::cpu {

/// Rows of a block.
template <class S, class Arch>
inline constexpr std::size_t block_rows = simd::width<S, Arch>;

/// Lane r = the sum of the lanes of f(r), r < valid <= block_rows; the lanes behind are 0. f is called once for each r,
/// in rising order.
template <class S, class Arch, class F>
[[gnu::always_inline]] inline simd::Batch<S, Arch> block_sums(std::size_t valid, F&& f) noexcept {
  using V = simd::Batch<S, Arch>;
  constexpr std::size_t W = block_rows<S, Arch>;
  if (valid <= 2) {  // one sample, step by step: bound by latency
    alignas(64) S lanes[W] = {};
    for (std::size_t r = 0; r < valid; ++r) lanes[r] = simd::reduce_add(f(r));
    return simd::load<S, Arch>(lanes);
  }
  V rows[W];
  for (std::size_t r = 0; r < valid; ++r) rows[r] = f(r);
  for (std::size_t r = valid; r < W; ++r) rows[r] = V(S(0));
  return simd::sums_of_rows(rows);
}

/// Lane r = the product of rows of Width Scalars, a_r = a + r a_stride and b_r = b + r b_stride, r < valid; as
/// block_sums.
template <std::size_t Width, class S, class Arch>
[[gnu::noinline]] simd::Batch<S, Arch> block_products(const S* a, std::size_t a_stride, const S* b,
                                                      std::size_t b_stride, std::size_t valid) noexcept {
  using R = Row<S, Arch, Width>;
  return block_sums<S, Arch>(valid, [&](std::size_t r) __attribute__((always_inline)) {
    const S *const x = a + r * a_stride, *const y = b + r * b_stride;
    auto sum = R::load(x, 0) * R::load(y, 0);
    for (std::size_t k = 1; k < R::vectors; ++k) sum = simd::fmadd(R::load(x, k), R::load(y, k), sum);
    return sum;
  });
}

/// Softmax over n registers of scores, lane by lane and in place; the largest is subtracted first.
template <class S, class Arch>
[[gnu::noinline]] void block_softmax(S* scores, std::size_t n) noexcept {
  using V = simd::Batch<S, Arch>;
  constexpr std::size_t W = block_rows<S, Arch>;
  V largest = simd::load<S, Arch>(scores);
  for (std::size_t i = 1; i < n; ++i) largest = math::max(largest, simd::load<S, Arch>(scores + i * W));
  V sum(S(0));
  for (std::size_t i = 0; i < n; ++i) {
    const V e = math::exp(simd::load<S, Arch>(scores + i * W) - largest);
    simd::store(scores + i * W, e);
    sum += e;
  }
  const V share = V(S(1)) / sum;
  for (std::size_t i = 0; i < n; ++i) simd::store(scores + i * W, simd::load<S, Arch>(scores + i * W) * share);
}

/// From the gradient of n weights, d_weights + i width, to that of their scores, which it is written over: w (dw - sum
/// of w dw) factor.
template <class S, class Arch>
[[gnu::always_inline]] inline void block_softmax_backward(const S* weights, const S* d_weights, std::size_t n, S factor,
                                                          S* d_scores) noexcept {
  using V = simd::Batch<S, Arch>;
  constexpr std::size_t W = block_rows<S, Arch>;
  V expected(S(0));
  for (std::size_t i = 0; i < n; ++i)
    expected = simd::fmadd(simd::load<S, Arch>(weights + i * W), simd::load<S, Arch>(d_weights + i * W), expected);
  for (std::size_t i = 0; i < n; ++i)
    simd::store(d_scores + i * W,
                simd::load<S, Arch>(weights + i * W) * V(factor) * (simd::load<S, Arch>(d_weights + i * W) - expected));
}

/// Rows that an integration works on at once: a few maps of them stay in the second-level cache.
inline constexpr std::size_t tile_rows = 96;
/// Those of a tile where there are so many in all, in whole blocks.
template <class S, class Arch>
constexpr std::size_t rows_of_tile(std::size_t rows) {
  return std::min(tile_rows, round_up(rows, block_rows<S, Arch>));
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
