// How far apart the dates of a series are, and where one is missing.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "date.hpp"

namespace aila::inline v0::data {

/// `daily` is every day, or every business day.
enum class Period { unknown, daily, weekly, monthly, quarterly, yearly };

/// "daily", "weekly" and so on.
constexpr std::string_view period_name(Period period) {
  constexpr std::array<std::string_view, 6> names{"unknown", "daily", "weekly", "monthly", "quarterly", "yearly"};
  return names[static_cast<std::size_t>(period)];
}

namespace detail {

/// What ascending dates are, and the first that does not follow the one before it.
struct Spacing {
  Period period = Period::unknown;
  bool weekends = false;  ///< daily, Saturdays and Sundays too
  std::size_t gap = 0;    ///< its place; 0: there is none
  std::string expected{};
};

/// The longest time between two business days that holidays make, in days: those of the new year in China and of May
/// 2019 in Japan kept exchanges closed from one Thursday or Friday to the second Monday or Tuesday after it.
inline constexpr int longest_holidays = 11;

class SpacingOfDates {
 public:
  explicit SpacingOfDates(std::span<const std::string> dates) : texts_(dates) {
    for (const std::string& text : dates) {
      const auto date = parse_date(text);
      if (!date) throw_error("expected a date like 1978-01 or 1978-01-31, found \"", text.substr(0, 20), "\"");
      dates_.push_back(*date);
      days_.push_back(day_number(*date));
    }
  }

  Spacing find() {
    if (dates_.empty()) return {};
    const bool months = dates_.front().day == 0;
    for (std::size_t i = 1; i < dates_.size(); ++i) {
      if ((dates_[i].day == 0) != months) return gap(i, "a date of the form of " + texts_[0]);
      if (days_[i] <= days_[i - 1]) return gap(i, "a date after " + texts_[i - 1]);
    }
    found_.period = usual();
    if (found_.period == Period::unknown && months) found_.period = Period::monthly;
    if (found_.period == Period::unknown && dates_.size() > 1) {
      std::size_t odd = 1;
      while (odd + 1 < dates_.size() && between(odd) != Period::unknown) ++odd;
      return gap(odd, "a date a day, a week, a month, a quarter or a year after " + texts_[odd - 1]);
    }
    if (found_.period == Period::daily) return daily();
    if (found_.period == Period::weekly) return weekly();
    return by_months();
  }

 private:
  Spacing gap(std::size_t at, std::string expected) {
    found_.gap = at;
    found_.expected = std::move(expected);
    return found_;
  }
  int weekday(std::size_t i) const { return days_[i] % 7; }

  /// The period of which date i and the one before it are neighbours.
  Period between(std::size_t i) const {
    const int days = days_[i] - days_[i - 1];
    // A weekend lies between Friday and Monday, and one free day of a weekend where the other one is none.
    if (days <= 4) {
      const int middle = (days_[i] - 1) % 7;
      return days != 2 || middle == 0 || middle == 6 || dates_.size() == 2 ? Period::daily : Period::unknown;
    }
    if (days >= 5 && days <= 9) return Period::weekly;
    if (days >= 26 && days <= 36) return Period::monthly;
    if (days >= 85 && days <= 97) return Period::quarterly;
    return days >= 360 && days <= 371 ? Period::yearly : Period::unknown;
  }

  /// The period of at least half of the neighbours; the shorter one of two.
  Period usual() const {
    std::array<std::size_t, 6> counts{};
    for (std::size_t i = 1; i < dates_.size(); ++i) ++counts[static_cast<std::size_t>(between(i))];
    std::size_t most = 1;
    for (std::size_t p = 2; p < counts.size(); ++p)
      if (counts[p] > counts[most]) most = p;
    const std::size_t neighbours = counts[most];
    return neighbours > 0 && 2 * neighbours >= dates_.size() - 1 ? static_cast<Period>(most) : Period::unknown;
  }

  Spacing daily() {
    std::array<std::size_t, 7> on{};
    for (std::size_t i = 0; i < days_.size(); ++i) ++on[static_cast<std::size_t>(weekday(i))];
    const auto weeks = static_cast<std::size_t>(days_.back() - days_.front()) / 7;
    // Some exchanges are open on one day of the weekend, all of them on single days.
    found_.weekends = std::min(on[0], on[6]) > weeks / 2;
    for (std::size_t i = 1; i < days_.size(); ++i) {
      if (found_.weekends && days_[i] != days_[i - 1] + 1) return gap(i, "the day after " + texts_[i - 1]);
      if (days_[i] - days_[i - 1] > longest_holidays)
        return gap(i, "a day at most " + std::to_string(longest_holidays) + " days after " + texts_[i - 1]);
    }
    return found_;
  }

  /// A holiday may move a date by up to three days from the day of the week that most dates have.
  Spacing weekly() {
    std::array<std::size_t, 7> on{};
    for (std::size_t i = 0; i < days_.size(); ++i) ++on[static_cast<std::size_t>(weekday(i))];
    const auto usual = static_cast<int>(std::ranges::max_element(on) - on.begin());
    for (std::size_t i = 1; i < days_.size(); ++i)
      if ((days_[i] - usual + 3) / 7 != (days_[i - 1] - usual + 3) / 7 + 1)
        return gap(i, "the week after " + texts_[i - 1]);
    return found_;
  }

  Spacing by_months() {
    const bool quarters = found_.period == Period::quarterly;
    const int step = quarters ? 3 : found_.period == Period::yearly ? 12 : 1;
    const std::string unit = quarters ? "quarter" : step == 12 ? "year" : "month";
    for (std::size_t i = 1; i < dates_.size(); ++i)
      if (month_number(dates_[i]) != month_number(dates_[i - 1]) + step)
        return gap(i, "the " + unit + " after " + texts_[i - 1]);
    return found_;
  }

  std::span<const std::string> texts_;
  std::vector<Date> dates_;
  std::vector<int> days_;
  Spacing found_;
};

}  // namespace detail

/// The period of dates, which must follow each other without a gap, all of one form:
/// - "YYYY-MM": every month, every third or every twelfth;
/// - "YYYY-MM-DD" monthly, quarterly or yearly: one in every month, third or twelfth month, on any day;
/// - weekly: one in every week, up to three days off the usual day of the week;
/// - daily: every day where Saturdays and Sundays are there, otherwise business days, of which holidays may be missing:
///   no two dates are more than eleven days apart.
/// It is the period of most neighbours. A single day has none; a single month is monthly. Throws Error for a date that
/// is none or does not follow.
inline Period period_of(std::span<const std::string> dates) {
  const auto spacing = detail::SpacingOfDates(dates).find();
  if (spacing.gap != 0) throw_error("expected ", spacing.expected, ", found ", dates[spacing.gap]);
  return spacing.period;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
