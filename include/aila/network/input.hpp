// What may be given as an input: anything contiguous whose elements are the network's, Eigen's objects among them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include "../core/error.hpp"

namespace aila::inline v0 {

namespace detail {

template <class X>
using ElementIn = std::remove_cvref_t<decltype(*std::declval<const X&>().data())>;

template <class X>
concept HasData = requires(const X& x) {
  x.data();
  x.size();
};
/// Eigen's dense expressions, recognised by their members: no header of Eigen is needed here.
template <class X>
concept EigenDense = requires(const X& x) {
  { x.IsRowMajor };
  x.innerStride();
  x.outerStride();
  x.rows();
  x.cols();
};

template <class X, class Element>
consteval int require_input() {
  static_assert(HasData<X>, "aila: an input is a contiguous range: std::array, std::vector, std::span, an Eigen map");
  if constexpr (HasData<X>)
    static_assert(std::is_same_v<ElementIn<X>, Element>,
                  "aila: the elements of this input are not the network's: float (or the backend's Scalar), int32 for tokens");
  if constexpr (EigenDense<X>)
    static_assert(X::IsRowMajor || X::IsVectorAtCompileTime || X::ColsAtCompileTime == 1,
                  "aila: a matrix of samples must be row-major, [samples, elements]; Eigen's default is column-major");
  return 0;
}

template <class X>
concept StaticallySized = requires { typename std::integral_constant<std::size_t, std::tuple_size<X>::value>; } ||
                          requires { requires(X::extent != std::dynamic_extent); };

template <class X>
consteval std::size_t static_size() {
  if constexpr (requires { X::extent; })
    return X::extent;
  else if constexpr (requires { std::tuple_size<X>::value; })
    return std::tuple_size<X>::value;
  else
    return std::dynamic_extent;
}

template <std::size_t found, std::size_t expected>
consteval int require_size() {
  static_assert(found == std::dynamic_extent || found == expected,
                "aila: this input has not as many elements as the network's input shape");
  return 0;
}

/// The elements of x; throws Error where Eigen's strides leave gaps.
template <class Element, class X>
std::span<const Element> elements_of(const X& x) {
  enum { checked = require_input<X, Element>() };
  if constexpr (HasData<X>) {
    if constexpr (std::is_same_v<ElementIn<X>, Element>) {
      if constexpr (EigenDense<X>)
        if (x.innerStride() != 1 || (x.rows() > 1 && x.cols() > 1 && x.outerStride() != x.cols()))
          throw Error("an Eigen input must be contiguous: its inner stride is " + std::to_string(x.innerStride()) +
                      " and its outer stride " + std::to_string(x.outerStride()));
      return {x.data(), static_cast<std::size_t>(x.size())};
    }
  }
  return {};
}

}  // namespace detail

}  // namespace aila::inline v0
