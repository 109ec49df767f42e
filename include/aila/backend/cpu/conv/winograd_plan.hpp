// How a convolution is cut for minimal filtering, and which convolutions are worth it.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../layer/conv.hpp"
#include "../product/pack.hpp"
#include "winograd_filter.hpp"

namespace aila::inline v0::cpu {

/// Products of one pair of axes, ordered so that those with one transformed weight follow each other: the product with
/// element (i, j) has number place[i][j], and its weight is that of the run it lies in.
template <std::size_t Stride>
struct WinogradProducts {
  using Filter = WinogradFilter<Stride>;
  static constexpr std::size_t count = Filter::products * Filter::products;
  static constexpr std::size_t weights = Filter::weights * Filter::weights;
  std::size_t place[Filter::products][Filter::products]{};
  std::size_t first[weights + 1]{};  ///< products first[w] to first[w + 1] have weight w

  constexpr WinogradProducts() {
    std::size_t next = 0;
    for (std::size_t w = 0; w < weights; ++w) {
      first[w] = next;
      for (std::size_t i = 0; i < Filter::products; ++i)
        for (std::size_t j = 0; j < Filter::products; ++j)
          if (Filter::weight_of(i) * Filter::weights + Filter::weight_of(j) == w) place[i][j] = next++;
    }
    first[weights] = next;
  }
};
template <std::size_t Stride>
inline constexpr WinogradProducts<Stride> winograd_products{};

/// Tiles of 4 x 4 outputs; those at the lower and right edges may reach over them.
struct WinogradPlan {
  std::size_t products, weights, tile_rows, tile_columns;

  explicit constexpr WinogradPlan(const ConvPlan& c)
      : products(c.x.stride == 1 ? WinogradProducts<1>::count : WinogradProducts<2>::count),
        weights(c.x.stride == 1 ? WinogradProducts<1>::weights : WinogradProducts<2>::weights),
        tile_rows(ceil_div(c.y.out(), 4)),
        tile_columns(ceil_div(c.x.out(), 4)) {}
  constexpr std::size_t tiles() const { return tile_rows * tile_columns; }
};

/// Tiles that are worked on at once: what they are transformed to stays in the second-level cache.
template <class Scalar>
constexpr std::size_t winograd_block(const ConvPlan& c, std::size_t samples) {
  constexpr std::size_t bytes = std::size_t{384} << 10, rows = 6;  // rows: whole register tiles
  const WinogradPlan plan(c);
  const std::size_t least = c.x.stride == 1 ? 3 * rows : rows;  // or weights are fetched too often
  const std::size_t fit = bytes / (plan.products * (c.inputs + c.outputs) * sizeof(Scalar)) / rows * rows;
  return smaller(fit < least ? least : fit, round_up(samples * plan.tiles(), rows));
}

/// Whether a convolution is computed so: 3 x 3 taps one or two positions apart, whole vectors of features, and a good
/// deal less work than the direct sum. Transforming an element of a tile costs as much as some eight products. Weights
/// grow to four times their size, so there is a limit.
template <class Scalar, class Arch>
constexpr bool uses_winograd(const ConvPlan& c) {
  constexpr std::size_t W = simd::width<Scalar, Arch>, least = 16, most = 256, transforming = 8;
  if (c.y.kernel != 3 || c.x.kernel != 3 || c.y.dilation != 1 || c.x.dilation != 1 || c.groups != 1) return false;
  if (c.y.stride != c.x.stride || c.x.stride > 2) return false;
  if (c.inputs % W != 0 || c.outputs % W != 0 || c.inputs < least || c.outputs < least) return false;
  if (c.inputs * c.outputs > most * most) return false;
  const WinogradPlan plan(c);
  const std::size_t pairs = c.inputs * c.outputs;
  const std::size_t work = plan.tiles() * plan.products * (pairs + transforming * (c.inputs + c.outputs));
  return 10 * work <= 9 * c.out_positions() * c.taps() * pairs;
}

/// Scalars of the packed weights: for y, for dx, and the bias.
template <class Scalar, class Arch>
struct WinogradPacked {
  std::size_t each, back, bias, size;  ///< each: of one transformed weight
  explicit constexpr WinogradPacked(const ConvPlan& c) {
    each = round_up(c.inputs * c.outputs, alignment_elements) + alignment_elements;  // not all in one set of a cache
    back = WinogradPlan(c).weights * each;
    bias = 2 * back;
    size = bias + round_up(c.outputs, alignment_elements);
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
