// Models in files: the weights as X.safetensors, and the words that they were trained with as X-words.safetensors.
#pragma once

#include <filesystem>
#include <memory>

#include "../common/run.hpp"
#include "../common/saved_file.hpp"
#include "reviews.hpp"

namespace sentiment {

inline constexpr const char* program = "aila sentiment";

/// The file of the words that belongs to a file of weights.
std::filesystem::path words_file(const std::filesystem::path& model);

/// What a file of weights says about itself, but for network, policy and seed.
aila::io::Metadata metadata_of(const Words& words, const Reading& reading);

/// Writes the words, unless the file has them already.
void save_words(const std::filesystem::path& path, const Words& words);

/// What a saved model is.
struct Saved {
  example::Candidate candidate{};
  std::uint64_t seed = 0;
  Reading reading{};
  Words words{};
};

/// Reads all but the weights. Throws aila::Error, one sentence that begins with a file's name, for files that are none
/// of this program's, and words that belong to other weights.
Saved read_saved(const std::filesystem::path& model);

}  // namespace sentiment
