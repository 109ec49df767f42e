// How the windows of convolutions meet the maps that they read, as kernels of a GPU are told it.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "../../layer/conv.hpp"
#include "product.hpp"

namespace aila::inline v0::cuda::detail {

constexpr bool is_depthwise(const ConvPlan& c) {
  return c.groups == c.inputs && c.inputs == c.outputs && c.inputs > 1;
}
/// One position in, one out: a product of all positions.
constexpr bool is_product(const ConvPlan& c) {
  const auto one = [](const WindowAxis& a) { return a.kernel == 1 && a.stride == 1 && a.padding == 0; };
  return c.groups == 1 && one(c.y) && one(c.x);
}
/// Windows that lie side by side and cover the map: each position has one tap of one window.
constexpr bool has_patches(const ConvPlan& c) {
  const auto tiled = [](const WindowAxis& a) {
    return a.kernel == a.stride && a.dilation == 1 && a.padding == 0 && a.in % a.kernel == 0;
  };
  return c.groups == 1 && tiled(c.y) && tiled(c.x);
}
/// How positions of the map that is made, number i at to + i to_step, meet positions of the map that is read along one
/// axis: first + i step + t tap_step for t < taps, of which each is position kernel_first + t kernel_step of the
/// kernel.
struct ConvWalk {
  int count = 1, first = 0, step = 1, taps = 1, tap_step = 1;
  int kernel_first = 0, kernel_step = 1;
  int to = 0, to_step = 1;
};
/// y over x.
constexpr ConvWalk conv_forward_walk(const WindowAxis& a) {
  ConvWalk w;
  w.count = static_cast<int>(a.out());
  w.first = -static_cast<int>(a.padding);
  w.step = static_cast<int>(a.stride);
  w.taps = static_cast<int>(a.kernel);
  w.tap_step = static_cast<int>(a.dilation);
  return w;
}
/// dx over dy, for the positions i whose i + padding leaves the remainder `phase` by the stride: position i gets
/// dy[(i + padding - k dilation) / stride] of the taps k for which that is whole. There may be none.
constexpr ConvWalk conv_backward_walk(const WindowAxis& a, std::size_t phase) {
  std::size_t divisor = a.stride;  // the greatest common one of stride and dilation
  for (std::size_t b = a.dilation; b != 0;) {
    const std::size_t rest = divisor % b;
    divisor = b;
    b = rest;
  }
  std::size_t tap = 0;
  while (tap < a.kernel && tap * a.dilation % a.stride != phase) ++tap;
  const std::size_t skipped = phase < a.padding ? divide_up(a.padding - phase, a.stride) : 0;
  const std::size_t to = phase + skipped * a.stride - a.padding;

  ConvWalk w;
  w.count = to < a.in ? static_cast<int>((a.in - 1 - to) / a.stride + 1) : 0;
  w.first = static_cast<int>(skipped) - static_cast<int>(tap * a.dilation / a.stride);
  w.taps = tap < a.kernel ? static_cast<int>((a.kernel - 1 - tap) / (a.stride / divisor) + 1) : 0;
  w.tap_step = -static_cast<int>(a.dilation / divisor);
  w.kernel_first = static_cast<int>(tap);
  w.kernel_step = static_cast<int>(a.stride / divisor);
  w.to = static_cast<int>(to);
  w.to_step = static_cast<int>(a.stride);
  return w;
}

/// Which tap and which feature a number along k is.
struct TapOrder {
  Divisor features{}, taps{}, columns{};  ///< columns: taps along x
  bool in_blocks = false;                 ///< 32 features of all taps, then the next
  struct Place {
    unsigned tap, feature;
  };
  constexpr TapOrder() = default;
  constexpr TapOrder(std::size_t its_features, std::size_t tap_rows, std::size_t tap_columns)
      : features(its_features),
        taps(std::max<std::size_t>(tap_rows * tap_columns, 1)),
        columns(std::max<std::size_t>(tap_columns, 1)),
        in_blocks(its_features % tile_k == 0) {}
  /// Of number k + i, where a tile begins at k and i < 32.
  constexpr Place at(unsigned k, unsigned i) const {
    if (in_blocks) {
      const unsigned tile = k / tile_k, block = taps.divide(tile);
      return {tile - block * taps.by, block * tile_k + i};
    }
    const unsigned tap = features.divide(k + i);
    return {tap, k + i - tap * features.by};
  }
};

/// The map that windows read: [samples, height, width, channels], of which a group has `features` channels.
struct ConvMap {
  const float* at = nullptr;
  int height = 1, width = 1;
  std::size_t channels = 1;
  unsigned features = 1;
  bool wide = false;  ///< vectors of four features lie at 16 bytes
  bool is_sequence = false;
};
inline ConvMap conv_map(const float* at, std::size_t height, std::size_t width, std::size_t channels,
                        std::size_t features, bool is_sequence) {
  return {at,         static_cast<int>(height),        static_cast<int>(width),
          channels,   static_cast<unsigned>(features), is_aligned(at) && channels % 4 == 0 && features % 4 == 0,
          is_sequence};
}

/// The window of one position: where its first tap would lie. Of a sequence y is the number of steps that count, none
/// where nothing is to be read.
struct alignas(16) ConvWindow {
  std::int64_t offset;
  int y, x;
  constexpr bool has(const ConvMap& map, int tap_y, int tap_x) const {
    const bool in_row = static_cast<unsigned>(x + tap_x) < static_cast<unsigned>(map.is_sequence ? y : map.width);
    return in_row && (map.is_sequence || static_cast<unsigned>(y + tap_y) < static_cast<unsigned>(map.height));
  }
};
/// y and x of the first tap; `steps` of a sequence count.
constexpr ConvWindow conv_window(const ConvMap& map, unsigned sample, unsigned group, int y, int x, int steps) {
  const std::int64_t position = (static_cast<std::int64_t>(sample) * map.height + y) * map.width + x;
  return {position * static_cast<std::int64_t>(map.channels) + static_cast<std::int64_t>(group) * map.features,
          map.is_sequence ? steps : y, x};
}
constexpr ConvWindow no_window(const ConvMap& map) {
  return {0, map.is_sequence ? 0 : -(1 << 30), 0};
}

/// How the positions of one phase are numbered: [samples, rows, columns].
struct ConvPhase {
  ConvWalk y, x;
  TapOrder order;
  Divisor positions, columns;
  unsigned rows = 0, k = 0;  ///< positions of all samples; taps x features
  constexpr ConvPhase() = default;
  constexpr ConvPhase(const ConvWalk& its_y, const ConvWalk& its_x, std::size_t features, std::size_t samples)
      : y(its_y),
        x(its_x),
        order(features, static_cast<std::size_t>(its_y.taps), static_cast<std::size_t>(its_x.taps)),
        positions(static_cast<std::size_t>(std::max(its_y.count * its_x.count, 1))),
        columns(static_cast<std::size_t>(std::max(its_x.count, 1))),
        rows(static_cast<unsigned>(samples) * static_cast<unsigned>(its_y.count * its_x.count)),
        k(static_cast<unsigned>(its_y.taps * its_x.taps) * static_cast<unsigned>(features)) {}
};
inline constexpr unsigned phases_at_once = 4;

/// The windows of an operand: copies are groups of features times phases.
struct ConvWindows {
  ConvMap map;
  ConvPhase phases[phases_at_once];
  unsigned phase_count = 1;
  // Of the map that is made.
  int to_height = 1, to_width = 1;
  std::size_t to_channels = 1;
  unsigned to_features = 1;
  // Of sequences with lengths; null: all steps count.
  const std::int32_t* lengths = nullptr;
  StepAxis axis;
  bool is_backward = false;  ///< the map that is read is the layer's output

  /// Of the largest phase.
  std::size_t most_rows() const {
    std::size_t rows = 0;
    for (unsigned i = 0; i < phase_count; ++i) rows = std::max<std::size_t>(rows, phases[i].rows);
    return rows;
  }
};

/// Positions of maps are numbered in 31 bits: of so many samples at once.
constexpr std::size_t most_samples(const ConvPlan& c) {
  constexpr std::size_t most = (std::size_t{1} << 31) - 4096;
  return std::max<std::size_t>(most / std::max(c.in_positions(), c.out_positions()), 1);
}
/// f(first sample, samples, lengths of these) over a batch; `lengths` of sequences.
template <class F>
void for_each_part(const ConvPlan& c, std::size_t samples, const std::int32_t* lengths, F&& f) {
  const std::size_t most = most_samples(c);
  for (std::size_t n = 0; n < samples; n += most)
    f(n, std::min(most, samples - n), lengths == nullptr ? nullptr : lengths + n);
}

constexpr StepAxis step_axis(const WindowAxis& a) {
  return {static_cast<int>(a.in), static_cast<int>(a.span()), Divisor(a.stride), static_cast<int>(a.padding)};
}
/// The windows of y over x.
inline ConvWindows forward_windows(const ConvPlan& c, bool is_sequence, std::size_t samples,
                                   const std::int32_t* lengths, const float* x) {
  ConvWindows w;
  w.map = conv_map(x, c.y.in, c.x.in, c.inputs, c.group_inputs(), is_sequence);
  w.phases[0] = ConvPhase(conv_forward_walk(c.y), conv_forward_walk(c.x), c.group_inputs(), samples);
  w.to_height = static_cast<int>(c.y.out());
  w.to_width = static_cast<int>(c.x.out());
  w.to_channels = c.outputs;
  w.to_features = static_cast<unsigned>(c.group_outputs());
  w.lengths = lengths;
  w.axis = step_axis(c.x);
  return w;
}
/// f(windows of dx over dy) for all phases, some at a time.
template <class F>
void for_backward_windows(const ConvPlan& c, bool is_sequence, std::size_t samples, const std::int32_t* lengths,
                          const float* dy, F&& f) {
  ConvWindows w;
  w.map = conv_map(dy, c.y.out(), c.x.out(), c.outputs, c.group_outputs(), is_sequence);
  w.to_height = static_cast<int>(c.y.in);
  w.to_width = static_cast<int>(c.x.in);
  w.to_channels = c.inputs;
  w.to_features = static_cast<unsigned>(c.group_inputs());
  w.lengths = lengths;
  w.axis = step_axis(c.x);
  w.is_backward = true;
  w.phase_count = 0;
  for (std::size_t phase = 0, all = c.y.stride * c.x.stride; phase < all; ++phase) {
    const ConvPhase here(conv_backward_walk(c.y, phase / c.x.stride), conv_backward_walk(c.x, phase % c.x.stride),
                         c.group_outputs(), samples);
    if (here.rows > 0) w.phases[w.phase_count++] = here;
    if (w.phase_count == phases_at_once || (phase + 1 == all && w.phase_count > 0)) {
      f(static_cast<const ConvWindows&>(w));
      w.phase_count = 0;
    }
  }
}

}  // namespace aila::inline v0::cuda::detail

#include "../../core/macros_back.hpp"
