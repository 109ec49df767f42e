#include "months.hpp"

#include <charconv>
#include <chrono>

namespace forecast {
namespace {

using aila::data::Series;
using std::chrono::sys_days;
using std::chrono::year_month_day;

int number(const std::string& date, std::size_t at, std::size_t digits) {
  int value = 0;
  std::from_chars(date.data() + at, date.data() + at + digits, value);
  return value;
}

year_month_day day_of(const Series& series, const std::string& date) {
  if (date.size() != 10) throw aila::Error(series.name + ": expected days like 1978-01-31, found " + date);
  const year_month_day day{std::chrono::year(number(date, 0, 4)),
                           std::chrono::month(static_cast<unsigned>(number(date, 5, 2))),
                           std::chrono::day(static_cast<unsigned>(number(date, 8, 2)))};
  if (!day.ok()) throw aila::Error(series.name + ": expected a day of the calendar, found " + date);
  return day;
}

/// Days of the month that follow.
long days_left(const year_month_day& day) {
  return (sys_days(day.year() / day.month() / std::chrono::last) - sys_days(day)).count();
}

void append(Months& months, const std::string& month, double end, double mean) {
  months.ends.dates.push_back(month);
  months.ends.values.push_back(end);
  months.means.dates.push_back(month);
  months.means.values.push_back(mean);
}

}  // namespace

Months months_of(const Series& days) {
  constexpr int most_days_without_price = 10, first_week = 7, last_days = 4;
  Months months{.ends = {days.name, {}, {}}, .means = {days.name, {}, {}}};
  std::vector<year_month_day> calendar;
  for (const auto& date : days.dates) {
    calendar.push_back(day_of(days, date));
    const auto count = calendar.size();
    if (count > 1 && (sys_days(calendar[count - 1]) - sys_days(calendar[count - 2])).count() > most_days_without_price)
      throw aila::Error(days.name + ": expected a price of every day that is traded, found none between " +
                        days.dates[count - 2] + " and " + date);
  }
  double sum = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < calendar.size(); ++i) {
    sum += days.values[i];
    const bool last = i + 1 == calendar.size() || calendar[i + 1].month() != calendar[i].month();
    if (!last) continue;
    const bool whole =
        static_cast<unsigned>(calendar[first].day()) <= first_week && days_left(calendar[i]) <= last_days;
    const bool edge = first == 0 || i + 1 == calendar.size();
    if (whole || !edge)
      append(months, days.dates[i].substr(0, 7), days.values[i], sum / static_cast<double>(i + 1 - first));
    sum = 0;
    first = i + 1;
  }
  if (months.ends.dates.empty())
    throw aila::Error(days.name + ": expected the days of a month or more, found " + std::to_string(days.dates.size()) +
                      " days");
  return months;
}

}  // namespace forecast
