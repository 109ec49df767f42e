// What may be given as an input: anything contiguous whose elements are the network's, Eigen's objects among them.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include "../core/error.hpp"
#include "../core/refusal.hpp"

namespace aila::inline v0 {

namespace detail {

template <class X>
using ElementIn = std::remove_cvref_t<decltype(*std::data(std::declval<const X&>()))>;

template <class X>
concept HasData = requires(const X& x) {
  std::data(x);
  std::size(x);
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

/// Eigen's tensors and maps of them, likewise.
template <class X>
concept EigenTensor = requires(const X& x) {
  { X::Layout };
  { X::NumIndices };
  x.dimensions();
};
template <class X>
concept EigenObject = EigenDense<X> || EigenTensor<X>;

template <class X, class Element>
consteval int require_input() {
  constexpr bool range = HasData<X>;
  static_assert(range, "aila: an input is a contiguous range: an array, vector, span or Eigen map");
  if constexpr (range) {
    constexpr bool element = std::is_same_v<ElementIn<X>, Element>;
    static_assert(element, "aila: this input's elements are not the network's (float; int32 for tokens)");
  }
  if constexpr (EigenDense<X>) {
    constexpr bool row_major = X::IsRowMajor || X::IsVectorAtCompileTime || X::ColsAtCompileTime == 1;
    static_assert(row_major, "aila: a matrix of samples is row-major; Eigen's default is column-major");
  }
  if constexpr (EigenTensor<X>) {
    constexpr bool row_major = static_cast<int>(X::Layout) == 1 || X::NumIndices <= 1;  // Eigen::RowMajor is 1
    static_assert(row_major, "aila: a tensor of samples is row-major; Eigen's default is column-major");
  }
  return 0;
}

/// Whether the compiler knows that the elements of Eigen's object lie side by side.
template <class X>
consteval bool packed_for_sure() {
  if constexpr (!requires { X::InnerStrideAtCompileTime; })
    return false;
  else if constexpr (X::IsVectorAtCompileTime)
    return int{X::InnerStrideAtCompileTime} == 1;
  else
    return int{X::InnerStrideAtCompileTime} == 1 && int{X::OuterStrideAtCompileTime} == int{X::ColsAtCompileTime};
}

/// The number of elements, where the compiler knows it and reading them cannot throw.
template <class X>
consteval std::size_t static_size() {
  if constexpr (EigenDense<X>) {
    if constexpr (X::SizeAtCompileTime > 0 && packed_for_sure<X>())
      return static_cast<std::size_t>(X::SizeAtCompileTime);
    return std::dynamic_extent;
  } else if constexpr (requires { X::extent; })
    return X::extent;
  else if constexpr (requires { std::tuple_size<X>::value; })
    return std::tuple_size<X>::value;
  else if constexpr (std::is_bounded_array_v<X>)
    return std::extent_v<X>;
  else
    return std::dynamic_extent;
}

template <std::size_t found, class In>
consteval int require_size() {
  constexpr bool fits = Refused<In> || found == std::dynamic_extent || found == In::elements;
  static_assert(fits, "aila: this input has not as many elements as the network's input shape");
  return 0;
}

/// Throws Error where the trailing extents of a tensor are not those of the network's input.
template <class In, class X>
void check_tensor(const X& x) {
  constexpr auto rank = static_cast<std::size_t>(X::NumIndices);
  bool fits = rank == In::rank || rank == In::rank + 1;
  for (std::size_t i = 0; fits && i < In::rank; ++i)
    fits = static_cast<std::size_t>(x.dimensions()[rank - In::rank + i]) == In::extents[i];
  if (fits) return;
  std::array<std::size_t, rank + 1> found{};
  for (std::size_t i = 0; i < rank; ++i) found[i] = static_cast<std::size_t>(x.dimensions()[i]);
  throw_error("input: expected a tensor of shape ", extents_text(In::extents.data(), In::rank),
              ", or [samples, ...] of it, found ", extents_text(found.data(), rank));
}

/// The elements of x, one sample of shape In or several; throws Error where Eigen's strides leave gaps, and where a
/// tensor has other extents; In is void where any will do.
template <class Element, class In, class X>
std::span<const Element> elements_of(const X& x) {
  enum { checked = require_input<X, Element>() };
  if constexpr (HasData<X>) {
    if constexpr (std::is_same_v<ElementIn<X>, Element>) {
      if constexpr (EigenDense<X>)
        if (x.innerStride() != 1 || (!X::IsVectorAtCompileTime && x.rows() > 1 && x.outerStride() != x.cols()))
          throw_error("an Eigen input must be contiguous: its inner stride is ", x.innerStride(),
                      " and its outer stride ", x.outerStride());
      if constexpr (EigenTensor<X> && !std::is_void_v<In>) check_tensor<In>(x);
      return {std::data(x), static_cast<std::size_t>(std::size(x))};
    }
  }
  return {};
}

/// The elements of one sample (or step) of shape In; throws Error, which says who found how many, where they are not as
/// many.
template <class Element, class In, class X>
const Element* elements_of_one(const X& x, const char* who, const char* what) {
  const auto elements = elements_of<Element, In>(x);
  if (elements.size() != In::elements)
    throw_error(who, ": expected the ", In::elements, " elements of ", what, " of shape ",
                extents_text(In::extents.data(), In::rank), ", found ", elements.size());
  return elements.data();
}

}  // namespace detail

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
