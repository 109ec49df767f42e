// What a saved model knows of its data.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "dataset.hpp"
#include "options.hpp"

namespace image {

/// Of the saved file, besides the weights, the network, its policy and the seed.
std::map<std::string, std::string> metadata_of(const Dataset& dataset);

/// A saved model: which network it is, and the test part of the data that it was trained on, read as `options` say and
/// scaled as the file tells. Throws aila::Error for a file that is none of this program's, and as read_test_part.
struct SavedModel {
  SavedModel(const std::filesystem::path& path, const Options& options);

  example::Candidate candidate;
  std::uint64_t seed = 0;
  Dataset dataset;
};

}  // namespace image
