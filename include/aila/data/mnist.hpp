// MNIST and what is packed like it: Fashion-MNIST (https://github.com/zalandoresearch/fashion-mnist) and others.
#pragma once

#include "../core/macros_aside.hpp"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "gzip.hpp"
#include "idx.hpp"

namespace aila::inline v0::data {

/// The classes of MNIST.
inline std::vector<std::string> digit_classes() {
  return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
}

/// The classes of Fashion-MNIST.
inline std::vector<std::string> fashion_classes() {
  return {"T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"};
}

namespace detail {

/// One part by the begin of its files' names, train or t10k.
inline ImageSet read_mnist_part(const std::filesystem::path& folder, const std::string& part,
                                const std::vector<std::string>& classes) {
  const auto read = [&](const std::string& name) {
    std::error_code code;
    const bool plain = std::filesystem::exists(folder / name, code);
    const std::string found = plain ? name : name + ".gz";
    return parse_idx(read_bytes_unpacked(folder / found), found);
  };
  auto images = read(part + "-images-idx3-ubyte");
  const auto labels = read(part + "-labels-idx1-ubyte");
  return aila::detail::rephrasing<Error>([&] { return images_of(std::move(images), labels, classes); },
                                         [&](const Error& error) { return part + "-" + error.what(); });
}

}  // namespace detail

/// Training and test part from a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte and the same of t10k,
/// each as it is or with .gz. Throws Error for a missing file, and as `gunzip`, `parse_idx` and `images_of`.
inline ImageParts read_mnist(const std::filesystem::path& folder, const std::vector<std::string>& classes) {
  return {.train = detail::read_mnist_part(folder, "train", classes),
          .test = detail::read_mnist_part(folder, "t10k", classes)};
}

/// The test part alone; the training part need not be there. Throws as read_mnist.
inline ImageSet read_mnist_test(const std::filesystem::path& folder, const std::vector<std::string>& classes) {
  return detail::read_mnist_part(folder, "t10k", classes);
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
