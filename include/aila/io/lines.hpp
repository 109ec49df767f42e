// Lines of text, from memory or from a file: the one reader of all text files.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "../core/error.hpp"
#include "input_file.hpp"

namespace aila::inline v0::io {

/// What some editors put before the text; it is no part of it.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// The text of a file without a byte order mark. Throws Error, one sentence that begins with `name`, for UTF-16 and
/// UTF-32.
inline std::string_view without_mark(std::string_view text, const std::string& name) {
  using namespace std::literals;
  for (const auto mark : {"\xFF\xFE"sv, "\xFE\xFF"sv, "\0\0\xFE\xFF"sv})
    if (text.starts_with(mark))
      throw_error(name, ": expected text in UTF-8, found the first bytes of UTF-16 or UTF-32");
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  return text;
}

/// Throws Error, one sentence that begins with `place`, for a byte of value 0.
inline void require_text(std::string_view text, const std::string& place) {
  if (text.find('\0') != std::string_view::npos)
    throw_error(place, ": expected text, found a byte of value 0, as UTF-16 and files that are no text have them");
}

/// Walks over text line by line. Lines end in LF or CR LF, and in CR where there is no LF; the last one may lack its
/// end. Lines of blanks alone at the end are none. Byte order marks are left out, at the beginning and where a file was
/// appended to another.
class Lines {
 public:
  /// All the text, which must outlive it; `name` is what messages call it. Throws Error for UTF-16 and UTF-32.
  Lines(std::string_view text, std::string name) : name_(std::move(name)), rest_(without_mark(text, name_)) {
    choose_end();
  }
  /// A file, of which a part is in memory at a time. Throws Error as InputFile does, and for UTF-16 and UTF-32.
  explicit Lines(const std::filesystem::path& path) : file_(path), name_(file_->name()), left_(file_->size()) {
    more();
    rest_ = without_mark(rest_, name_);
    choose_end();
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  /// The next line without its end; of a file it is good until the next call. False behind the last. Throws Error for a
  /// byte of value 0, and for a line of a file that is too long to be one.
  bool next(std::string_view& line) {
    if (only_blanks()) return false;
    std::size_t end = rest_.find(end_);
    while (end == std::string_view::npos) {
      const std::size_t searched = rest_.size();
      if (!more()) break;
      end = rest_.find(end_, searched);
    }
    ++number_;
    line = rest_.substr(0, end);
    const std::size_t taken = std::min(line.size() + 1, rest_.size());
    rest_.remove_prefix(taken);
    blanks_ -= std::min(blanks_, taken);
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
    if (line.find('\0') != std::string_view::npos) require_text(line, place());
    return true;
  }

  /// Of the line that `next` gave last, from 1.
  std::size_t number() const noexcept { return number_; }
  const std::string& name() const noexcept { return name_; }

  /// Throws Error: "name:line: sentence".
  [[noreturn]] void fail(const std::string& sentence) const { throw_error(place(), ": ", sentence); }

 private:
  std::string place() const { return name_ + ":" + std::to_string(number_); }

  static constexpr std::size_t part = 1U << 20U, longest = 1U << 26U;

  /// Looks as far as the first end of a line, and what is behind it in the same part.
  void choose_end() {
    std::size_t cr = 0;
    do {
      if (rest_.find('\n') != std::string_view::npos) return;
      cr = rest_.find('\r');
    } while ((cr == std::string_view::npos || cr + 1 == rest_.size()) && more());
    if (cr != std::string_view::npos) end_ = '\r';
  }

  /// Reads the next part of a file behind what is left of the one before; false at the end.
  bool more() {
    if (!file_ || left_ == 0) return false;
    if (rest_.size() > longest) {
      ++number_;
      fail("expected a line of at most " + std::to_string(longest) + " bytes, found a longer one");
    }
    buffer_.erase(0, buffer_.size() - rest_.size());
    const std::size_t kept = buffer_.size();
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, part));
    buffer_.resize(kept + size);
    file_->read(std::as_writable_bytes(std::span(buffer_).subspan(kept)));
    left_ -= size;
    rest_ = buffer_;
    return true;
  }

  /// Whether nothing else is left. Blanks that were seen are not looked at again.
  bool only_blanks() {
    if (blanks_ > 0) return false;
    for (std::size_t from = 0;;) {
      const std::size_t at = rest_.find_first_not_of(" \t\r\n", from);
      if (at != std::string_view::npos) {
        blanks_ = at;
        return false;
      }
      from = rest_.size();
      if (!more()) return true;
    }
  }

  std::optional<InputFile> file_;
  std::string name_;
  std::uint64_t left_ = 0;  ///< bytes of the file that were not read
  std::string buffer_;
  std::string_view rest_;
  std::size_t number_ = 0;
  std::size_t blanks_ = 0;  ///< at the front of the rest, with something behind them
  char end_ = '\n';
};

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
