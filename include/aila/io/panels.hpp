// Several plots in one picture.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "../core/error.hpp"

namespace aila::inline v0::io {

namespace detail {

/// The first number behind `name='` in an SVG document.
inline double svg_number(const std::string& svg, const std::string& name) {
  const auto at = svg.find(" " + name + "='");
  double value = 0;
  if (at != std::string::npos) std::from_chars(svg.data() + at + name.size() + 3, svg.data() + svg.size(), value);
  if (!(value > 0)) throw_error("panels: expected documents that plots of this library gave, found one without ", name);
  return value;
}

}  // namespace detail

/// Documents that `svg` gave, as panels of one document, `columns` in a row. Throws Error for other text.
inline std::string panels(const std::vector<std::string>& documents, std::size_t columns) {
  std::string body;
  double width = 0, height = 0;
  for (std::size_t first = 0; columns > 0 && first < documents.size(); first += columns) {
    double x = 0, row = 0;
    for (std::size_t i = first; i < std::min(first + columns, documents.size()); ++i) {
      const std::string& panel = documents[i];
      const double wide = detail::svg_number(panel, "width"), high = detail::svg_number(panel, "height");
      body += "<svg x='" + std::to_string(std::lround(x)) + "' y='" + std::to_string(std::lround(height)) + "'";
      body.append(panel, panel.find("<svg") + 4);
      x += wide;
      row = std::max(row, high);
    }
    width = std::max(width, x);
    height += row;
  }
  const std::string w = std::to_string(std::lround(width)), h = std::to_string(std::lround(height));
  return "<svg xmlns='http://www.w3.org/2000/svg' width='" + w + "' height='" + h + "' viewBox='0 0 " + w + " " + h +
         "'>\n<rect width='" + w + "' height='" + h + "' fill='#ffffff'/>\n" + body + "</svg>\n";
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
