// Word vectors as text, the format of GloVe: https://nlp.stanford.edu/projects/glove
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../core/no_memory.hpp"
#include "../io/lines.hpp"
#include "../io/number.hpp"
#include "../io/text.hpp"
#include "vocabulary.hpp"
#include "word_vectors.hpp"

namespace aila::inline v0::data {

namespace detail {

/// Takes the lines of a file one by one, and keeps the vectors of the vocabulary's words.
class GloveReader {
 public:
  GloveReader(io::Lines& lines, const Vocabulary& vocabulary, std::size_t dimension)
      : lines_(lines), vocabulary_(vocabulary) {
    if (dimension == 0) throw_error(lines.name(), ": expected vectors of at least one number, asked for none");
    vectors_.words = vocabulary.size();
    vectors_.dimension = dimension;
    vectors_.found.resize(vectors_.words);
  }

  WordVectors read() {
    for (std::string_view text; lines_.next(text);) {
      while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);  // word2vec and fastText leave blanks
      if (lines_.number() > 1 && simple_line(text)) continue;
      split(text);
      if (lines_.number() == 1 && is_head(text)) continue;
      line(text);
    }
    return finish();
  }

 private:
  /// A line with single blanks, and as many of them as there are numbers: most lines. False for every other line, of
  /// which nothing was read then.
  bool simple_line(std::string_view text) {
    const std::size_t dimension = vectors_.dimension;
    if (static_cast<std::size_t>(std::ranges::count(text, ' ')) != dimension) return false;
    if (text.starts_with(' ') || text.find('\t') != std::string_view::npos) return false;
    const auto word = text.substr(0, text.find(' '));
    const std::int32_t number = vocabulary_.number(word);
    if (number != Vocabulary::unknown && !vectors_.found[static_cast<std::size_t>(number)]) {
      numbers_.resize(dimension);
      auto rest = text.substr(word.size());
      for (float& value : numbers_) {
        rest.remove_prefix(1);
        const auto field = rest.substr(0, rest.find(' '));
        const auto found = io::number<float>(field);
        if (!found) return false;
        value = *found;
        rest.remove_prefix(field.size());
      }
    }
    take(number);
    return true;
  }

  /// Any line: its last fields are the numbers, since GloVe 840B has words with blanks in them.
  void line(std::string_view text) {
    const std::size_t dimension = vectors_.dimension;
    const std::size_t behind = fields_.empty() ? 0 : fields_.size() - 1;
    if (behind < dimension) {
      if (text.starts_with(' ') && fields_.size() == dimension) fail("a word", "a blank");
      fail("a word and " + std::to_string(dimension) + " numbers", behind);
    }
    const std::size_t words = fields_.size() - dimension;
    if (words > 1 && io::number<float>(fields_[words - 1]))
      fail("a word and " + std::to_string(dimension) + " numbers", behind);
    const std::int32_t number = vocabulary_.number(std::string_view(fields_[0].begin(), fields_[words - 1].end()));
    if (number != Vocabulary::unknown && !vectors_.found[static_cast<std::size_t>(number)]) {
      numbers_.clear();
      for (std::size_t i = words; i < fields_.size(); ++i) {
        const auto value = io::number<float>(fields_[i]);
        if (!value) fail("a number", '"' + io::printable(fields_[i]) + '"');
        numbers_.push_back(*value);
      }
    }
    take(number);
  }

  void split(std::string_view text) {
    fields_.clear();
    for (;;) {
      text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
      if (text.empty()) return;
      fields_.push_back(text.substr(0, text.find_first_of(" \t")));
      text.remove_prefix(fields_.back().size());
    }
  }

  /// How many words and numbers there are: word2vec's first line.
  bool is_head(std::string_view text) const {
    return vectors_.dimension > 1 && fields_.size() == 2 && !text.starts_with(' ') && io::number<double>(fields_[0]) &&
           io::number<double>(fields_[1]) == static_cast<double>(vectors_.dimension);
  }

  /// The line of a word by its number, with the numbers of a vector that is wanted.
  void take(std::int32_t number) {
    if (++words_ == 1) take_room();
    if (number == Vocabulary::unknown) return;
    const auto row = static_cast<std::size_t>(number);
    if (vectors_.found[row]) {
      ++repeated_;
      return;
    }
    vectors_.found[row] = true;
    std::ranges::copy(numbers_, vectors_.values.begin() + static_cast<std::ptrdiff_t>(row * vectors_.dimension));
  }

  WordVectors finish() {
    if (words_ == 0) throw_error(lines_.name(), ": expected word vectors, found none");
    if (repeated_ > 0)
      vectors_.warnings.push_back(lines_.name() + ": " + std::to_string(repeated_) +
                                  " lines have a word that came before; the first line counts");
    const Coverage sum = coverage(vectors_, vocabulary_);
    if (sum.missing_words > 0) {
      const std::string tokens =
          ", " + std::to_string(sum.missing_tokens) + " of " + std::to_string(sum.tokens) + " tokens";
      vectors_.warnings.push_back(lines_.name() + ": " + std::to_string(sum.missing_words) + " of " +
                                  std::to_string(sum.words) + " words" + (sum.tokens > 0 ? tokens + "," : "") +
                                  " have no vector; it is zero");
    }
    return std::move(vectors_);
  }

  /// When a line has as many numbers as were asked for: an absurd dimension takes no memory.
  void take_room() {
    aila::detail::or_no_memory(
        [&] {
          if (vectors_.dimension > vectors_.values.max_size() / vectors_.words)
            aila::detail::throw_as<std::bad_alloc>();
          vectors_.values.resize(vectors_.words * vectors_.dimension);
          return true;
        },
        [&] {
          return lines_.name() + ": there is no memory for " + std::to_string(vectors_.words) + " vectors of " +
                 std::to_string(vectors_.dimension) + " numbers";
        });
  }
  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    lines_.fail("expected " + expected + ", found " + found);
  }
  [[noreturn]] void fail(const std::string& expected, std::size_t numbers) const {
    fail(expected, std::to_string(numbers) + (numbers == 1 ? " field" : " fields") + " behind the word");
  }

  io::Lines& lines_;
  const Vocabulary& vocabulary_;
  WordVectors vectors_;
  std::vector<std::string_view> fields_;
  std::vector<float> numbers_;
  std::size_t words_ = 0, repeated_ = 0;
};

}  // namespace detail

/// The vectors of a vocabulary's words, from lines "word v1 ... v<dimension>" with blanks or tabs between (a first line
/// of word2vec, with the two sizes, is passed over). Throws Error "name:line: sentence" for a line with another number
/// of fields, numbers that are none, and a text without vectors; words without a vector, and vectors given twice, give
/// warnings. The numbers of words that the vocabulary does not have are counted, not read.
inline WordVectors parse_glove(std::string_view text, const std::string& name, const Vocabulary& vocabulary,
                               std::size_t dimension) {
  io::Lines lines(text, name);
  return detail::GloveReader(lines, vocabulary, dimension).read();
}

/// The same of a file, of which only a part is in memory at a time.
inline WordVectors read_glove(const std::filesystem::path& path, const Vocabulary& vocabulary, std::size_t dimension) {
  io::Lines lines(path);
  return detail::GloveReader(lines, vocabulary, dimension).read();
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
