// Options of layers with a window: sizes along the axes of positions.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <string>

#include "../core/option.hpp"

namespace aila::inline v0 {

namespace role {
struct Kernel;
struct Stride;
struct Dilation;
struct Padding;
struct Groups;
struct Bias;
}  // namespace role

/// A size along the axes of positions: one number for every axis, or height and width of an image.
struct Window {
  std::size_t axes;
  std::size_t height;
  std::size_t width;

  explicit constexpr Window(std::size_t n) : axes(1), height(n), width(n) {}
  constexpr Window(std::size_t h, std::size_t w) : axes(2), height(h), width(w) {}
  friend constexpr bool operator==(const Window&, const Window&) = default;

  constexpr bool is(std::size_t n) const { return height == n && width == n; }
};

namespace detail {

template <std::size_t... N>
constexpr Window window_of() {
  if constexpr (sizeof...(N) == 1 || sizeof...(N) == 2)
    return Window(N...);
  else
    return Window(1);
}

template <std::size_t numbers, bool positive>
struct WrongWindow {
  static consteval int say() {
    constexpr bool one_or_two = numbers == 1 || numbers == 2;
    constexpr bool sizes = !one_or_two || positive;
    static_assert(one_or_two, "aila: Kernel, Stride, Dilation and Padding take one number, or height and width");
    static_assert(sizes, "aila: Kernel, Stride, Dilation, Groups and a pool's window begin at 1");
    return 0;
  }
};
template <std::size_t numbers, bool positive>
using RefusalOfWindow =
    std::conditional_t<(numbers == 1 || numbers == 2) && positive, NoRefusal, WrongWindow<numbers, positive>>;

/// "3", "3x5".
inline std::string window_text(Window w) {
  return std::to_string(w.height) + (w.axes == 2 ? "x" + std::to_string(w.width) : "");
}

}  // namespace detail

/// Positions that one output reads, along each axis: `Kernel<3>` (3 x 3 on an image), `Kernel<3, 5>` (height, width).
template <std::size_t... N>
struct Kernel {
  using role = role::Kernel;
  using Refusal = detail::RefusalOfWindow<sizeof...(N), ((N > 0) && ...)>;
  static constexpr Window value = detail::window_of<N...>();
};
/// Steps between the windows of neighbouring outputs.
template <std::size_t... N>
struct Stride {
  using role = role::Stride;
  using Refusal = detail::RefusalOfWindow<sizeof...(N), ((N > 0) && ...)>;
  static constexpr Window value = detail::window_of<N...>();
};
/// Steps between the positions of one window.
template <std::size_t... N>
struct Dilation {
  using role = role::Dilation;
  using Refusal = detail::RefusalOfWindow<sizeof...(N), ((N > 0) && ...)>;
  static constexpr Window value = detail::window_of<N...>();
};
/// Zeros around the map, at each end of each axis.
template <std::size_t... N>
struct Padding {
  using role = role::Padding;
  using Refusal = detail::RefusalOfWindow<sizeof...(N), true>;
  static constexpr bool same = false;
  static constexpr Window value = detail::window_of<N...>();
};
/// Padding of dilation (kernel - 1) / 2: under stride 1 an odd kernel keeps the positions. The default of convolutions.
struct SamePadding {
  using role = role::Padding;
  static constexpr bool same = true;
  static constexpr Window value = Window(0);
};
/// Features and filters in groups that do not see each other.
template <std::size_t N>
struct Groups {
  using role = role::Groups;
  using Refusal = detail::RefusalOfWindow<1, (N > 0)>;
  static constexpr std::size_t value = N == 0 ? 1 : N;
};
struct WithBias {
  using role = role::Bias;
  static constexpr bool value = true;
};
struct NoBias {
  using role = role::Bias;
  static constexpr bool value = false;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
