// Words and their numbers.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../io/atomic_file.hpp"
#include "../io/input_file.hpp"
#include "../io/lines.hpp"
#include "../io/text.hpp"
#include "word_map.hpp"

namespace aila::inline v0::data {

/// Numbers 0 for padding and 1 for words that are not in it; its own words have the numbers from 2 on.
class Vocabulary {
 public:
  static constexpr std::int32_t padding = 0, unknown = 1, first = 2;

  Vocabulary() = default;
  /// Words in the order of their numbers, and how often each was seen (none: never). Throws Error for a word that is
  /// there twice or has nothing in it.
  explicit Vocabulary(std::vector<std::string> words, std::vector<std::uint64_t> counts = {})
      : words_(std::move(words)), counts_(std::move(counts)) {
    counts_.resize(words_.size());
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (words_[i].empty()) throw_error("vocabulary: word ", i, " has no letters");
      if (!numbers_.emplace(words_[i], static_cast<std::int32_t>(i) + first).second)
        throw_error("vocabulary: the word ", io::printable(words_[i]), " is there twice");
    }
  }

  std::int32_t number(std::string_view word) const {
    const auto found = numbers_.find(word);
    return found == numbers_.end() ? unknown : found->second;
  }
  /// The word of a number: "" for padding, "?" for unknown words and numbers that are none of its own.
  std::string_view word(std::int32_t number) const {
    if (number == padding) return "";
    const auto i = static_cast<std::size_t>(std::max(number, first) - first);
    return number < first || i >= words_.size() ? "?" : std::string_view(words_[i]);
  }
  /// Numbers in use, padding and unknown words among them: the rows of an embedding.
  std::size_t size() const { return words_.size() + first; }
  const std::vector<std::string>& words() const { return words_; }      ///< number 2 comes first
  const std::vector<std::uint64_t>& counts() const { return counts_; }  ///< of the same words

 private:
  std::vector<std::string> words_;
  std::vector<std::uint64_t> counts_;
  detail::WordMap<std::int32_t> numbers_;
};

struct VocabularyOptions {
  std::uint64_t min_count = 1;  ///< rarer words are unknown ones
  std::size_t max_words = 0;    ///< the most frequent stay; 0: all
};

/// Counts words. Give it those of the training part and no others.
class WordCounter {
 public:
  void add(std::string_view word) {
    const auto found = counts_.find(word);
    if (found != counts_.end())
      ++found->second;
    else
      counts_.emplace(word, 1);
  }

  /// Frequent words first, equally frequent ones by their bytes: the same for any order of counting.
  Vocabulary vocabulary(const VocabularyOptions& options = {}) const {
    std::vector<std::pair<std::string_view, std::uint64_t>> kept;
    for (const auto& [word, count] : counts_)
      if (count >= options.min_count) kept.emplace_back(word, count);
    std::ranges::sort(kept, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    const std::size_t most = std::numeric_limits<std::int32_t>::max() - Vocabulary::first;
    kept.resize(std::min({kept.size(), options.max_words == 0 ? most : options.max_words, most}));
    std::vector<std::string> words;
    std::vector<std::uint64_t> counts;
    for (const auto& [word, count] : kept) {
      words.emplace_back(word);
      counts.push_back(count);
    }
    return Vocabulary(std::move(words), std::move(counts));
  }

 private:
  detail::WordMap<std::uint64_t> counts_;
};

/// A vocabulary from text with one word a line (`io::Lines`), the word of number 2 first; blanks and tabs around a word
/// are none of it. Throws Error as the constructor does.
inline Vocabulary parse_vocabulary(std::string_view text, const std::string& name) {
  std::vector<std::string> words;
  io::Lines lines(text, name);
  for (std::string_view line; lines.next(line);) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    words.emplace_back(line.substr(0, line.find_last_not_of(" \t") + 1));
  }
  return aila::detail::rephrasing<Error>([&] { return Vocabulary(std::move(words)); },
                                         [&](const Error& error) { return name + ": " + error.what(); });
}

inline Vocabulary read_vocabulary(const std::filesystem::path& path) {
  return parse_vocabulary(io::read_text(path), io::display_name(path));
}

/// Writes what `read_vocabulary` reads; counts are left out. Throws Error for a word that a line cannot hold as it is:
/// with a blank at an end, an end of a line or a byte of value 0 in it, or a byte order mark in front.
inline void write_vocabulary(const std::filesystem::path& path, const Vocabulary& vocabulary) {
  using namespace std::literals;
  constexpr std::string_view blanks = " \t\r";
  std::string text;
  for (const std::string& word : vocabulary.words()) {
    if (blanks.find(word.front()) != std::string_view::npos || blanks.find(word.back()) != std::string_view::npos ||
        word.find_first_of("\n\0"sv) != std::string_view::npos || word.starts_with(io::byte_order_mark))
      throw_error(io::display_name(path), ": expected words that a line can hold, found \"", io::printable(word), "\"");
    text += word + '\n';
  }
  io::write_text(path, text);
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
