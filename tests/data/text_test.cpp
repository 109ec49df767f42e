// UTF-8, small letters, and text cut into words.
#include <doctest/doctest.h>

#include <aila/data/text.hpp>
#include <string>
#include <vector>

namespace text_test {
using namespace aila::data;
using Words = std::vector<std::string>;

namespace {

Words words(std::string_view text) {
  return Tokeniser().tokens(text);
}

std::string repaired(std::string text) {
  repair_utf8(text);
  return text;
}

}  // namespace

static_assert(lower_case(U'A') == U'a' && lower_case(U'z') == U'z' && lower_case(U'[') == U'[');
static_assert(lower_case(U'É') == U'é' && lower_case(U'×') == U'×' && lower_case(U'ß') == U'ß');
static_assert(lower_case(U'Ž') == U'ž' && lower_case(U'Ł') == U'ł' && lower_case(U'Ÿ') == U'ÿ' &&
              lower_case(U'ĸ') == U'ĸ');
static_assert(lower_case(U'Ω') == U'ω' && lower_case(U'Ώ') == U'ώ' && lower_case(U'Ж') == U'ж' &&
              lower_case(U'Ё') == U'ё' && lower_case(U'Ｒ') == U'ｒ');
static_assert(lower_case(U'Ự') == U'ự' && lower_case(U'Ơ') == U'ơ' && lower_case(U'Ǖ') == U'ǖ' &&
              lower_case(U'ẞ') == U'ß');
static_assert(is_word(U'é') && is_word(U'ж') && is_word(U'漢') && is_word(U'７') && is_word(U'\U00020000'));
static_assert(!is_word(U'_') && !is_word(U'½') && !is_word(U'–') && !is_word(U'。') && !is_word(U'\U0001F600'));
static_assert(is_space(U'\u00A0') && is_space(U'\u3000') && is_space(U'\t') && !is_space(U'.'));
static_assert(first_character("\xF0\x9F\x98\x80").code == U'\U0001F600' && first_character("\xC3\xA9").bytes == 2);

TEST_CASE("a text is cut into small words and signs") {
  CHECK(words("The film, which I LOVED!") == Words{"the", "film", ",", "which", "i", "loved", "!"});
  CHECK(words("Wait... what?..") == Words{"wait", "...", "what", "?", ".", "."});
  CHECK(words("(\"ten\" of 10)") == Words{"(", "\"", "ten", "\"", "of", "10", ")"});
  CHECK(words("").empty());
  CHECK(words(" \t\n\xC2\xA0").empty());
}

TEST_CASE("line breaks of HTML are white space, and nothing else of it") {
  CHECK(words("one<br />two<BR>three<br/>four<Br >five") == Words{"one", "two", "three", "four", "five"});
  CHECK(words("a <b>") == Words{"a", "<", "b", ">"});
  CHECK(words("<br") == Words{"<", "br"});
  CHECK(words("<br  />") == Words{"<", "br", "/", ">"});
}

TEST_CASE("hyphens and dots stay inside a word and not at its ends") {
  CHECK(words("a low-budget U.S. film.") == Words{"a", "low-budget", "u.s", ".", "film", "."});
  CHECK(words("7.5 -- pg-13 -not- a--b") == Words{"7.5", "-", "-", "pg-13", "-", "not", "-", "a", "-", "-", "b"});
  CHECK(words("end.Then") == Words{"end.then"});
  CHECK(words("so...then") == Words{"so", "...", "then"});
}

TEST_CASE("contractions are split from their words") {
  CHECK(words("don't isn't CAN'T") == Words{"do", "n't", "is", "n't", "ca", "n't"});
  CHECK(words("it's I'm he'd we'll they're I've") ==
        Words{"it", "'s", "i", "'m", "he", "'d", "we", "'ll", "they", "'re", "i", "'ve"});
  CHECK(words("would-n't n't rock'n'roll") == Words{"would-n", "'", "t", "n't", "rock", "'", "n", "'", "roll"});
  CHECK(words("'sup the '70s 'round 'tis donation't n'tumble") ==
        Words{"'", "sup", "the", "'", "70s", "'", "round", "'", "tis", "donatio", "n't", "n't", "umble"});
  CHECK(words("don'ts dogs'") == Words{"don", "'", "ts", "dogs", "'"});
  CHECK(words("it's'") == Words{"it", "'s", "'"});
}

TEST_CASE("apostrophes and hyphens that others than keyboards of ASCII write are the same inside words") {
  const auto typed = [](std::string_view text, std::string_view sign) {
    std::string result;
    for (const char c : text)
      if (c == '\'')
        result += sign;
      else
        result += c;
    return result;
  };
  const std::string_view inside = "I don't, can'T, it's we'll rock'n", outside = "dogs' 'tis do n't l'été";
  for (const char* sign : {"’", "＇", "ʼ", "‘", "‛", "´", "`", "′"})
    CHECK_MESSAGE(words(typed(inside, sign)) == words(inside), sign);
  for (const char* sign : {"’", "＇"}) CHECK_MESSAGE(words(typed(outside, sign)) == words(outside), sign);
  CHECK(words(typed("I don't", "’")) == Words{"i", "do", "n't"});
  CHECK(words("‘good film.’ 5′ `x` ’") == Words{"‘", "good", "film", ".", "’", "5", "′", "`", "x", "`", "’"});
  CHECK(words("п’ять пʼять") == Words{"п", "'", "ять", "пʼять"});
  CHECK(words("low‑budget low‐budget ‑ a‑") == Words{"low-budget", "low-budget", "‑", "a", "‑"});
  CHECK(words("do\xC2\xADn’t \xC2\xAD") == Words{"do", "n't"});
}

TEST_CASE("letters of other alphabets make words too") {
  CHECK(words("Cliché À NOËL") == Words{"cliché", "à", "noël"});
  CHECK(words("Yılmaz Ilić ПРИВЕТ") == Words{"yılmaz", "ilić", "привет"});
  CHECK(words("8½ – £5 ’") == Words{"8", "½", "–", "£", "5", "’"});
}

TEST_CASE("what is not UTF-8 is replaced and counted, never read as a letter") {
  const std::string sign = "\xEF\xBF\xBD";
  CHECK(repaired("caf\xE9!") == "caf" + sign + "!");
  CHECK(repaired("\xC0\xAF") == sign + sign);
  CHECK(repaired("\xED\xA0\x80") == sign + sign + sign);
  CHECK(repaired("\xF4\x90\x80\x80") == sign + sign + sign + sign);
  CHECK(repaired("\xE2\x82") == sign);
  CHECK(repaired("\xE2\x82"
                 "A") == sign + "A");
  CHECK(repaired("\xF0\x9F\x98\x80 ok \xC3\xA9") == "\xF0\x9F\x98\x80 ok \xC3\xA9");
  std::string text =
      "\xFF"
      "a\xFE\xFF";
  CHECK(repair_utf8(text) == 3);
  CHECK(repair_utf8(text) == 0);
  CHECK(words("caf\xE9 x") == Words{"caf", sign, "x"});
}

TEST_CASE("every character survives being written and read") {
  for (char32_t c = 0; c < 0x110000; c += c < 0x3000 ? 1 : 37) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(text, c);
    const auto read = first_character(text);
    if (!read.valid || read.code != c || read.bytes != text.size()) FAIL_CHECK("character ", static_cast<unsigned>(c));
  }
}

TEST_CASE("no bytes of a text get lost, and no token has white space") {
  const std::string text = "A caf\xC3\xA9 \xE2\x80\x93 isn't <br />1.5-2 ''.. 'll\xFF\xF0\x9F\x98\x80";
  for (std::size_t begin = 0; begin < text.size(); ++begin)
    for (std::size_t end = begin; end <= text.size(); ++end)
      for (const std::string& word : words(std::string_view(text).substr(begin, end - begin))) {
        CHECK(!word.empty());
        CHECK(word.find(' ') == std::string::npos);
      }
}
}  // namespace text_test
