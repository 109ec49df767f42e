// A list of shapes, written short where all are equal, so that deep stacks keep short type names.
#pragma once

#include "macros_aside.hpp"

#include <array>
#include <cstddef>
#include <type_traits>

#include "list.hpp"
#include "shape.hpp"

namespace aila::inline v0 {

/// N times the shape S.
template <class S, std::size_t N>
struct SameShapes {
  static constexpr std::size_t count = N;
  static constexpr bool same_width = true;
  static constexpr std::size_t features(std::size_t) { return S::features; }
  template <std::size_t I>
  using Shape = S;
};

/// Shapes that differ, or none.
template <class... S>
struct Shapes {
  static constexpr std::size_t count = sizeof...(S);
  static constexpr std::array<std::size_t, sizeof...(S)> widths{S::features...};
  static constexpr bool same_width = [] {
    for (std::size_t f : widths)
      if (f != widths[0]) return false;
    return true;
  }();
  static constexpr std::size_t features(std::size_t i) { return widths[i]; }
  template <std::size_t I>
  using Shape = At<List<S...>, I>;
};

namespace detail {
template <class... S>
struct CanonicalShapes {
  using type = Shapes<S...>;
};
template <class First, class... S>
  requires(std::is_same_v<First, S> && ...)
struct CanonicalShapes<First, S...> {
  using type = SameShapes<First, 1 + sizeof...(S)>;
};
}  // namespace detail

/// Canonical: equal lists are one type.
template <class... S>
using ShapeList = typename detail::CanonicalShapes<S...>::type;

}  // namespace aila::inline v0

#include "macros_back.hpp"
