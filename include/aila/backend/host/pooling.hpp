// Average pooling over whole windows: how an earlier map of a stack comes to a later layer's positions.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>
#include <cstddef>

#include "../../core/shape.hpp"
#include "../kernel.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

/// From [positions..., F] to To's positions, each the mean of a window of equal size; of a sequence with lengths, of
/// the valid steps of the window, and 0 where there is none. Bound by memory: both maps are gone through once, row by
/// row of their last axis, features in the lanes.
template <class From, class To, class Backend>
struct Pooling {
  using S = typename Backend::Scalar;
  using V = typename Lanes<Backend>::V;
  static constexpr std::size_t window = From::positions / To::positions;
  static constexpr std::size_t features = From::features;
  static constexpr std::size_t axes = From::rank - 1;
  static constexpr std::size_t columns = To::extents[axes - 1];
  static constexpr std::size_t along = From::extents[axes - 1] / columns;  ///< positions of a window in one row
  static constexpr std::size_t rows = From::positions / (columns * along);

  /// The row of To into which row r of From falls, and whether r is the first that does.
  struct Row {
    std::size_t number = 0;
    bool first = true;
  };
  static constexpr Row target(std::size_t r) {
    Row row;
    std::size_t stride = 1;
    for (std::size_t axis = axes - 1; axis-- > 0;) {
      const std::size_t ratio = From::extents[axis] / To::extents[axis], at = r % From::extents[axis];
      row.number += at / ratio * stride;
      row.first = row.first && at % ratio == 0;
      stride *= To::extents[axis];
      r /= From::extents[axis];
    }
    return row;
  }

  /// Valid steps of the window of step q of To in a sample of so many.
  static constexpr std::size_t valid(std::size_t q, std::size_t length) {
    const std::size_t first = q * along;
    return length <= first ? 0 : length - first < along ? length - first : along;
  }

  /// `pass` has the lengths of From.
  static constexpr void forward(const Pass& pass, const S* x, S* y) {
    if (axes == 1 && pass.lengths != nullptr)
      forward_valid(pass, x, y);
    else
      forward_all(pass.samples, x, y);
  }
  static constexpr void backward(const Pass& pass, const S* dy, S* dx) {
    if (axes == 1 && pass.lengths != nullptr)
      backward_valid(pass, dy, dx);
    else
      backward_all(pass.samples, dy, dx);
  }

 private:
  static constexpr void forward_valid(const Pass& pass, const S* x, S* y) {
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t q = 0; q < columns; ++q, x += along * features, y += features) {
        const std::size_t steps = valid(q, pass.length(n, From::extents[0]));
        const V share(steps > 0 ? S(1) / S(steps) : S(0));
        over_row<Backend>(features, [&](auto part) {
          V sum(S(0));
          for (std::size_t p = 0; p < steps; ++p) sum += part.load(x + p * features);
          part.store(y, sum * share);
        });
      }
  }
  static constexpr void backward_valid(const Pass& pass, const S* dy, S* dx) {
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t q = 0; q < columns; ++q, dx += along * features, dy += features) {
        const std::size_t steps = valid(q, pass.length(n, From::extents[0]));
        const V share(steps > 0 ? S(1) / S(steps) : S(0));
        over_row<Backend>(features, [&](auto part) {
          const V d = part.load(dy) * share;
          for (std::size_t p = 0; p < steps; ++p) part.store(dx + p * features, part.load(dx + p * features) + d);
        });
      }
  }

  static constexpr void forward_all(std::size_t samples, const S* x, S* y) {
    const V share(S(1) / S(window));
    for (std::size_t n = 0; n < samples; ++n, y += To::positions * features)
      for (std::size_t r = 0; r < rows; ++r) {
        const Row row = target(r);
        S* to = y + row.number * columns * features;
        for (std::size_t q = 0; q < columns; ++q, x += along * features, to += features)
          over_row<Backend>(features, [&](auto part) {
            V sum = part.load(x);
            for (std::size_t p = 1; p < along; ++p) sum += part.load(x + p * features);
            sum = sum * share;
            part.store(to, row.first ? sum : part.load(to) + sum);
          });
      }
  }
  static constexpr void backward_all(std::size_t samples, const S* dy, S* dx) {
    const V share(S(1) / S(window));
    for (std::size_t n = 0; n < samples; ++n, dy += To::positions * features)
      for (std::size_t r = 0; r < rows; ++r) {
        const S* from = dy + target(r).number * columns * features;
        for (std::size_t q = 0; q < columns; ++q, dx += along * features, from += features)
          over_row<Backend>(features, [&](auto part) {
            const V d = part.load(from) * share;
            for (std::size_t p = 0; p < along; ++p) {
              S* row = dx + p * features;
              part.store(row, part.load(row) + d);
            }
          });
      }
  }
};

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
