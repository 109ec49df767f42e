// One line that says how far a training is. It is made here and printed by the caller.
#pragma once

#include "../core/macros_aside.hpp"

#include <cmath>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <string>

#include "../core/config.hpp"

namespace aila::inline v0 {

/// Where a training stands after a step. A number that is not known yet is 0, a loss NaN.
struct Progress {
  std::size_t epoch = 0;  ///< counted from 1
  std::size_t epochs = 0;
  std::size_t step = 0;  ///< of the epoch, counted from 1
  std::size_t steps = 0;
  double loss = 0;  ///< mean over the epoch so far
  double samples_per_second = 0;
  double seconds_left = 0;

  bool ends_epoch() const { return step >= steps; }
  bool ends_training() const { return ends_epoch() && epoch >= epochs; }
};

namespace detail {

/// printf's formats, into a string.
[[gnu::format(printf, 1, 2)]] inline std::string formatted(const char* format, ...) {
  char text[160];  // the longest has four numbers of 20 digits
  std::va_list values;
  va_start(values, format);
  const int length = std::vsnprintf(text, sizeof text, format, values);
  va_end(values);
  return length > 0 ? std::string(text) : std::string();
}

/// 950, 12.3k, 4.5M: three digits or four.
inline std::string short_number(double x) {
  if (x >= 999'500'000) return formatted("%.3gG", x / 1e9);
  if (x >= 999'500) return formatted("%.3gM", x / 1e6);
  if (x >= 999.5) return formatted("%.3gk", x / 1e3);
  return formatted("%.3g", x);
}

}  // namespace detail

/// "7 s", "2 min 05 s", "3 h 20 min".
inline std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds > 1e9) return "?";
  const long long s = seconds > 0 ? std::llround(seconds) : 0;
  if (s < 60) return detail::formatted("%lld s", s);
  if (s < 3600) return detail::formatted("%lld min %02lld s", s / 60, s % 60);
  return detail::formatted("%lld h %02lld min", s / 3600, s / 60 % 60);
}

/// "epoch 3/100  step 12/40  loss 0.0123  1.25k samples/s  2 min 05 s left", without an end of line.
inline std::string progress_line(const Progress& p) {
  std::string line = detail::formatted("epoch %zu/%zu  step %zu/%zu", p.epoch, p.epochs, p.step, p.steps);
  if (!std::isnan(p.loss)) line += detail::formatted("  loss %.4g", p.loss);
  if (p.samples_per_second > 0 && std::isfinite(p.samples_per_second))
    line += "  " + detail::short_number(p.samples_per_second) + " samples/s";
  if (p.seconds_left > 0) line += "  " + duration_text(p.seconds_left) + " left";
  return line;
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
