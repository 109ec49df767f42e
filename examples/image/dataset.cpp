// Reading and splitting.
#include "dataset.hpp"

#include <aila/data/cifar10.hpp>
#include <aila/data/find.hpp>
#include <aila/data/mnist.hpp>

namespace image {
namespace {

/// Of those that are packed like MNIST.
std::vector<std::string> grey_classes(const std::string& name) {
  return name == "mnist" ? aila::data::digit_classes() : aila::data::fashion_classes();
}

aila::data::ImageParts read(const std::string& name, const std::filesystem::path& folder) {
  return name == "cifar-10" ? aila::data::read_cifar10(folder) : aila::data::read_mnist(folder, grey_classes(name));
}

/// The test part beside a training part of no images, of the same size.
aila::data::ImageParts read_test(const std::string& name, const std::filesystem::path& folder) {
  aila::data::ImageParts parts;
  parts.test = name == "cifar-10" ? aila::data::read_cifar10_test(folder)
                                  : aila::data::read_mnist_test(folder, grey_classes(name));
  auto& none = parts.train;
  none.height = parts.test.height;
  none.width = parts.test.width;
  none.channels = parts.test.channels;
  none.classes = parts.test.classes;
  return parts;
}

void shorten(aila::data::ImageSet& images, std::size_t limit) {
  if (limit == 0 || images.size() <= limit) return;
  images.labels.resize(limit);
  images.pixels.resize(limit * images.image_bytes());
}

Dataset dataset_of(const std::string& name, const std::filesystem::path& data) {
  Dataset set;
  set.name = name;
  set.folder = aila::data::data_folder(name, data);
  return set;
}

}  // namespace

Dataset read_dataset(const std::string& name, const std::filesystem::path& data, std::size_t limit) {
  Dataset set = dataset_of(name, data);
  set.images = read(name, set.folder);
  shorten(set.images.train, limit);
  shorten(set.images.test, limit);
  set.split = aila::data::stratified_split(set.images.train.labels, 0.1, {0});
  set.scaling = aila::data::measure_channels(set.images.train, set.split.train);
  return set;
}

Dataset read_test_part(const std::string& name, const std::filesystem::path& data, std::size_t limit) {
  Dataset set = dataset_of(name, data);
  set.images = read_test(name, set.folder);
  shorten(set.images.test, limit);
  return set;
}

}  // namespace image
