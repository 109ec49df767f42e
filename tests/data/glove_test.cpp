// Word vectors from text.
#include <doctest/doctest.h>

#include <aila/data/glove.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "../io/temporary_folder.hpp"

namespace glove_test {
using namespace aila::data;
using namespace aila_test;
using Strings = std::vector<std::string>;
using namespace std::literals;

namespace {

const Vocabulary words({"film", "good", "é"}, {5, 2, 1});

WordVectors parse(const std::string& text, std::size_t dimension = 2) {
  return parse_glove(text, "v.txt", words, dimension);
}
std::string refusal(const std::string& text, std::size_t dimension = 2) {
  return error_of([&] { parse(text, dimension); });
}
std::vector<float> row(const WordVectors& vectors, std::int32_t number) {
  const auto values = vectors.of(number);
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("each word of the vocabulary gets its vector, padding and unknown words get zeros") {
  const auto vectors = parse("é 1 2\nthe 9 9\ngood -0.5 1e-3\nfilm 3 4");
  CHECK(vectors.words == 5);
  CHECK(vectors.dimension == 2);
  CHECK(row(vectors, 0) == std::vector<float>{0, 0});
  CHECK(row(vectors, 1) == std::vector<float>{0, 0});
  CHECK(row(vectors, 2) == std::vector<float>{3, 4});
  CHECK(row(vectors, 3) == std::vector<float>{-0.5F, 1e-3F});
  CHECK(row(vectors, 4) == std::vector<float>{1, 2});
  CHECK(vectors.warnings.empty());
}

TEST_CASE("words without a vector are counted, and so is how often they occur") {
  const auto vectors = parse("film 3 4\nfilm 5 6\n");
  CHECK(row(vectors, 2) == std::vector<float>{3, 4});
  CHECK(row(vectors, 3) == std::vector<float>{0, 0});
  CHECK(vectors.warnings == Strings{"v.txt: 1 lines have a word that came before; the first line counts",
                                    "v.txt: 2 of 3 words, 3 of 8 tokens, have no vector; it is zero"});
  const auto sum = coverage(vectors, words);
  CHECK(sum.words == 3);
  CHECK(sum.missing_words == 2);
  CHECK(sum.tokens == 8);
  CHECK(sum.missing_tokens == 3);
  const Vocabulary uncounted(Strings{"film", "tea"});
  CHECK(parse_glove("film 3 4\n", "v.txt", uncounted, 2).warnings ==
        Strings{"v.txt: 1 of 2 words have no vector; it is zero"});
}

TEST_CASE("a first line of word2vec, blanks at the ends of lines and inside words, and CR LF are understood") {
  CHECK(row(parse("400 2\nfilm 3 4 \r\n"), 2) == std::vector<float>{3, 4});
  CHECK(row(parse(". . . 1 1\nfilm 3 4\n"), 2) == std::vector<float>{3, 4});
  CHECK(refusal("400 3\nfilm 3 4\n") == "v.txt:1: expected a word and 2 numbers, found 1 field behind the word");
  CHECK(row(parse("film 3\n", 1), 2) == std::vector<float>{3});
}

TEST_CASE("another dimension, numbers that are none and files without vectors are refused with their line") {
  CHECK(refusal("film 3 4\nthe 1\n") == "v.txt:2: expected a word and 2 numbers, found 1 field behind the word");
  CHECK(refusal("film 1 2 3\n") == "v.txt:1: expected a word and 2 numbers, found 3 fields behind the word");
  CHECK(refusal("the 1 2 3\n") == "v.txt:1: expected a word and 2 numbers, found 3 fields behind the word");
  for (const char* bad : {"x", "nan", "inf", "1e99", "0x1", "1,5", ""})
    CHECK(refusal("film 1 " + std::string(bad) + " \nfilm 1 2\n").starts_with("v.txt:1: expected "));
  CHECK(refusal("film 1 2,5\n") == "v.txt:1: expected a number, found \"2,5\"");
  CHECK(refusal(" 1 2\n") == "v.txt:1: expected a word, found a blank");
  CHECK(refusal("  1 2\n") == "v.txt:1: expected a word, found a blank");
  CHECK(refusal("film 1 2\n\nthe 1 2\n") == "v.txt:2: expected a word and 2 numbers, found 0 fields behind the word");
  CHECK(refusal("") == "v.txt: expected word vectors, found none");
  CHECK(refusal("7 2\n") == "v.txt: expected word vectors, found none");
  CHECK(refusal("film 1 2", 0) == "v.txt: expected vectors of at least one number, asked for none");
}

TEST_CASE("byte order marks, empty last lines, tabs and more blanks than one hide no word") {
  CHECK(row(parse("\xEF\xBB\xBF"
                  "film 3 4\ngood 1 2\n"),
            2) == std::vector<float>{3, 4});
  CHECK(row(parse("\xEF\xBB\xBF"
                  "400 2\nfilm 3 4\n"),
            2) == std::vector<float>{3, 4});
  for (const char* text :
       {"film 3 4\n\n", "film 3 4\r\n\r\n \t\n", "the 1 2\rfilm 3 4\r", "film\t3\t4\n", "film  3   4\n", " film 3 4\n",
        "film 3 4\t \n", "film \t3 4", "1 2\nfilm 3 4\n", "1\t2\nfilm 3 4\n"})
    CHECK_MESSAGE((row(parse(text), 2) == std::vector<float>{3, 4}), text);
  const Vocabulary phrases(Strings{"good film", "film"});
  for (const char* text : {"good film 3 4", "good film\t3\t4", "good film\t3 4"})
    CHECK_MESSAGE((row(parse_glove(text, "v.txt", phrases, 2), 2) == std::vector<float>{3, 4}), text);
  CHECK(refusal("film 3 4\n\n\nthe 1 2\n") == "v.txt:2: expected a word and 2 numbers, found 0 fields behind the word");
  CHECK(refusal("film  3\n") == "v.txt:1: expected a word and 2 numbers, found 1 field behind the word");
  CHECK(refusal("film 3 4\nthe 1 2\0"
                "5\n"s) ==
        "v.txt:2: expected text, found a byte of value 0, as UTF-16 and files that are no text have them");
}

TEST_CASE("numbers too small for a float are zero, with their sign, and those too large are refused") {
  const auto vectors = parse("film -1.1e-46 1e-400\ngood 1e-40 +2\n");
  CHECK(row(vectors, 2) == std::vector<float>{0, 0});
  CHECK(std::signbit(row(vectors, 2)[0]));
  CHECK(!std::signbit(row(vectors, 2)[1]));
  CHECK(row(vectors, 3) == std::vector<float>{1e-40F, 2});
  CHECK(refusal("film 1 -4e38\n") == "v.txt:1: expected a number, found \"-4e38\"");
}

TEST_CASE("a file gives what its text gives, wherever its parts begin") {
  const TemporaryFolder folder;
  std::string text = "good 1 2\n";
  for (int i = 0; text.size() < (1U << 21U) + 5; ++i)
    text += "word" + std::to_string(i) + " 0.125 " + std::to_string(i) + "\n";
  text += "film 3 4";
  write_raw(folder / "v.txt", text);
  const auto read = read_glove(folder / "v.txt", words, 2), parsed = parse(text);
  CHECK(read.values == parsed.values);
  CHECK(read.warnings == parsed.warnings);
  CHECK(error_of([&] { read_glove(folder / "none.txt", words, 2); }).starts_with("none.txt: there is no such file"));
  write_raw(folder / "marked.txt", "\xEF\xBB\xBF" + text + "\n\n" + std::string((1U << 20U) + 7, '\n'));
  CHECK(read_glove(folder / "marked.txt", words, 2).values == parsed.values);
  CHECK(row(read_glove(folder / "marked.txt", words, 2), 2) == std::vector<float>{3, 4});
  write_raw(folder / "empty.txt", "");
  CHECK(error_of([&] { read_glove(folder / "empty.txt", words, 2); }) ==
        "empty.txt: expected word vectors, found none");
}
}  // namespace glove_test
