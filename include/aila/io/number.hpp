// Numbers in text: the notation of the C locale and nothing else.
#pragma once

#include "../core/macros_aside.hpp"

#include <charconv>
#include <cmath>
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

/// The finite number that `text` is, as float or double; nothing where it is anything else, or has anything around it.
template <class Real>
std::optional<Real> number(std::string_view text) {
  Real value = 0;
#if defined(__cpp_lib_to_chars)
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = code == std::errc{} && end == text.data() + text.size();
#else
  std::istringstream stream{std::string(text)};
  stream.imbue(std::locale::classic());
  const bool whole =
      static_cast<bool>(stream >> std::noskipws >> value) && stream.peek() == std::istringstream::traits_type::eof();
#endif
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
