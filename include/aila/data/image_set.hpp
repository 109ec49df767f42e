// Labelled images in memory, as bytes: a pixel becomes a number when a network asks for it.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "../core/error.hpp"
#include "../io/text.hpp"
#include "label.hpp"

namespace aila::inline v0::data {

/// N images of one size: pixels [N, height, width, channels], a label each, and the names of the classes.
struct ImageSet {
  std::size_t height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels{};
  std::vector<Label> labels{};
  std::vector<std::string> classes{};

  std::size_t size() const { return labels.size(); }
  std::size_t image_bytes() const { return height * width * channels; }
  /// Pixels [height, width, channels] of one image.
  std::span<const std::uint8_t> image(std::size_t i) const {
    return std::span(pixels).subspan(i * image_bytes(), image_bytes());
  }

  /// Throws Error where the sizes do not fit, a label is out of range, or nothing is there.
  void check() const {
    if (size() == 0 || height == 0 || width == 0 || channels == 0)
      throw_error("images: expected at least one image with pixels, found none");
    std::size_t rest = pixels.size();  // divided, so that no product of huge extents wraps around
    bool fits = true;
    for (const std::size_t extent : {size(), height, width, channels}) {
      fits = fits && rest % extent == 0;
      rest /= extent;
    }
    const std::size_t most = std::numeric_limits<std::size_t>::max();
    const bool countable = height <= most / width && height * width <= most / channels;
    if (!fits || rest != 1)
      throw_error("images: expected ", size(), " images, one a label, of ",
                  (countable ? std::to_string(image_bytes()) : io::shape_text(std::vector{height, width, channels})),
                  " bytes each, found ", pixels.size(), " bytes in all");
    for (std::size_t i = 0; i < size(); ++i)
      if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= classes.size())
        throw_error("images: expected labels below ", classes.size(), ", image ", i, " has ", labels[i]);
  }
};

/// The two parts that benchmarks come in.
struct ImageParts {
  ImageSet train, test;
};

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
