// What several runs say together.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace example {

/// Mean and sample standard deviation (n - 1; 0 of one number).
struct Statistic {
  double mean = 0;
  double deviation = 0;
  std::size_t count = 0;

  /// Half of the interval that holds the true mean in 95 of 100 cases, by Student's t; 0 of one number, of which
  /// nothing is known.
  double half_interval() const {
    constexpr std::array quantiles{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228};
    if (count < 2) return 0;
    const double t = count - 1 <= quantiles.size() ? quantiles[count - 2] : 2.2;
    return t * deviation / std::sqrt(static_cast<double>(count));
  }
};

inline Statistic statistic(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Statistic s;
  s.count = values.size();
  for (const double v : values) s.mean += v / n;
  for (const double v : values) s.deviation += (v - s.mean) * (v - s.mean);
  s.deviation = values.size() > 1 ? std::sqrt(s.deviation / (n - 1)) : 0;
  return s;
}

}  // namespace example
