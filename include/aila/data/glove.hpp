// Word vectors as text, the format of GloVe: https://nlp.stanford.edu/projects/glove
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../core/taking.hpp"
#include "../io/input_file.hpp"
#include "../io/number.hpp"
#include "../io/text.hpp"
#include "vocabulary.hpp"
#include "word_vectors.hpp"

namespace aila::inline v0::data {

namespace detail {

/// Takes the lines of a file one by one, and keeps the vectors of the vocabulary's words.
class GloveReader {
 public:
  GloveReader(const Vocabulary& vocabulary, std::size_t dimension, std::string name)
      : vocabulary_(vocabulary), name_(std::move(name)) {
    if (dimension == 0) throw Error(name_ + ": expected vectors of at least one number, asked for none");
    vectors_.words = vocabulary.size();
    vectors_.dimension = dimension;
    vectors_.found.resize(vectors_.words);
  }

  void line(std::string_view text) {
    ++line_;
    if (text.ends_with('\r')) text.remove_suffix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);  // word2vec and fastText leave a space there
    const std::size_t dimension = vectors_.dimension;
    const auto blanks = static_cast<std::size_t>(std::ranges::count(text, ' '));
    if (line_ == 1 && blanks == 1 && dimension > 1) {  // how many words and numbers: word2vec's first line
      const auto numbers = io::number<double>(text.substr(text.find(' ') + 1));
      if (numbers == static_cast<double>(dimension) && io::number<double>(text.substr(0, text.find(' ')))) return;
    }
    if (blanks < dimension) fail("a word and " + std::to_string(dimension) + " numbers", blanks);
    // GloVe 840B has words with blanks in them, so the numbers are the fields at the end.
    std::size_t word_end = 0;
    for (std::size_t i = blanks - dimension;; --i) {
      word_end = text.find(' ', word_end + (word_end > 0 ? 1 : 0));
      if (i == 0) break;
    }
    const auto word = text.substr(0, word_end);
    if (word.empty()) fail("a word", "a blank");
    if (blanks > dimension && io::number<float>(word.substr(word.rfind(' ') + 1)))
      fail("a word and " + std::to_string(dimension) + " numbers", blanks);
    if (++words_ == 1) take_room();
    const std::int32_t number = vocabulary_.number(word);
    if (number == Vocabulary::unknown) return;
    const auto row = static_cast<std::size_t>(number);
    if (vectors_.found[row]) {
      ++repeated_;
      return;
    }
    vectors_.found[row] = true;
    text.remove_prefix(word_end + 1);
    for (std::size_t i = 0; i < dimension; ++i) {
      const auto field = text.substr(0, text.find(' '));
      const auto value = io::number<float>(field);
      if (!value) fail("a number", '"' + io::printable(field) + '"');
      vectors_.values[row * dimension + i] = *value;
      text.remove_prefix(std::min(field.size() + 1, text.size()));
    }
  }

  WordVectors finish() {
    if (words_ == 0) throw Error(name_ + ": expected word vectors, found none");
    if (repeated_ > 0)
      vectors_.warnings.push_back(name_ + ": " + std::to_string(repeated_) +
                                  " lines have a word that came before; the first line counts");
    const Coverage sum = coverage(vectors_, vocabulary_);
    if (sum.missing_words > 0) {
      const std::string tokens =
          ", " + std::to_string(sum.missing_tokens) + " of " + std::to_string(sum.tokens) + " tokens";
      vectors_.warnings.push_back(name_ + ": " + std::to_string(sum.missing_words) + " of " +
                                  std::to_string(sum.words) + " words" + (sum.tokens > 0 ? tokens + "," : "") +
                                  " have no vector; it is zero");
    }
    return std::move(vectors_);
  }

 private:
  /// When a line has as many numbers as were asked for: an absurd dimension takes no memory.
  void take_room() {
    aila::detail::or_no_memory(
        [&] {
          if (vectors_.dimension > vectors_.values.max_size() / vectors_.words) throw std::bad_alloc();
          vectors_.values.resize(vectors_.words * vectors_.dimension);
          return true;
        },
        [&] {
          return name_ + ": there is no memory for " + std::to_string(vectors_.words) + " vectors of " +
                 std::to_string(vectors_.dimension) + " numbers";
        });
  }
  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    throw Error(name_ + ":" + std::to_string(line_) + ": expected " + expected + ", found " + found);
  }
  [[noreturn]] void fail(const std::string& expected, std::size_t numbers) const {
    fail(expected, std::to_string(numbers) + (numbers == 1 ? " field" : " fields") + " behind the word");
  }

  const Vocabulary& vocabulary_;
  std::string name_;
  WordVectors vectors_;
  std::size_t line_ = 0, words_ = 0, repeated_ = 0;
};

}  // namespace detail

/// The vectors of a vocabulary's words, from lines "word v1 ... v<dimension>" with single spaces (a first line of
/// word2vec, with the two sizes, is passed over). Throws Error "name:line: sentence" for a line with another number of
/// fields, numbers that are none, and a text without vectors; words without a vector, and vectors given twice, give
/// warnings. The numbers of words that the vocabulary does not have are counted, not read.
inline WordVectors parse_glove(std::string_view text, const std::string& name, const Vocabulary& vocabulary,
                               std::size_t dimension) {
  detail::GloveReader reader(vocabulary, dimension, name);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    reader.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.finish();
}

/// The same of a file, of which only a part is in memory at a time.
inline WordVectors read_glove(const std::filesystem::path& path, const Vocabulary& vocabulary, std::size_t dimension) {
  io::InputFile file(path);
  detail::GloveReader reader(vocabulary, dimension, file.name());
  std::string buffer;
  for (std::uint64_t left = file.size(); left > 0;) {
    const std::size_t kept = buffer.size();
    const auto more = static_cast<std::size_t>(std::min<std::uint64_t>(left, 1U << 20U));
    buffer.resize(kept + more);
    file.read(std::as_writable_bytes(std::span(buffer).subspan(kept)));
    left -= more;
    std::string_view text = buffer;
    for (auto end = text.find('\n', kept); end != std::string_view::npos; end = text.find('\n')) {
      reader.line(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    buffer.erase(0, buffer.size() - text.size());
  }
  if (!buffer.empty()) reader.line(buffer);
  return reader.finish();
}

}  // namespace aila::inline v0::data
