// Tables of labels and texts.
#include <doctest/doctest.h>

#include <aila/data/tsv.hpp>
#include <string>
#include <vector>

#include "../io/temporary_folder.hpp"

namespace tsv_test {
using namespace aila::data;
using namespace aila_test;
using Strings = std::vector<std::string>;

namespace {

std::string refusal(const std::string& text, const TsvOptions& options = {}) {
  return error_of([&] { parse_tsv(text, "r.tsv", options); });
}

}  // namespace

TEST_CASE("a table gives texts, classes in order, and a class for each text") {
  const auto found = parse_tsv("pos\tgood film\nneg\tbad\npos\tfine, \"really\"\n", "r.tsv");
  CHECK(found.texts == Strings{"good film", "bad", "fine, \"really\""});
  CHECK(found.classes == Strings{"neg", "pos"});
  CHECK(found.labels == std::vector<Label>{1, 0, 1});
  CHECK(found.warnings.empty());
}

TEST_CASE("headers, the other order of columns, CR LF and byte order marks are understood") {
  const TsvOptions options{.text_first = true, .header = true};
  const auto found = parse_tsv("\xEF\xBB\xBFsentence\tlabel\r\na\t1\r\nb\t0", "r.tsv", options);
  CHECK(found.texts == Strings{"a", "b"});
  CHECK(found.classes == Strings{"0", "1"});
  CHECK(found.labels == std::vector<Label>{1, 0});
}

TEST_CASE("classes that are given hold for the test part") {
  const auto found = parse_tsv("b\tx\n", "r.tsv", {.classes = {"a", "b"}});
  CHECK(found.classes == Strings{"a", "b"});
  CHECK(found.labels == std::vector<Label>{1});
  CHECK(refusal("b\tx\nc\ty\n", {.classes = {"a", "b"}}) == "r.tsv:2: expected one of the labels a, b, found \"c\"");
}

TEST_CASE("texts that are not UTF-8 are replaced and counted") {
  const auto found = parse_tsv("a\tcaf\xE9\na\tok\nb\t\xFF\xFF\n", "r.tsv");
  CHECK(found.texts[0] == "caf\xEF\xBF\xBD");
  CHECK(found.warnings == Strings{"r.tsv: 2 of 3 texts have bytes that are not UTF-8; they were replaced"});
}

TEST_CASE("tables that are none are refused with their line") {
  CHECK(refusal("") == "r.tsv:1: expected labels and texts, found none");
  CHECK(refusal("\n\r\n") == "r.tsv:1: expected labels and texts, found none");
  CHECK(refusal("label\ttext\n", {.header = true}) == "r.tsv:1: expected labels and texts, found none");
  CHECK(refusal("a\tb\nc\n") == "r.tsv:2: expected 2 fields with a tab between them, found 1");
  CHECK(refusal("a\tb\n\na\tc\n") == "r.tsv:2: expected 2 fields with a tab between them, found 1");
  CHECK(refusal("a\tb\tc\n") == "r.tsv:1: expected 2 fields with a tab between them, found 3");
  CHECK(refusal("\tb\n") == "r.tsv:1: expected a label, found a blank");
  CHECK(error_of([] { read_tsv("/no/such/r.tsv"); }).starts_with("r.tsv: there is no such file"));
}

TEST_CASE("labels that look alike are one class") {
  const auto found = parse_tsv(
      "pos\ta\npos \tb\n pos\tc\npos\xC2\xA0\td\n\xEF\xBB\xBFpos\te\np\xE2\x80\x8Bos\tf\npo\xC2\xADs\tg\n"
      "p\xE2\x80\x8Dos\th\nnot  so\xE3\x80\x80good\ti\nnot so good\tj\nPos\tk\n",
      "r.tsv");
  CHECK(found.classes == Strings{"Pos", "not so good", "pos"});
  CHECK(found.labels == std::vector<Label>{2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 0});
  CHECK(parse_tsv("a\tpos\r\nb\tpos\r\r\nc\tpos \nd\tpos", "r.tsv", {.text_first = true}).classes == Strings{"pos"});
  CHECK(parse_tsv("pos\xC2\xA0\ta\n", "r.tsv", {.classes = {"neg", " pos"}}).labels == std::vector<Label>{1});
  CHECK(refusal("pos\ta\n", {.classes = {"pos", "pos ", "neg"}}) ==
        "r.tsv: expected classes that differ, found \"pos \" twice");
  CHECK(refusal("\xC2\xA0 \ta\nb\tc\n") == "r.tsv:1: expected a label, found a blank");
}

TEST_CASE("what can be seen of labels keeps them apart") {
  // A joiner of letters that are not ASCII, a family of three signs, and bytes that are not UTF-8.
  const std::string persian = "\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xB1",
                    family = "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9";
  for (const std::string& label : {persian, family, std::string("caf\xE9"), std::string("a-b_c, \"d\"")})
    CHECK(parse_tsv(label + "\ta\n", "r.tsv").classes == Strings{label});
  CHECK(parse_tsv("\xE9\ta\n\xE8\tb\n", "r.tsv").classes.size() == 2);
}

TEST_CASE("empty lines at the end, old ends of lines and other encodings are understood or named") {
  CHECK(parse_tsv("a\tb\n\n  \r\n\t\n", "r.tsv").texts == Strings{"b"});
  CHECK(parse_tsv("a\tb\rc\td\r", "r.tsv").texts == Strings{"b", "d"});
  CHECK(parse_tsv("a\tb\rc\nd\te\n", "r.tsv").texts == Strings{"b\rc", "e"});
  CHECK(parse_tsv("a\t\n", "r.tsv").texts == Strings{""});
  CHECK(refusal("\xFE\xFF" + std::string("\0a\0\t", 4)) ==
        "r.tsv: expected text in UTF-8, found the first bytes of UTF-16 or UTF-32");
  CHECK(refusal("a\tb\na\t" + std::string(1, '\0')) ==
        "r.tsv:2: expected text, found a byte of value 0, as UTF-16 and files that are no text have them");
}

TEST_CASE("a table is read from its file") {
  const TemporaryFolder folder;
  write_raw(folder / "r.tsv", "x\tone\n");
  CHECK(read_tsv(folder / "r.tsv").texts == Strings{"one"});
}
}  // namespace tsv_test
