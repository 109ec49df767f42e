// Images as samples of a network: bytes become numbers, and change by chance in training.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../core/random.hpp"
#include "../core/shape.hpp"
#include "../learn/source.hpp"
#include "augment.hpp"
#include "channel_scaling.hpp"
#include "image_set.hpp"

namespace aila::inline v0::data {

/// A SampleSource of the images `rows` of a set, which must outlive it: inputs [height, width, channels] scaled by
/// channel, the class as target. A change by chance is a function of seed, epoch and the image's number in the set;
/// epoch 0, which is that of evaluation, has none. Black of the padding is the byte 0; blank of the cutout is the mean.
template <RealShape In, class Scalar = float>
  requires(In::rank == 3)
class ImageSource {
 public:
  static constexpr std::size_t height = In::extents[0], width = In::extents[1], channels = In::extents[2];

  /// Throws Error for images of another size than In, for a scaling of another number of channels or that divides by
  /// 0, for labels without a class and rows that the set does not have.
  ImageSource(const ImageSet& images, const ChannelScaling& scaling, std::vector<std::size_t> rows,
              Augmentation augmentation = {}, Seed seed = {})
      : images_(&images), rows_(std::move(rows)), augmentation_(augmentation), seed_(seed) {
    images.check();
    if (images.height != height || images.width != width || images.channels != channels)
      throw_error("images: the network takes ", extents_text(In::extents.data(), 3), ", found images of ",
                  io::shape_text(std::vector{images.height, images.width, images.channels}));
    if (scaling.mean.size() != channels || scaling.deviation.size() != channels)
      throw_error("images: expected a mean and a deviation for each of the ", channels, " channels, found ",
                  scaling.mean.size(), " and ", scaling.deviation.size());
    for (std::size_t c = 0; c < channels; ++c)
      if (!std::isfinite(scaling.mean[c]) || !(scaling.deviation[c] > 0))
        throw_error("images: expected a finite mean and a deviation above 0 of channel ", c, ", found ",
                    scaling.mean[c], " and ", scaling.deviation[c]);
    for (const std::size_t row : rows_)
      if (row >= images.size()) throw_error("images: expected rows below ", images.size(), ", found ", row);
    if (augmentation.padding > std::min(height, width))
      throw_error("images: expected at most ", std::min(height, width), " pixels of padding, found ",
                  augmentation.padding);
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t v = 0; v < 256; ++v)
        numbers_.push_back(
            static_cast<Scalar>((static_cast<double>(v) / 255 - scaling.mean[c]) / scaling.deviation[c]));
  }

  std::size_t size() const { return rows_.size(); }
  static constexpr std::size_t targets_per_sample() { return 1; }
  Label label(std::size_t index) const { return images_->labels[rows_[index]]; }
  const std::vector<std::string>& classes() const { return images_->classes; }

  void load(std::size_t index, SampleSlot<In, Scalar>& slot) const {
    const std::size_t row = rows_[index];
    ImageChange change;
    if (slot.epoch > 0) change = draw_change(augmentation_, seed_, slot.epoch, row, height, width);
    crop(images_->image(row).data(), change, slot.input);
    for (std::size_t y = change.top; y < change.bottom; ++y)
      std::fill(slot.input + (y * width + change.left) * channels, slot.input + (y * width + change.end) * channels,
                Scalar(0));
    if (slot.target_count > 0) slot.targets[0] = static_cast<Scalar>(images_->labels[row]);
  }

 private:
  void crop(const std::uint8_t* image, const ImageChange& change, Scalar* to) const {
    constexpr auto columns = static_cast<std::ptrdiff_t>(width);
    // Columns of the crop that lie inside the image.
    const std::ptrdiff_t first = std::clamp<std::ptrdiff_t>(-change.right, 0, columns);
    const std::ptrdiff_t last = std::clamp<std::ptrdiff_t>(columns - change.right, 0, columns);
    for (std::size_t y = 0; y < height; ++y, to += width * channels) {
      const std::ptrdiff_t from = static_cast<std::ptrdiff_t>(y) + change.down;
      const bool inside = from >= 0 && from < static_cast<std::ptrdiff_t>(height);
      const std::uint8_t* pixel =
          inside ? image + (from * columns + change.right + first) * static_cast<std::ptrdiff_t>(channels) : nullptr;
      for (std::ptrdiff_t x = 0; x < columns; ++x) {
        const bool black = !inside || x < first || x >= last;
        Scalar* number = to + static_cast<std::size_t>(change.flip ? columns - 1 - x : x) * channels;
        for (std::size_t c = 0; c < channels; ++c) number[c] = numbers_[c * 256 + (black ? 0 : *pixel++)];
      }
    }
  }

  const ImageSet* images_;
  std::vector<std::size_t> rows_;
  Augmentation augmentation_;
  Seed seed_;
  std::vector<Scalar> numbers_;  ///< what each byte of each channel becomes [channels, 256]
};

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
