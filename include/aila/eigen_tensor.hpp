// Eigen's tensors for what comes out: [samples, extents...] seen as an Eigen::TensorMap, without a copy.
//
// What goes in needs no header: a row-major Eigen::Tensor or TensorMap [samples, extents...], or of one sample's
// extents, is taken wherever samples are, and its extents are checked against the network's input.
#pragma once

#include "core/macros_aside.hpp"

#include <unsupported/Eigen/CXX11/Tensor>

#include "eigen.hpp"

namespace aila::inline v0 {

/// A contiguous range as a row-major tensor, `as_tensor(y, samples, steps, features)`. The range must outlive the map.
/// Throws Error where it has not as many elements as the extents say.
template <detail::Viewable Range, std::convertible_to<std::size_t>... Extent>
  requires(sizeof...(Extent) > 0)
auto as_tensor(Range&& values, Extent... extents) {
  using Element = detail::SpanElement<Range>;
  constexpr std::size_t rank = sizeof...(Extent);
  const std::span<Element> all(values);
  const std::array<std::size_t, rank> asked{static_cast<std::size_t>(extents)...};
  if (all.size() != (static_cast<std::size_t>(extents) * ... * 1))
    throw_error("as_tensor: expected the elements of a tensor of shape ", extents_text(asked.data(), rank), ", found ",
                all.size());
  using Plain = Eigen::Tensor<std::remove_const_t<Element>, static_cast<int>(rank), Eigen::RowMajor>;
  using Seen = std::conditional_t<std::is_const_v<Element>, const Plain, Plain>;
  return Eigen::TensorMap<Seen>(all.data(), static_cast<Eigen::Index>(extents)...);
}

}  // namespace aila::inline v0

#include "core/macros_back.hpp"
