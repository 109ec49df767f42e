// Numbers in text: the notation of the C locale and nothing else.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#if !defined(__cpp_lib_to_chars)  // libc++ before 20 reads no floating-point numbers by from_chars
#include <locale>
#include <sstream>
#endif

#include "../core/config.hpp"

namespace aila::inline v0::io {

namespace detail {

/// The e of 10^(e-1) <= |x| < 10^e for a decimal number x, whatever its size; nothing for other text.
constexpr std::optional<long long> decimal_exponent(std::string_view text) {
  const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  std::size_t at = text.starts_with('-') ? 1 : 0;
  long long exponent = 0;
  bool digits = false, point = false, significant = false;
  for (; digit(at) || (at < text.size() && text[at] == '.' && !point); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    digits = true;
    significant = significant || text[at] != '0';
    exponent += (significant && !point ? 1 : 0) - (point && !significant ? 1 : 0);
  }
  if (digits && at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const bool negative = at < text.size() && text[at] == '-';
    if (negative || (at < text.size() && text[at] == '+')) ++at;
    digits = digit(at);
    long long power = 0;
    for (; digit(at); ++at) power = std::min(power * 10 + (text[at] - '0'), 1'000'000'000'000LL);
    exponent += negative ? -power : power;
  }
  return digits && at == text.size() ? std::optional(exponent) : std::nullopt;
}

}  // namespace detail

/// The finite number that `text` is, as float or double; nothing where it is anything else, is too large for the type,
/// or has anything around it. A number too small for the type is 0, with its sign.
template <class Real>
std::optional<Real> number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Real value = 0;
#if defined(__cpp_lib_to_chars)
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  const bool out_of_range = code == std::errc::result_out_of_range;
  if (code != std::errc{} && !out_of_range) return std::nullopt;
  const auto exponent = out_of_range ? detail::decimal_exponent(text) : std::nullopt;
#else
  const auto exponent = detail::decimal_exponent(text);  // streams read more than decimal numbers
  if (!exponent) return std::nullopt;
  std::istringstream stream{std::string(text)};
  stream.imbue(std::locale::classic());
  const bool out_of_range = !(stream >> value);  // also for denormal numbers, which are there nevertheless
#endif
  if (out_of_range) {
    if (!exponent || *exponent > 0) return std::nullopt;
    value = std::copysign(value, text.starts_with('-') ? Real(-1) : Real(1));
  }
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
