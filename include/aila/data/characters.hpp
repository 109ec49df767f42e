// Kinds of characters, as far as splitting text into words needs them.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>

#include "../core/config.hpp"

namespace aila::inline v0::data {

namespace detail {

struct CharacterRange {
  char32_t first, last;
};

/// Letters, digits and marks beyond ASCII, by whole blocks: the few signs inside a block count as letters.
inline constexpr std::array<CharacterRange, 22> word_ranges{{
    {0xAA, 0xAA},     {0xB5, 0xB5},     {0xBA, 0xBA},     {0xC0, 0xD6},       {0xD8, 0xF6},     {0xF8, 0x37D},
    {0x37F, 0x386},   {0x388, 0x559},   {0x560, 0x588},   {0x591, 0x60B},     {0x60D, 0x167F},  {0x1681, 0x1FFF},
    {0x2C00, 0x2DFF}, {0x3005, 0x3007}, {0x3031, 0xD7FF}, {0xF900, 0xFDFF},   {0xFE70, 0xFEFE}, {0xFF10, 0xFF19},
    {0xFF21, 0xFF3A}, {0xFF41, 0xFF5A}, {0xFF66, 0xFFDC}, {0x10000, 0x1EFFF},
}};

inline constexpr std::array<CharacterRange, 4> odd_capitals{
    {{0x139, 0x148}, {0x179, 0x17E}, {0x1AF, 0x1B0}, {0x1CD, 0x1DC}}};
inline constexpr std::array<CharacterRange, 11> even_capitals{{{0x100, 0x137},
                                                               {0x14A, 0x177},
                                                               {0x1A0, 0x1A5},
                                                               {0x1DE, 0x1EF},
                                                               {0x1F8, 0x21F},
                                                               {0x222, 0x233},
                                                               {0x460, 0x481},
                                                               {0x48A, 0x4BF},
                                                               {0x4D0, 0x52F},
                                                               {0x1E00, 0x1E95},
                                                               {0x1EA0, 0x1EFF}}};

}  // namespace detail

/// White space, and the two characters of no width that stand between words.
constexpr bool is_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 ||
         c == 0xFEFF;
}

/// A letter or digit, of any script.
constexpr bool is_word(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  if (c >= 0x20000) return c < 0x40000;  // Han
  const auto* range = std::ranges::lower_bound(detail::word_ranges, c, {}, &detail::CharacterRange::last);
  return range != detail::word_ranges.end() && c >= range->first;
}

/// The apostrophe or hyphen of ASCII for the signs that telephones, word processors and other keyboards put in its
/// place, where it holds a word together: `before` and `behind` are the characters beside it. Other characters, and
/// these signs elsewhere, as they are: a quotation mark between blanks, or the letter that U+02BC is in some alphabets.
constexpr char32_t plain_sign(char32_t before, char32_t c, char32_t behind) {
  const auto ascii_letter = [](char32_t l) { return (l >= 'a' && l <= 'z') || (l >= 'A' && l <= 'Z'); };
  switch (c) {
    case 0x2019:  // right single quotation mark: what telephones write
    case 0xFF07:  // of full width
      return is_word(before) || is_word(behind) ? U'\'' : c;
    case 0x60:    // grave accent
    case 0xB4:    // acute accent
    case 0x2BC:   // modifier letter apostrophe
    case 0x2018:  // left single quotation mark
    case 0x201B:  // the same turned
    case 0x2032:  // prime
      return ascii_letter(before) && ascii_letter(behind) ? U'\'' : c;
    case 0x2010:  // hyphen
    case 0x2011:  // that does not break lines
    case 0xFE63:  // small
    case 0xFF0D:  // of full width
      return is_word(before) && is_word(behind) ? U'-' : c;
    default:
      return c;
  }
}

/// The small letter of a capital of the Latin (also of full width), Greek and Cyrillic alphabets, as far as living
/// languages use them; other characters as they are. Where capitals and small letters alternate, the capitals are the
/// even or the odd ones.
constexpr char32_t lower_case(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c < 0x100) return c >= 0xC0 && c <= 0xDE && c != 0xD7 ? c + 32 : c;
  if (c == 0x130) return 'i';
  if (c == 0x178) return 0xFF;
  if (c == 0x1E9E) return 0xDF;
  for (const auto& [first, last] : detail::odd_capitals)
    if (c >= first && c <= last) return c % 2 == 1 ? c + 1 : c;
  for (const auto& [first, last] : detail::even_capitals)
    if (c >= first && c <= last) return c % 2 == 0 ? c + 1 : c;
  if (c >= 0x391 && c <= 0x3AB && c != 0x3A2) return c + 32;
  if (c == 0x386) return 0x3AC;
  if (c >= 0x388 && c <= 0x38A) return c + 37;
  if (c == 0x38C) return 0x3CC;
  if (c == 0x38E || c == 0x38F) return c + 63;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  if ((c >= 0x410 && c <= 0x42F) || (c >= 0xFF21 && c <= 0xFF3A)) return c + 32;
  return c;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
