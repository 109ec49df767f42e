// Dates of the Gregorian calendar, as tables write them.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

#include "../core/config.hpp"

namespace aila::inline v0::data {

/// A day, or a whole month.
struct Date {
  int year = 0, month = 1;  ///< months from 1
  int day = 0;              ///< from 1; 0 for the whole month

  constexpr bool operator==(const Date&) const = default;
};

constexpr int days_in_month(int year, int month) {
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 ? (leap ? 29 : 28) : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Whether text has the form "YYYY-MM" or "YYYY-MM-DD", be there such a date or not.
constexpr bool has_form_of_date(std::string_view text) {
  if (text.size() != 7 && text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  return true;
}

/// The date that "YYYY-MM" or "YYYY-MM-DD" is; nothing for other text, and for days that the calendar does not have.
constexpr std::optional<Date> parse_date(std::string_view text) {
  if (!has_form_of_date(text)) return std::nullopt;
  const auto two = [text](std::size_t i) { return (text[i] - '0') * 10 + (text[i + 1] - '0'); };
  const Date date{.year = two(0) * 100 + two(2), .month = two(5), .day = text.size() == 10 ? two(8) : 0};
  if (date.month < 1 || date.month > 12) return std::nullopt;
  if (text.size() == 10 && (date.day < 1 || date.day > days_in_month(date.year, date.month))) return std::nullopt;
  return date;
}

/// Months since year 0.
constexpr int month_number(Date date) {
  return date.year * 12 + date.month - 1;
}

/// Days since a Sunday before year 0, so that the rest by 7 is the day of the week, 0 for Sunday; a month counts as its
/// first day. After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2021.
constexpr int day_number(Date date) {
  // Years begin in March, so that the day that only some have is the last one; 400 more have no negative numbers.
  const int month = (date.month + 9) % 12, year = date.year + (date.month <= 2 ? 399 : 400);
  return year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + (date.day == 0 ? 1 : date.day) + 2;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
