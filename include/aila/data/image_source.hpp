// Images as samples of a network: bytes become numbers, and change by chance in training.
#pragma once

#include "../core/macros_aside.hpp"

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
template <ImageShape In, class Scalar = float>
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
    aila::detail::check_rows("images", rows_, images.size());
    augmentation.check(height, width);
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t v = 0; v < 256; ++v)
        numbers_.push_back(
            static_cast<Scalar>((static_cast<double>(v) / 255 - scaling.mean[c]) / scaling.deviation[c]));
  }

  std::size_t size() const { return rows_.size(); }
  static constexpr std::size_t targets_per_sample() { return 1; }
  Label label(std::size_t index) const { return images_->labels[rows_[index]]; }
  const std::vector<std::string>& classes() const { return images_->classes; }

  /// The same as a view, whose memory is this source's and the set's: a backend with memory of its own may keep a copy.
  ImagesView<In, Scalar> view() const {
    return {.pixels = images_->pixels,
            .labels = images_->labels,
            .numbers = numbers_,
            .rows = rows_,
            .augmentation = augmentation_,
            .seed = seed_};
  }
  void load(std::size_t index, SampleSlot<In, Scalar>& slot) const { view().load(index, slot); }

 private:
  const ImageSet* images_;
  std::vector<std::size_t> rows_;
  Augmentation augmentation_;
  Seed seed_;
  std::vector<Scalar> numbers_;
};

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
