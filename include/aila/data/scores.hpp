// How good forecasts of a price series are, against the truth and against the last price repeated.
#pragma once

#include "../core/macros_aside.hpp"

#include <cmath>
#include <cstddef>
#include <span>
#include <string>

#include "../core/error.hpp"
#include "windows.hpp"

namespace aila::inline v0::data {

/// Scores of forecasts over the windows of one part. A forecast beyond the range of double gives infinite scores.
struct ForecastScores {
  double mse_z = 0;      ///< mean squared error of z-scored log prices
  double mse_price = 0;  ///< mean squared error in squared price units
  double skill = 0;      ///< 1 - mse_z / mse_z of persistence: above 0 is better than the last price repeated
  double mase = 0;       ///< mean absolute error in price units / `naive_error()` of the training part
};

/// Scores log-price forecasts [N] of a part; a price is the exponential of its log, without a correction for the mean.
/// Throws Error where their number is not the part's, or 0.
inline ForecastScores score(const WindowedSeries& series, const WindowedPart& part, std::span<const double> logs) {
  part.require(logs.size(), "forecasts");
  if (part.count == 0) throw_error("expected forecasts of at least one window, found none");
  ForecastScores s;
  const auto n = static_cast<double>(part.count);
  double persistence = 0;
  for (std::size_t i = 0; i < part.count; ++i) {
    const double z = (logs[i] - part.true_logs[i]) / series.log_deviation();
    const double naive = (part.last_logs[i] - part.true_logs[i]) / series.log_deviation();
    const double error = std::exp(logs[i]) - part.prices[i];
    s.mse_z += z * z / n;
    persistence += naive * naive / n;
    s.mse_price += error * error / n;
    s.mase += std::abs(error) / n / series.naive_error();
  }
  s.skill = s.mse_z == persistence ? 0 : 1 - s.mse_z / persistence;
  return s;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
