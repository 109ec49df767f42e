// Price series from CSV files: a header row, dates in the first column, numbers in the others.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../io/input_file.hpp"
#include "../io/number.hpp"
#include "characters.hpp"
#include "csv_text.hpp"
#include "date.hpp"
#include "period.hpp"
#include "series.hpp"

namespace aila::inline v0::data {

struct CsvOptions {
  // NOLINTNEXTLINE(readability-redundant-member-init): lets designated initialisers leave it out without a warning
  std::vector<std::string> columns = {};  ///< which to read, and in which order; empty for all
  bool positive = false;                  ///< refuse numbers without a logarithm
  std::size_t minimum_rows = 1;           ///< numbers that each column must have
};

namespace detail {

/// Whether the first column of a table has dates by its name: date, DATE, Month, observation_date and the like.
inline bool is_name_of_dates(std::string_view name) {
  std::string small;
  for (const char c : name)
    small += c == ' ' || c == '-' ? '_' : static_cast<char>(lower_case(static_cast<unsigned char>(c)));
  constexpr std::array<std::string_view, 12> names{
      "date", "dates", "observation_date", "ref_date", "time_period", "period", "time", "day",
      "week", "month", "quarter",          "year"};
  return std::ranges::find(names, small) != names.end();
}

/// Reads one file; every method throws Error with name, line and column.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string name, const CsvOptions& options)
      : lines_(text, std::move(name)), options_(options) {}

  std::vector<Series> read() {
    std::vector<CsvField> fields;
    if (!lines_.next(fields)) lines_.fail(1, 1, "expected a header row, the file is empty");
    header(fields);
    while (lines_.next(fields)) row(fields);
    const Spacing spacing = SpacingOfDates(dates_).find();
    if (const std::size_t gap = spacing.gap; gap != 0)
      lines_.fail(gap + 2, columns_of_dates_[gap], "expected " + spacing.expected + ", found " + dates_[gap]);
    std::vector<Series> series;
    for (auto& column : columns_) {
      if (column.series.values.size() < options_.minimum_rows || column.series.values.empty())
        lines_.fail(1, "expected " + std::to_string(std::max<std::size_t>(options_.minimum_rows, 1)) +
                           " or more rows of the column " + io::printable(column.series.name) + ", found " +
                           std::to_string(column.series.values.size()) + " up to here");
      column.series.period = spacing.period;
      series.push_back(std::move(column.series));
    }
    return series;
  }

 private:
  struct Column {
    std::size_t place = 0;
    Series series;
    std::size_t blank_line = 0, blank_column = 0;  ///< of the first blank after the numbers; 0 for none
  };

  void header(const std::vector<CsvField>& fields) {
    width_ = fields.size();
    if (!is_name_of_dates(fields[0].text))
      lines_.fail(fields[0].column,
                  "expected the first column to be date, found \"" + io::printable(fields[0].text) + '"');
    if (width_ == 1) lines_.fail(1, "expected columns of numbers behind date, found none");
    std::string known;
    for (std::size_t i = 1; i < width_; ++i) {
      if (fields[i].text.empty()) lines_.fail(fields[i].column, "expected the name of a column, found a blank");
      for (std::size_t k = 0; k < i; ++k)
        if (fields[k].text == fields[i].text)
          lines_.fail(fields[i].column, "the column " + io::printable(fields[i].text) + " is there twice");
      known += (known.empty() ? "" : ", ") + fields[i].text;
      if (options_.columns.empty())
        columns_.push_back({.place = i, .series = {.name = fields[i].text, .dates = {}, .values = {}}});
    }
    for (const auto& wanted : options_.columns) {
      std::size_t place = 1;
      while (place < width_ && fields[place].text != visible_text(wanted)) ++place;
      if (place == width_)
        lines_.fail(1, "expected a column " + io::printable(wanted) + ", found " + io::printable(known));
      columns_.push_back({.place = place, .series = {.name = wanted, .dates = {}, .values = {}}});
    }
  }

  void row(const std::vector<CsvField>& fields) {
    if (fields.size() != width_)
      lines_.fail(fields.back().column, "expected " + std::to_string(width_) + " fields as in the header, found " +
                                            std::to_string(fields.size()));
    date(fields[0]);
    for (auto& column : columns_) value(column, fields[0].text, fields[column.place]);
  }

  /// Dates of one form that ascend; what else they must be is seen behind the last.
  void date(const CsvField& field) {
    const std::string_view last = dates_.empty() ? std::string_view{} : dates_.back();
    if (!parse_date(field.text) || (!last.empty() && last.size() != field.text.size())) {
      const bool none = has_form_of_date(field.text) && !parse_date(field.text);
      lines_.fail(field.column, "expected a date like " + std::string(last.empty() ? "1978-01 or 1978-01-31" : last) +
                                    ", found \"" + io::printable(field.text) + '"' +
                                    (none ? ", which is not in the calendar" : ""));
    }
    if (!last.empty() && field.text <= last)
      lines_.fail(field.column, "expected a date after " + std::string(last) + ", found " + field.text);
    dates_.push_back(field.text);
    columns_of_dates_.push_back(field.column);
  }

  void value(Column& column, const std::string& date, const CsvField& field) {
    const auto refuse = [&](const char* expected, const char* meaning = "") {
      lines_.fail(field.column, std::string("expected ") + expected + " in the column " +
                                    io::printable(column.series.name) + ", found \"" + io::printable(field.text) + '"' +
                                    meaning);
    };
    if (field.text.empty()) {
      if (!column.series.values.empty() && column.blank_line == 0) {
        column.blank_line = lines_.line();
        column.blank_column = field.column;
      }
      return;
    }
    if (column.blank_line != 0)
      lines_.fail(
          column.blank_line, column.blank_column,
          "expected a number in the column " + io::printable(column.series.name) + ", found a blank between numbers");
    if (field.text == ".") refuse("a number", ", which stands for a value that is missing");
    const double number = io::number<double>(field.text).value_or(std::numeric_limits<double>::quiet_NaN());
    if (std::isnan(number)) refuse("a number");
    if (options_.positive && !(number > 0)) refuse("a positive number");
    column.series.dates.push_back(date);
    column.series.values.push_back(number);
  }

  CsvLines lines_;
  const CsvOptions& options_;
  std::size_t width_ = 0;
  std::vector<Column> columns_;
  std::vector<std::string> dates_;             ///< of all rows, the first of which is line 2
  std::vector<std::size_t> columns_of_dates_;  ///< where they begin
};

}  // namespace detail

/// Series from CSV text: a header row whose first name is date (or month, DATE, observation_date and the like); dates
/// "YYYY-MM" or "YYYY-MM-DD" that ascend and leave none out (`period_of` says what the period of a series is and what a
/// gap); finite numbers, or blanks before a column's first and after its last number, which its series leaves out.
/// Throws Error "name:line:column: sentence" for all else: a bad number or date, a missing column, a ragged row, a
/// blank between numbers, too few rows, an empty text.
inline std::vector<Series> parse_csv(std::string_view text, std::string name, const CsvOptions& options = {}) {
  return detail::CsvReader(text, std::move(name), options).read();
}

/// Series of a CSV file; throws as `parse_csv`, and for a file that cannot be read.
inline std::vector<Series> read_csv(const std::filesystem::path& path, const CsvOptions& options = {}) {
  return parse_csv(io::read_text(path), io::display_name(path), options);
}

/// One column of positive prices.
inline Series read_prices(const std::filesystem::path& path, const std::string& column) {
  return read_csv(path, {.columns = {column}, .positive = true}).front();
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
