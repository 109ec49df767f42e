// How outputs and inputs of a sliding window meet along one axis: forward, and backward by the phases of the stride.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstddef>

#include "../../layer/window.hpp"

namespace aila::inline v0 {

/// Outputs number 0 to count - 1 along an axis; number i stands at output position `to + i to_step` and reads the
/// positions first + i step + t tap_step for t < taps. Those outside [0, extent) count as zero.
struct WindowWalk {
  std::ptrdiff_t count = 0;
  std::ptrdiff_t first = 0;
  std::ptrdiff_t step = 1;
  std::ptrdiff_t taps = 1;
  std::ptrdiff_t tap_step = 1;
  std::ptrdiff_t extent = 1;
  std::ptrdiff_t to = 0;
  std::ptrdiff_t to_step = 1;
  std::ptrdiff_t kernel_first = 0;  ///< tap t is position kernel_first + t kernel_step of the kernel
  std::ptrdiff_t kernel_step = 1;

  /// The position that output i reads first, inside or not.
  constexpr std::ptrdiff_t at(std::ptrdiff_t i) const { return first + i * step; }
  /// The taps of output i that lie inside are [first_tap(i), last_tap(i)).
  constexpr std::ptrdiff_t first_tap(std::ptrdiff_t i) const {
    const std::ptrdiff_t skipped = at(i) < 0 ? (-at(i) + tap_step - 1) / tap_step : 0;
    return skipped < taps ? skipped : taps;
  }
  constexpr std::ptrdiff_t last_tap(std::ptrdiff_t i) const {
    const std::ptrdiff_t room = extent - at(i);
    const std::ptrdiff_t within = room > 0 ? (room + tap_step - 1) / tap_step : 0;
    const std::ptrdiff_t last = within < taps ? within : taps;
    return last > first_tap(i) ? last : first_tap(i);
  }
  /// The outputs all of whose taps lie inside are [inner_first(), inner_last()).
  constexpr std::ptrdiff_t inner_first() const {
    const std::ptrdiff_t i = first < 0 ? (-first + step - 1) / step : 0;
    return i < count ? i : count;
  }
  constexpr std::ptrdiff_t inner_last() const {
    const std::ptrdiff_t room = extent - first - (taps - 1) * tap_step;
    const std::ptrdiff_t within = room > 0 ? (room + step - 1) / step : 0;
    const std::ptrdiff_t i = within < count ? within : count;
    return i > inner_first() ? i : inner_first();
  }
  /// Zeros that the reads need before position 0 and behind the last.
  constexpr std::ptrdiff_t before() const { return first < 0 ? -first : 0; }
  constexpr std::ptrdiff_t behind() const {
    const std::ptrdiff_t end = at(count - 1) + (taps - 1) * tap_step + 1;
    return end > extent ? end - extent : 0;
  }
};

/// y over n positions of x.
constexpr WindowWalk forward_walk(const WindowAxis& a, std::size_t n) {
  WindowWalk w;
  w.count = static_cast<std::ptrdiff_t>(a.out(n));
  w.first = -static_cast<std::ptrdiff_t>(a.padding);
  w.step = static_cast<std::ptrdiff_t>(a.stride);
  w.taps = static_cast<std::ptrdiff_t>(a.kernel);
  w.tap_step = static_cast<std::ptrdiff_t>(a.dilation);
  w.extent = static_cast<std::ptrdiff_t>(n);
  return w;
}

/// dx from dy: position i of x gets dy[(i + padding - k dilation) / stride] W[k] from the taps k for which that is
/// whole. Positions with one remainder of i + padding by the stride, a phase, have the same taps: each phase is a
/// window of stride 1 over dy with a part of the kernel, reversed. A phase may have no positions or no taps.
constexpr WindowWalk backward_walk(const WindowAxis& a, std::size_t n, std::size_t phase) {
  std::size_t divisor = a.stride;  // the greatest common one of stride and dilation
  for (std::size_t b = a.dilation; b != 0;) {
    const std::size_t rest = divisor % b;
    divisor = b;
    b = rest;
  }
  const std::size_t tap_stride = a.stride / divisor;  // between taps of one phase
  std::size_t tap = 0;
  while (tap < a.kernel && tap * a.dilation % a.stride != phase) ++tap;
  const bool some = tap < a.kernel;
  const std::size_t taps = some ? (a.kernel - 1 - tap) / tap_stride + 1 : 0;
  const std::size_t step = a.dilation / divisor;
  const std::size_t skipped = phase < a.padding ? (a.padding - phase + a.stride - 1) / a.stride : 0;
  const std::size_t to = phase + skipped * a.stride - a.padding;

  WindowWalk w;
  w.count = to < n && some ? static_cast<std::ptrdiff_t>((n - 1 - to) / a.stride + 1) : 0;
  w.taps = static_cast<std::ptrdiff_t>(taps);
  w.tap_step = static_cast<std::ptrdiff_t>(step);
  w.first = static_cast<std::ptrdiff_t>(skipped) - static_cast<std::ptrdiff_t>(tap * a.dilation / a.stride) -
            (w.taps - 1) * w.tap_step;
  w.extent = static_cast<std::ptrdiff_t>(a.out(n));
  w.to = static_cast<std::ptrdiff_t>(to);
  w.to_step = static_cast<std::ptrdiff_t>(a.stride);
  w.kernel_first = static_cast<std::ptrdiff_t>(tap + (taps > 0 ? taps - 1 : 0) * tap_stride);
  w.kernel_step = -static_cast<std::ptrdiff_t>(tap_stride);
  return w;
}

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
