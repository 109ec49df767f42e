// Minimal filtering: four outputs of three taps along an axis from fewer products than twelve.
//
// y = Y ((G g) * (D d)) element by element, with d the window that the four outputs read and g the three taps. A
// convolution over an image does this along both axes: its sums over features are products of matrices, one for each
// element. Gradients use the transposes: with u = (Y^T dy), dd = D^T ((G g) * u) and dg = G^T ((D d) * u).
//
// Toom and Cook's construction: polynomials are evaluated at points, multiplied there, and interpolated. Points of two
// signs share half of the additions. Their sizes decide what rounding costs: 0, +-3/4, +-3/2 and infinity amplify an
// error half as much as the usual 0, +-1, +-2 (tests/backend/cpu/winograd_filter_test.cpp measures it).
// Sources: Winograd, Arithmetic Complexity of Computations, 1980; arXiv 1509.09308; on points, arXiv 1803.10986.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <array>
#include <cstddef>

#include "../../../core/list.hpp"

namespace aila::inline v0::cpu {

template <std::size_t Rows, std::size_t Columns>
struct Coefficients {
  static constexpr std::size_t rows = Rows, columns = Columns;
  double at[Rows][Columns]{};

  constexpr Coefficients<Columns, Rows> transposed() const {
    Coefficients<Columns, Rows> t;
    for (std::size_t r = 0; r < Rows; ++r)
      for (std::size_t c = 0; c < Columns; ++c) t.at[c][r] = at[r][c];
    return t;
  }
};

/// y = output ((weight g) * (input d)): Outputs outputs y[i] = sum over k of g[k] d[i + k].
template <std::size_t Outputs, std::size_t Taps>
struct ToomCook {
  static constexpr std::size_t products = Outputs + Taps - 1;
  Coefficients<Outputs, products> output;
  Coefficients<products, products> input;
  Coefficients<products, Taps> weight;

  /// From products - 1 different points; the last is infinity.
  explicit constexpr ToomCook(const std::array<double, products - 1>& points) {
    constexpr std::size_t last = products - 1;
    const auto without = [&](std::size_t skipped, double* polynomial) {  // the product of x - point over the others
      polynomial[0] = 1;
      std::size_t degree = 0;
      for (std::size_t q = 0; q < last; ++q) {
        if (q == skipped) continue;
        polynomial[++degree] = 0;
        for (std::size_t i = degree; i > 0; --i) polynomial[i] = polynomial[i - 1] - points[q] * polynomial[i];
        polynomial[0] *= -points[q];
      }
    };
    for (std::size_t p = 0; p < last; ++p) {
      double distance = 1;
      for (std::size_t q = 0; q < last; ++q)
        if (q != p) distance *= points[p] - points[q];
      double power = 1;
      for (std::size_t i = 0; i < Outputs; ++i, power *= points[p]) output.at[i][p] = power;
      power = 1;
      for (std::size_t k = 0; k < Taps; ++k, power *= points[p]) weight.at[p][k] = power / distance;
      without(p, input.at[p]);
    }
    output.at[Outputs - 1][last] = 1;
    weight.at[last][Taps - 1] = 1;
    without(last, input.at[last]);
  }
};

/// Four outputs of three taps, `Stride` positions apart. Several products may be with one transformed weight.
template <std::size_t Stride>
struct WinogradFilter;

template <>
struct WinogradFilter<1> {
  static constexpr std::size_t outputs = 4, window = 6, products = 6, weights = 6;
  static constexpr ToomCook<4, 3> filter{{0, 0.75, -0.75, 1.5, -1.5}};
  static constexpr Coefficients<outputs, products> output = filter.output;
  static constexpr Coefficients<products, window> input = filter.input;
  static constexpr Coefficients<weights, 3> weight = filter.weight;
  /// Of product i.
  static constexpr std::size_t weight_of(std::size_t i) { return i; }
};

/// Even positions meet taps 0 and 2, a filter of two taps and stride 1; odd ones meet tap 1 alone: 9 products.
template <>
struct WinogradFilter<2> {
  static constexpr std::size_t outputs = 4, window = 9, products = 9, weights = 6;
  static constexpr ToomCook<4, 2> even{{0.5, -0.5, 1.5, -1.5}};
  static constexpr Coefficients<outputs, products> output = [] {
    Coefficients<outputs, products> m;
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t p = 0; p < 5; ++p) m.at[i][p] = even.output.at[i][p];
      m.at[i][5 + i] = 1;
    }
    return m;
  }();
  static constexpr Coefficients<products, window> input = [] {
    Coefficients<products, window> m;
    for (std::size_t p = 0; p < 5; ++p)
      for (std::size_t j = 0; j < 5; ++j) m.at[p][2 * j] = even.input.at[p][j];
    for (std::size_t i = 0; i < 4; ++i) m.at[5 + i][2 * i + 1] = 1;
    return m;
  }();
  static constexpr Coefficients<weights, 3> weight = [] {
    Coefficients<weights, 3> m;
    for (std::size_t p = 0; p < 5; ++p) {
      m.at[p][0] = even.weight.at[p][0];
      m.at[p][2] = even.weight.at[p][1];
    }
    m.at[5][1] = 1;
    return m;
  }();
  static constexpr std::size_t weight_of(std::size_t i) { return i < 5 ? i : 5; }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
