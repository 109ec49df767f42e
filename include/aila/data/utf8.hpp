// UTF-8: https://www.unicode.org/versions/latest, chapter 3, table 3-7.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "../core/config.hpp"

namespace aila::inline v0::data {

/// What stands for bytes that are no character.
inline constexpr char32_t replacement_character = 0xFFFD;

/// A character at the front of a text and the bytes that it takes there.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = true;
};

/// The first character of a text that is not empty. Bytes that are not UTF-8 (overlong forms, surrogates and cut
/// characters among them) give the replacement character for as many of them as could have begun one, which is what
/// Unicode advises.
constexpr Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return {replacement_character, 1, false};
  char32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    // The second byte is bound more closely where the character would be overlong, a surrogate or beyond U+10FFFF.
    const unsigned low = i > 1 ? 0x80U : lead == 0xE0 ? 0xA0U : lead == 0xF0 ? 0x90U : 0x80U;
    const unsigned high = i > 1 ? 0xBFU : lead == 0xED ? 0x9FU : lead == 0xF4 ? 0x8FU : 0xBFU;
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {replacement_character, i, false};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  return {code, bytes, true};
}

constexpr void append_utf8(std::string& text, char32_t code) {
  const auto add = [&](char32_t byte) { text.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  const auto rest = [&](unsigned shift) { add(0x80U | (code >> shift & 0x3FU)); };
  if (code < 0x80) {
    add(code);
    return;
  }
  if (code < 0x800) {
    add(0xC0U | code >> 6U);
  } else {
    if (code < 0x10000) {
      add(0xE0U | code >> 12U);
    } else {
      add(0xF0U | code >> 18U);
      rest(12);
    }
    rest(6);
  }
  rest(0);
}

/// Replaces what is not UTF-8; gives how many times it did.
inline std::size_t repair_utf8(std::string& text) {
  std::string repaired;
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Character c = first_character(std::string_view(text).substr(i));
    if (!c.valid) {
      if (count++ == 0) repaired = text.substr(0, i);
      append_utf8(repaired, replacement_character);
    } else if (count > 0) {
      repaired.append(text, i, c.bytes);
    }
    i += c.bytes;
  }
  if (count > 0) text = std::move(repaired);
  return count;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
