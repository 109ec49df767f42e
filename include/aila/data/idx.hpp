// IDX files, the format of MNIST and its family: http://yann.lecun.com/exdb/mnist
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../io/text.hpp"
#include "image_set.hpp"

namespace aila::inline v0::data {

/// An array of bytes of any rank.
struct IdxArray {
  std::vector<std::size_t> extents;
  std::vector<std::uint8_t> values;
};

/// Reads the format: two zero bytes, the type (8: unsigned byte, the only one that images have), the rank, an extent of
/// four bytes for each axis, most significant byte first, then the numbers. Throws Error, one sentence that begins
/// with `name`, for whatever is not exactly that.
inline IdxArray parse_idx(std::span<const std::byte> bytes, const std::string& name) {
  const auto at = [&](std::size_t i) { return std::to_integer<std::size_t>(bytes[i]); };
  if (bytes.size() < 4) throw_error(name, ": expected an IDX file, which begins with 4 bytes, found ", bytes.size());
  if (at(0) != 0 || at(1) != 0)
    throw_error(name, ": expected an IDX file, which begins with two zero bytes, found ", at(0), " and ", at(1));
  if (at(2) != 8) throw_error(name, ": expected unsigned bytes, type 8 of IDX, found type ", at(2));
  const std::size_t rank = at(3), header = 4 + 4 * rank;
  if (rank == 0) throw_error(name, ": expected an array with at least one axis, found none");
  if (bytes.size() < header)
    throw_error(name, ": expected a header of ", header, " bytes, found ", bytes.size(), " in all");
  IdxArray array;
  std::size_t elements = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::size_t extent = 0;
    for (std::size_t i = 0; i < 4; ++i) extent = extent << 8 | at(4 + 4 * axis + i);
    array.extents.push_back(extent);
    // More than the file has is as good as infinite: so the product cannot overflow.
    elements = extent != 0 && elements > bytes.size() / extent ? bytes.size() : elements * extent;
  }
  const auto values = bytes.subspan(header);
  if (elements == 0 || elements != values.size())
    throw_error(name, ": expected the bytes of an array of shape ", io::printable(io::shape_text(array.extents)),
                ", found ", values.size());
  array.values.reserve(elements);
  for (const std::byte value : values) array.values.push_back(std::to_integer<std::uint8_t>(value));
  return array;
}

/// Images [N, height, width] or [N, height, width, channels] with labels [N] and the names of the classes. Throws
/// Error where they do not fit each other, or a label has no class.
inline ImageSet images_of(IdxArray images, const IdxArray& labels, std::vector<std::string> classes) {
  const auto& extents = images.extents;
  if (extents.size() != 3 && extents.size() != 4)
    throw_error("images: expected an array of rank 3 or 4, found shape ", io::printable(io::shape_text(extents)));
  if (labels.extents.size() != 1 || labels.extents[0] != extents[0])
    throw_error("labels: expected one for each of the ", extents[0], " images, found shape ",
                io::printable(io::shape_text(labels.extents)));
  ImageSet set{.height = extents[1],
               .width = extents[2],
               .channels = extents.size() == 4 ? extents[3] : 1,
               .pixels = std::move(images.values),
               .labels = {labels.values.begin(), labels.values.end()},
               .classes = std::move(classes)};
  set.check();
  return set;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
