// A line chart over dates, as SVG text.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "../core/error.hpp"
#include "svg.hpp"

namespace aila::inline v0::io {

/// One named line; a value a date, NaN where there is none.
struct Line {
  std::string name;
  std::vector<double> values;
};

/// Several series over the same dates ("1978-01" or "1978-01-31"; other text is printed as it is). The first line is
/// black and drawn on top, as the truth in a plot of forecasts.
struct LineChart {
  std::string title;
  // NOLINTBEGIN(readability-redundant-member-init): lets designated initialisers leave them out without a warning
  std::string x_label = {};
  std::string y_label = {};
  std::vector<std::string> dates = {};
  std::vector<Line> lines = {};
  // NOLINTEND(readability-redundant-member-init)
  double width = 960;  ///< pixels, as height
  double height = 480;
};

namespace detail {

/// Okabe and Ito's colours (2008), which people with any of the common colour blindnesses tell apart; yellow, too faint
/// on white, is left out. Dashes tell further lines apart.
inline constexpr std::array<std::string_view, 7> line_colours{"#000000", "#0072b2", "#d55e00", "#009e73",
                                                              "#cc79a7", "#e69f00", "#56b4e9"};
inline constexpr std::array<std::string_view, 4> line_dashes{"none", "7 4", "2 3", "9 3 2 3"};

/// Black is the first line's alone; the others take turns.
inline std::string line_colour(std::size_t line) {
  return std::string(line_colours[line == 0 ? 0 : 1 + (line - 1) % (line_colours.size() - 1)]);
}

inline std::string stroke(std::size_t line) {
  const std::size_t turn = line == 0 ? 0 : (line - 1) / (line_colours.size() - 1);
  return "stroke='" + line_colour(line) + "' stroke-dasharray='" + std::string(line_dashes[turn % line_dashes.size()]) +
         "' stroke-width='" + (line == 0 ? "2" : "1.6") + "' fill='none' stroke-linejoin='round'";
}

struct DateTick {
  std::size_t index;
  std::string label;
};

/// At most `most` labels: round years where the dates span enough of them, else every so many dates.
inline std::vector<DateTick> date_ticks(const std::vector<std::string>& dates, std::size_t most) {
  const auto year = [&](std::size_t i) {
    const auto& d = dates[i];
    int y = -1;
    if (d.size() >= 7 && d[4] == '-') std::from_chars(d.data(), d.data() + 4, y);
    return y;
  };
  std::vector<DateTick> ticks;
  const int years = year(dates.size() - 1) - year(0);
  if (year(0) > 0 && years >= 3) {
    int step = 1;
    for (std::size_t i = 0; static_cast<std::size_t>(years / step) >= most; ++i)
      step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    for (std::size_t i = 0; i < dates.size(); ++i) {
      const bool first = i == 0 ? dates[0].substr(5, 2) == "01" : year(i) != year(i - 1);
      if (first && year(i) >= 0 && year(i) % step == 0) ticks.push_back({i, dates[i].substr(0, 4)});
    }
  } else {
    std::size_t step = 1;
    for (std::size_t next : std::array<std::size_t, 4>{2, 3, 6, 12}) step = dates.size() > step * most ? next : step;
    if (dates.size() > step * most) step = dates.size() / most + 1;
    for (std::size_t i = 0; i < dates.size(); i += step) ticks.push_back({i, dates[i]});
  }
  return ticks;
}

}  // namespace detail

/// The chart as an SVG document. Throws Error without dates and where a line has not one value a date.
inline std::string svg(const LineChart& chart) {
  using namespace detail;
  const std::size_t n = chart.dates.size();
  if (n == 0) throw_error("expected dates to draw the chart \"", chart.title, "\" over, found none");
  Extent extent;
  for (const auto& line : chart.lines) {
    if (line.values.size() != n)
      throw_error("expected ", n, " values, one a date, in the line ", line.name, ", found ", line.values.size());
    for (double v : line.values) extent.take(v);
  }
  double low = extent.low(), high = extent.high();
  const double margin = high > low ? 0.04 * (high - low) : std::max(1.0, 0.1 * std::abs(low));
  low -= margin;
  high += margin;

  std::string legend, body;
  const double left = 76, right = chart.width - 24;
  double x = left, top = 50;
  for (std::size_t k = 0; k < chart.lines.size(); ++k) {
    const double wide = 38 + text_width(chart.lines[k].name, 12) + 18;
    if (x + wide > right && x > left) {
      x = left;
      top += 20;
    }
    legend += "<path d='M" + fixed(x, 1) + " " + fixed(top, 1) + "h30' " + stroke(k) + "/>\n";
    legend += text_at(x + 36, top + 4, chart.lines[k].name);
    x += wide;
  }
  top += 20;
  const double bottom = chart.height - (chart.x_label.empty() ? 40 : 58);
  const auto place_x = [&](std::size_t i) {
    return left + (right - left) * (n == 1 ? 0.5 : static_cast<double>(i) / static_cast<double>(n - 1));
  };
  const auto place_y = [&](double v) { return bottom - (bottom - top) * (v - low) / (high - low); };

  const Ticks ticks(low, high, std::max(2.0, (bottom - top) / 55));
  for (double v : ticks.values) {
    body += line_between(left, place_y(v), right, place_y(v), "#dddddd");
    body += text_at(left - 8, place_y(v) + 4, ticks.label(v), "text-anchor='end'");
  }
  for (const auto& [i, label] : date_ticks(chart.dates, static_cast<std::size_t>(std::max(2.0, (right - left) / 72)))) {
    body += line_between(place_x(i), bottom, place_x(i), bottom + 5, "#666666");
    body += text_at(place_x(i), bottom + 20, label, "text-anchor='middle'");
  }
  body += line_between(left, bottom, right, bottom, "#666666") + line_between(left, top, left, bottom, "#666666");
  body += text_at((left + right) / 2, chart.height - 14, chart.x_label, "text-anchor='middle'");
  const std::string turn = "transform='rotate(-90 18 " + fixed((top + bottom) / 2, 1) + ")' text-anchor='middle'";
  body += text_at(18, (top + bottom) / 2, chart.y_label, turn);

  for (std::size_t k = chart.lines.size(); k-- > 0;) {
    std::string path, dots;
    const auto& values = chart.lines[k].values;
    for (std::size_t i = 0; i < n; ++i) {
      if (!drawable(values[i])) continue;
      const bool joined = i > 0 && drawable(values[i - 1]);
      if (!joined && (i + 1 == n || !drawable(values[i + 1])))  // a point alone has no line to be seen by
        dots += "<circle cx='" + fixed(place_x(i), 1) + "' cy='" + fixed(place_y(values[i]), 1) + "' r='2' fill='" +
                line_colour(k) + "'/>\n";
      path += joined ? 'L' : 'M';
      path += fixed(place_x(i), 1) + " " + fixed(place_y(values[i]), 1);
    }
    if (path.empty()) continue;
    body.append("<path d='").append(path).append("' ").append(stroke(k)).append("><title>");
    body.append(escaped(chart.lines[k].name)).append("</title></path>\n").append(dots);
  }
  return document(chart.width, chart.height, chart.title, legend + body);
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
