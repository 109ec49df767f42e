// Text of a file made fit for a message: one line, of bounded length.
#pragma once

#include "../core/macros_aside.hpp"

#include <filesystem>
#include <string>
#include <string_view>

#include "../core/config.hpp"

namespace aila::inline v0::io {

/// `text` without control characters and cut after `limit` bytes, never inside a UTF-8 character:
/// what a hostile file holds can neither break a sentence into lines nor flood a log.
inline std::string printable(std::string_view text, std::size_t limit = 80) {
  bool cut = text.size() > limit;
  if (cut) {
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
    text = text.substr(0, limit);
  }
  std::string clean(text);
  for (char& c : clean)
    if (static_cast<unsigned char>(c) < 0x20U || c == '\x7F') c = '?';
  return cut ? clean + "..." : clean;
}

/// The name that messages about a file begin with: the last part of its path.
inline std::string display_name(const std::filesystem::path& path) {
  return printable((path.has_filename() ? path.filename() : path).string(), 255);
}

/// The folder of a path as a message names it.
inline std::string display_folder(const std::filesystem::path& path) {
  return printable(path.has_parent_path() ? path.parent_path().string() : std::string("."), 1000);
}

/// `[256, 64]`, for any range of whole numbers.
template <class Range>
std::string shape_text(const Range& extents, std::string_view separator = ", ") {
  std::string text = "[";
  for (const auto& extent : extents) {
    if (text.size() > 1) text += separator;
    text += std::to_string(extent);
  }
  return text + "]";
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
