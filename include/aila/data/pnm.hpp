// PGM and PPM, the binary formats of Netpbm: https://netpbm.sourceforge.net/doc/ppm.html
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "../core/error.hpp"
#include "image_set.hpp"

namespace aila::inline v0::data {

/// One image of a PGM (P5, one channel) or PPM (P6, three) file with at most 255 as largest value, as a set of one,
/// label 0 and no names of classes; values are scaled to 255. Throws Error, one sentence that begins with `name`, for
/// whatever is not exactly that.
inline ImageSet parse_pnm(std::span<const std::byte> bytes, const std::string& name) {
  const auto fail = [&](const std::string& sentence) { throw_error(name, ": ", sentence); };
  std::size_t at = 0;
  const auto next = [&] { return at < bytes.size() ? std::to_integer<int>(bytes[at]) : -1; };
  const auto is_space = [](int c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  const bool grey = bytes.size() >= 2 && bytes[0] == std::byte{'P'} && bytes[1] == std::byte{'5'};
  const bool colour = bytes.size() >= 2 && bytes[0] == std::byte{'P'} && bytes[1] == std::byte{'6'};
  if (!grey && !colour) fail("expected a PGM or PPM image, which begins with P5 or P6, found other bytes");
  at = 2;
  const auto number = [&](const char* what, std::size_t most) {
    while (is_space(next()) || next() == '#') {
      if (next() == '#')
        while (next() != '\n' && next() >= 0) ++at;
      else
        ++at;
    }
    std::size_t value = 0, digits = 0;
    for (; next() >= '0' && next() <= '9' && value <= most; ++digits, ++at)
      value = value * 10 + static_cast<std::size_t>(next() - '0');
    if (digits == 0 || value == 0 || value > most)
      fail(std::string("expected a ") + what + " from 1 to " + std::to_string(most) + " in the header");
    return value;
  };
  ImageSet image;
  image.width = number("width", 65535);
  image.height = number("height", 65535);
  const std::size_t largest = number("largest value", 255);
  if (!is_space(next())) fail("expected white space between header and pixels");
  ++at;
  image.channels = colour ? 3 : 1;
  if (bytes.size() - at != image.image_bytes())
    fail("expected " + std::to_string(image.image_bytes()) + " bytes of pixels, found " +
         std::to_string(bytes.size() - at));
  image.pixels.reserve(image.image_bytes());
  for (const std::byte b : bytes.subspan(at)) {
    const auto value = std::to_integer<std::size_t>(b);
    if (value > largest) fail("expected pixels up to " + std::to_string(largest) + ", found " + std::to_string(value));
    image.pixels.push_back(static_cast<std::uint8_t>((value * 255 + largest / 2) / largest));
  }
  image.labels = {0};
  return image;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
