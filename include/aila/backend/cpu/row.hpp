// Rows of a map as vectors: features in the lanes, the end of a row handled by the type.
#pragma once

#include "cpu.hpp"

namespace aila::inline v0::cpu {

/// A row of Width Scalars in Heads equal segments.
template <class S, class Arch, std::size_t Width, std::size_t Heads = 1>
struct Row {
  using V = simd::Batch<S, Arch>;
  static constexpr std::size_t lanes = simd::width<S, Arch>;
  static constexpr std::size_t vectors = (Width + lanes - 1) / lanes;
  static constexpr std::size_t tail = Width % lanes;
  static constexpr std::size_t segment = Width / Heads;
  /// Whether every vector belongs to one head.
  static constexpr bool whole_segments = Heads == 1 || segment % lanes == 0;

  /// Vector k; zeros beyond the end of the row.
  static V load(const S* row, std::size_t k) {
    if (tail == 0 || k + 1 < vectors) return simd::load<S, Arch>(row + k * lanes);
    return simd::load_first<S, Arch>(row + k * lanes, tail);
  }
  static void store(S* row, std::size_t k, const V& v) {
    if (tail == 0 || k + 1 < vectors)
      simd::store(row + k * lanes, v);
    else
      simd::store_first(row + k * lanes, v, tail);
  }
  /// Vector k of a row with zeros beyond the row's end.
  static V within(const V& v, std::size_t k) {
    if constexpr (tail > 0) {
      if (k + 1 == vectors) {
        alignas(64) S flat[lanes];
        simd::store(flat, v);
        return simd::load_first<S, Arch>(flat, tail);
      }
    }
    return v;
  }

  /// sums[h] = the sum of segment h of a row given as vectors, zeros beyond its end.
  static void head_sums(const V (&row)[vectors], S* sums) {
    if constexpr (whole_segments) {
      for (std::size_t h = 0; h < Heads; ++h) {
        constexpr std::size_t each = vectors / Heads;
        V sum = row[h * each];
        for (std::size_t k = 1; k < each; ++k) sum += row[h * each + k];
        sums[h] = math::reduce_add(sum);
      }
    } else {
      alignas(64) S flat[vectors * lanes];
      for (std::size_t k = 0; k < vectors; ++k) simd::store(flat + k * lanes, row[k]);
      for (std::size_t h = 0; h < Heads; ++h) {
        S sum(0);
        for (std::size_t f = h * segment; f < (h + 1) * segment; ++f) sum += flat[f];
        sums[h] = sum;
      }
    }
  }

  /// The row whose segment h is filled with values[h stride].
  static void spread(const S* values, std::size_t stride, V (&row)[vectors]) {
    if constexpr (whole_segments) {
      for (std::size_t k = 0; k < vectors; ++k) row[k] = V(values[Heads == 1 ? 0 : k * lanes / segment * stride]);
    } else {
      alignas(64) S flat[vectors * lanes] = {};
      for (std::size_t h = 0; h < Heads; ++h)
        for (std::size_t f = h * segment; f < (h + 1) * segment; ++f) flat[f] = values[h * stride];
      for (std::size_t k = 0; k < vectors; ++k) row[k] = simd::load<S, Arch>(flat + k * lanes);
    }
  }
};

/// In place over n scores of a row; the largest is subtracted first.
template <class Arch, class S>
void softmax_row(S* row, std::size_t n) {
  using V = simd::Batch<S, Arch>;
  constexpr std::size_t lanes = simd::width<S, Arch>;
  S largest = row[0];
  for (std::size_t i = 1; i < n; ++i) largest = row[i] > largest ? row[i] : largest;
  const V shift(largest);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    simd::store_first(row + i, math::exp(simd::load_first<S, Arch>(row + i, count) - shift), count);
  }
  S sum(0);
  for (std::size_t i = 0; i < n; ++i) sum += row[i];
  const S share = S(1) / sum;
  for (std::size_t i = 0; i < n; ++i) row[i] *= share;
}

/// Rows that an integration works on at once: a few maps of them stay in the second-level cache.
inline constexpr std::size_t tile_rows = 96;

}  // namespace aila::inline v0::cpu
