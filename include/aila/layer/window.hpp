// Windows that slide over a sequence or an image: the arithmetic that convolutions and pools share.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "../contract/layer.hpp"
#include "window_options.hpp"

namespace aila::inline v0 {

/// A window's way along one axis.
struct WindowAxis {
  std::size_t in = 1;
  std::size_t kernel = 1;
  std::size_t stride = 1;
  std::size_t dilation = 1;
  std::size_t padding = 0;

  /// From a window's first position to its last, both counted.
  constexpr std::size_t span() const { return dilation * (kernel - 1) + 1; }
  /// Windows over n positions: floor((n + 2 padding - dilation (kernel - 1) - 1) / stride) + 1, none where the window
  /// is larger than n with its padding, and none over nothing.
  constexpr std::size_t out(std::size_t n) const {
    return n == 0 || n + 2 * padding < span() ? 0 : (n + 2 * padding - span()) / stride + 1;
  }
  constexpr std::size_t out() const { return out(in); }
};

/// The axes of an image; a sequence is an image of one row.
struct WindowPlan {
  WindowAxis y;
  WindowAxis x;
  constexpr std::size_t taps() const { return y.kernel * x.kernel; }
  constexpr std::size_t out_positions() const { return y.out() * x.out(); }
  constexpr std::size_t in_positions() const { return y.in * x.in; }
};

namespace detail {

/// A given number of filters in groups.
template <std::size_t Filters, std::size_t Groups>
struct CountedFilters {
  static constexpr std::size_t filters(std::size_t) { return Filters; }
  static constexpr std::size_t groups(std::size_t) { return Groups; }
};
/// One filter for each feature.
struct FilterEachFeature {
  static constexpr std::size_t filters(std::size_t features) { return features; }
  static constexpr std::size_t groups(std::size_t features) { return features; }
};

template <class In, class Layer, std::size_t features>
struct WindowedShape {
  using type = Shape<Layer::template window<In>.x.out(), features>;
};
template <class In, class Layer, std::size_t features>
  requires(In::rank == 3)
struct WindowedShape<In, Layer, features> {
  using type = Shape<Layer::template window<In>.y.out(), Layer::template window<In>.x.out(), features>;
};

}  // namespace detail

/// What layers with a window share: which maps they take and give, and lengths.
template <class Filters, class Size, class Step, class Spread, class Border>
struct Windowed {
  static constexpr Window size = Size::value;
  static constexpr Window step = Step::value;
  static constexpr Window spread = Spread::value;
  static constexpr Window border = Border::same ? Window(spread.height * (size.height - 1) / 2,  //
                                                         spread.width*(size.width - 1) / 2)
                                                : Border::value;
  /// Whether an option names height and width, which a sequence has not.
  static constexpr bool two_axes = size.axes == 2 || step.axes == 2 || spread.axes == 2 || Border::value.axes == 2;

  template <class In>
  static constexpr bool has_axes = !In::is_tokens && (In::rank == 2 || In::rank == 3);
  template <class In>
  static constexpr WindowPlan window = [] {
    WindowPlan w;
    if constexpr (has_axes<In>) {
      if (In::rank == 3) w.y = {In::extents[0], size.height, step.height, spread.height, border.height};
      w.x = {In::extents[In::rank - 2], size.width, step.width, spread.width, border.width};
    }
    return w;
  }();

  template <class In>
  static constexpr bool takes_numbers = has_axes<In> && !(In::rank == 2 && two_axes);
  template <class In>
  static constexpr bool fits = takes_numbers<In> && window<In>.y.out() > 0 && window<In>.x.out() > 0;

  template <class In>
  static constexpr bool accepts = fits<In> && In::features % Filters::groups(In::features) == 0 &&
                                  Filters::filters(In::features) % Filters::groups(In::features) == 0;
  template <class In>
  static consteval int expect() {
    constexpr bool real = !In::is_tokens;
    constexpr bool axes = !real || has_axes<In>;
    constexpr bool numbers = !real || !axes || takes_numbers<In>;
    constexpr bool within = !real || !axes || !numbers || fits<In>;
    constexpr bool divide = !real || !axes || !numbers || !within || accepts<In>;
    static_assert(real, "aila: convolutions and pools take real features; embed tokens first");
    static_assert(axes, "aila: convolutions and pools take a sequence or an image; this input is neither");
    static_assert(numbers, "aila: a sequence has one axis: Kernel<3>, Stride<2>, one number each");
    static_assert(within, "aila: this window is larger than its input with the padding");
    static_assert(divide, "aila: Groups must divide both the features of the input and the filters");
    return 0;
  }
  template <class In>
  using Out = typename detail::WindowedShape<In, Windowed, Filters::filters(In::features)>::type;

  /// Whether a step of the output reads that step of the input alone.
  template <class In>
  static constexpr bool of_one_step = window<In>.x.kernel == 1 && window<In>.x.stride == 1 && window<In>.x.padding == 0;

  /// Valid steps of the output, for a sample of n valid steps.
  template <class In>
  static constexpr std::size_t length(std::size_t n) {
    constexpr WindowAxis axis = window<In>.x;  // a value of its own: a device does not have the object
    return axis.out(std::min(n, axis.in));
  }

  /// "3, stride 2, padding 0"
  static std::string options() {
    std::string text = detail::window_text(size);
    if (!step.is(1)) text += ", stride " + detail::window_text(step);
    if (!spread.is(1)) text += ", dilation " + detail::window_text(spread);
    if (!Border::same) text += ", padding " + detail::window_text(Border::value);
    return text;
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
