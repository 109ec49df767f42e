// Depthwise convolutions on the CPU, forward: features in the lanes, nothing copied.
//
// Bound by loads: one of x for each fused multiply-add. A tile of outputs shares the loads of weights; outputs whose
// windows leave the map skip the taps outside.
// Measured on a core of Zen 4 (AVX-512), 3 x 3 at 16 x 16, 64 channels: 55 % of the peak of fused multiply-adds,
// where one load for each of them would allow 100.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <cstring>

#include "../../kernel.hpp"
#include "conv_pack.hpp"

namespace aila::inline v0::cpu {

/// Scalars of a row of weights, in whole vectors.
template <class Scalar, class Arch>
constexpr std::size_t depthwise_row(const ConvPlan& c) {
  return round_up(packed_size<Scalar, Arch>(1, c.inputs), alignment_elements);
}
/// Weights [taps, row], then the bias.
template <class Scalar, class Arch>
constexpr std::size_t depthwise_packed_size(const ConvPlan& c) {
  return (c.taps() + 1) * depthwise_row<Scalar, Arch>(c);
}
template <class Scalar, class Arch>
void depthwise_pack(const ConvPlan& c, const Scalar* weight, const Scalar* bias, Scalar* out,
                    ChannelScale<Scalar> channels = {}) noexcept {
  const std::size_t row = depthwise_row<Scalar, Arch>(c), taps = c.taps();
  std::memset(out, 0, depthwise_packed_size<Scalar, Arch>(c) * sizeof(Scalar));
  for (std::size_t f = 0; f < c.inputs; ++f) {
    for (std::size_t t = 0; t < taps; ++t) out[t * row + f] = weight[f * taps + t] * channels.of(f);
    Scalar& b = out[taps * row + f];
    if (bias != nullptr) b = bias[f] * channels.of(f);
    if (channels.shift != nullptr) b += channels.shift[f];
  }
}

/// The taps of a tile of outputs; steps are numbers of Scalars, those over the kernel may be negative.
template <class Scalar>
struct DepthwiseTaps {
  std::ptrdiff_t rows, columns;
  const Scalar* x;
  std::ptrdiff_t x_row, x_column, x_output;
  const Scalar* w;
  std::ptrdiff_t w_row, w_column;
};

/// y[r y_output + f] = After((y +) bias[f] + sum over taps of w[f] x[f]) for r < Rows and all features.
template <class After, class Scalar, class Arch, std::size_t Rows>
[[gnu::noinline]] void depthwise_tile(const DepthwiseTaps<Scalar>& taps, const Scalar* bias, std::size_t features,
                                      Scalar* y, std::ptrdiff_t y_output, bool accumulate) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const auto vector = [&](std::size_t f, auto load, auto store) __attribute__((always_inline)) {
    B sums[Rows];
    const B start = bias != nullptr ? simd::load<Scalar, Arch>(bias + f) : B(Scalar(0));
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) sums[r] = start;
    for (std::ptrdiff_t i = 0; i < taps.rows; ++i) {
      const Scalar* w = taps.w + i * taps.w_row + f;
      const Scalar* x = taps.x + i * taps.x_row + f;
      for (std::ptrdiff_t j = 0; j < taps.columns; ++j, w += taps.w_column, x += taps.x_column) {
        const B weight = simd::load<Scalar, Arch>(w);
        AILA_UNROLL
        for (std::size_t r = 0; r < Rows; ++r)
          sums[r] = simd::fmadd(weight, load(x + static_cast<std::ptrdiff_t>(r) * taps.x_output), sums[r]);
      }
    }
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) {
      Scalar* to = y + static_cast<std::ptrdiff_t>(r) * y_output + f;
      if (accumulate) sums[r] += load(to);
      store(to, simd::value_of<After>(sums[r]));
    }
  };
  std::size_t f = 0;
  for (; f + W <= features; f += W)
    vector(
        f, [](const Scalar* p) { return simd::load<Scalar, Arch>(p); },
        [](Scalar* p, const B& v) { simd::store(p, v); });
  if (const std::size_t last = features - f; last > 0)
    vector(
        f, [=](const Scalar* p) { return simd::load_first<Scalar, Arch>(p, last); },
        [=](Scalar* p, const B& v) { simd::store_first(p, v, last); });
}

/// All outputs of two walks over a map of `width` columns, into one of `to_width`.
template <class After, class Scalar, class Arch>
void depthwise_windows(const ConvPlan& c, const WindowWalk& y, const WindowWalk& x, const Scalar* weights,
                       const Scalar* bias, const Scalar* from, std::size_t width, Scalar* to, std::size_t to_width,
                       bool accumulate) noexcept {
  const auto features = static_cast<std::ptrdiff_t>(c.inputs);
  const auto row = static_cast<std::ptrdiff_t>(width) * features;
  const auto w_column = static_cast<std::ptrdiff_t>(depthwise_row<Scalar, Arch>(c));
  const auto w_row = static_cast<std::ptrdiff_t>(c.x.kernel) * w_column;
  DepthwiseTaps<Scalar> taps;
  taps.x_row = y.tap_step * row;
  taps.x_column = x.tap_step * features;
  taps.x_output = x.step * features;
  taps.w_row = y.kernel_step * w_row;
  taps.w_column = x.kernel_step * w_column;
  for (std::ptrdiff_t i = 0; i < y.count; ++i) {
    const std::ptrdiff_t first_row = y.first_tap(i);
    taps.rows = y.last_tap(i) - first_row;
    const Scalar* in = from + (y.at(i) + first_row * y.tap_step) * row;
    const Scalar* w = weights + (y.kernel_first + first_row * y.kernel_step) * w_row + x.kernel_first * w_column;
    Scalar* out = to + ((y.to + i * y.to_step) * static_cast<std::ptrdiff_t>(to_width) + x.to) * features;
    const auto tile = [&](std::ptrdiff_t j, std::ptrdiff_t count) {
      const std::ptrdiff_t first = x.first_tap(j);
      taps.columns = x.last_tap(j) - first;
      taps.x = in + (x.at(j) + first * x.tap_step) * features;
      taps.w = w + first * taps.w_column;
      using Tile = decltype(&depthwise_tile<After, Scalar, Arch, 1>);
      const Tile function = count == 8   ? depthwise_tile<After, Scalar, Arch, 8>
                            : count == 4 ? depthwise_tile<After, Scalar, Arch, 4>
                            : count == 2 ? depthwise_tile<After, Scalar, Arch, 2>
                                         : depthwise_tile<After, Scalar, Arch, 1>;
      function(taps, bias, c.inputs, out + j * x.to_step * features, x.to_step * features, accumulate);
    };
    const std::ptrdiff_t inner_first = x.inner_first(), inner_last = x.inner_last();
    for (std::ptrdiff_t j = 0; j < inner_first; ++j) tile(j, 1);
    for (std::ptrdiff_t j = inner_first, rest = inner_last - j; rest > 0; rest = inner_last - j) {
      const std::ptrdiff_t count = rest >= 8 ? 8 : rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
      tile(j, count);
      j += count;
    }
    for (std::ptrdiff_t j = inner_last; j < x.count; ++j) tile(j, 1);
  }
}

/// y = After(W x + b), W and b as depthwise_pack left them. Lengths are those of a sequence: null for an image.
template <class After, class Scalar, class Arch>
[[gnu::noinline]] void depthwise_forward(const ConvPlan& c, const Pass& pass, const Scalar* packed, const Scalar* x,
                                         Scalar* y) noexcept {
  const std::size_t y_size = c.out_positions() * c.outputs;
  for (std::size_t n = 0; n < pass.samples; ++n, x += c.in_positions() * c.inputs, y += y_size) {
    const std::size_t columns = pass.length(n, c.x.in);
    const WindowWalk along = forward_walk(c.x, columns);
    depthwise_windows<After, Scalar, Arch>(c, forward_walk(c.y, c.y.in), along, packed,
                                           packed + c.taps() * depthwise_row<Scalar, Arch>(c), x, c.x.in, y, c.x.out(),
                                           false);
    const auto valid = static_cast<std::size_t>(along.count) * c.outputs;
    if (columns < c.x.in) std::memset(y + valid, 0, (y_size - valid) * sizeof(Scalar));
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
