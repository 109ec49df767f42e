// Chance changes of images in training: a shifted crop, a mirror image, a blank square.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>

#include "../core/as_size.hpp"
#include "../core/error.hpp"
#include "../core/random.hpp"

namespace aila::inline v0 {

/// What may happen to an image whenever it is read for training. Nothing, as it stands.
struct Augmentation {
  std::size_t padding = 0;  ///< black pixels around the image, from which a crop of its own size is taken anywhere
  bool flip = false;        ///< left and right change places in half of the cases
  std::size_t cutout = 0;   ///< side of a square, centred anywhere, that is set to the mean (arXiv 1708.04552)

  /// Throws Error for more padding than the smaller side of an image has pixels.
  constexpr void check(std::size_t height, std::size_t width) const {
    const std::size_t side = height < width ? height : width;
    if (padding > side) throw_error("images: expected at most ", side, " pixels of padding, found ", padding);
  }
  constexpr bool operator==(const Augmentation&) const = default;
};

/// What does happen to one image, drawn for it.
struct ImageChange {
  std::ptrdiff_t down = 0, right = 0;  ///< where in the image the crop begins; outside there is black
  bool flip = false;
  std::size_t top = 0, bottom = 0, left = 0, end = 0;  ///< blank: rows [top, bottom) of columns [left, end)
};

namespace detail {
/// As draw_change, of an augmentation that fits: code of a device, too, which throws nothing.
constexpr ImageChange drawn_change(const Augmentation& augmentation, Seed seed, std::uint64_t epoch,
                                   std::uint64_t sample, std::size_t height, std::size_t width) {
  const Random random{seed, Purpose::augment, epoch, 0};
  const auto below = [&](std::uint64_t bound, std::uint64_t element) {  // uniform up to 2^-32 of rounding
    return as_size((random.bits(sample, element) * bound) >> 32U);
  };
  ImageChange change;
  const std::size_t padding = augmentation.padding;
  change.down = static_cast<std::ptrdiff_t>(below(2 * padding + 1, 0)) - static_cast<std::ptrdiff_t>(padding);
  change.right = static_cast<std::ptrdiff_t>(below(2 * padding + 1, 1)) - static_cast<std::ptrdiff_t>(padding);
  change.flip = augmentation.flip && below(2, 2) == 1;
  if (augmentation.cutout > 0) {
    const std::size_t before = augmentation.cutout / 2, after = augmentation.cutout - before;
    const auto range = [&](std::size_t centre, std::size_t extent, std::size_t& begin, std::size_t& end) {
      begin = centre > before ? centre - before : 0;
      end = centre + after < extent ? centre + after : extent;
    };
    range(below(height, 4), height, change.top, change.bottom);
    range(below(width, 5), width, change.left, change.end);
  }
  return change;
}
}  // namespace detail

/// The change of image number `sample` in epoch `epoch`: a function of these and the seed, whoever asks and when.
/// Throws Error for more padding than the smaller side of the image has pixels.
constexpr ImageChange draw_change(const Augmentation& augmentation, Seed seed, std::uint64_t epoch,
                                  std::uint64_t sample, std::size_t height, std::size_t width) {
  augmentation.check(height, width);
  return detail::drawn_change(augmentation, seed, epoch, sample, height, width);
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
