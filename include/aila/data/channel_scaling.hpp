// The range of pixels, channel by channel.
#pragma once

#include "../core/macros_aside.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../core/error.hpp"
#include "image_set.hpp"

namespace aila::inline v0::data {

/// A pixel v of channel c becomes (v / 255 - mean[c]) / deviation[c].
struct ChannelScaling {
  std::vector<double> mean{}, deviation{};
};

/// Mean and population standard deviation of v / 255 over the images `rows`: give those of the training part. The sums
/// are of whole numbers, so the order of the rows does not matter. Throws Error where a channel has one value only, no
/// image is there, a row is none of the set's, or the set's sizes do not fit.
inline ChannelScaling measure_channels(const ImageSet& images, std::span<const std::size_t> rows) {
  if (rows.empty()) throw_error("images: expected at least one image to scale by, found none");
  images.check();
  for (const std::size_t row : rows)
    if (row >= images.size()) throw_error("images: expected rows below ", images.size(), ", found ", row);
  std::vector<std::uint64_t> sums(images.channels), squares(images.channels);
  for (const std::size_t row : rows) {
    std::size_t c = 0;
    for (const std::uint64_t v : images.image(row)) {
      sums[c] += v;
      squares[c] += v * v;
      if (++c == images.channels) c = 0;
    }
  }
  const auto count = static_cast<double>(rows.size() * images.height * images.width);
  ChannelScaling scaling;
  for (std::size_t c = 0; c < images.channels; ++c) {
    const double mean = static_cast<double>(sums[c]) / count;
    const double variance = static_cast<double>(squares[c]) / count - mean * mean;
    if (!(variance > 1e-6))  // of bytes: two values in a million pixels give as much
      throw_error("images: all values of channel ", c,
                  " in the training part are equal, nothing can be scaled by them");
    scaling.mean.push_back(mean / 255);
    scaling.deviation.push_back(std::sqrt(variance) / 255);
  }
  return scaling;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
