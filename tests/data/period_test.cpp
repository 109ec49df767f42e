// How far dates are apart, what counts as a gap, and months of daily prices.
#include <doctest/doctest.h>

#include <aila/data/months.hpp>
#include <string>
#include <vector>

#include "../io/temporary_folder.hpp"

namespace period_test {
using namespace aila::data;
using namespace aila_test;
using Strings = std::vector<std::string>;

namespace {

std::string text_of(int year, int month, int day) {
  const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return std::to_string(year) + "-" + two(month) + (day == 0 ? "" : "-" + two(day));
}

/// The days of months of one year that `keep(day_number)` picks.
template <class Keep>
Strings days(int year, int first_month, int last_month, Keep&& keep) {
  Strings dates;
  for (int month = first_month; month <= last_month; ++month)
    for (int day = 1; day <= days_in_month(year, month); ++day)
      if (keep(day_number({year, month, day}))) dates.push_back(text_of(year, month, day));
  return dates;
}
bool business(int day) {
  return day % 7 != 0 && day % 7 != 6;
}
Strings without(Strings dates, const Strings& missing) {
  for (const auto& date : missing) REQUIRE(std::erase(dates, date) == 1);
  return dates;
}
std::string refusal(const Strings& dates) {
  return error_of([&] { period_of(dates); });
}

}  // namespace

static_assert(parse_date("2020-02-29") == Date{2020, 2, 29} && parse_date("1978-01") == Date{1978, 1, 0});
static_assert(parse_date("2000-02-29") && !parse_date("1900-02-29") && !parse_date("2019-02-29"));
static_assert(!parse_date("2020-02-30") && !parse_date("2020-02-31") && !parse_date("2020-04-31"));
static_assert(!parse_date("2020-00") && !parse_date("2020-13-01") && !parse_date("2020-01-00") && !parse_date("2020"));
static_assert(day_number({2024, 1, 7}) % 7 == 0 && day_number({1978, 1, 1}) % 7 == 0);
static_assert(day_number({1970, 1, 1}) - day_number({1969, 12, 31}) == 1 && day_number({0, 1, 1}) > 0);

TEST_CASE("days are numbered without a gap through four hundred years") {
  int last = day_number({1799, 12, 31});
  for (int year = 1800; year < 2200; ++year)
    for (int month = 1; month <= 12; ++month)
      for (int day = 1; day <= days_in_month(year, month); ++day)
        if (day_number({year, month, day}) != ++last) FAIL_CHECK(text_of(year, month, day));
  CHECK(day_number({2200, 1, 1}) - day_number({1800, 1, 1}) == 146097);
}

TEST_CASE("the period is that of most neighbours") {
  CHECK(period_of(Strings{"1978-01"}) == Period::monthly);
  CHECK(period_of(Strings{"1978-01-01"}) == Period::unknown);
  CHECK(period_of(Strings{}) == Period::unknown);
  CHECK(period_of(Strings{"1978-11", "1978-12", "1979-01"}) == Period::monthly);
  CHECK(period_of(Strings{"1978-01", "1978-04", "1978-07"}) == Period::quarterly);
  CHECK(period_of(Strings{"1978-01", "1979-01", "1980-01"}) == Period::yearly);
  CHECK(period_of(Strings{"1978-01-01", "1978-02-01", "1978-03-01"}) == Period::monthly);
  CHECK(period_of(Strings{"1978-01-31", "1978-02-28", "1978-03-31"}) == Period::monthly);
  CHECK(period_of(Strings{"2010-01-29", "2010-02-26", "2010-03-31", "2010-04-30", "2010-05-28"}) == Period::monthly);
  CHECK(period_of(Strings{"1978-12-31", "1979-03-31", "1979-06-30"}) == Period::quarterly);
  CHECK(period_of(Strings{"1978-01-01", "1979-01-01", "1980-01-01", "1981-01-01"}) == Period::yearly);
  CHECK(period_of(days(2020, 1, 3, business)) == Period::daily);
  CHECK(period_of(days(2020, 1, 3, [](int) { return true; })) == Period::daily);
  CHECK(period_of(days(2020, 1, 6, [](int day) { return day % 7 == 5; })) == Period::weekly);
  CHECK(period_name(Period::quarterly) == "quarterly");
}

TEST_CASE("holidays are no gap in business days, and weeks may shift by them") {
  CHECK(period_of(without(days(2020, 1, 2, business), {"2020-01-20", "2020-02-17"})) == Period::daily);
  // Ten days without a price, as before and after the Chinese new year of 2020.
  const auto january = days(2020, 1, 2, [](int day) {
    return business(day) && (day <= day_number({2020, 1, 23}) || day >= day_number({2020, 2, 3}));
  });
  CHECK(period_of(january) == Period::daily);
  CHECK(refusal(without(january, {"2020-02-03"})) ==
        "expected a day at most 11 days after 2020-01-23, found 2020-02-04");
  // Exchanges that are open from Sunday to Thursday, and from Monday to Saturday.
  CHECK(period_of(days(2020, 1, 2, [](int day) { return day % 7 < 5; })) == Period::daily);
  CHECK(period_of(without(days(2020, 1, 2, [](int day) { return day % 7 != 0; }), {"2020-01-01"})) == Period::daily);
  CHECK(period_of(Strings{"2020-11-13", "2020-11-20", "2020-11-25", "2020-12-04"}) == Period::weekly);
}

TEST_CASE("a date that is missing is named by its neighbours") {
  CHECK(refusal({"1978-12", "1979-02"}) == "expected the month after 1978-12, found 1979-02");
  CHECK(refusal({"1978-01-01", "1978-02-01", "1978-04-01"}) == "expected the month after 1978-02-01, found 1978-04-01");
  CHECK(refusal({"1978-01-31", "1978-02-28", "1978-04-30", "1978-05-31"}) ==
        "expected the month after 1978-02-28, found 1978-04-30");
  CHECK(refusal({"1978-01-01", "1978-04-01", "1978-07-01", "1979-01-01"}) ==
        "expected the quarter after 1978-07-01, found 1979-01-01");
  CHECK(refusal({"1978-01-01", "1979-01-01", "1981-01-01"}) == "expected the year after 1979-01-01, found 1981-01-01");
  CHECK(refusal(without(days(2020, 1, 2, [](int day) { return day % 7 == 5; }), {"2020-02-07"})) ==
        "expected the week after 2020-01-31, found 2020-02-14");
  CHECK(refusal(without(days(2020, 1, 2, [](int) { return true; }), {"2020-02-07"})) ==
        "expected the day after 2020-02-06, found 2020-02-08");
  CHECK(refusal({"2020-01-02", "2020-01-03", "2020-02-03"}) ==
        "expected a day at most 11 days after 2020-01-03, found 2020-02-03");
}

TEST_CASE("a row too many, dates of no period, and dates that do not ascend are refused") {
  CHECK(refusal({"2020-02-01", "2020-03-01", "2020-04-01", "2020-04-17"}) ==
        "expected the month after 2020-04-01, found 2020-04-17");
  CHECK(refusal({"1978-12-01", "1979-03-31", "1979-05-31"}) ==
        "expected a date a day, a week, a month, a quarter or a year after 1978-12-01, found 1979-03-31");
  CHECK(refusal({"2020-01-06", "2020-01-08", "2020-01-10", "2020-01-13"}).starts_with("expected a date a day, a week"));
  CHECK(refusal({"2020-01-06", "2020-01-06"}) == "expected a date after 2020-01-06, found 2020-01-06");
  CHECK(refusal({"2020-02", "2020-01"}) == "expected a date after 2020-02, found 2020-01");
  CHECK(refusal({"2020-02", "2020-03-01"}) == "expected a date of the form of 2020-02, found 2020-03-01");
  CHECK(refusal({"2020-02-31"}) == "expected a date like 1978-01 or 1978-01-31, found \"2020-02-31\"");
}

TEST_CASE("daily prices give the last price and the mean of each whole month") {
  Series daily{.name = "gold", .dates = days(2020, 1, 4, business), .values = {}};
  for (const auto& date : daily.dates)
    daily.values.push_back(100 * std::stod(date.substr(5, 2)) + std::stod(date.substr(8)));
  const auto ends = month_ends(daily);
  CHECK(ends.name == "gold");
  CHECK(ends.period == Period::monthly);
  CHECK(ends.dates == Strings{"2020-01", "2020-02", "2020-03", "2020-04"});
  CHECK(ends.values == std::vector<double>{131, 228, 331, 430});
  CHECK(month_means(daily).dates == ends.dates);
  CHECK(month_means(daily).values[1] == 215.5);

  // From the tenth of January to the ninth of April.
  const std::size_t cut = 7;
  daily.dates = {daily.dates.begin() + cut, daily.dates.end() - 15};
  daily.values = {daily.values.begin() + cut, daily.values.end() - 15};
  REQUIRE(daily.dates.front() == "2020-01-10");
  REQUIRE(daily.dates.back() == "2020-04-09");
  CHECK(month_ends(daily).dates == Strings{"2020-01", "2020-02", "2020-03"});
  CHECK(month_ends(daily).values == std::vector<double>{131, 228, 331});
  CHECK(month_means(daily).dates == Strings{"2020-02", "2020-03"});
}

TEST_CASE("what has no daily prices of a month has no months") {
  const auto series = [](Strings dates) {
    const std::size_t rows = dates.size();
    return Series{.name = "gold", .dates = std::move(dates), .values = std::vector<double>(rows, 1.0)};
  };
  CHECK(error_of([&] { month_ends(series({"2020-01", "2020-02"})); }) ==
        "gold: expected daily prices, found monthly ones");
  CHECK(error_of([&] { month_means(series({"2020-01-03", "2020-01-10"})); }) ==
        "gold: expected daily prices, found weekly ones");
  Series odd = series({"2020-01", "2020-02"});
  odd.name = "a\nb";
  CHECK(error_of([&] { month_ends(odd); }) == "a?b: expected daily prices, found monthly ones");
  CHECK(error_of([&] { require_period(odd, Period::monthly); }) ==
        "a?b: expected a monthly series, found one whose period is unknown");
  odd.period = Period::monthly;
  CHECK_NOTHROW(require_period(odd, Period::monthly));
  CHECK(error_of([&] { month_ends(series({})); }) == "gold: expected daily prices, found a series of 0");
  CHECK(error_of([&] { month_ends(series({"2020-01-02", "2020-01-03"})); }) ==
        "gold: expected a whole month of daily prices, found 2020-01-02 to 2020-01-03");
  CHECK(error_of([&] { month_ends(series({"2020-01-30", "2020-01-31", "2020-03-02"})); }) ==
        "gold: expected a day at most 11 days after 2020-01-31, found 2020-03-02");
}
}  // namespace period_test
