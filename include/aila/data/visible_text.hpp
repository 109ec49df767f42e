// Short texts as a reader sees them.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "characters.hpp"
#include "utf8.hpp"

namespace aila::inline v0::data {

/// Characters that take no room: soft hyphens, marks of direction, byte order marks and the like. Joiners do too, and
/// are no such character: they change how letters beside them look.
constexpr bool is_invisible(char32_t c) {
  return c == 0xAD || c == 0x180E || c == 0x200B || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x2064) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

/// `text` without what cannot be seen: no white space around it, one blank for white space of any kind inside it,
/// nothing for invisible characters, and for joiners (U+200C, U+200D) that do not stand between two characters beyond
/// ASCII. Names that look alike become equal. Bytes that are not UTF-8 stay as they are.
inline std::string visible_text(std::string_view text) {
  if (std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; })) return std::string(text);
  std::string seen;
  std::string_view joiner;
  bool blank = false, ascii = true;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = first_character(text.substr(at));
    const auto bytes = text.substr(at, c.bytes);
    at += c.bytes;
    if (c.valid && (c.code == 0x200C || c.code == 0x200D)) {
      if (!ascii && !blank) joiner = bytes;
    } else if (c.valid && is_space(c.code) && !is_invisible(c.code)) {
      blank = !seen.empty();
      joiner = {};
    } else if (!c.valid || !is_invisible(c.code)) {
      if (blank) seen += ' ';
      blank = false;
      ascii = c.code < 0x80;
      if (!ascii) seen += joiner;
      joiner = {};
      seen += bytes;
    }
  }
  return seen;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
