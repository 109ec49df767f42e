// Text: labelled texts, words, vocabularies, word vectors, names of reviews.
#pragma once

#include <aila/data/glove.hpp>
#include <aila/data/imdb.hpp>
#include <aila/data/text_set.hpp>
#include <aila/data/tsv.hpp>
#include <cmath>
#include <vector>

#include "promise.hpp"

namespace aila_fuzz {

inline bool is_utf8(std::string text) {
  return aila::data::repair_utf8(text) == 0;
}

struct Tsv {
  static constexpr const char* name = "Tsv";
  static std::vector<std::string> seeds() {
    return {"pos\tgood film\nneg\tbad\npos\tfine, \"really\"\n", "\xEF\xBB\xBFsentence\tlabel\r\na\t1\r\nb\t0",
            "a\tcaf\xE9\n", "\xC2\xA0 a\xE2\x80\x8B\tb\ra\t\r\r"};
  }
  static void run(std::string_view text) {
    using aila::data::TsvOptions;
    for (const auto& options :
         {TsvOptions{}, TsvOptions{.classes = {"a", "b"}}, TsvOptions{.text_first = true, .header = true}})
      keeps_promise([&] {
        const auto found = aila::data::parse_tsv(text, "f.tsv", options);
        require(!found.texts.empty() && found.labels.size() == found.texts.size(), "as many labels as texts");
        for (const auto label : found.labels)
          require(label >= 0 && static_cast<std::size_t>(label) < found.classes.size(), "labels are classes");
        for (const auto& one : found.texts) require(is_utf8(one), "texts are UTF-8");
      });
  }
};

struct Words {
  static constexpr const char* name = "Words";
  static std::vector<std::string> seeds() {
    return {"The film, which I LOVED!<br /><br />It's isn't can't n't 'll 7.5 low-budget u.s. ... -- (\"ten\")",
            "Clich\xC3\xA9 \xE2\x80\x93 \xF0\x9F\x98\x80 \xD0\x9F\xD1\x80 caf\xE9 \xED\xA0\x80 12_10.txt", "12_10.txt",
            "I don\xE2\x80\x99t, it\xCA\xBCs n`t low\xE2\x80\x91"
            "budget do\xC2\xADn\xEF\xBC\x87t"};
  }
  static void run(std::string_view text) {
    aila::data::Tokeniser tokeniser;
    aila::data::WordCounter counter;
    std::string joined;
    std::size_t count = 0;
    tokeniser(text, [&](std::string_view token) {
      require(!token.empty() && is_utf8(std::string(token)), "tokens are UTF-8");
      for (std::string_view rest = token; !rest.empty(); rest.remove_prefix(aila::data::first_character(rest).bytes)) {
        const char32_t code = aila::data::first_character(rest).code;
        require(!aila::data::is_space(code) && aila::data::lower_case(code) == code, "tokens are small and unbroken");
      }
      counter.add(token);
      ++count;
      joined += token;
      joined += ' ';
    });
    const auto vocabulary = counter.vocabulary();
    const auto numbers = aila::data::numbers_of(text, vocabulary, tokeniser);
    require(numbers.size() == (count == 0 ? 1 : count), "numbers are as many as tokens");
    for (const auto number : numbers) require(count == 0 || number >= 2, "all words are known");
    (void)aila::data::review_rating(text);
  }
};

struct Vocabularies {
  static constexpr const char* name = "Vocabularies";
  static std::vector<std::string> seeds() {
    return {"b\na\n's\n", "b\r\na", "caf\xC3\xA9\n", "\xEF\xBB\xBF b\ra\t\r\r"};
  }
  static void run(std::string_view text) {
    keeps_promise([&] {
      const auto vocabulary = aila::data::parse_vocabulary(text, "v.txt");
      for (const auto& word : vocabulary.words())
        require(vocabulary.word(vocabulary.number(word)) == word, "a word is found by its number");
    });
  }
};

struct Glove {
  static constexpr const char* name = "Glove";
  static std::vector<std::string> seeds() {
    return {"film 3 4\nthe 1 2\ngood -0.5 1e-3\n", "400 2\nfilm 3 4 \r\n", ". . . 1 1\nfilm 3 4\nfilm 3 4",
            "\xEF\xBB\xBF"
            "film\t-1.1e-46  +4\n\n \n"};
  }
  static void run(std::string_view text) {
    static const aila::data::Vocabulary vocabulary({"film", "good", "\xC3\xA9"}, {5, 2, 1});
    for (const std::size_t dimension : {1U, 2U, 5U})
      keeps_promise([&] {
        const auto vectors = aila::data::parse_glove(text, "v.txt", vocabulary, dimension);
        require(vectors.values.size() == vocabulary.size() * dimension, "a row for each word");
        for (const float value : vectors.values) require(std::isfinite(value), "numbers are finite");
      });
  }
};

}  // namespace aila_fuzz
