// Lines, fields and dates of CSV text, with the place of each for messages.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../io/text.hpp"

namespace aila::inline v0::data::detail {

/// A field of a line without quotes and blanks around it, and its column in the line, from 1, counted in bytes.
struct CsvField {
  std::string text;
  std::size_t column = 1;
};

/// Walks over text line by line. Lines end in LF or CR LF; empty lines at the end are none.
class CsvLines {
 public:
  CsvLines(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    text_ = text_.substr(0, text_.find_last_not_of("\r\n \t") + 1);
  }

  std::size_t line() const noexcept { return line_; }

  /// Fields of the next line; false at the end.
  bool next(std::vector<CsvField>& fields) {
    fields.clear();
    if (done_ || text_.empty()) return false;
    ++line_;
    const auto end = text_.find('\n');
    auto row = text_.substr(0, end);
    done_ = end == std::string_view::npos;
    if (!done_) text_.remove_prefix(end + 1);
    if (row.ends_with('\r')) row.remove_suffix(1);
    for (std::size_t at = 0; at <= row.size();) at = field(row, at, fields) + 1;
    return true;
  }

  /// Throws Error: "name:line:column: sentence".
  [[noreturn]] void fail(std::size_t column, const std::string& sentence) const { fail(line_, column, sentence); }
  [[noreturn]] void fail(std::size_t line, std::size_t column, const std::string& sentence) const {
    throw_error(name_ + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + sentence);
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
      while (!found.text.empty() && blank(found.text.back())) found.text.pop_back();
      at = end;
    }
    fields.push_back(std::move(found));
    return at;
  }

  std::string_view text_;
  std::string name_;
  std::size_t line_ = 0;
  bool done_ = false;
};

/// Months since year 0 of "YYYY-MM" or "YYYY-MM-DD"; nothing for other text.
inline std::optional<int> csv_month(std::string_view date) {
  if (date.size() != 7 && date.size() != 10) return std::nullopt;
  for (std::size_t i = 0; i < date.size(); ++i)
    if (i == 4 || i == 7 ? date[i] != '-' : date[i] < '0' || date[i] > '9') return std::nullopt;
  const auto two = [date](std::size_t i) { return (date[i] - '0') * 10 + (date[i + 1] - '0'); };
  const int month = two(5);
  const int day = date.size() == 10 ? two(8) : 1;
  if (month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
  return (two(0) * 100 + two(2)) * 12 + month - 1;
}

}  // namespace aila::inline v0::data::detail

#include "../core/macros_back.hpp"
