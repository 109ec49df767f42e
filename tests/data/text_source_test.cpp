// Texts as numbers, and as inputs of a network.
#include <doctest/doctest.h>

#include <aila/data/glove.hpp>
#include <aila/data/split.hpp>
#include <aila/data/text_source.hpp>
#include <string>
#include <vector>

#include "../io/temporary_folder.hpp"

namespace text_source_test {
using namespace aila;
using namespace aila::data;
using namespace aila_test;
using Numbers = std::vector<std::int32_t>;

namespace {

using Few = Tokens<4>;
using FewVectors = Sequence<4, 2>;

LabelledTexts texts() {
  return {
      .texts = {"a b c a b c", "b", "", "a d"}, .labels = {1, 0, 1, 2}, .classes = {"x", "y", "z"}, .warnings = {"w"}};
}
Vocabulary vocabulary() {
  return count_words(texts(), std::vector<std::size_t>{0, 1}).vocabulary();
}
WordVectors vectors() {
  return parse_glove("a 1 2\nb 3 4\n", "v", vocabulary(), 2);
}

template <class In>
struct Loaded {
  std::vector<ElementOf<In, float>> input;
  float target = -1;
  std::int32_t length = 0;

  Loaded(const TextSource<In>& source, std::size_t index) : input(In::elements, 77) {
    SampleSlot<In, float> slot{.input = input.data(), .targets = &target, .target_count = 1};
    source.load(index, slot);
    length = slot.length;
  }
};

}  // namespace

static_assert(SampleSource<TextSource<Few>, Few, float>);
static_assert(SampleSource<TextSource<FewVectors, double>, FewVectors, double>);

TEST_CASE("the vocabulary is of the rows that are given and of no others") {
  CHECK(vocabulary().words() == std::vector<std::string>{"b", "a", "c"});
  CHECK(vocabulary().number("d") == Vocabulary::unknown);
}

TEST_CASE("texts become numbers, and those without words one unknown word and a warning") {
  const auto set = number_texts(texts(), vocabulary());
  CHECK(set.size() == 4);
  CHECK(Numbers(set.text(0).begin(), set.text(0).end()) == Numbers{3, 2, 4, 3, 2, 4});
  CHECK(Numbers(set.text(2).begin(), set.text(2).end()) == Numbers{1});
  CHECK(Numbers(set.text(3).begin(), set.text(3).end()) == Numbers{3, 1});
  CHECK(set.unknown_tokens == 1);
  CHECK(set.longer_than(4) == 1);
  CHECK(set.longer_than(6) == 0);
  CHECK(set.warnings == std::vector<std::string>{"w", "1 of 4 texts have no word; each was read as one unknown word"});
  Tokeniser tokeniser;
  CHECK(numbers_of("C, b", vocabulary(), tokeniser) == Numbers{4, 1, 2});
  CHECK(numbers_of("", vocabulary(), tokeniser) == Numbers{1});
}

TEST_CASE("a network reads the first tokens or the last, with their number and the class") {
  const auto set = number_texts(texts(), vocabulary());
  const TextSource<Few> first(set, all_rows(4)), last(set, {1, 0}, Keep::last);
  CHECK(first.size() == 4);
  CHECK(last.size() == 2);
  const Loaded<Few> cut(first, 0), end(last, 1), padded(first, 3);
  CHECK(cut.input == Numbers{3, 2, 4, 3});
  CHECK(cut.length == 4);
  CHECK(cut.target == 1);
  CHECK(end.input == Numbers{4, 3, 2, 4});
  CHECK(padded.input == Numbers{3, 1, 0, 0});
  CHECK(padded.length == 2);
  CHECK(padded.target == 2);
  CHECK(last.label(0) == 0);
  CHECK(last.classes().size() == 3);
}

TEST_CASE("or the vectors of the tokens, with zeros behind the last") {
  const auto set = number_texts(texts(), vocabulary());
  const auto rows = vectors();
  const TextSource<FewVectors> source(set, rows, all_rows(4));
  const Loaded<FewVectors> cut(source, 0), padded(source, 1);
  CHECK(cut.input == std::vector<float>{1, 2, 3, 4, 0, 0, 1, 2});
  CHECK(cut.length == 4);
  CHECK(padded.input == std::vector<float>{3, 4, 0, 0, 0, 0, 0, 0});
  CHECK(padded.length == 1);
}

TEST_CASE("targets are not written where none are asked for") {
  const auto set = number_texts(texts(), vocabulary());
  const TextSource<Few> source(set, all_rows(4));
  Numbers input(4);
  SampleSlot<Few, float> slot{.input = input.data()};
  source.load(1, slot);
  CHECK(input == Numbers{2, 0, 0, 0});
}

TEST_CASE("rows, vectors and vocabularies that do not fit are refused in one sentence") {
  const auto set = number_texts(texts(), vocabulary());
  const auto rows = vectors();
  using Wide = TextSource<Sequence<4, 3>>;
  CHECK(error_of([&] { TextSource<Few>(set, {0, 4}); }) == "texts: expected rows below 4, found 4");
  CHECK(error_of([&] { Wide(set, rows, {0}); }) == "texts: the network takes vectors of 3 numbers, found 2");
  const auto fewer = parse_glove("b 3 4\n", "v", Vocabulary({"b"}), 2);
  CHECK(error_of([&] { TextSource<FewVectors>(set, fewer, {0}); }) ==
        "texts: expected tokens below 3, the number of vectors, found 3");
}
}  // namespace text_source_test
