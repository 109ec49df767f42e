// Monthly series from daily ones.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include "../core/error.hpp"
#include "../io/text.hpp"
#include "series.hpp"

namespace aila::inline v0::data {

namespace detail {

/// Calls f(month, first, behind) for each month of a daily series with the places of its rows, without a first month
/// whose beginning is not there where `from_first_day`, and without a last one whose end is not there.
template <class F>
void for_each_month(const Series& series, bool from_first_day, F&& f) {
  const auto refuse = [&](const std::string& expected, const std::string& found) {
    throw_error(io::printable(series.name), ": expected ", expected, ", found ", found);
  };
  if (series.dates.size() != series.values.size())
    refuse("a date for each of " + std::to_string(series.values.size()) + " prices",
           std::to_string(series.dates.size()) + " dates");
  const auto spacing = SpacingOfDates(series.dates).find();
  if (spacing.gap != 0) refuse(spacing.expected, series.dates[spacing.gap]);
  if (spacing.period != Period::daily)
    refuse("daily prices", spacing.period == Period::unknown ? "a series of " + std::to_string(series.dates.size())
                                                             : std::string(period_name(spacing.period)) + " ones");
  // Weekends and holidays take up to four days from an end of a month.
  const int free = spacing.weekends ? 0 : 4;
  std::size_t months = 0;
  for (std::size_t first = 0, behind = 0; first < series.dates.size(); first = behind) {
    const std::string month = series.dates[first].substr(0, 7);
    while (behind < series.dates.size() && series.dates[behind].starts_with(month)) ++behind;
    const Date begin = parse_date(series.dates[first]).value_or(Date{});
    const Date end = parse_date(series.dates[behind - 1]).value_or(Date{});
    if (from_first_day && first == 0 && begin.day > 1 + free) continue;
    if (behind == series.dates.size() && end.day < days_in_month(end.year, end.month) - free) continue;
    f(month, first, behind);
    ++months;
  }
  if (months == 0) refuse("a whole month of daily prices", series.dates.front() + " to " + series.dates.back());
}

}  // namespace detail

/// The last price of each month of a daily series, dates "YYYY-MM". The last month is left out unless the series
/// reaches its end, which weekends and holidays may put up to four days before the last day. Throws Error where the
/// series is not daily, has a gap (`period_of`), or no such month.
inline Series month_ends(const Series& daily) {
  Series monthly{.name = daily.name, .dates = {}, .values = {}, .period = Period::monthly};
  detail::for_each_month(daily, false, [&](const std::string& month, std::size_t, std::size_t behind) {
    monthly.dates.push_back(month);
    monthly.values.push_back(daily.values[behind - 1]);
  });
  return monthly;
}

/// The arithmetic mean of the prices of each month, as `month_ends`; a first month is left out too where the series
/// begins after its first days.
inline Series month_means(const Series& daily) {
  Series monthly{.name = daily.name, .dates = {}, .values = {}, .period = Period::monthly};
  detail::for_each_month(daily, true, [&](const std::string& month, std::size_t first, std::size_t behind) {
    double sum = 0;
    for (std::size_t i = first; i < behind; ++i) sum += daily.values[i];
    monthly.dates.push_back(month);
    monthly.values.push_back(sum / static_cast<double>(behind - first));
  });
  return monthly;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
