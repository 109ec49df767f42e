// LayerNorm, and ReLU before it, on rows of any width: features in the lanes, and the moments of a block of rows a row
// in each lane.
//
// Forward reads a block three times, from the first-level cache, and writes it once, about 8 operations an element;
// backward reads two arrays and writes or adds to a third. Bound by memory for large maps.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../layer/activation.hpp"
#include "row_block.hpp"

namespace aila::inline v0::cpu {

/// Mean and 1 / sqrt(variance + epsilon) of the rows First(x) of a block.
template <class S, class Arch, class First, bool partial>
struct NormMoments {
  using Row = RowOf<S, Arch, partial>;
  using V = typename Row::V;
  static constexpr std::size_t W = block_rows<S, Arch>;
  alignas(64) S mean[W], inverse[W];

  [[gnu::noinline]] NormMoments(Row row, S epsilon, const S* x, std::size_t valid) {
    const V share(S(1) / static_cast<S>(row.width));
    simd::store(mean, share * block_sums<S, Arch>(valid, [&](std::size_t r) __attribute__((always_inline)) {
                        V sum = simd::value_of<First>(row.load(x + r * row.width, 0));  // First(0) = 0
                        for (std::size_t k = 1; k < row.vectors; ++k)
                          sum += simd::value_of<First>(row.load(x + r * row.width, k));
                        return sum;
                      }));
    const V variance = share * block_sums<S, Arch>(valid, [&](std::size_t r) __attribute__((always_inline)) {
                         V squares(S(0));
                         for (std::size_t k = 0; k < row.vectors; ++k) {
                           const V centred =
                               row.within(simd::value_of<First>(row.load(x + r * row.width, k)) - V(mean[r]), k);
                           squares = simd::fmadd(centred, centred, squares);
                         }
                         return squares;
                       });
    simd::store(inverse, V(S(1)) / math::sqrt(variance + V(epsilon)));
  }

  /// Vector k of row r, normalised; without meaning beyond the end of the row.
  V normal(Row row, const S* x, std::size_t r, std::size_t k) const {
    return (simd::value_of<First>(row.load(x + r * row.width, k)) - V(mean[r])) * V(inverse[r]);
  }
};

/// y [rows, width] = the normalised rows First(x) * weight + bias.
template <class S, class Arch, class First, bool partial>
[[gnu::noinline]] void norm_forward(std::size_t rows, std::size_t width, S epsilon, const S* weight, const S* bias,
                                    const S* x, S* y) noexcept {
  constexpr std::size_t W = block_rows<S, Arch>;
  const RowOf<S, Arch, partial> row{width};
  for (std::size_t first = 0; first < rows; first += W, x += W * width, y += W * width) {
    const std::size_t valid = std::min(W, rows - first);
    const NormMoments<S, Arch, First, partial> of(row, epsilon, x, valid);
    for (std::size_t r = 0; r < valid; ++r)
      for (std::size_t k = 0; k < row.vectors; ++k)
        row.store(y + r * width, k, simd::fmadd(of.normal(row, x, r, k), row.load(weight, k), row.load(bias, k)));
  }
}

/// dx = (`adds`: +=) what dy [rows, width] gives, and d_weight, d_bias += theirs; dx or both of these may be null.
/// `sums` is memory for 2 rows of whole vectors.
template <bool adds, class S, class Arch, class First, bool partial>
[[gnu::noinline]] void norm_backward(std::size_t rows, std::size_t width, S epsilon, const S* weight, const S* x,
                                     const S* dy, S* dx, S* d_weight, S* d_bias, S* sums) noexcept {
  using V = simd::Batch<S, Arch>;
  constexpr std::size_t W = block_rows<S, Arch>;
  const RowOf<S, Arch, partial> row{width};
  V *const weight_sums = simd::as_vectors<V>(sums), *const bias_sums = weight_sums + row.vectors;
  for (std::size_t k = 0; k < row.vectors; ++k) weight_sums[k] = bias_sums[k] = V(S(0));
  for (std::size_t first = 0; first < rows; first += W, x += W * width, dy += W * width) {
    const std::size_t valid = std::min(W, rows - first);
    const NormMoments<S, Arch, First, partial> of(row, epsilon, x, valid);
    for (std::size_t k = 0; d_weight != nullptr && k < row.vectors; ++k) {
      V to_weight = weight_sums[k], to_bias = bias_sums[k];
      for (std::size_t r = 0; r < valid; ++r) {
        const V up = row.load(dy + r * width, k);
        to_weight = simd::fmadd(up, of.normal(row, x, r, k), to_weight);
        to_bias += up;
      }
      weight_sums[k] = to_weight;
      bias_sums[k] = to_bias;
    }
    if (dx == nullptr) continue;
    alignas(64) S mean[W], along[W];
    const V share(S(1) / static_cast<S>(width));
    simd::store(mean, share * block_sums<S, Arch>(valid, [&](std::size_t r) __attribute__((always_inline)) {
                        V sum = row.load(dy + r * width, 0) * row.load(weight, 0);
                        for (std::size_t k = 1; k < row.vectors; ++k)
                          sum = simd::fmadd(row.load(dy + r * width, k), row.load(weight, k), sum);
                        return sum;
                      }));
    simd::store(along, share * block_sums<S, Arch>(valid, [&](std::size_t r) __attribute__((always_inline)) {
                         V sum(S(0));
                         for (std::size_t k = 0; k < row.vectors; ++k)  // zero beyond the end of the row by dy
                           sum = simd::fmadd(row.load(dy + r * width, k) * row.load(weight, k), of.normal(row, x, r, k),
                                             sum);
                         return sum;
                       }));
    for (std::size_t r = 0; r < valid; ++r)
      for (std::size_t k = 0; k < row.vectors; ++k) {
        const V value = row.load(x + r * width, k), scaled = row.load(dy + r * width, k) * row.load(weight, k);
        const V step = V(of.inverse[r]) * (scaled - V(mean[r]) - of.normal(row, x, r, k) * V(along[r])) *
                       simd::slope_of<First>(value);
        if constexpr (adds)
          row.store(dx + r * width, k, row.load(dx + r * width, k) + step);
        else
          row.store(dx + r * width, k, step);
      }
    dx += W * width;
  }
  for (std::size_t k = 0; d_weight != nullptr && k < row.vectors; ++k) {
    row.store(d_weight, k, row.load(d_weight, k) + weight_sums[k]);
    row.store(d_bias, k, row.load(d_bias, k) + bias_sums[k]);
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
