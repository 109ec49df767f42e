// Rows of a map as vectors: features in the lanes, the end of a row handled by the type.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../simd/cpu.hpp"

namespace aila::inline v0::cpu {

/// A row of Width Scalars.
template <class S, class Arch, std::size_t Width>
struct Row {
  using V = simd::Batch<S, Arch>;
  static constexpr std::size_t lanes = simd::width<S, Arch>;
  static constexpr std::size_t vectors = (Width + lanes - 1) / lanes;
  static constexpr std::size_t tail = Width % lanes;

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
};

/// The same of a width known at run time; `partial` where a row does not end with a whole vector.
template <class S, class Arch, bool partial>
struct RowOf {
  using V = simd::Batch<S, Arch>;
  static constexpr std::size_t lanes = simd::width<S, Arch>;
  std::size_t width;
  std::size_t vectors = (width + lanes - 1) / lanes;

  V load(const S* row, std::size_t k) const {
    if (!partial || k + 1 < vectors) return simd::load<S, Arch>(row + k * lanes);
    return simd::load_first<S, Arch>(row + k * lanes, width - k * lanes);
  }
  void store(S* row, std::size_t k, const V& v) const {
    if (!partial || k + 1 < vectors)
      simd::store(row + k * lanes, v);
    else
      simd::store_first(row + k * lanes, v, width - k * lanes);
  }
  V within(const V& v, std::size_t k) const {
    if constexpr (partial) {
      if (k + 1 == vectors) {
        alignas(64) S flat[lanes];
        simd::store(flat, v);
        return simd::load_first<S, Arch>(flat, width - k * lanes);
      }
    }
    return v;
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

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
