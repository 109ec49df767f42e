// Products over rows, C += A^T B: the gradients of weights and biases.
//
// A tile of C stays in registers over a block of rows; the block's columns of B stay in the first-level cache.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "product_tile.hpp"

namespace aila::inline v0::cpu {

/// Rows of A and B that belong together: a + p lda, b + p ldb, p < rows.
template <class Scalar>
struct RowSegment {
  const Scalar* a;
  const Scalar* b;
  std::size_t rows;
};

/// c[m ldc + j] += sum over segments and rows of a[m] b[j], m < Rows, j < width (Vectors - 1) + last. Where `is_new`,
/// what is there counts as zeros: the bits are those of sums added to zeros. With Swap the sums are of c's transpose,
/// and c[j ldc + m] is added to: for fewer columns than a vector has lanes, the long side lies along the vectors.
template <bool Swap, class Scalar, class Arch, std::size_t Rows, std::size_t Vectors>
[[gnu::noinline]] void transposed_tile(const RowSegment<Scalar>* segments, std::size_t count, std::size_t m,
                                       std::size_t lda, std::size_t j, std::size_t ldb, Scalar* c, std::size_t ldc,
                                       std::size_t last, bool is_new) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  Sums<Scalar, Arch, Rows, Vectors> sums;
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) sums.at[r][v] = simd::broadcast<Scalar, Arch>(Scalar(0));
  }
  for (std::size_t s = 0; s < count; ++s) {
    const Scalar* a = (Swap ? segments[s].b : segments[s].a) + m;
    const Scalar* b = (Swap ? segments[s].a : segments[s].b) + j;
    if (last == W && !simd::is_avx512<Arch>) {  // where masks cost nothing one body serves both
      multiply_add(segments[s].rows, a, 1, lda, b, ldb, W, sums);
    } else {
      multiply_add<true>(segments[s].rows, a, 1, lda, b, ldb, last, sums);
    }
  }
  if constexpr (Swap) {
    alignas(64) Scalar lanes[Rows][Vectors * W];
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) {
      AILA_UNROLL
      for (std::size_t v = 0; v < Vectors; ++v) simd::store(lanes[r] + v * W, sums.at[r][v]);
    }
    c += j * ldc + m;  // Scalar by Scalar: overlapping masked loads and stores would wait for each other
    for (std::size_t i = 0; i < (Vectors - 1) * W + last; ++i, c += ldc)
      for (std::size_t r = 0; r < Rows; ++r) c[r] = (is_new ? Scalar(0) : c[r]) + lanes[r][i];
  } else {
    c += m * ldc + j;
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r, c += ldc) {
      auto before = [&](const Scalar* at, std::size_t width) __attribute__((always_inline)) {
        if (is_new) return simd::broadcast<Scalar, Arch>(Scalar(0));
        return width == W ? simd::load<Scalar, Arch>(at) : simd::load_first<Scalar, Arch>(at, width);
      };
      AILA_UNROLL
      for (std::size_t v = 0; v + 1 < Vectors; ++v) simd::store(c + v * W, before(c + v * W, W) + sums.at[r][v]);
      Scalar* tail = c + (Vectors - 1) * W;
      const auto sum = before(tail, last) + sums.at[r][Vectors - 1];
      if (last == W) {
        simd::store(tail, sum);
      } else {
        simd::store_first(tail, sum, last);
      }
    }
  }
}

template <bool Swap, class Scalar, class Arch>
[[gnu::noinline]] void add_segments(const RowSegment<Scalar>* segments, std::size_t count, std::size_t M,
                                    std::size_t lda, std::size_t N, std::size_t ldb, Scalar* c, std::size_t ldc,
                                    bool is_new) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  // One row needs four vectors for enough independent sums; several rows of the short side do with two.
  const Parts panels(ceil_div(N, W), Swap && M > 1 ? 2 : panel_vectors);
  for (std::size_t p = 0; p < panels.count; ++p)
    with_constant<panel_vectors>(panels.size(p), [&](auto vectors) {
      constexpr std::size_t V = decltype(vectors)::value;
      const std::size_t column = panels.begin(p) * W;
      constexpr std::size_t most = Swap && V > 2 ? 1 : most_rows<Arch>(V);
      const Parts tiles(M, most);
      for (std::size_t t = 0; t < tiles.count; ++t)
        with_constant<most>(tiles.size(t), [&](auto rows) {
          transposed_tile<Swap, Scalar, Arch, decltype(rows)::value, V>(
              segments, count, tiles.begin(t), lda, column, ldb, c, ldc, smaller(W, N - column - (V - 1) * W), is_new);
        });
    });
}

/// c [M, N] += sum over all segments' rows of a[m] b[n]. The segments' rows together should fit a cache (128 or so).
/// Nothing outside the M and N columns is read. Where `is_new`, the sums alone are written.
template <class Scalar, class Arch>
void multiply_segments_add(const RowSegment<Scalar>* segments, std::size_t count, std::size_t M, std::size_t N,
                           std::size_t lda, std::size_t ldb, Scalar* c, std::size_t ldc, bool is_new = false) noexcept {
  if (2 * N < simd::width<Scalar, Arch> && M > N) {
    add_segments<true, Scalar, Arch>(segments, count, N, ldb, M, lda, c, ldc, is_new);
  } else {
    add_segments<false, Scalar, Arch>(segments, count, M, lda, N, ldb, c, ldc, is_new);
  }
}

/// c [M, N] += a^T b with a [P, M], b [P, N], row strides lda, ldb, ldc. Blocks of rows are summed in registers, then
/// added to c in order.
template <class Scalar, class Arch>
[[gnu::noinline]] void multiply_transposed_add(std::size_t P, std::size_t M, std::size_t N, const Scalar* a,
                                               std::size_t lda, const Scalar* b, std::size_t ldb, Scalar* c,
                                               std::size_t ldc) noexcept {
  const Parts blocks(P, 96);
  for (std::size_t i = 0; i < blocks.count; ++i) {
    const RowSegment<Scalar> rows{a + blocks.begin(i) * lda, b + blocks.begin(i) * ldb, blocks.size(i)};
    multiply_segments_add<Scalar, Arch>(&rows, 1, M, N, lda, ldb, c, ldc);
  }
}

/// out [N] += the sum of the rows of a [P, N].
template <class Scalar, class Arch>
[[gnu::noinline]] void add_columns(std::size_t P, std::size_t N, const Scalar* a, std::size_t lda,
                                   Scalar* out) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  for (std::size_t n = 0; n < N; n += W) {
    const std::size_t last = smaller(W, N - n);
    auto sum = simd::load_first<Scalar, Arch>(out + n, last);
    if (last == W) {
      for (std::size_t p = 0; p < P; ++p) sum += simd::load<Scalar, Arch>(a + p * lda + n);
    } else {
      for (std::size_t p = 0; p < P; ++p) sum += simd::load_first<Scalar, Arch>(a + p * lda + n, last);
    }
    simd::store_first(out + n, sum, last);
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
