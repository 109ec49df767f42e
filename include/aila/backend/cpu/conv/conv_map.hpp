// The maps that a convolution's windows are read from: where they lie, or copied with zeros around them.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <cstring>

#include "../../kernel.hpp"
#include "conv_plan.hpp"
#include "window_product.hpp"

namespace aila::inline v0::cpu {

/// A map in memory with zeros around it, or where it is: steps between its rows and samples.
struct Bordered {
  Border border;
  std::size_t rows = 1, columns = 1, features = 1;  ///< of the map itself
  constexpr std::size_t row() const { return (border.left + columns + border.right) * features; }
  constexpr std::size_t sample() const { return (border.above + rows + border.below) * row(); }
  constexpr std::size_t origin() const { return border.above * row() + border.left * features; }
};
constexpr Bordered bordered_input(const ConvPlan& c) {
  return {input_border(c), c.y.in, c.x.in, c.inputs};
}
constexpr Bordered bordered_gradient(const ConvPlan& c) {
  return {gradient_border(c), c.y.out(), c.x.out(), c.outputs};
}

/// Copies the first `columns` columns of each row of a map into the middle of the bordered one, zeros behind them. The
/// border itself is left alone.
template <class Scalar>
void copy_bordered(const Bordered& to, const Scalar* from, std::size_t columns, Scalar* copy) noexcept {
  const std::size_t valid = columns * to.features, row = to.columns * to.features;
  copy += to.origin();
  for (std::size_t r = 0; r < to.rows; ++r, from += row, copy += to.row()) {
    std::memcpy(copy, from, valid * sizeof(Scalar));
    if (valid < row) std::memset(copy + valid, 0, (row - valid) * sizeof(Scalar));
  }
}

/// Where windows over a block of samples are read: in their own memory, or in a copy with a border.
template <class Scalar>
class BorderedBlock {
 public:
  BorderedBlock(const Bordered& map, std::size_t samples, Scalar* copy) noexcept : map_(map), copy_(copy) {
    if (!map.border.none()) std::memset(copy, 0, samples * map.sample() * sizeof(Scalar));
  }
  /// The first position of the first of `samples` maps of which `columns` columns count.
  const Scalar* place(const Scalar* from, std::size_t samples, std::size_t columns) const noexcept {
    if (map_.border.none()) return from;
    for (std::size_t n = 0; n < samples; ++n)
      copy_bordered(map_, from + n * map_.rows * map_.columns * map_.features, columns, copy_ + n * map_.sample());
    return copy_ + map_.origin();
  }
  const Bordered& map() const noexcept { return map_; }

 private:
  Bordered map_;
  Scalar* copy_;
};

/// Scalars that BorderedBlock needs.
constexpr std::size_t block_size(const Bordered& map, std::size_t samples) {
  return map.border.none() ? 0 : round_up(samples * map.sample(), alignment_elements) + alignment_elements;
}

/// The windows that two walks take over a map, as products with N columns.
template <class Scalar>
WindowProduct<Scalar> window_product(const ConvPlan& c, const Bordered& from, const WindowWalk& y, const WindowWalk& x,
                                     std::size_t run, std::size_t N) noexcept {
  const auto whole = [](std::ptrdiff_t n) { return static_cast<std::size_t>(n); };
  WindowProduct<Scalar> p;
  p.rows = whole(y.count);
  p.columns = whole(x.count);
  p.N = N;
  p.x_sample = from.sample();
  p.x_row = whole(y.step) * from.row();
  p.x_column = whole(x.step) * from.features;
  p.tap_rows = whole(y.taps);
  p.tap_row = whole(y.tap_step) * from.row();
  if (is_one_run(c, x.tap_step)) {
    p.run = whole(x.taps) * run;
  } else {
    p.tap_columns = whole(x.taps);
    p.tap_column = whole(x.tap_step) * from.features;
    p.run = run;
  }
  return p;
}
inline std::ptrdiff_t window_offset(const Bordered& from, const WindowWalk& y, const WindowWalk& x) noexcept {
  return y.first * static_cast<std::ptrdiff_t>(from.row()) + x.first * static_cast<std::ptrdiff_t>(from.features);
}

/// Calls f(first sample, samples, valid columns) for blocks of samples; with lengths each sample is a block.
template <class F>
void for_each_block(const ConvPlan& c, const Pass& pass, F&& f) noexcept {
  const std::size_t block = pass.lengths != nullptr ? 1 : block_samples(c);
  for (std::size_t n = 0; n < pass.samples; n += block)
    f(n, smaller(block, pass.samples - n), pass.lengths != nullptr ? pass.length(n, c.x.in) : c.x.in);
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
