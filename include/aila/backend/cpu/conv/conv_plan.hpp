// What a convolution's kernels derive from its numbers: zeros around its maps, blocks of work, parts of packed weights.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../layer/conv.hpp"
#include "../../host/window_walk.hpp"
#include "../product/pack.hpp"

namespace aila::inline v0::cpu {

/// The zeros that a copy of a map needs around it, so that windows never leave it.
struct Border {
  std::size_t above = 0, below = 0, left = 0, right = 0;
  constexpr bool none() const { return above + below + left + right == 0; }
  constexpr void include(const WindowWalk& y, const WindowWalk& x) {
    if (y.count <= 0 || x.count <= 0) return;
    const auto raise = [](std::size_t& most, std::ptrdiff_t n) { most = std::max(most, static_cast<std::size_t>(n)); };
    raise(above, y.before());
    raise(below, y.behind());
    raise(left, x.before());
    raise(right, x.behind());
  }
};

/// Calls f(y, x) with the walks of each phase of the strides, for a map of n columns.
template <class F>
constexpr void for_each_phase(const ConvPlan& c, std::size_t n, F&& f) {
  for (std::size_t a = 0; a < c.y.stride; ++a) {
    const WindowWalk y = backward_walk(c.y, c.y.in, a);
    if (y.taps == 0) continue;
    for (std::size_t b = 0; b < c.x.stride; ++b) {
      const WindowWalk x = backward_walk(c.x, n, b);
      if (x.taps > 0) f(y, x);
    }
  }
}

constexpr Border input_border(const ConvPlan& c) {
  Border border;
  border.include(forward_walk(c.y, c.y.in), forward_walk(c.x, c.x.in));
  return border;
}
constexpr Border gradient_border(const ConvPlan& c) {
  Border border;
  for_each_phase(c, c.x.in, [&](const WindowWalk& y, const WindowWalk& x) { border.include(y, x); });
  return border;
}

/// Each feature by itself: kernels of its own.
constexpr bool is_depthwise(const ConvPlan& c) {
  return c.groups == c.inputs && c.inputs == c.outputs && c.inputs > 1;
}
/// Whether the taps of a row and their features lie side by side in memory: then they are one run.
constexpr bool is_one_run(const ConvPlan& c, std::ptrdiff_t tap_step) {
  return c.groups == 1 && tap_step == 1;
}

/// Outputs that are worked on at once: what products over positions read stays in the cache, and their sums, where
/// these are larger than the cache, are not fetched too often.
constexpr bool has_large_weights(const ConvPlan& c) {
  return c.weights() > (std::size_t{1} << 17);
}
constexpr std::size_t block_positions(const ConvPlan& c) {
  return has_large_weights(c) ? 512 : 128;
}
/// Samples of one block.
constexpr std::size_t block_samples(const ConvPlan& c) {
  return block_positions(c) > c.out_positions() ? block_positions(c) / c.out_positions() : 1;
}

/// Scalars of the packed weights: for y, for dx, and the bias in whole vectors.
template <class Scalar, class Arch>
struct ConvPacked {
  std::size_t group, back_group, back, bias, size;
  explicit constexpr ConvPacked(const ConvPlan& c) {
    group = round_up(packed_size<Scalar, Arch>(c.taps() * c.group_inputs(), c.group_outputs()), alignment_elements);
    back_group =
        round_up(packed_size<Scalar, Arch>(c.taps() * c.group_outputs(), c.group_inputs()), alignment_elements);
    back = c.groups * group;
    bias = back + c.groups * back_group;
    size = bias + c.groups * bias_group(c);
  }
  static constexpr std::size_t bias_group(const ConvPlan& c) {
    return round_up(packed_size<Scalar, Arch>(1, c.group_outputs()), alignment_elements);
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
