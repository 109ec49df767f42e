// CIFAR-10, binary version: https://www.cs.toronto.edu/~kriz/cifar.html
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "../core/error.hpp"
#include "../io/input_file.hpp"
#include "image_set.hpp"

namespace aila::inline v0::data {

/// No images yet, of the size and with the classes of CIFAR-10.
inline ImageSet no_cifar10_images() {
  return {.height = 32,
          .width = 32,
          .channels = 3,
          .classes = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}};
}

/// Appends the images of one file: records of a label and 1024 red, 1024 green and 1024 blue bytes, row by row.
/// Throws Error, one sentence that begins with `name`, for another size than `records` of them (0: any number but
/// none) and for a label above 9.
inline void parse_cifar10(std::span<const std::byte> bytes, const std::string& name, ImageSet& images,
                          std::size_t records = 0) {
  constexpr std::size_t plane = 1024, channels = 3, record = 1 + channels * plane;
  if (images.height * images.width != plane || images.height != images.width || images.channels != channels)
    throw_error(name, ": expected a set of images of 32 x 32 x 3 to append to, found one of ",
                io::shape_text(std::vector{images.height, images.width, images.channels}));
  if (records > 0 && (bytes.size() / record != records || bytes.size() % record != 0))
    throw_error(name, ": expected ", records, " records of ", record, " bytes, ",
                (records > std::numeric_limits<std::size_t>::max() / record ? "more than a file has"
                                                                            : std::to_string(records * record)),
                " in all, found ", bytes.size());
  if (bytes.empty() || bytes.size() % record != 0)
    throw_error(name, ": expected records of ", record, " bytes, found ", bytes.size(), " bytes in all");
  const std::size_t before = images.size(), count = bytes.size() / record;
  for (std::size_t i = 0; i < count; ++i)
    if (const auto label = std::to_integer<std::size_t>(bytes[i * record]); label >= images.classes.size())
      throw_error(name, ": expected labels from 0 to ", images.classes.size() - 1, ", record ", i, " has ", label);
  images.labels.resize(before + count);
  images.pixels.resize((before + count) * images.image_bytes());
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* from = bytes.data() + i * record;
    std::uint8_t* to = images.pixels.data() + (before + i) * images.image_bytes();
    images.labels[before + i] = std::to_integer<Label>(*from++);
    for (std::size_t p = 0; p < plane; ++p)
      for (std::size_t c = 0; c < channels; ++c)
        to[p * channels + c] = std::to_integer<std::uint8_t>(from[c * plane + p]);
  }
}

/// Training and test part from the folder that the archive unpacks to (data_batch_1.bin to data_batch_5.bin,
/// test_batch.bin), in the files' order. Throws Error as `parse_cifar10` and for a file that is missing; `records` is
/// the number in each file.
inline ImageParts read_cifar10(const std::filesystem::path& folder, std::size_t records = 10000) {
  ImageParts parts{.train = no_cifar10_images(), .test = no_cifar10_images()};
  const std::size_t expected = 5 * std::min<std::size_t>(records, 10000);
  parts.train.labels.reserve(expected);
  parts.train.pixels.reserve(expected * parts.train.image_bytes());
  const auto read = [&](const std::string& name, ImageSet& images) {
    parse_cifar10(io::read_bytes(folder / name), name, images, records);
  };
  for (const char digit : {'1', '2', '3', '4', '5'}) read(std::string("data_batch_") + digit + ".bin", parts.train);
  read("test_batch.bin", parts.test);
  return parts;
}

/// The test part alone; the training part need not be there. Throws as read_cifar10.
inline ImageSet read_cifar10_test(const std::filesystem::path& folder, std::size_t records = 10000) {
  auto images = no_cifar10_images();
  parse_cifar10(io::read_bytes(folder / "test_batch.bin"), "test_batch.bin", images, records);
  return images;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
