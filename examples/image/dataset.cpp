// Reading and splitting.
#include "dataset.hpp"

#include <aila/data/cifar10.hpp>
#include <aila/data/find.hpp>
#include <aila/data/mnist.hpp>

namespace image {
namespace {

aila::data::ImageParts read(const std::string& name, const std::filesystem::path& folder) {
  if (name == "cifar-10") return aila::data::read_cifar10(folder);
  return aila::data::read_mnist(folder, name == "mnist" ? aila::data::digit_classes() : aila::data::fashion_classes());
}

void shorten(aila::data::ImageSet& images, std::size_t limit) {
  if (limit == 0 || images.size() <= limit) return;
  images.labels.resize(limit);
  images.pixels.resize(limit * images.image_bytes());
}

}  // namespace

Dataset read_dataset(const std::string& name, const std::filesystem::path& data, std::size_t limit) {
  Dataset set;
  set.name = name;
  set.folder = aila::data::data_folder(name, data);
  set.images = read(name, set.folder);
  shorten(set.images.train, limit);
  shorten(set.images.test, limit);
  set.split = aila::data::stratified_split(set.images.train.labels, 0.1, {0});
  set.scaling = aila::data::measure_channels(set.images.train, set.split.train);
  return set;
}

}  // namespace image
