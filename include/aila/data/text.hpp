// Text to words, as the word vectors of GloVe know them: small letters, and signs as words of their own.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "characters.hpp"
#include "utf8.hpp"

namespace aila::inline v0::data {

/// Splits text into tokens, which contain no white space:
/// - letters become small ones; white space separates; `<br>`, `<br/>` and `<br />` are white space;
/// - a word is a run of letters and digits; a single hyphen or dot inside it belongs to it: "low-budget", "u.s", "7.5";
/// - a word's n't is a token, and so are 's 'm 'd 'll 're 've where no letter follows: "do n't", "it 's";
/// - apostrophes and hyphens inside words are those of ASCII, whatever was typed (`plain_sign`), and hyphens that show
///   only where a line breaks (U+00AD) are none;
/// - three dots are one token; every other sign is one of its own.
/// What is not UTF-8 becomes the replacement character, a sign. Scripts without spaces are not split into words.
class Tokeniser {
 public:
  /// Calls f(std::string_view) for each token in order; the view is good until the next call of the tokeniser.
  template <class F>
  void operator()(std::string_view text, F&& f) {
    prepare(text);
    const std::string_view all = text_;
    for (std::size_t at = 0; at < all.size();) {
      const Character c = first_character(all.substr(at));
      if (is_space(c.code)) {
        at += c.bytes;
        continue;
      }
      std::size_t end = at + c.bytes;
      if (is_word(c.code))
        end = word_end(at);
      else if (all.substr(at).starts_with("..."))
        end = at + 3;
      else if (c.code == '\'')
        end = contraction_end(at);
      if (is_word(c.code) && all.substr(end).starts_with("'t") && all[end - 1] == 'n') {
        // "n't" alone, or behind a word: the n goes with it.
        if (end - at == 1) {
          end += 2;
        } else if (word_before(end - 1) && !word_at(end + 2)) {
          f(all.substr(at, end - 1 - at));
          at = end - 1;
          end += 2;
        }
      }
      f(all.substr(at, end - at));
      at = end;
    }
  }

  std::vector<std::string> tokens(std::string_view text) {
    std::vector<std::string> list;
    (*this)(text, [&](std::string_view token) { list.emplace_back(token); });
    return list;
  }

 private:
  /// The text in small letters, with plain apostrophes and hyphens, and without line breaks of HTML.
  void prepare(std::string_view text) {
    text_.clear();
    char32_t before = ' ';
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] == '<') {
        if (const std::size_t bytes = line_break(text.substr(at)); bytes > 0) {
          text_ += ' ';
          before = ' ';
          at += bytes;
          continue;
        }
      }
      const Character c = first_character(text.substr(at));
      at += c.bytes;
      char32_t sign = c.code;
      if (sign == '`' || sign >= 0x80) {
        if (sign == 0xAD) continue;
        sign = plain_sign(before, sign, at < text.size() ? first_character(text.substr(at)).code : U' ');
      }
      append_utf8(text_, lower_case(sign));
      before = c.code;
    }
  }

  /// The length of the <br /> in front, or 0.
  static std::size_t line_break(std::string_view text) {
    if (text.size() < 4 || lower_case(static_cast<unsigned char>(text[1])) != 'b' ||
        lower_case(static_cast<unsigned char>(text[2])) != 'r')
      return 0;
    for (const std::string_view rest : {">", "/>", " >", " />"})
      if (text.substr(3).starts_with(rest)) return 3 + rest.size();
    return 0;
  }

  bool word_at(std::size_t at) const {
    return at < text_.size() && is_word(first_character(std::string_view(text_).substr(at)).code);
  }
  /// Whether the character before `at` is part of a word; `at` is inside one.
  bool word_before(std::size_t at) const { return text_[at - 1] != '-' && text_[at - 1] != '.'; }

  std::size_t word_end(std::size_t at) const {
    const std::string_view all = text_;
    for (;;) {
      while (word_at(at)) at += first_character(all.substr(at)).bytes;
      if (at >= all.size() || (all[at] != '-' && all[at] != '.') || !word_at(at + 1)) return at;
      ++at;
    }
  }

  /// The end of 's and the like at an apostrophe, else of the apostrophe.
  std::size_t contraction_end(std::size_t at) const {
    for (const std::string_view letters : {"s", "m", "d", "ll", "re", "ve"})
      if (std::string_view(text_).substr(at + 1).starts_with(letters) && !word_at(at + 1 + letters.size()))
        return at + 1 + letters.size();
    return at + 1;
  }

  std::string text_;
};

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
