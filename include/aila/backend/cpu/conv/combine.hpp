// Vectors combined by a constant matrix: additions and multiplications by its elements, written out.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../simd/simd.hpp"
#include "winograd_filter.hpp"

namespace aila::inline v0::cpu {

/// Whether lines i and i + 1 of a matrix have the same elements but for signs, of which some agree and some do not:
/// then both are a sum and a difference of the same two parts.
enum class Mirror { none, first, second };

template <std::size_t Rows, std::size_t Columns>
constexpr std::array<Mirror, Rows> mirrored_rows(const Coefficients<Rows, Columns>& m) {
  std::array<Mirror, Rows> found{};
  for (std::size_t r = 0; r + 1 < Rows; ++r) {
    if (found[r] == Mirror::second) continue;
    bool same = false, opposite = false, other = false;
    for (std::size_t c = 0; c < Columns; ++c) {
      const double a = m.at[r][c], b = m.at[r + 1][c];
      if (a == 0 && b == 0) continue;
      same = same || a == b;
      opposite = opposite || a == -b;
      other = other || (a != b && a != -b);
    }
    if (!same || !opposite || other) continue;
    found[r] = Mirror::first;
    found[r + 1] = Mirror::second;
  }
  return found;
}
template <std::size_t Rows, std::size_t Columns>
constexpr bool has_mirrored_rows(const Coefficients<Rows, Columns>& m) {
  return std::ranges::any_of(mirrored_rows(m), [](Mirror row) { return row != Mirror::none; });
}

/// m over sums (in place of the first of two mirrored columns) and differences (of the second).
template <std::size_t Rows, std::size_t Columns>
constexpr Coefficients<Rows, Columns> folded_columns(Coefficients<Rows, Columns> m) {
  const auto mirrored = mirrored_rows(m.transposed());
  for (std::size_t c = 0; c < Columns; ++c)
    if (mirrored[c] == Mirror::first)
      for (std::size_t r = 0; r < Rows; ++r) {
        const double factor = m.at[r][c];
        const bool same = m.at[r][c + 1] == factor;
        m.at[r][c] = same ? factor : 0;
        m.at[r][c + 1] = same ? 0 : factor;
      }
  return m;
}
template <const auto& m>
inline constexpr auto columns_folded = folded_columns(m);

/// Which elements of a row count: all, or those that agree with the next row's, or those that do not.
enum class Share { all, same, opposite };
template <const auto& m, std::size_t row, Share share>
constexpr bool counts(std::size_t column) {
  const double a = m.at[row][column];
  if constexpr (share == Share::all) return a != 0;
  return a != 0 && (m.at[row + 1][column] == a) == (share == Share::same);
}

template <const auto& m, std::size_t row, Share share, class B>
[[gnu::always_inline]] inline B sum_of_row(const B* in) noexcept {
  using Scalar = typename B::value_type;
  constexpr std::size_t first = [] {
    std::size_t c = 0;
    while (!counts<m, row, share>(c)) ++c;
    return c;
  }();
  constexpr double start = m.at[row][first];
  B sum = start == 1 ? in[first] : start == -1 ? -in[first] : in[first] * B(static_cast<Scalar>(start));
  for_each_index<m.columns - first - 1>([&](auto i) __attribute__((always_inline)) {
    constexpr std::size_t c = first + 1 + decltype(i)::value;
    constexpr double factor = m.at[row][c];
    if constexpr (!counts<m, row, share>(c)) {
      return;
    } else if constexpr (factor == 1) {
      sum += in[c];
    } else if constexpr (factor == -1) {
      sum -= in[c];
    } else {
      sum = simd::fmadd(B(static_cast<Scalar>(factor)), in[c], sum);
    }
  });
  return sum;
}

/// Of each row, and of each column.
template <const auto& m>
inline constexpr auto mirrors_of_rows = mirrored_rows(m);
template <const auto& m>
inline constexpr auto mirrors_of_columns = mirrored_rows(m.transposed());

/// out [rows] = m in [columns].
template <const auto& m, class B>
[[gnu::always_inline]] inline void combine(const B* in, B* out) noexcept {
  if constexpr (!has_mirrored_rows(m) && has_mirrored_rows(m.transposed())) {
    B folded[m.columns];
    for_each_index<m.columns>([&](auto i) __attribute__((always_inline)) {
      constexpr std::size_t c = decltype(i)::value;
      if constexpr (mirrors_of_columns<m>[c] == Mirror::first) {
        folded[c] = in[c] + in[c + 1];
        folded[c + 1] = in[c] - in[c + 1];
      } else if constexpr (mirrors_of_columns<m>[c] == Mirror::none) {
        folded[c] = in[c];
      }
    });
    for_each_index<m.rows>([&](auto i) __attribute__((always_inline)) {
      out[i] = sum_of_row<columns_folded<m>, decltype(i)::value, Share::all>(folded);
    });
  } else {
    for_each_index<m.rows>([&](auto i) __attribute__((always_inline)) {
      constexpr std::size_t r = decltype(i)::value;
      if constexpr (mirrors_of_rows<m>[r] == Mirror::first) {
        const B same = sum_of_row<m, r, Share::same>(in), opposite = sum_of_row<m, r, Share::opposite>(in);
        out[r] = same + opposite;
        out[r + 1] = same - opposite;
      } else if constexpr (mirrors_of_rows<m>[r] == Mirror::none) {
        out[r] = sum_of_row<m, r, Share::all>(in);
      }
    });
  }
}

/// m X m^T for a square X of vectors: load(r, c) gives its elements, store(i, j, value) takes the result's.
template <const auto& m, class Scalar, class Arch, class Load, class Store>
[[gnu::always_inline]] inline void combine_square(Load&& load, Store&& store) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  B half[m.columns][m.rows];
  for (std::size_t r = 0; r < m.columns; ++r) {
    B line[m.columns];
    AILA_UNROLL
    for (std::size_t c = 0; c < m.columns; ++c) line[c] = load(r, c);
    combine<m>(line, half[r]);
  }
  for (std::size_t j = 0; j < m.rows; ++j) {
    B column[m.columns], done[m.rows];
    AILA_UNROLL
    for (std::size_t r = 0; r < m.columns; ++r) column[r] = half[r][j];
    combine<m>(column, done);
    AILA_UNROLL
    for (std::size_t i = 0; i < m.rows; ++i) store(i, j, done[i]);
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
