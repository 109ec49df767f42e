// Plots as SVG text: what is drawn, what is left out, and text that cannot break the document.
#include <doctest/doctest.h>

#include <aila/io/plot.hpp>
#include <limits>
#include <string>

#include "temporary_folder.hpp"

using namespace aila;
using namespace aila_test;

namespace {

constexpr double gap = std::numeric_limits<double>::quiet_NaN();

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

std::vector<std::string> months(int first_year, int number) {
  std::vector<std::string> dates;
  for (int i = 0; i < number; ++i) {
    const int month = i % 12 + 1;
    dates.push_back(std::to_string(first_year + i / 12) + (month < 10 ? "-0" : "-") + std::to_string(month));
  }
  return dates;
}

}  // namespace

TEST_CASE("text in a plot is escaped, and what XML does not allow becomes a question mark") {
  CHECK(io::detail::escaped("a<b>&\"'c") == "a&lt;b&gt;&amp;&quot;&#39;c");
  CHECK(io::detail::escaped("äöü €😀") == "äöü €😀");
  CHECK(io::detail::escaped(std::string("a\0\n\x1B", 4)) == "a???");
  CHECK(io::detail::escaped("\xFFx\xC3") == "?x?");
  CHECK(io::detail::escaped("\xC0\x80") == "??");            // overlong
  CHECK(io::detail::escaped("\xED\xA0\x80") == "???");       // half of a surrogate pair
  CHECK(io::detail::escaped("\xEF\xBF\xBF") == "???");       // U+FFFF
  CHECK(io::detail::escaped("\xF4\x90\x80\x80") == "????");  // beyond U+10FFFF
}

TEST_CASE("ticks are round numbers inside the range") {
  const io::detail::Ticks hundred(0, 100, 5);
  CHECK(hundred.values == std::vector<double>{0, 20, 40, 60, 80, 100});
  CHECK(hundred.label(20) == "20");
  const io::detail::Ticks small(-0.013, 0.021, 4);
  REQUIRE(small.values.size() == 4);
  CHECK(small.label(small.values[0]) == "-0.01");
  CHECK(small.label(small.values[1]) == "0.00");
  const io::detail::Ticks huge(0, 4e12, 4);
  CHECK(huge.label(huge.values[1]) == "1e+12");
  CHECK(io::detail::Ticks(-1e300, 1e300, 5).values.size() >= 3);
  CHECK(io::detail::Ticks(1, 1 + 1e-15, 5).values.size() <= 100);
}

TEST_CASE("dates are labelled by round years over long spans and one by one over short ones") {
  const auto long_span = io::detail::date_ticks(months(1978, 420), 12);
  REQUIRE(long_span.size() == 7);
  CHECK(long_span[0].label == "1980");
  CHECK(long_span[0].index == 24);
  const auto short_span = io::detail::date_ticks(months(2000, 5), 12);
  REQUIRE(short_span.size() == 5);
  CHECK(short_span[4].label == "2000-05");
  CHECK(io::detail::date_ticks(months(2000, 30), 12).size() == 10);
  CHECK(io::detail::date_ticks(std::vector<std::string>(1000, "x"), 12).size() <= 12);
  CHECK(io::detail::date_ticks(months(1, 1), 12).size() == 1);
  for (int number : {36, 48, 49, 600, 6000}) CHECK(io::detail::date_ticks(months(1971, number), 12).size() <= 13);
}

TEST_CASE("a line chart draws each line once, the first on top, with a legend") {
  io::LineChart chart{.title = "gold <monthly>", .x_label = "month", .y_label = "price"};
  chart.dates = months(2000, 24);
  chart.lines = {{"truth", std::vector<double>(24, 5.0)}, {"forecast & more", std::vector<double>(24, 6.0)}};
  const auto text = io::svg(chart);
  CHECK(text.starts_with("<svg xmlns='http://www.w3.org/2000/svg'"));
  CHECK(text.ends_with("</svg>\n"));
  CHECK(count(text, "<path ") == 4);
  CHECK(count(text, ">truth<") == 2);
  CHECK(count(text, ">forecast &amp; more<") == 2);
  CHECK(count(text, "gold &lt;monthly&gt;") == 2);
  CHECK(text.rfind("#000000") > text.rfind("#0072b2"));
  CHECK(count(text, "nan") == 0);
}

TEST_CASE("numbers that are not finite are gaps, and a number alone is a dot") {
  io::LineChart chart{.title = "t"};
  chart.dates = months(2000, 6);
  chart.lines = {{"a", {gap, 1, gap, 2, 3, std::numeric_limits<double>::infinity()}}};
  const auto text = io::svg(chart);
  CHECK(count(text, "<circle ") == 1);
  CHECK(count(text, "nan") == 0);
  CHECK(count(text, "inf") == 0);
  chart.lines = {{"a", std::vector<double>(6, gap)}};
  CHECK(count(io::svg(chart), "nan") == 0);
  chart.lines = {{"a", {1, 2, -1e300, 1e300, 1e308, 5}}};
  CHECK(count(io::svg(chart), "nan") == 0);
  chart.dates = {"2000-01"};
  chart.lines = {{"a", {5}}};
  CHECK(count(io::svg(chart), "<circle ") == 1);
}

TEST_CASE("a chart refuses lines that do not fit its dates") {
  io::LineChart chart{.title = "t"};
  CHECK(error_of([&] { io::svg(chart); }) == "expected dates to draw the chart \"t\" over, found none");
  chart.dates = months(2000, 3);
  chart.lines = {{"a", {1, 2}}};
  CHECK(error_of([&] { io::svg(chart); }) == "expected 3 values, one a date, in the line a, found 2");
}

TEST_CASE("a heat map prints its numbers and leaves empty cells without one") {
  io::HeatMap map{.title = "weights", .row_labels = {"layer 2", "layer 3"}, .column_labels = {"layer 1", "layer 2"}};
  map.values = {1.0, gap, 0.25, 0.75};
  map.low = 0.0;
  map.high = 1.0;
  const auto text = io::svg(map);
  CHECK(count(text, ">0.25<") == 1);
  CHECK(count(text, ">0.75<") == 1);
  CHECK(count(text, ">1.00<") == 1);
  CHECK(count(text, "#f3f3f3") == 1);
  CHECK(count(text, "nan") == 0);
  CHECK(count(text, ">layer 2<") == 2);
}

TEST_CASE("colours of a heat map go from light to dark, numbers on dark cells are white") {
  CHECK(io::detail::heat_colour(0).text == "#f7fbff");
  CHECK(io::detail::heat_colour(0.5).text == "#6baed6");
  CHECK(io::detail::heat_colour(1).text == "#08306b");
  CHECK(io::detail::heat_colour(2).text == "#08306b");
  CHECK(!io::detail::heat_colour(0.3).dark);
  CHECK(io::detail::heat_colour(0.8).dark);
}

TEST_CASE("a heat map refuses numbers that do not fill its cells, and takes equal ones") {
  io::HeatMap map{.title = "w", .row_labels = {"a"}, .column_labels = {"b", "c"}, .values = {1}};
  CHECK(error_of([&] { io::svg(map); }) == "expected 1 x 2 numbers in the heat map \"w\", found 1");
  map.values = {3, 3};
  CHECK(count(io::svg(map), ">3.00<") == 2);
  map.values = {gap, gap};
  CHECK(count(io::svg(map), "#f3f3f3") == 2);
  map.low = gap;
  CHECK(error_of([&] { io::svg(map); }) == "expected finite ends of the colours in the heat map \"w\"");
}
