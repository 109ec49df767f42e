// Price series from CSV files: a header row, dates in the first column, numbers in the others.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
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
#include "csv_text.hpp"
#include "series.hpp"

namespace aila::inline v0::data {

struct CsvOptions {
  // NOLINTNEXTLINE(readability-redundant-member-init): lets designated initialisers leave it out without a warning
  std::vector<std::string> columns = {};  ///< which to read, and in which order; empty for all
  bool positive = false;                  ///< refuse numbers without a logarithm
  std::size_t minimum_rows = 1;           ///< numbers that each column must have
};

namespace detail {

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
    std::vector<Series> series;
    for (auto& column : columns_) {
      if (column.series.values.size() < options_.minimum_rows || column.series.values.empty())
        lines_.fail(1, "expected " + std::to_string(std::max<std::size_t>(options_.minimum_rows, 1)) +
                           " or more rows of the column " + io::printable(column.series.name) + ", found " +
                           std::to_string(column.series.values.size()) + " up to here");
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
    if (fields[0].text != "date" && fields[0].text != "Date")
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
      while (place < width_ && fields[place].text != wanted) ++place;
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

  /// Dates ascend; months follow each other without a gap, since a window counts them.
  void date(const CsvField& field) {
    const int month = csv_month(field.text).value_or(-1);
    if (month < 0 || (!last_date_.empty() && last_date_.size() != field.text.size()))
      lines_.fail(field.column, std::string("expected a date like ") +
                                    (last_date_.empty() ? "1978-01 or 1978-01-31" : last_date_) + ", found \"" +
                                    io::printable(field.text) + '"');
    if (!last_date_.empty() && field.text <= last_date_)
      lines_.fail(field.column, "expected a date after " + last_date_ + ", found " + field.text);
    if (!last_date_.empty() && field.text.size() == 7 && month != last_month_ + 1)
      lines_.fail(field.column, "expected the month after " + last_date_ + ", found " + field.text);
    last_month_ = month;
    last_date_ = field.text;
  }

  void value(Column& column, const std::string& date, const CsvField& field) {
    const auto refuse = [&](const char* expected) {
      lines_.fail(field.column, std::string("expected ") + expected + " in the column " +
                                    io::printable(column.series.name) + ", found \"" + io::printable(field.text) + '"');
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
  std::string last_date_;
  int last_month_ = 0;
};

}  // namespace detail

/// Series from CSV text: a header row whose first name is date; dates "YYYY-MM" (every month) or "YYYY-MM-DD" that
/// ascend; finite numbers, or blanks before a column's first and after its last number, which its series leaves out.
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
