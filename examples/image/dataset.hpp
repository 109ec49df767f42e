// The images of a task, split and measured.
#pragma once

#include <aila/data/channel_scaling.hpp>
#include <aila/data/image_set.hpp>
#include <aila/data/split.hpp>
#include <filesystem>
#include <string>

namespace image {

/// Whether the images of the data set of this name have one channel, not three.
inline bool is_grey(const std::string& name) {
  return name != "cifar-10";
}

/// A tenth of the training images, of each class alike, validates. Which they are does not depend on the seeds of the
/// trainings, so that all are validated on the same ones.
struct Dataset {
  std::string name;
  std::filesystem::path folder;
  aila::data::ImageParts images;
  aila::data::Split split;             ///< of images.train
  aila::data::ChannelScaling scaling;  ///< by the images that train

  const std::vector<std::string>& classes() const { return images.test.classes; }
  /// Whether there is a training part.
  bool trains() const { return !split.train.empty(); }
};

/// Reads a data set by its name; of each part the first `limit` images (0: all). Throws aila::Error as data_folder and
/// the loaders, and where there are too few images to split.
Dataset read_dataset(const std::string& name, const std::filesystem::path& data, std::size_t limit);

/// The test part alone, for a model that was trained before: without training part, split and measures. Throws
/// aila::Error as data_folder and the loaders.
Dataset read_test_part(const std::string& name, const std::filesystem::path& data, std::size_t limit);

}  // namespace image
