// A heat map with numbers in its cells, as SVG text.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "../core/error.hpp"
#include "svg.hpp"

namespace aila::inline v0::io {

/// Numbers [rows, columns], row-major, NaN where a cell is empty. Without `low` and `high` the colours span the
/// numbers.
struct HeatMap {
  std::string title;
  // NOLINTBEGIN(readability-redundant-member-init): lets designated initialisers leave them out without a warning
  std::string row_title = {};
  std::string column_title = {};
  std::vector<std::string> row_labels = {};
  std::vector<std::string> column_labels = {};
  std::vector<double> values = {};
  std::optional<double> low = {};
  std::optional<double> high = {};
  // NOLINTEND(readability-redundant-member-init)
  int decimals = 2;  ///< of the numbers in the cells
};

namespace detail {

struct Colour {
  std::string text;
  bool dark = false;
};

/// From white to dark blue: lightness falls all the way, so that the order is seen without any sense of hue.
inline Colour heat_colour(double share) {
  constexpr std::array<std::array<double, 3>, 5> stops{
      {{247, 251, 255}, {198, 219, 239}, {107, 174, 214}, {33, 113, 181}, {8, 48, 107}}};
  const double at = std::clamp(share, 0.0, 1.0) * 4;
  const auto k = std::min<std::size_t>(static_cast<std::size_t>(at), 3);
  Colour colour{"#", at > 2.2};
  for (std::size_t c = 0; c < 3; ++c) {
    const double mixed = stops[k][c] + (at - static_cast<double>(k)) * (stops[k + 1][c] - stops[k][c]);
    const auto byte = static_cast<unsigned>(std::lround(mixed));
    for (unsigned digit : {byte / 16, byte % 16}) colour.text += "0123456789abcdef"[digit];
  }
  return colour;
}

/// The bar that tells which colour is which number.
inline std::string heat_legend(double x, double top, double height, double low, double high) {
  std::string out;
  constexpr int bands = 64;
  for (int i = 0; i < bands; ++i)  // bands overlap by a pixel: no seam shows between them
    out += rectangle(x, top + height * i / bands, 16, height / bands + (i + 1 < bands ? 1 : 0),
                     heat_colour(1 - (i + 0.5) / bands).text);
  const Ticks ticks(low, high, std::max(2.0, height / 45));
  for (double v : ticks.values) {
    const double y = top + height * (1 - (v - low) / (high - low));
    out += line_between(x + 16, y, x + 20, y, "#666666") + text_at(x + 24, y + 4, ticks.label(v));
  }
  return out;
}

}  // namespace detail

/// The map as an SVG document. Throws Error without cells, where there is not one number a cell, and where
/// an end of the colours is not finite.
inline std::string svg(const HeatMap& map) {
  using namespace detail;
  const std::size_t rows = map.row_labels.size(), columns = map.column_labels.size();
  if (rows == 0 || columns == 0 || map.values.size() != rows * columns)
    throw_error("expected ", rows, " x ", columns, " numbers in the heat map \"", map.title, "\", found ",
                map.values.size());
  Extent extent;
  for (double v : map.values) extent.take(v);
  double low = map.low.value_or(extent.low()), high = map.high.value_or(extent.high());
  if (!drawable(low) || !drawable(high))
    throw_error("expected finite ends of the colours in the heat map \"", map.title, "\"");
  if (!(high > low)) {
    low -= 0.5;
    high = low + 1;
  }

  const auto widest = [](const std::vector<std::string>& labels) {
    double width = 0;
    for (const auto& label : labels) width = std::max(width, text_width(label, 12));
    return width;
  };
  const double number_width = text_width(fixed(std::max(std::abs(low), std::abs(high)), map.decimals), 12) + 14;
  const double cell_width = std::max({44.0, number_width, std::min(widest(map.column_labels) + 12, 90.0)});
  const bool turned = widest(map.column_labels) + 8 > cell_width;
  const double cell_height = 34;
  const double left = 24 + (map.row_title.empty() ? 0 : 20) + widest(map.row_labels);
  const double top = 52 + (map.column_title.empty() ? 0 : 20) + (turned ? 0.72 * widest(map.column_labels) + 10 : 16);
  const double right = left + cell_width * static_cast<double>(columns);
  const double bottom = top + cell_height * static_cast<double>(rows);

  std::string body = text_at((left + right) / 2, 56, map.column_title, "text-anchor='middle'");
  const std::string turn = "transform='rotate(-90 18 " + fixed((top + bottom) / 2, 1) + ")' text-anchor='middle'";
  body += text_at(18, (top + bottom) / 2, map.row_title, turn);
  for (std::size_t j = 0; j < columns; ++j) {
    const double x = left + cell_width * (static_cast<double>(j) + 0.5);
    const std::string lean = "transform='rotate(-45 " + fixed(x, 1) + " " + fixed(top - 8, 1) + ")'";
    body += text_at(x, top - 8, map.column_labels[j], turned ? lean : "text-anchor='middle'");
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const double y = top + cell_height * static_cast<double>(i);
    body += text_at(left - 8, y + cell_height / 2 + 4, map.row_labels[i], "text-anchor='end'");
    for (std::size_t j = 0; j < columns; ++j) {
      const double x = left + cell_width * static_cast<double>(j), v = map.values[i * columns + j];
      if (!drawable(v)) {
        body += rectangle(x + 1, y + 1, cell_width - 2, cell_height - 2, "#f3f3f3");
        continue;
      }
      const auto colour = heat_colour((v - low) / (high - low));
      body += rectangle(x + 1, y + 1, cell_width - 2, cell_height - 2, colour.text);
      body += text_at(x + cell_width / 2, y + cell_height / 2 + 4, fixed(v, map.decimals),
                      colour.dark ? "text-anchor='middle' fill='#ffffff'" : "text-anchor='middle'");
    }
  }
  const double legend_height = std::max(bottom - top, 90.0);
  body += heat_legend(right + 20, top, legend_height, low, high);
  const double lean_over = turned ? 0.72 * widest({map.column_labels.back()}) - cell_width / 2 : 0;
  const double width = std::max({right + 100, right + lean_over + 24, text_width(map.title, 16) * 1.1 + 40});
  return document(width, top + legend_height + 24, map.title, body);
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
