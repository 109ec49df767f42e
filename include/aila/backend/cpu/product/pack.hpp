// Packing the right-hand side of a product: panels of up to four vectors of columns, the inner dimension outside the
// columns.
//
// Runs after each optimiser step for each weight: transposes in registers, so a weight [out, in] costs about a copy.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "product_tile.hpp"

namespace aila::inline v0::cpu {

/// Scalars of a packed [K, N]; N is rounded up to whole vectors.
template <class Scalar, class Arch>
constexpr std::size_t packed_size(std::size_t K, std::size_t N) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  return K * ceil_div(N, W) * W;
}

/// Whether a row-major [K, N] is packed as it is, one panel of whole vectors: a kernel may read such a weight where it
/// lies.
template <class Scalar, class Arch>
constexpr bool packs_to_itself(std::size_t N) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  return N % W == 0 && N <= panel_vectors * W;
}

/// out[k out_stride + j] = b[k row_stride + j col_stride] for k < K, j < columns <= width; zero for the other j <
/// width.
template <class Scalar, class Arch>
[[gnu::noinline]] void pack_vector(const Scalar* b, std::size_t row_stride, std::size_t col_stride, std::size_t K,
                                   std::size_t columns, Scalar* out, std::size_t out_stride) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  if (col_stride == 1) {
    if (columns == W) {
      for (std::size_t k = 0; k < K; ++k)
        simd::store(out + k * out_stride, simd::load<Scalar, Arch>(b + k * row_stride));
    } else {
      for (std::size_t k = 0; k < K; ++k)
        simd::store(out + k * out_stride, simd::load_first<Scalar, Arch>(b + k * row_stride, columns));
    }
    return;
  }
  std::size_t k = 0;
  if (row_stride == 1 && columns == W)
    for (; k + W <= K; k += W) {
      B rows[W];
      AILA_UNROLL
      for (std::size_t j = 0; j < W; ++j) rows[j] = simd::load<Scalar, Arch>(b + j * col_stride + k);
      simd::transpose(rows);
      AILA_UNROLL
      for (std::size_t i = 0; i < W; ++i) simd::store(out + (k + i) * out_stride, rows[i]);
    }
  for (; k < K; ++k)
    for (std::size_t j = 0; j < W; ++j)
      out[k * out_stride + j] = j < columns ? b[k * row_stride + j * col_stride] : Scalar(0);
}

/// Packs b, element (k, n) at b[k row_stride + n col_stride]: (N, 1) for a row-major [K, N], (1, K) for the transpose
/// of a weight [N, K]. `out` has packed_size(K, N) Scalars; panel p, of nearly equal widths, holds its columns of all
/// k.
template <class Scalar, class Arch>
[[gnu::noinline]] void pack(const Scalar* b, std::size_t row_stride, std::size_t col_stride, std::size_t K,
                            std::size_t N, Scalar* out) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const Parts panels(ceil_div(N, W), panel_vectors);
  for (std::size_t p = 0; p < panels.count; ++p) {
    const std::size_t first = panels.begin(p), vectors = panels.size(p);
    for (std::size_t v = 0; v < vectors; ++v) {
      const std::size_t column = (first + v) * W;
      pack_vector<Scalar, Arch>(b + column * col_stride, row_stride, col_stride, K, smaller(W, N - column),
                                out + first * W * K + v * W, vectors * W);
    }
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
