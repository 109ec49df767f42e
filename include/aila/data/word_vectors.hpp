// A vector for each word of a vocabulary.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../core/error.hpp"
#include "vocabulary.hpp"

namespace aila::inline v0::data {

/// Rows [words, dimension] by the vocabulary's numbers; those of padding and of words without a vector are zero.
struct WordVectors {
  std::size_t words = 0, dimension = 0;
  std::vector<float> values{};
  std::vector<bool> found{};  ///< whether a word has a vector
  std::vector<std::string> warnings{};

  std::span<const float> of(std::int32_t number) const {
    return std::span(values).subspan(static_cast<std::size_t>(number) * dimension, dimension);
  }
};

/// How much of a text, as often as its words were counted, the vectors know.
struct Coverage {
  std::size_t words = 0, missing_words = 0;
  std::uint64_t tokens = 0, missing_tokens = 0;
};

/// Throws Error where they are the vectors of another number of words.
inline Coverage coverage(const WordVectors& vectors, const Vocabulary& vocabulary) {
  if (vectors.found.size() != vocabulary.size())
    throw_error("vectors: expected one for each of the ", vocabulary.size(), " numbers of the vocabulary, found ",
                vectors.found.size());
  Coverage sum;
  for (std::size_t i = 0; i < vocabulary.words().size(); ++i) {
    const bool missing = !vectors.found[i + Vocabulary::first];
    sum.words += 1;
    sum.tokens += vocabulary.counts()[i];
    sum.missing_words += missing ? 1U : 0U;
    sum.missing_tokens += missing ? vocabulary.counts()[i] : 0;
  }
  return sum;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
