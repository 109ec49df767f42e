// What the user asks for on the command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../common/device.hpp"
#include "../common/run.hpp"
#include "reviews.hpp"

namespace sentiment {

struct Options {
  std::optional<std::filesystem::path> report, plot, save, load;
  Reviews::Options reviews;
  std::vector<example::Candidate> candidates;
  std::vector<std::uint64_t> seeds;
  example::Training training;
  double label_smoothing = 0;
  std::vector<std::string> texts;  ///< reviews to classify
  bool test = false;               ///< measure a saved model on the test part
  std::size_t threads = 1;
  example::Device device = example::Device::cpu;
  bool summary = false;
  bool quiet = false;

  /// Whether anything is measured, and so reported.
  bool measures() const { return !load || test; }
};

/// Reads the command line. Empty where only help was asked for, which is then printed.
/// Throws aila::Error, one sentence, for whatever is not understood.
std::optional<Options> parse_options(int argc, const char* const* argv);

}  // namespace sentiment
