// A text whose words are shaded by what they say, as SVG text.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "../core/error.hpp"
#include "svg.hpp"

namespace aila::inline v0::io {

/// Words in their order with a number each: the ground of a word is blue where it is positive and orange where it is
/// negative, the stronger the larger it is against the largest. A second row of numbers, all positive, may be drawn as
/// a line under each word, as thick as it is large. A NaN is drawn as no number.
struct ShadedText {
  std::string title;
  // NOLINTBEGIN(readability-redundant-member-init): lets designated initialisers leave them out without a warning
  std::string subtitle = {};
  std::vector<std::string> words = {};
  std::vector<double> values = {};
  std::vector<double> lines = {};  ///< one a word, or none
  // NOLINTEND(readability-redundant-member-init)
  double width = 960;  ///< pixels
};

namespace detail {

/// The largest size among numbers; 1 where there is none but zeros.
inline double largest_size(const std::vector<double>& values) {
  double most = 0;
  for (const double v : values)
    if (drawable(v)) most = std::max(most, std::abs(v));
  return most > 0 ? most : 1;
}

}  // namespace detail

/// The text as an SVG document. Throws Error where there is not one number a word.
inline std::string svg(const ShadedText& text) {
  using namespace detail;
  if (text.values.size() != text.words.size() || (!text.lines.empty() && text.lines.size() != text.words.size()))
    throw_error("expected a number for each of the ", text.words.size(), " words of the text \"", text.title,
                "\", found ", text.values.size(), " and ", text.lines.size());
  constexpr double size = 14, margin = 24, row_height = 28;
  const double strongest = largest_size(text.values), thickest = largest_size(text.lines);
  std::string body = text_at(text.width / 2, 46, text.subtitle, "text-anchor='middle' fill='#555555'");
  double x = margin, y = 84;
  for (std::size_t i = 0; i < text.words.size(); ++i) {
    const double wide = text_width(text.words[i], size) + 6;
    if (x + wide > text.width - margin && x > margin) {
      x = margin;
      y += row_height;
    }
    if (drawable(text.values[i])) {
      const double share = std::abs(text.values[i]) / strongest;
      const std::string colour = text.values[i] >= 0 ? "#56b4e9" : "#e69f00";
      if (share >= 0.005)
        body += "<rect x='" + fixed(x, 1) + "' y='" + fixed(y - 15, 1) + "' width='" + fixed(wide, 1) +
                "' height='20' rx='3' fill='" + colour + "' fill-opacity='" + fixed(share, 2) + "'/>\n";
    }
    body += text_at(x + 3, y, text.words[i],
                    "font-size='14' textLength='" + fixed(wide - 6, 1) + "' lengthAdjust='spacingAndGlyphs'");
    if (!text.lines.empty() && drawable(text.lines[i])) {
      const double high = 4 * std::abs(text.lines[i]) / thickest;
      if (high >= 0.1) body += rectangle(x, y + 6, wide, high, "#222222");
    }
    x += wide + 2;
  }
  return document(text.width, y + margin, text.title, body);
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
