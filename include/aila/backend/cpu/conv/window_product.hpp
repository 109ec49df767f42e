// Products over sliding windows: a register tile of outputs, summed over all taps before it is stored.
//
// Bound by fused multiply-adds: each inner step has Rows x Vectors of them against Vectors loads of packed weights from
// the first- or second-level cache and Rows broadcasts. Windows are read where they lie: nothing is gathered.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../product/pack.hpp"

namespace aila::inline v0::cpu {

/// Outputs y[sample, row, column, 0..N) = (or += with `accumulate`) bias + sum over taps and k < run of
/// x[window + i tap_row + j tap_column + k] times row (i, j, k) of the packed weights, where the window of an output
/// begins at x + sample x_sample + row x_row + column x_column. Steps are numbers of Scalars.
template <class Scalar>
struct WindowProduct {
  std::size_t samples = 1, rows = 1, columns = 1, N = 1;
  const Scalar* x = nullptr;
  std::size_t x_sample = 0, x_row = 0, x_column = 0;
  std::size_t tap_rows = 1, tap_columns = 1, run = 1;
  std::size_t tap_row = 0, tap_column = 0;
  const Scalar* packed = nullptr;  ///< panels of columns, as in pack.hpp
  const Scalar* bias = nullptr;    ///< whole vectors; null for none
  Scalar* y = nullptr;
  std::size_t y_sample = 0, y_row = 0, y_column = 0;
  bool accumulate = false;

  std::size_t inner() const { return tap_rows * tap_columns * run; }
};

/// Goes through the outputs in order.
template <class Scalar>
class WindowCursor {
 public:
  explicit WindowCursor(const WindowProduct<Scalar>& p) : p_(p), x_(p.x), y_(p.y) {}
  const Scalar* x() const { return x_; }
  Scalar* y() const { return y_; }
  void next() {
    if (++column_ < p_.columns) {
      x_ += p_.x_column;
      y_ += p_.y_column;
      return;
    }
    column_ = 0;
    if (++row_ == p_.rows) {
      row_ = 0;
      ++sample_;
    }
    x_ = p_.x + sample_ * p_.x_sample + row_ * p_.x_row;
    y_ = p_.y + sample_ * p_.y_sample + row_ * p_.y_row;
  }

 private:
  const WindowProduct<Scalar>& p_;
  const Scalar* x_;
  Scalar* y_;
  std::size_t sample_ = 0, row_ = 0, column_ = 0;
};

/// One tile: the outputs whose windows begin at x[0..Rows), columns [0, width (Vectors - 1) + last) from y[r] on. After
/// is an element-wise layer that is applied to the sums.
template <class After, class Scalar, class Arch, std::size_t Rows, std::size_t Vectors>
[[gnu::noinline]] void window_tile(const WindowProduct<Scalar>& p, const Scalar* const* x, const Scalar* panel,
                                   const Scalar* bias, Scalar* const* y, std::size_t last) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  Sums<Scalar, Arch, Rows, Vectors> sums;
  AILA_UNROLL
  for (std::size_t v = 0; v < Vectors; ++v) {
    const B start = bias != nullptr ? simd::load<Scalar, Arch>(bias + v * W) : B(Scalar(0));
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) sums.at[r][v] = start;
  }
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) __builtin_prefetch(y[r] + v * W, 1);
  }
  for (std::size_t i = 0; i < p.tap_rows; ++i)
    for (std::size_t j = 0; j < p.tap_columns; ++j) {
      const Scalar* row[Rows];
      AILA_UNROLL
      for (std::size_t r = 0; r < Rows; ++r) row[r] = x[r] + i * p.tap_row + j * p.tap_column;
      for (std::size_t k = 0; k < p.run; ++k, panel += Vectors * W)
        add_products([&](std::size_t r) __attribute__((always_inline)) { return row[r][k]; },
                     [&](std::size_t v)
                         __attribute__((always_inline)) { return simd::load<Scalar, Arch>(panel + v * W); },
                     sums);
    }
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) {
      Scalar* to = y[r] + v * W;
      B sum = sums.at[r][v];
      if (v + 1 < Vectors || last == W) {
        if (p.accumulate) sum += simd::load<Scalar, Arch>(to);
        simd::store(to, simd::value_of<After>(sum));
      } else {
        if (p.accumulate) sum += simd::load_first<Scalar, Arch>(to, last);
        simd::store_first(to, simd::value_of<After>(sum), last);
      }
    }
  }
}

/// All outputs. Every one is a single chain of fused multiply-adds in the order of taps and k, wherever it lies in a
/// tile: a sample's result does not depend on the samples beside it.
template <class After, class Scalar, class Arch>
[[gnu::noinline]] void multiply_windows(const WindowProduct<Scalar>& p) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const Parts panels(ceil_div(p.N, W), panel_vectors);
  for (std::size_t i = 0; i < panels.count; ++i) {
    const std::size_t column = panels.begin(i) * W;
    with_constant<panel_vectors>(panels.size(i), [&](auto vectors) {
      constexpr std::size_t V = decltype(vectors)::value;
      constexpr std::size_t most = most_rows<Arch>(V);
      const Parts tiles(p.samples * p.rows * p.columns, most);
      WindowCursor<Scalar> at(p);
      for (std::size_t t = 0; t < tiles.count; ++t) {
        const Scalar* x[most];
        Scalar* y[most];
        for (std::size_t r = 0; r < tiles.size(t); ++r, at.next()) {
          x[r] = at.x();
          y[r] = at.y() + column;
        }
        with_constant<most>(tiles.size(t), [&](auto rows) {
          window_tile<After, Scalar, Arch, decltype(rows)::value, V>(p, x, p.packed + column * p.inner(),
                                                                     p.bias == nullptr ? nullptr : p.bias + column, y,
                                                                     smaller(W, p.N - column - (V - 1) * W));
        });
      }
    });
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
