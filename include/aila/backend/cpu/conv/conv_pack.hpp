// Packing a convolution's weights for its products, after each change: about three copies of them.
//
// A batch normalisation behind the convolution, or any other scale and shift of its outputs, folds into them here.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "conv_plan.hpp"

namespace aila::inline v0::cpu {

/// A scale and a shift for each output feature, applied to W x + b; null for none.
template <class Scalar>
struct ChannelScale {
  const Scalar* scale = nullptr;
  const Scalar* shift = nullptr;
  constexpr Scalar of(std::size_t o) const { return scale == nullptr ? Scalar(1) : scale[o]; }
};

/// For y of one group: rows (tap, feature), columns filters. weight [filters, features, taps].
template <class Scalar, class Arch>
[[gnu::noinline]] void conv_pack_forward(const Scalar* weight, const Scalar* scale, std::size_t filters,
                                         std::size_t features, std::size_t taps, Scalar* out) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t K = features * taps;
  const Parts panels(ceil_div(filters, W), panel_vectors);
  for (std::size_t p = 0; p < panels.count; ++p)
    for (std::size_t v = 0; v < panels.size(p); ++v) {
      const std::size_t column = (panels.begin(p) + v) * W, valid = smaller(W, filters - column);
      const Scalar* from = weight + column * K;
      Scalar* to = out + panels.begin(p) * W * K + v * W;
      const std::size_t stride = panels.size(p) * W;
      const B factor = scale == nullptr ? B(Scalar(1)) : simd::load_first<Scalar, Arch>(scale + column, valid);
      const auto row = [&](std::size_t k) { return to + (k % taps * features + k / taps) * stride; };
      std::size_t k = 0;
      if (valid == W)
        for (; k + W <= K; k += W) {
          B rows[W];
          AILA_UNROLL
          for (std::size_t j = 0; j < W; ++j) rows[j] = simd::load<Scalar, Arch>(from + j * K + k);
          simd::transpose(rows);
          for (std::size_t i = 0; i < W; ++i) simd::store(row(k + i), rows[i] * factor);
        }
      for (; k < K; ++k) {
        alignas(64) Scalar lanes[W] = {};
        for (std::size_t j = 0; j < valid; ++j) lanes[j] = from[j * K + k];
        simd::store(row(k), simd::load<Scalar, Arch>(lanes) * factor);
      }
    }
}

/// For dx of one group and one phase: rows (tap of the phase, filter), columns features.
template <class Scalar, class Arch>
[[gnu::noinline]] void conv_pack_backward(const Scalar* weight, ChannelScale<Scalar> channels, const ConvPlan& c,
                                          const WindowWalk& y, const WindowWalk& x, Scalar* out) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const std::size_t features = c.group_inputs(), filters = c.group_outputs(), taps = c.taps();
  const std::size_t K = static_cast<std::size_t>(y.taps * x.taps) * filters;
  const Parts panels(ceil_div(features, W), panel_vectors);
  for (std::ptrdiff_t i = 0; i < y.taps; ++i)
    for (std::ptrdiff_t j = 0; j < x.taps; ++j) {
      const auto tap =
          static_cast<std::size_t>((y.kernel_first + i * y.kernel_step) * static_cast<std::ptrdiff_t>(c.x.kernel) +
                                   x.kernel_first + j * x.kernel_step);
      for (std::size_t o = 0; o < filters; ++o) {
        const Scalar* from = weight + o * features * taps + tap;
        const Scalar factor = channels.of(o);
        const std::size_t k = static_cast<std::size_t>(i * x.taps + j) * filters + o;
        for (std::size_t p = 0; p < panels.count; ++p) {
          const std::size_t width = panels.size(p) * W, first = panels.begin(p) * W;
          const std::size_t valid = smaller(width, features - first);
          Scalar* to = out + first * K + k * width;
          for (std::size_t f = 0; f < valid; ++f) to[f] = from[(first + f) * taps] * factor;
          for (std::size_t f = valid; f < width; ++f) to[f] = Scalar(0);
        }
      }
    }
}

/// The bias of filters first, first + 1, ...: `count` of them in whole vectors, `filters` of which exist.
template <class Scalar>
void pack_channel_bias(const Scalar* bias, ChannelScale<Scalar> channels, std::size_t filters, std::size_t count,
                       std::size_t first, Scalar* out) noexcept {
  for (std::size_t o = 0; o < count; ++o) {
    const std::size_t at = first + o;
    Scalar b = o < filters && bias != nullptr ? bias[at] * channels.of(at) : Scalar(0);
    if (o < filters && channels.shift != nullptr) b += channels.shift[at];
    out[o] = b;
  }
}

/// Everything a convolution's products read, `ConvPacked::size` Scalars: weights for y and dx, bias (null: zeros).
template <class Scalar, class Arch>
void conv_pack(const ConvPlan& c, const Scalar* weight, const Scalar* bias, Scalar* out,
               ChannelScale<Scalar> channels = {}) noexcept {
  const ConvPacked<Scalar, Arch> packed(c);
  const std::size_t filters = c.group_outputs(), each = filters * c.group_inputs() * c.taps();
  for (std::size_t g = 0; g < c.groups; ++g) {
    ChannelScale<Scalar> part = channels;
    if (part.scale != nullptr) part.scale += g * filters;
    conv_pack_forward<Scalar, Arch>(weight + g * each, part.scale, filters, c.group_inputs(), c.taps(),
                                    out + g * packed.group);
    Scalar* to = out + packed.back + g * packed.back_group;
    for_each_phase(c, c.x.in, [&](const WindowWalk& y, const WindowWalk& x) {
      conv_pack_backward<Scalar, Arch>(weight + g * each, part, c, y, x, to);
      to += packed_size<Scalar, Arch>(static_cast<std::size_t>(y.taps * x.taps) * filters, c.group_inputs());
    });
    pack_channel_bias(bias, channels, filters, packed.bias_group(c), g * filters,
                      out + packed.bias + g * packed.bias_group(c));
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
