// What the user asks for on the command line.
#pragma once

#include <aila/data/augment.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../common/device.hpp"
#include "../common/run.hpp"

namespace image {

struct Options {
  std::optional<std::filesystem::path> report, plot, save, load, predict;
  std::filesystem::path data;  ///< empty: where data_folder looks
  std::string dataset = "fashion-mnist";
  std::vector<example::Candidate> candidates;
  std::vector<std::uint64_t> seeds;
  example::Training training;
  double label_smoothing = 0;
  aila::data::Augmentation augmentation;
  std::size_t limit = 0;  ///< most images of each part; 0: all
  std::size_t threads = 1;
  example::Device device = example::Device::cpu;
  bool summary = false;
  bool quiet = false;
};

/// fashion-mnist, cifar-10, mnist.
const std::vector<std::string>& dataset_names();

/// Reads the command line. Empty where only help was asked for, which is then printed.
/// Throws aila::Error, one sentence, for whatever is not understood.
std::optional<Options> parse_options(int argc, const char* const* argv);

}  // namespace image
