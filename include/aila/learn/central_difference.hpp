// Whether a slope is the derivative of a function: differences over shrinking steps, with kinks told from mistakes.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>

#include "../core/math.hpp"

namespace aila::inline v0::detail {

/// A difference of f over steps of h that rounding alone may give, where f is a sum of magnitudes of this size.
constexpr double slope_noise(double size, double h = 0x1p-10) {
  return 1e-14 * size / h;
}

/// Relative error of `slope` as df/dt at 0, the least over three steps h = 2^-10, 2^-14, 2^-18 and three estimates:
/// the central one of five points, error O(h^4), and those from the right and from the left, error O(h^2).
/// Beside a kink one of the sides holds no kink, and there the slope has to be right; at a kink both sides are, and any
/// slope between them is right. So a wrong slope is found wherever the function is smooth on one side of 0.
/// `size` is the sum of the magnitudes of which f is made (its rounding noise is about 1e-16 of it), `floor` the least
/// magnitude that errors are relative to. 0 where the difference is noise; infinite where something is no number.
template <class F>
constexpr double slope_error(F&& f, double slope, double floor, double size, double tolerance) {
  const auto magnitude = [](double x) { return x < 0 ? -x : x; };
  const double here = f(0.0);
  double least = 1e300, gap_before = 0;
  for (double h = 0x1p-10; h > 0x1p-19; h *= 0x1p-4) {
    const double left2 = f(-2 * h), left = f(-h), right = f(h), right2 = f(2 * h);
    const double noise = slope_noise(size, h);
    const auto error = [&](double estimate) {
      const double difference = magnitude(estimate - slope);
      if (difference <= noise) return 0.0;
      const double scale = math::max(math::max(magnitude(estimate), magnitude(slope)), floor);
      return difference <= 1e300 * scale ? difference / scale : 1e300;
    };
    const double from_right = (4 * right - right2 - 3 * here) / (2 * h);
    const double from_left = (3 * here - 4 * left + left2) / (2 * h);
    least = math::min(least, error((8 * (right - left) - (right2 - left2)) / (12 * h)));
    least = math::min(least, math::min(error(from_right), error(from_left)));
    if (least <= tolerance) return least;

    // A gap between the sides that does not shrink with the step: the kink is at 0 itself.
    const double gap = from_right - from_left;
    const bool stays = magnitude(gap) > 100 * noise && magnitude(gap - gap_before) < 1e-2 * magnitude(gap);
    if (stays && (slope - from_left) * (from_right - slope) >= 0) return 0;
    gap_before = gap;
  }
  return least;
}

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
