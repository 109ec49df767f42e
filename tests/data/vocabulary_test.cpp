// Words, their numbers, and the file they are kept in.
#include <doctest/doctest.h>

#include <aila/data/vocabulary.hpp>
#include <string>
#include <vector>

#include "../io/temporary_folder.hpp"

using namespace aila::data;
using namespace aila_test;

namespace {

WordCounter counter(std::initializer_list<const char*> words) {
  WordCounter count;
  for (const char* word : words) count.add(word);
  return count;
}

}  // namespace

TEST_CASE("frequent words come first, equally frequent ones by their bytes") {
  const auto count = counter({"b", "a", "c", "b", "d", "a", "b"});
  const auto vocabulary = count.vocabulary();
  CHECK(vocabulary.words() == std::vector<std::string>{"b", "a", "c", "d"});
  CHECK(vocabulary.counts() == std::vector<std::uint64_t>{3, 2, 1, 1});
  CHECK(vocabulary.size() == 6);
  CHECK(vocabulary.number("b") == 2);
  CHECK(vocabulary.number("d") == 5);
  CHECK(vocabulary.number("e") == Vocabulary::unknown);
  CHECK(vocabulary.number("") == Vocabulary::unknown);
  CHECK(vocabulary.word(2) == "b");
  CHECK(vocabulary.word(Vocabulary::padding) == "");
  for (const std::int32_t none : {1, 6, -1, -2147483647}) CHECK(vocabulary.word(none) == "?");
}

TEST_CASE("rare words and words beyond the largest number are unknown") {
  const auto count = counter({"b", "a", "c", "b", "d", "a", "b"});
  CHECK(count.vocabulary({.min_count = 2}).words() == std::vector<std::string>{"b", "a"});
  CHECK(count.vocabulary({.max_words = 3}).words() == std::vector<std::string>{"b", "a", "c"});
  CHECK(count.vocabulary({.min_count = 9}).size() == 2);
  CHECK(count.vocabulary({.min_count = 9}).number("b") == Vocabulary::unknown);
}

TEST_CASE("a vocabulary is the same after it was written and read") {
  const TemporaryFolder folder;
  const auto written = counter({"naïve", "b", "b", "'s"}).vocabulary();
  write_vocabulary(folder / "words.txt", written);
  CHECK(read_raw(folder / "words.txt") == "b\n's\nnaïve\n");
  CHECK(read_vocabulary(folder / "words.txt").words() == written.words());
  CHECK(parse_vocabulary("b\r\na", "w").words() == std::vector<std::string>{"b", "a"});
  CHECK(parse_vocabulary("", "w").size() == 2);
}

TEST_CASE("what cannot be seen in a file of words is none of them") {
  const std::vector<std::string> words{"b", "a"};
  for (const char* text : {"\xEF\xBB\xBF"
                           "b\na\n",
                           "b\na\n\n\n", "b \n\ta\n", "b\ra\r", "b\r\r\na\r\n",
                           "b\n\xEF\xBB\xBF"
                           "a"})
    CHECK_MESSAGE(parse_vocabulary(text, "w").words() == words, text);
  CHECK(parse_vocabulary(". . .\n", "w").number(". . .") == 2);
  CHECK(error_of([] { parse_vocabulary("\xFF\xFE", "w.txt"); }) ==
        "w.txt: expected text in UTF-8, found the first bytes of UTF-16 or UTF-32");
}

TEST_CASE("words that a line cannot hold are not written") {
  const TemporaryFolder folder;
  const std::string marked = std::string(aila::io::byte_order_mark) + "a";
  for (const std::string& word : {std::string("a\nb"), std::string("a "), std::string("\ta"), std::string("a\r"),
                                  std::string(" "), std::string("a\0b", 3), marked}) {
    const Vocabulary vocabulary(std::vector<std::string>{word, "c"});
    CHECK(error_of([&] { write_vocabulary(folder / "words.txt", vocabulary); }) ==
          "words.txt: expected words that a line can hold, found \"" + aila::io::printable(word) + "\"");
    CHECK(folder.files() == 0);
  }
}

TEST_CASE("lists that are no vocabulary are refused in one sentence") {
  CHECK(error_of([] { parse_vocabulary("a\nb\na\n", "w.txt"); }) == "w.txt: vocabulary: the word a is there twice");
  CHECK(error_of([] { parse_vocabulary("a\n\nb\n", "w.txt"); }) == "w.txt: vocabulary: word 1 has no letters");
  CHECK(error_of([] { read_vocabulary("/no/such/words.txt"); }).starts_with("words.txt: there is no such file"));
}
