// Eigen for what comes out: predictions, targets and parameters seen as Eigen's vectors and matrices, without a copy.
//
// What goes in needs no header: wherever samples are taken, a row-major matrix [samples, elements], an Eigen::Map or an
// Eigen::Ref is as good as a std::vector.
#pragma once

#include "core/macros_aside.hpp"

#include <Eigen/Core>
#include <ranges>
#include <span>
#include <string>
#include <string_view>

#include "network/model.hpp"

namespace aila::inline v0 {

/// [rows, cols], columns side by side: the layout of all that this library reads and writes.
template <class Scalar>
using RowMajorMatrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace detail {

template <class Range>
using SpanElement = typename decltype(std::span(std::declval<Range&>()))::element_type;

/// Eigen says Map<const Matrix<float>>, a span says <const float>.
template <class Element, class Plain>
using MapOf = Eigen::Map<std::conditional_t<std::is_const_v<Element>, const Plain, Plain>>;

/// Numbers that outlive the call: a span, or a container that is not about to go away.
template <class Range>
concept Viewable = std::ranges::borrowed_range<Range> && std::ranges::contiguous_range<Range>;

}  // namespace detail

/// A contiguous range as a column vector. The range must outlive the map.
template <detail::Viewable Range>
auto as_vector(Range&& values) {
  using Element = detail::SpanElement<Range>;
  const std::span<Element> all(values);
  using Plain = Eigen::Matrix<std::remove_const_t<Element>, Eigen::Dynamic, 1>;
  return detail::MapOf<Element, Plain>(all.data(), static_cast<Eigen::Index>(all.size()));
}

/// A contiguous range as a row-major matrix [rows, cols]; predictions of n samples are `as_matrix(y, n, y.size() / n)`.
/// The range must outlive the map. Throws Error where it has not rows * cols elements.
template <detail::Viewable Range>
auto as_matrix(Range&& values, std::size_t rows, std::size_t cols) {
  using Element = detail::SpanElement<Range>;
  const std::span<Element> all(values);
  if (all.size() != rows * cols)
    throw_error("as_matrix: expected the ", rows * cols, " elements of a matrix of ", rows, " rows and ", cols,
                " columns, found ", all.size());
  return detail::MapOf<Element, RowMajorMatrix<std::remove_const_t<Element>>>(
      all.data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
}

/// A tensor of a model by name, in PyTorch's layout: [out, in] for weights, one column for biases, and for more extents
/// [first, product of the others]. Valid as long as the model; throws Error where there is none of that name.
template <class Net, class Backend>
auto parameter_matrix(const Model<Net, Backend>& model, std::string_view name) {
  const auto values = model.parameter(name);
  for (const ParameterInfo& p : parameter_table<Net>())
    if (p.name == name && p.rank > 0) return as_matrix(values, p.extents[0], p.size / p.extents[0]);
  return as_matrix(values, values.size(), 1);
}

}  // namespace aila::inline v0

#include "core/macros_back.hpp"
