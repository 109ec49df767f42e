// Lines and fields of CSV text, with the place of each for messages.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../io/lines.hpp"
#include "visible_text.hpp"

namespace aila::inline v0::data::detail {

/// A field of a line without quotes and what cannot be seen (`visible_text`), and its column in the line, from 1,
/// counted in bytes.
struct CsvField {
  std::string text;
  std::size_t column = 1;
};

/// Walks over the fields of text line by line.
class CsvLines {
 public:
  CsvLines(std::string_view text, std::string name) : lines_(text, std::move(name)) {}

  std::size_t line() const noexcept { return lines_.number(); }

  /// Fields of the next line; false at the end.
  bool next(std::vector<CsvField>& fields) {
    fields.clear();
    std::string_view row;
    if (!lines_.next(row)) return false;
    for (std::size_t at = 0; at <= row.size();) at = field(row, at, fields) + 1;
    return true;
  }

  /// Throws Error: "name:line:column: sentence".
  [[noreturn]] void fail(std::size_t column, const std::string& sentence) const { fail(line(), column, sentence); }
  [[noreturn]] void fail(std::size_t line, std::size_t column, const std::string& sentence) const {
    throw_error(lines_.name(), ":", line, ":", column, ": ", sentence);
  }

 private:
  static bool blank(char c) { return c == ' ' || c == '\t'; }

  /// Reads one field from `at` on; gives the place of the comma behind it.
  std::size_t field(std::string_view row, std::size_t at, std::vector<CsvField>& fields) const {
    while (at < row.size() && blank(row[at])) ++at;
    CsvField found{.text = {}, .column = at + 1};
    if (at < row.size() && row[at] == '"') {
      for (++at;; ++at) {
        if (at >= row.size()) fail(found.column, "expected a closing quote in this line, found none");
        if (row[at] == '"' && (at + 1 >= row.size() || row[at + 1] != '"')) break;
        if (row[at] == '"') ++at;  // two quotes stand for one
        found.text += row[at];
      }
      for (++at; at < row.size() && blank(row[at]);) ++at;
      if (at < row.size() && row[at] != ',') fail(at + 1, "expected a comma after the closing quote");
    } else {
      const auto end = std::min(row.find(',', at), row.size());
      found.text = row.substr(at, end - at);
      at = end;
    }
    found.text = visible_text(found.text);
    fields.push_back(std::move(found));
    return at;
  }

  io::Lines lines_;
};

}  // namespace aila::inline v0::data::detail

#include "../core/macros_back.hpp"
