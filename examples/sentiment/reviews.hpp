// The reviews of IMDB and the vectors of their words, as samples of a network.
#pragma once

#include <aila/data/split.hpp>
#include <aila/data/text_source.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "input.hpp"

namespace sentiment {

/// The words that networks know, each with a vector, and where the vectors are from. A word without a vector is the
/// same to a network as one that it does not know: zeros.
struct Words {
  aila::data::Vocabulary vocabulary{};
  aila::data::WordVectors vectors{};
  std::string file{};               ///< its name: "glove.6B.100d.txt"
  aila::data::Coverage coverage{};  ///< of the words of the training part
};

/// The file of word vectors: as `option` names it, else GloVe 6B of the data set glove, else the vectors there that
/// were trained on reviews. Throws aila::Error where there is none.
std::filesystem::path vectors_file(const std::filesystem::path& option, const std::filesystem::path& data);

/// One sentence that says which vectors these are, and what of the training part they cover.
std::string about(const Words& words);

/// What a network reads of a review: its first or last tokens.
struct Reading {
  std::size_t tokens = most_tokens;
  aila::data::Keep keep = aila::data::Keep::first;
};

/// One review as a network's input.
struct Review {
  std::vector<std::string> tokens{};  ///< those that the network reads
  std::vector<bool> known{};          ///< whether a token has a vector
  std::size_t all_tokens = 0;         ///< of the whole review
  std::vector<float> input{};         ///< [most_tokens, dimension], zero behind the last token
  std::int32_t length = 0;            ///< at least 1

  std::span<const std::int32_t> lengths() const { return {&length, 1}; }
};

Review read_review(std::string_view text, const Words& words, const Reading& reading);

/// The data set. Training texts are those of a stratified 90 % of the part train; the rest validates. The vocabulary is
/// of the words of the training texts alone.
class Reviews {
 public:
  struct Options {
    std::filesystem::path data{};     ///< where to look for data sets; empty: where data_folder looks
    std::filesystem::path vectors{};  ///< the file; empty: as vectors_file finds it
    Reading reading{};
    std::size_t limit = 0;  ///< texts of the part train, and of the part test; 0: all
  };

  /// Throws aila::Error as the loaders do, and where a text's vector has another dimension than the networks take.
  explicit Reviews(const Options& options);
  /// Test part alone, by the words of a model trained before; the training part need not be there.
  Reviews(const Options& options, Words words);
  Reviews(const Reviews&) = delete;
  Reviews& operator=(const Reviews&) = delete;

  const Words& words() const { return words_; }
  const std::vector<std::string>& classes() const { return test_.classes; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  using Source = aila::data::TextSource<In>;
  const Source& train() const { return *train_source_; }
  const Source& valid() const { return *valid_source_; }
  const Source& test() const { return *test_source_; }
  /// Whether there is a training part.
  bool trains() const { return train_source_.has_value(); }
  /// Texts of all parts that are longer than what is read of them.
  std::size_t cut() const { return cut_; }

 private:
  aila::data::TextSet number(const aila::data::LabelledTexts& texts, const Reading& reading);

  Words words_;
  aila::data::TextSet train_{}, test_{};
  std::optional<Source> train_source_{}, valid_source_{}, test_source_{};
  std::vector<std::string> warnings_{};
  std::size_t cut_ = 0;
};

}  // namespace sentiment
