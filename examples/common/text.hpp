// Small text: printf's formats into a string, names in a list.
#pragma once

#include <aila/core/error.hpp>
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <vector>

namespace example {

/// printf's formats, into a string of at most 255 bytes.
[[gnu::format(printf, 1, 2)]] inline std::string text(const char* format, ...) {
  char line[256];
  std::va_list values;
  va_start(values, format);
  std::vsnprintf(line, sizeof line, format, values);
  va_end(values);
  return line;
}

/// With all digits of a double.
inline std::string exact(double value) {
  return text("%.17g", value);
}

/// "a, b, c"
inline std::string join(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += (line.empty() ? "" : ", ") + word;
  return line;
}

/// What an option that takes a list was given: every name once, in the order given; "all" alone stands for all of
/// `known`. Throws aila::Error for a name that is not known (where anything is) and for one that is named twice.
inline std::vector<std::string> chosen(const char* option, const std::vector<std::string>& names,
                                       const std::vector<std::string>& known) {
  if (names == std::vector<std::string>{"all"}) return known;
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (!known.empty() && std::ranges::find(known, *name) == known.end())
      throw aila::Error(std::string(option) + ": expected " + join(known) + " or all, found \"" + *name + '"');
    if (std::find(names.begin(), name, *name) != name)
      throw aila::Error(std::string(option) + ": " + *name + " is named twice");
  }
  return names;
}

}  // namespace example
