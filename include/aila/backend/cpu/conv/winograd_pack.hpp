// Packing a convolution's weights for minimal filtering, after each change: G g G^T of every filter and feature.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "combine.hpp"
#include "conv_pack.hpp"
#include "winograd_plan.hpp"

namespace aila::inline v0::cpu {

/// Nine numbers of each of a vector's lanes, which lie one lane after the other in memory, as nine vectors and back.
template <class Scalar, class Arch>
class NineTaps {
  using B = simd::Batch<Scalar, Arch>;
  static constexpr std::size_t W = simd::width<Scalar, Arch>, parts = ceil_div(9, W);

 public:
  B tap[parts * W];

  [[gnu::always_inline]] void load(const Scalar* from) noexcept {
    alignas(64) Scalar last[2 * W] = {};  // the last vector: what is behind it belongs to others, who may write it
    simd::store(last, simd::load<Scalar, Arch>(from + 8 * W));
    AILA_UNROLL
    for (std::size_t p = 0; p < parts; ++p) {
      AILA_UNROLL
      for (std::size_t i = 0; i < W; ++i) {
        const std::size_t at = i * 9 + p * W;
        tap[p * W + i] = simd::load<Scalar, Arch>(at <= 8 * W ? from + at : last + (at - 8 * W));
      }
      simd::transpose(tap + p * W);
    }
  }
  /// Adds them to memory.
  [[gnu::always_inline]] void add_to(Scalar* to) noexcept {
    alignas(64) Scalar lanes[10 * W + parts * W];
    AILA_UNROLL
    for (std::size_t p = 0; p < parts; ++p) simd::transpose(tap + p * W);
    for (std::size_t i = 0; i < W; ++i)  // in order: each store's end is written over by the next
      for (std::size_t p = 0; p < parts; ++p) simd::store(lanes + i * 9 + p * W, tap[p * W + i]);
    for (std::size_t k = 0; k < 9 * W; k += W)
      simd::store(to + k, B(simd::load<Scalar, Arch>(to + k) + simd::load<Scalar, Arch>(lanes + k)));
  }
};

/// The packed weight of dx, [filters, features] of each transformed weight: its rows are written as vectors.
template <std::size_t Stride, class Scalar, class Arch>
[[gnu::noinline]] void winograd_pack_backward(const ConvPlan& c, const Scalar* weight, ChannelScale<Scalar> channels,
                                              std::size_t each, Scalar* out) noexcept {
  using Filter = WinogradFilter<Stride>;
  using B = simd::Batch<Scalar, Arch>;
  constexpr std::size_t W = simd::width<Scalar, Arch>, taps = 9;
  const Parts panels(c.inputs / W, panel_vectors);
  for (std::size_t o = 0; o < c.outputs; ++o) {
    const B scale = B(channels.of(o));
    for (std::size_t p = 0; p < panels.count; ++p)
      for (std::size_t v = 0; v < panels.size(p); ++v) {
        const Scalar* from = weight + (o * c.inputs + (panels.begin(p) + v) * W) * taps;
        NineTaps<Scalar, Arch> g;
        g.load(from);
        Scalar* to = out + panels.begin(p) * W * c.outputs + (o * panels.size(p) + v) * W;
        combine_square<Filter::weight, Scalar, Arch>(
            [&](std::size_t r, std::size_t k) __attribute__((always_inline)) { return B(g.tap[3 * r + k] * scale); },
            [&](std::size_t i, std::size_t j, const B& u)
                __attribute__((always_inline)) { simd::store(to + (i * Filter::weights + j) * each, u); });
      }
  }
}

/// That of y, [features, filters], from that of dx: transposed.
template <class Scalar, class Arch>
[[gnu::noinline]] void winograd_pack_forward(const ConvPlan& c, const Scalar* back, Scalar* out) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  const Parts panels(c.outputs / W, panel_vectors), features(c.inputs / W, panel_vectors);
  for (std::size_t p = 0; p < panels.count; ++p)
    for (std::size_t v = 0; v < panels.size(p); ++v)
      for (std::size_t f = 0; f < features.count; ++f) {
        const std::size_t first = features.begin(f) * W, count = features.size(f) * W, stride = panels.size(p) * W;
        pack_vector<Scalar, Arch>(back + first * c.outputs + (panels.begin(p) + v) * W * count, 1, count, count, W,
                                  out + panels.begin(p) * W * c.inputs + v * W + first * stride, stride);
      }
}

template <std::size_t Stride, class Scalar, class Arch>
void winograd_pack(const ConvPlan& c, const Scalar* weight, const Scalar* bias, Scalar* out,
                   ChannelScale<Scalar> channels = {}) noexcept {
  const WinogradPacked<Scalar, Arch> part(c);
  winograd_pack_backward<Stride, Scalar, Arch>(c, weight, channels, part.each, out + part.back);
  for (std::size_t w = 0; w < WinogradProducts<Stride>::weights; ++w)
    winograd_pack_forward<Scalar, Arch>(c, out + part.back + w * part.each, out + w * part.each);
  pack_channel_bias(bias, channels, c.outputs, round_up(c.outputs, alignment_elements), 0, out + part.bias);
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
