// Files of images: CIFAR-10, IDX, IDX packed by gzip, and those of Netpbm.
#pragma once

#include <aila/data/cifar10.hpp>
#include <aila/data/gzip.hpp>
#include <aila/data/idx.hpp>
#include <aila/data/pnm.hpp>
#include <vector>

#include "../gzip_of.hpp"
#include "promise.hpp"

namespace aila_fuzz {

struct Cifar10 {
  static constexpr const char* name = "Cifar10";
  static std::vector<std::string> seeds() {
    return {std::string(3073, '\3'), std::string(2 * 3073, '\0') + std::string(3072, '\xFF')};
  }
  static void run(std::string_view bytes) {
    for (const std::size_t records : {0U, 1U})
      keeps_promise([&] {
        auto images = aila::data::no_cifar10_images();
        aila::data::parse_cifar10(bytes_of(bytes), "c.bin", images, records);
        require(images.size() * 3073 == bytes.size(), "every record is an image");
        images.check();
      });
  }
};

struct Idx {
  static constexpr const char* name = "Idx";
  static std::vector<std::string> seeds() {
    return {std::string("\0\0\x08\x01\0\0\0\x03", 8) + std::string("\0\1\2", 3),
            std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02", 16) + "abcd",
            std::string("\0\0\x08\x04\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x03", 20) + "abc"};
  }
  static void run(std::string_view bytes) {
    keeps_promise([&] {
      const auto array = aila::data::parse_idx(bytes_of(bytes), "i");
      std::size_t elements = 1;
      for (const std::size_t extent : array.extents) elements *= extent;
      require(elements == array.values.size(), "the array has the shape of its header");
      const std::size_t n = array.extents[0];
      keeps_promise([&] {
        const aila::data::IdxArray labels{
            .extents = {n}, .values = {array.values.begin(), array.values.begin() + static_cast<std::ptrdiff_t>(n)}};
        aila::data::images_of(array, labels, {"a", "b", "c"}).check();
      });
    });
  }
};

struct Pnm {
  static constexpr const char* name = "Pnm";
  static std::vector<std::string> seeds() {
    return {"P5\n# grey\n2 3\n255\nabcdef", "P6 1 2 255\nabcdef", "P5 1 1 7 \3"};
  }
  static void run(std::string_view bytes) {
    keeps_promise([&] {
      const auto image = aila::data::parse_pnm(bytes_of(bytes), "i.ppm");
      require(image.size() == 1 && image.pixels.size() == image.image_bytes(), "one image of its size");
    });
  }
};

struct IdxGzip {
  static constexpr const char* name = "IdxGzip";
  static std::vector<std::string> seeds() {
    std::vector<std::string> files;
    for (const auto& seed : Idx::seeds())
      for (const int level : {0, 9}) files.push_back(aila_test::gzip_of(seed, level));
    files.push_back(files[0] + files[1]);
    files.push_back(aila_test::gzip_of(std::string(100000, 'a')));
    return files;
  }
  static void run(std::string_view bytes) {
    keeps_promise([&] {
      const auto contents = aila::data::gunzip(bytes_of(bytes), "i.gz", 1U << 20U);
      require(contents.size() <= 1U << 20U, "no more is unpacked than allowed");
      Idx::run({reinterpret_cast<const char*>(contents.data()), contents.size()});
    });
  }
};

}  // namespace aila_fuzz
