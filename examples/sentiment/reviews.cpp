// Reading of texts and vectors.
#include "reviews.hpp"

#include <aila/data/find.hpp>
#include <aila/data/glove.hpp>
#include <aila/data/imdb.hpp>
#include <algorithm>

#include "../common/text.hpp"

namespace sentiment {
namespace {

using namespace aila::data;

/// Which texts are taken, and which of them validate: the same for all seeds of training.
constexpr aila::Seed chosen_by{2503};
constexpr double validation_share = 0.1;

/// `limit` texts, as many of each class.
LabelledTexts some(LabelledTexts texts, std::size_t limit) {
  if (limit == 0 || limit >= texts.size()) return texts;
  const double share = static_cast<double>(limit) / static_cast<double>(texts.size());
  const auto rows = stratified_split(texts.labels, share, chosen_by).valid;
  LabelledTexts kept{.classes = texts.classes, .warnings = texts.warnings};
  for (const auto row : rows) {
    kept.texts.push_back(std::move(texts.texts[row]));
    kept.labels.push_back(texts.labels[row]);
  }
  return kept;
}

/// Leaves out the words without a vector.
Words known_words(const Vocabulary& vocabulary, const WordVectors& vectors, std::string file) {
  Words words{.file = std::move(file), .coverage = coverage(vectors, vocabulary)};
  std::vector<std::string> kept;
  std::vector<std::uint64_t> counts;
  auto& known = words.vectors;
  known.dimension = vectors.dimension;
  known.values.resize(Vocabulary::first * known.dimension);
  for (std::size_t i = 0; i < vocabulary.words().size(); ++i) {
    const std::size_t row = i + Vocabulary::first;
    if (!vectors.found[row]) continue;
    kept.push_back(vocabulary.words()[i]);
    counts.push_back(vocabulary.counts()[i]);
    const auto vector = vectors.of(static_cast<std::int32_t>(row));
    known.values.insert(known.values.end(), vector.begin(), vector.end());
  }
  words.vocabulary = Vocabulary(std::move(kept), std::move(counts));
  known.words = words.vocabulary.size();
  known.found.assign(known.words, true);
  return words;
}

/// The part of a text that is read.
std::span<const std::int32_t> read_part(std::span<const std::int32_t> tokens, const Reading& reading) {
  const std::size_t count = std::min(tokens.size(), reading.tokens);
  return reading.keep == Keep::first ? tokens.first(count) : tokens.last(count);
}

}  // namespace

std::filesystem::path vectors_file(const std::filesystem::path& option, const std::filesystem::path& data) {
  if (!option.empty()) return option;
  const auto folder = data_folder("glove", data);
  std::error_code code;
  for (const char* name : {"glove.6B.100d.txt", "imdb-skipgram.100d.txt"})
    if (std::filesystem::exists(folder / name, code)) return folder / name;
  throw aila::Error("vectors: neither glove.6B.100d.txt nor imdb-skipgram.100d.txt is in " + folder.string() +
                    "; get the first by: sh examples/get-data.sh glove, or name a file by --vectors");
}

std::string about(const Words& words) {
  const auto& c = words.coverage;
  const double share = c.tokens == 0 ? 0 : 1 - static_cast<double>(c.missing_tokens) / static_cast<double>(c.tokens);
  return words.file +
         example::text(" has a vector for %zu of the %zu words of the training part, %.1f %% of its tokens",
                       c.words - c.missing_words, c.words, 100 * share);
}

Review read_review(std::string_view text, const Words& words, const Reading& reading) {
  Tokeniser tokeniser;
  auto tokens = tokeniser.tokens(text);
  Review review;
  review.all_tokens = tokens.size();
  const std::size_t count = std::min(tokens.size(), reading.tokens);
  const std::size_t first = reading.keep == Keep::first ? 0 : tokens.size() - count;
  for (std::size_t i = first; i < first + count; ++i) {
    const auto number = words.vocabulary.number(tokens[i]);
    const auto vector = words.vectors.of(number);
    review.input.insert(review.input.end(), vector.begin(), vector.end());
    review.known.push_back(number != Vocabulary::unknown);
    review.tokens.push_back(std::move(tokens[i]));
  }
  review.input.resize(In::elements);
  review.length = static_cast<std::int32_t>(std::max<std::size_t>(count, 1));
  return review;
}

/// Numbers of the part of each text that is read; the rest is counted, and forgotten.
TextSet Reviews::number(const LabelledTexts& texts, const Reading& reading) {
  const auto all = number_texts(texts, words_.vocabulary);
  cut_ += all.longer_than(reading.tokens);
  warnings_.insert(warnings_.end(), all.warnings.begin(), all.warnings.end());
  TextSet read{.labels = all.labels, .classes = all.classes, .unknown_tokens = all.unknown_tokens};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto part = read_part(all.text(i), reading);
    read.tokens.insert(read.tokens.end(), part.begin(), part.end());
    read.begins.push_back(read.tokens.size());
  }
  return read;
}

Reviews::Reviews(const Options& options) {
  const auto file = vectors_file(options.vectors, options.data);
  auto parts = read_imdb(data_folder("imdb", options.data));
  const auto train = some(std::move(parts.train), options.limit);
  const auto split = stratified_split(train.labels, validation_share, chosen_by);
  const auto vocabulary = count_words(train, split.train).vocabulary();
  words_ = known_words(vocabulary, read_glove(file, vocabulary, dimension), file.filename().string());
  if (words_.vocabulary.words().empty())
    throw aila::Error(words_.file + ": no word of the training part has a vector there");
  train_ = number(train, options.reading);
  test_ = number(some(std::move(parts.test), options.limit), options.reading);
  train_source_.emplace(train_, words_.vectors, split.train);
  valid_source_.emplace(train_, words_.vectors, split.valid);
  test_source_.emplace(test_, words_.vectors, all_rows(test_.size()));
}

Reviews::Reviews(const Options& options, Words words) : words_(std::move(words)) {
  test_ = number(some(read_imdb_test(data_folder("imdb", options.data)), options.limit), options.reading);
  test_source_.emplace(test_, words_.vectors, all_rows(test_.size()));
}

}  // namespace sentiment
