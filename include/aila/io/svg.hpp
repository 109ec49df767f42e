// The parts that plots are made of: text, numbers, colours and axes in SVG.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "../core/config.hpp"

namespace aila::inline v0::io::detail {

/// Length of the well-formed UTF-8 character that XML allows at the begin of `text`; 0 where there is none.
inline std::size_t xml_character(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80U) return lead >= 0x20U && lead != 0x7FU ? 1 : 0;
  const std::size_t length = 2 + std::size_t{lead >= 0xE0U} + std::size_t{lead >= 0xF0U};
  if (lead < 0xC2U || lead > 0xF4U || text.size() < length) return 0;
  std::uint32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800U) || (length == 4 && code < 0x10000U);
  const bool forbidden = (code >= 0xD800U && code < 0xE000U) || code == 0xFFFEU || code == 0xFFFFU || code > 0x10FFFFU;
  return overlong || forbidden ? 0 : length;
}

/// Text for XML: markup escaped, what XML does not allow replaced by a question mark.
inline std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = xml_character(text);
    switch (length == 0 ? '?' : text.front()) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        length == 0 ? out += '?' : out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

/// A number with a fixed count of decimals, a point whatever the locale, and no negative zero.
inline std::string fixed(double value, int decimals) {
  std::array<char, 400> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed,
                                    std::clamp(decimals, 0, 20));
  const std::string text(buffer.data(), result.ptr);
  return text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos ? text.substr(1) : text;
}

/// Whether a plot can show the number; all others are gaps.
inline bool drawable(double value) {
  return std::abs(value) <= 1e300;
}

/// The smallest and the largest of the numbers that a plot can show; 0 and 1 where there is none.
class Extent {
 public:
  void take(double value) {
    if (!drawable(value)) return;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  double low() const { return low_ > high_ ? 0 : low_; }
  double high() const { return low_ > high_ ? 1 : high_; }

 private:
  double low_ = std::numeric_limits<double>::infinity(), high_ = -low_;
};

/// Width of text in pixels, roughly: what a proportional font needs on average.
inline double text_width(std::string_view text, double size) {
  const auto starts =
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  return 0.56 * size * static_cast<double>(starts);
}

/// Round numbers that divide an axis, and how to print them.
struct Ticks {
  std::vector<double> values;
  int decimals = 0;
  bool scientific = false;

  /// About `count` ticks inside [low, high], 1, 2 or 5 times a power of ten apart.
  Ticks(double low, double high, double count) {
    const double rough = std::max((high - low) / count, 1e-300);
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    double step = power;
    for (double multiple : {2.0, 5.0, 10.0})
      if (rough > step) step = multiple * power;
    for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step && values.size() < 100; ++k)
      values.push_back(k * step);
    scientific = std::max(std::abs(low), std::abs(high)) >= 1e7 || step < 1e-5;
    if (!scientific) decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  }
  std::string label(double value) const {
    if (!scientific) return fixed(value, decimals);
    std::array<char, 64> buffer{};
    const auto result =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::general, 4);
    return {buffer.data(), result.ptr};
  }
};

/// `<text>` at a place; `more` holds attributes such as text-anchor.
inline std::string text_at(double x, double y, std::string_view text, std::string_view more = "") {
  return "<text x='" + fixed(x, 1) + "' y='" + fixed(y, 1) + "' " + std::string(more) + ">" + escaped(text) +
         "</text>\n";
}

inline std::string line_between(double x1, double y1, double x2, double y2, std::string_view colour) {
  return "<line x1='" + fixed(x1, 1) + "' y1='" + fixed(y1, 1) + "' x2='" + fixed(x2, 1) + "' y2='" + fixed(y2, 1) +
         "' stroke='" + std::string(colour) + "'/>\n";
}

inline std::string rectangle(double x, double y, double width, double height, std::string_view fill) {
  return "<rect x='" + fixed(x, 1) + "' y='" + fixed(y, 1) + "' width='" + fixed(width, 1) + "' height='" +
         fixed(height, 1) + "' fill='" + std::string(fill) + "'/>\n";
}

/// A whole document: white ground, a title over everything, then `body`.
inline std::string document(double width, double height, std::string_view title, const std::string& body) {
  const std::string size = fixed(width, 0) + " " + fixed(height, 0);
  std::string out = "<svg xmlns='http://www.w3.org/2000/svg' width='" + fixed(width, 0) + "' height='" +
                    fixed(height, 0) + "' viewBox='0 0 " + size +
                    "' role='img' font-family='Helvetica, Arial, sans-serif' font-size='12' " +
                    "fill='#222222'>\n<title>" + escaped(title) + "</title>\n";
  out += rectangle(0, 0, width, height, "#ffffff");
  out += text_at(width / 2, 26, title, "text-anchor='middle' font-size='16' font-weight='bold'");
  return out + body + "</svg>\n";
}

}  // namespace aila::inline v0::io::detail

#include "../core/macros_back.hpp"
