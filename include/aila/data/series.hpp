// A price series, and the parts into which a chronological experiment cuts it.
#pragma once

#include "../core/macros_aside.hpp"

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "../core/error.hpp"
#include "../io/text.hpp"
#include "period.hpp"

namespace aila::inline v0::data {

/// One named column of numbers, a date with each: "1978-01" or "1978-01-31", ascending.
struct Series {
  std::string name;
  std::vector<std::string> dates;
  std::vector<double> values;
  Period period = Period::unknown;  ///< how far the dates are apart, where a reader found it out
};

/// Throws Error unless the series has that period.
inline void require_period(const Series& series, Period period) {
  if (series.period != period)
    throw_error(io::printable(series.name), ": expected a ", period_name(period), " series, found one whose period is ",
                period_name(series.period));
}

/// What a network is asked to predict from a window of months.
enum class Target {
  level,  ///< the z-scored log price `horizon` months after the window's last month
  change  ///< its difference to the window's last log price, in units of the training part's deviation of such changes
};

struct WindowOptions {
  std::size_t window = 12;  ///< months a network sees
  std::size_t horizon = 1;  ///< months ahead that it predicts
  Target target = Target::change;
  double train_share = 0.70;  ///< of the rows, the oldest
  double valid_share = 0.15;  ///< of the rows, the next; the rest is the test part
};

namespace detail {

/// Mean and population standard deviation.
struct Moments {
  double mean = 0;
  double deviation = 0;
};

/// Two passes, for the accuracy of the second moment.
inline Moments moments(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Moments m;
  for (double v : values) m.mean += v / n;
  for (double v : values) m.deviation += (v - m.mean) * (v - m.mean) / n;
  m.deviation = std::sqrt(m.deviation);
  return m;
}

/// Natural logarithms of prices. Throws Error for a price that has none.
inline std::vector<double> log_prices(const Series& series) {
  if (series.dates.size() != series.values.size())
    throw_error(io::printable(series.name), ": expected a date for each of ", series.values.size(), " prices, found ",
                series.dates.size(), " dates");
  std::vector<double> logs;
  logs.reserve(series.values.size());
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    if (!(series.values[i] > 0) || !std::isfinite(series.values[i]))
      throw_error(io::printable(series.name), ": expected a positive price, found ", series.values[i], " at ",
                  series.dates[i]);
    logs.push_back(std::log(series.values[i]));
  }
  return logs;
}

}  // namespace detail

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
