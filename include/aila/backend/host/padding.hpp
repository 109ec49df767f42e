// Steps behind a sample's length: what lies there may be anything, also no number, and must reach nothing else.
//
// A workspace clears them in the input and in the gradient of the output, so that products with padded rows add zeros,
// and in the output. Between, kernels that look at one step alone may compute on padded steps what they like, as long
// as it is finite where their input is; all others leave padded steps out.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>

#include "../kernel.hpp"
#include "lanes.hpp"

namespace aila::inline v0::detail {

/// Whether samples of this map may have lengths.
template <class Map>
inline constexpr bool has_steps = Map::is_tokens || Map::rank == 2;

/// Valid steps of sample n behind the layer L on In.
template <class L, class In>
constexpr std::size_t valid_steps_after(const Pass& pass, std::size_t n) {
  return std::min(length_after<L, In>(pass.length(n, In::extents[0])), L::template Out<In>::extents[0]);
}

/// Zeros at the padded steps of a map [samples, steps, `row`]; valid(n) tells the valid ones of sample n.
template <class Element, class Valid>
constexpr void clear_steps(std::size_t samples, std::size_t steps, std::size_t row, Element* map, Valid&& valid) {
  for (std::size_t n = 0; n < samples; ++n)
    std::fill(map + (n * steps + valid(n)) * row, map + (n + 1) * steps * row, Element(0));
}

/// Zeros at the padded steps of a map.
template <class Map, class Element>
constexpr void clear_padding(const Pass& pass, Element* map) {
  if constexpr (has_steps<Map>)
    if (pass.lengths != nullptr)
      clear_steps(pass.samples, Map::extents[0], Map::elements / Map::extents[0], map,
                  [&](std::size_t n) { return pass.length(n, Map::extents[0]); });
}
/// The same of the output of the layer L on In, where that is a sequence as In is.
template <class L, class In, class Element>
constexpr void clear_padding_after(const Pass& pass, Element* map) {
  using Out = typename L::template Out<In>;
  if constexpr (has_steps<In> && has_steps<Out>)
    if (pass.lengths != nullptr)
      clear_steps(pass.samples, Out::extents[0], Out::elements / Out::extents[0], map,
                  [&](std::size_t n) { return valid_steps_after<L, In>(pass, n); });
}
/// The same of a network's input. LastStep reads the first step of a sample that has no valid one: of that step what is
/// finite stays.
template <class In, class Element>
constexpr void clear_input(const Pass& pass, Element* x) {
  if constexpr (has_steps<In>) {
    constexpr std::size_t row = In::elements / In::extents[0];
    if (pass.lengths == nullptr) return;
    clear_steps(pass.samples, In::extents[0], row, x,
                [&](std::size_t n) { return std::max<std::size_t>(pass.length(n, In::extents[0]), 1); });
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t f = 0; pass.length(n, In::extents[0]) == 0 && f < row; ++f) {
        Element& value = x[n * In::elements + f];
        if (!(value - value == Element(0))) value = Element(0);
      }
  }
}

}  // namespace aila::inline v0::detail

namespace aila::inline v0 {

/// What a workspace clears behind a sample's length, on kernels of this kind.
template <class Kernels>
struct PaddedSteps;
template <HostBackend Kernels>
struct PaddedSteps<Kernels> {
  template <class In, class Element>
  static constexpr void clear_input(const Pass& pass, Element* x) {
    detail::clear_input<In>(pass, x);
  }
  template <class L, class In, class Element>
  static constexpr void clear_after(const Pass& pass, Element* map) {
    detail::clear_padding_after<L, In>(pass, map);
  }
};

}  // namespace aila::inline v0

namespace aila::inline v0::detail {

/// The lanes of a tile whose values count.
template <class Backend>
class ValidLanes {
 public:
  using S = typename Backend::Scalar;
  using Lane = Lanes<Backend>;
  using V = typename Lane::V;

  /// valid(lane) for each of the tile's first `rows` lanes.
  template <class Valid>
  constexpr ValidLanes(std::size_t rows, Valid&& valid) {
    for (std::size_t lane = 0; lane < rows; ++lane)
      if (valid(lane)) {
        counts_[lane] = true;
        last_ = lane;
        ++count_;
      }
  }
  constexpr bool none() const { return count_ == 0; }

  /// The other lanes repeat one that counts.
  constexpr void repeat(V* tile, std::size_t width) const {
    replace(tile, width, [this](const S* lanes) { return lanes[last_]; });
  }
  /// The other lanes are zero.
  constexpr void clear(V* tile, std::size_t width) const {
    replace(tile, width, [](const S*) { return S(0); });
  }

 private:
  template <class F>
  constexpr void replace(V* tile, std::size_t width, F&& by) const {
    if (count_ == Lane::count) return;
    for (std::size_t i = 0; i < width; ++i) {
      alignas(64) S lanes[Lane::count] = {};
      Lane::store(lanes, tile[i]);
      const S value = by(static_cast<const S*>(lanes));
      for (std::size_t lane = 0; lane < Lane::count; ++lane)
        if (!counts_[lane]) lanes[lane] = value;
      tile[i] = Lane::load(lanes);
    }
  }

  std::array<bool, Lane::count> counts_{};
  std::size_t last_ = 0, count_ = 0;
};

/// Of a tile of `rows` rows from row `first` on of a map [samples, steps, ...]: those that are valid steps.
template <class Backend>
constexpr ValidLanes<Backend> valid_rows(const Pass& pass, std::size_t steps, std::size_t first, std::size_t rows) {
  return {rows, [&](std::size_t lane) { return (first + lane) % steps < pass.length((first + lane) / steps, steps); }};
}

/// Zeros at the padded steps of a tile [steps, width] whose lanes are `rows` samples from number `first` on.
template <class Backend>
constexpr void clear_steps_of_lanes(const Pass& pass, std::size_t steps, std::size_t width, std::size_t first,
                                    std::size_t rows, typename Lanes<Backend>::V* tile) {
  for (std::size_t t = 0; t < steps; ++t)
    ValidLanes<Backend>(rows, [&](std::size_t lane) {
      return t < pass.length(first + lane, steps);
    }).clear(tile + t * width, width);
}

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
