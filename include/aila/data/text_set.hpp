// Texts as numbers of words, with a class each.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../core/error.hpp"
#include "../learn/view.hpp"
#include "label.hpp"
#include "labelled_texts.hpp"
#include "text.hpp"
#include "vocabulary.hpp"

namespace aila::inline v0::data {

/// N texts of any lengths, each as the numbers of its words in a vocabulary; and what was found odd, a sentence each.
struct TextSet {
  std::vector<std::int32_t> tokens{};  ///< of all texts, one behind the other
  std::vector<std::size_t> begins{0};  ///< where each text begins, and at last where all end
  std::vector<Label> labels{};
  std::vector<std::string> classes{};
  std::size_t unknown_tokens = 0;  ///< tokens that the vocabulary does not have
  std::vector<std::string> warnings{};

  std::size_t size() const { return labels.size(); }
  std::span<const std::int32_t> text(std::size_t i) const {
    return std::span(tokens).subspan(begins[i], begins[i + 1] - begins[i]);
  }
  /// Throws Error unless there is a text of at least one token for each label.
  void check() const { aila::detail::check_texts(tokens.size(), begins, size()); }
  /// Texts with more tokens than a network reads.
  std::size_t longer_than(std::size_t steps) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < size(); ++i) count += text(i).size() > steps ? 1U : 0U;
    return count;
  }
};

/// Counts the words of the texts `rows`: give those of the training part. Throws Error for rows that there are not.
inline WordCounter count_words(const LabelledTexts& texts, std::span<const std::size_t> rows) {
  WordCounter counter;
  Tokeniser tokeniser;
  for (const std::size_t row : rows) {
    if (row >= texts.size()) throw_error("texts: expected rows below ", texts.size(), ", found ", row);
    tokeniser(texts.texts[row], [&](std::string_view token) { counter.add(token); });
  }
  return counter;
}

/// The numbers of one text's tokens; at least one, so that a text without any reads as an unknown word.
inline std::vector<std::int32_t> numbers_of(std::string_view text, const Vocabulary& vocabulary, Tokeniser& tokeniser) {
  std::vector<std::int32_t> numbers;
  tokeniser(text, [&](std::string_view token) { numbers.push_back(vocabulary.number(token)); });
  if (numbers.empty()) numbers.push_back(Vocabulary::unknown);
  return numbers;
}

/// All texts by a vocabulary. Throws Error where there is not a label for each text; a text without tokens becomes one
/// unknown word and gives a warning.
inline TextSet number_texts(const LabelledTexts& texts, const Vocabulary& vocabulary) {
  if (texts.labels.size() != texts.size())
    throw_error("texts: expected a label for each of the ", texts.size(), " texts, found ", texts.labels.size());
  TextSet set;
  set.labels = texts.labels;
  set.classes = texts.classes;
  set.warnings = texts.warnings;
  Tokeniser tokeniser;
  std::size_t empty = 0;
  for (const std::string& text : texts.texts) {
    const std::size_t begin = set.tokens.size();
    tokeniser(text, [&](std::string_view token) {
      set.tokens.push_back(vocabulary.number(token));
      set.unknown_tokens += set.tokens.back() == Vocabulary::unknown ? 1U : 0U;
    });
    if (set.tokens.size() == begin) {
      set.tokens.push_back(Vocabulary::unknown);
      ++empty;
    }
    set.begins.push_back(set.tokens.size());
  }
  if (empty > 0)
    set.warnings.push_back(std::to_string(empty) + " of " + std::to_string(set.size()) +
                           " texts have no word; each was read as one unknown word");
  return set;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
