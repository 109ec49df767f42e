// Average pooling over whole windows: how an earlier map of a stack comes to a later layer's positions.
#pragma once

#include <array>
#include <cstddef>

#include "../../core/shape.hpp"

namespace aila::inline v0 {

/// From [positions..., F] to To's positions, each the mean of a window of equal size. Bound by memory.
template <class From, class To, class Backend>
struct Pooling {
  using S = typename Backend::Scalar;
  static constexpr std::size_t window = From::positions / To::positions;
  static constexpr std::size_t features = From::features;

  /// The position of To into which position p of From falls.
  static constexpr std::size_t target(std::size_t p) {
    std::size_t at = 0, stride = 1;
    for (std::size_t axis = From::rank - 1; axis-- > 0;) {
      const std::size_t ratio = From::extents[axis] / To::extents[axis];
      at += p % From::extents[axis] / ratio * stride;
      stride *= To::extents[axis];
      p /= From::extents[axis];
    }
    return at;
  }

  static constexpr void forward(std::size_t samples, const S* x, S* y) {
    for (std::size_t i = 0; i < samples * To::positions * features; ++i) y[i] = S(0);
    for_each(samples, [&](std::size_t from, std::size_t to) {
      for (std::size_t f = 0; f < features; ++f) y[to + f] += x[from + f] * (S(1) / S(window));
    });
  }
  static constexpr void backward(std::size_t samples, const S* dy, S* dx) {
    for_each(samples, [&](std::size_t from, std::size_t to) {
      for (std::size_t f = 0; f < features; ++f) dx[from + f] += dy[to + f] * (S(1) / S(window));
    });
  }

 private:
  template <class F>
  static constexpr void for_each(std::size_t samples, F&& f) {
    for (std::size_t n = 0; n < samples; ++n)
      for (std::size_t p = 0; p < From::positions; ++p)
        f((n * From::positions + p) * features, (n * To::positions + target(p)) * features);
  }
};

}  // namespace aila::inline v0
