// Windows of a price series for training, validation and test, and the way from predictions back to prices.
#pragma once

#include "../core/macros_aside.hpp"

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "series.hpp"

namespace aila::inline v0::data {

/// The windows that lie wholly, with their target, inside one part of the series.
struct WindowedPart {
  std::size_t count = 0;           ///< windows, N
  std::vector<float> inputs;       ///< [N, window, 1]
  std::vector<float> targets;      ///< [N, 1]
  std::vector<std::string> dates;  ///< of the target months
  std::vector<double> last_logs;   ///< log prices of the windows' last months: what persistence forecasts
  std::vector<double> true_logs;   ///< log prices of the target months
  std::vector<double> prices;      ///< true prices of the target months

  /// Throws Error unless there are `given` of what is told, one a window.
  void require(std::size_t given, const char* what) const {
    if (given != count) throw_error("expected ", count, " ", what, ", one a window, found ", given);
    for (const std::size_t known : {last_logs.size(), true_logs.size(), prices.size()})
      if (known != count) throw_error("expected prices of ", count, " windows, found those of ", known);
  }
};

/// Prices p_t -> l_t = log p_t -> three parts in chronological order -> windows inside each part.
///
/// All statistics are of the training part: mean m and standard deviation s of l_t, and standard deviation r of the
/// changes l_{t+horizon} - l_t. With t the window's last month and k running over the window:
///   level:   input (l_k - m) / s,   target (l_{t+horizon} - m) / s;
///   change:  input (l_k - l_t) / r, target (l_{t+horizon} - l_t) / r.
/// Under `change` input and target are points of one curve in one unit, seen from its last known point: the same
/// whatever the height of the price, so that a test part above everything seen in training looks like training. The
/// window holds what its returns hold; its last input is 0.
///
/// Throws Error for options out of range, a price that is not positive, a part too short for one window and its target,
/// and a training part whose prices or whose changes are all equal.
class WindowedSeries {
 public:
  WindowedPart train, valid, test;

  explicit WindowedSeries(const Series& series, const WindowOptions& options = {})
      : options_(options), period_(series.period) {
    check(options);
    const auto logs = detail::log_prices(series);
    // Rounding, not cutting: 0.58 * 100 is a little less than 58 in binary.
    const auto rows = static_cast<double>(logs.size());
    const auto first = static_cast<std::size_t>(std::llround(rows * options.train_share));
    const auto second = static_cast<std::size_t>(std::llround(rows * (options.train_share + options.valid_share)));
    require_rows(series, "training", first);
    require_rows(series, "validation", second - first);
    require_rows(series, "test", logs.size() - second);
    measure(series, std::vector<double>(logs.begin(), logs.begin() + static_cast<std::ptrdiff_t>(first)));
    train = cut(series, logs, 0, first);
    valid = cut(series, logs, first, second);
    test = cut(series, logs, second, logs.size());
    for (float target : train.targets) mean_target_ += static_cast<double>(target) / static_cast<double>(train.count);
  }

  const WindowOptions& options() const noexcept { return options_; }
  Period period() const noexcept { return period_; }                      ///< of the series
  double log_mean() const noexcept { return log_.mean; }                  ///< m
  double log_deviation() const noexcept { return log_.deviation; }        ///< s
  double change_deviation() const noexcept { return change_.deviation; }  ///< r
  /// Mean absolute error, in price units, of the naive forecast p_{t+horizon} = p_t over the training part: the
  /// denominator of MASE (Hyndman and Koehler 2006, with the forecast's own horizon).
  double naive_error() const noexcept { return naive_error_; }
  /// Mean of the training part's targets: what the mean forecast predicts always, in the network's units.
  double mean_target() const noexcept { return mean_target_; }

  /// (log price - m) / s.
  double to_z(double log_price) const noexcept { return (log_price - log_.mean) / log_.deviation; }
  /// Log price of a network's output for window i of a part. Its exponential is the price.
  double to_log(const WindowedPart& part, std::size_t i, double output) const noexcept {
    return options_.target == Target::level ? log_.mean + log_.deviation * output
                                            : part.last_logs[i] + change_.deviation * output;
  }
  /// Log prices of outputs [N, 1]. Throws Error where their number is not the part's.
  std::vector<double> to_logs(const WindowedPart& part, std::span<const float> outputs) const {
    part.require(outputs.size(), "outputs");
    std::vector<double> logs(part.count);
    for (std::size_t i = 0; i < part.count; ++i) logs[i] = to_log(part, i, static_cast<double>(outputs[i]));
    return logs;
  }
  /// Log prices of the forecast whose output is `mean_target()` always.
  std::vector<double> mean_forecast(const WindowedPart& part) const {
    part.require(part.count, "outputs");
    std::vector<double> logs(part.count);
    for (std::size_t i = 0; i < part.count; ++i) logs[i] = to_log(part, i, mean_target_);
    return logs;
  }

 private:
  static void check(const WindowOptions& o) {
    if (o.window == 0 || o.horizon == 0) throw_error("a window and a horizon of 1 month or more are needed, found 0");
    if (!(o.train_share > 0) || !(o.valid_share > 0) || !(o.train_share + o.valid_share < 1))
      throw_error(
          "the shares of the training and the validation part must be positive and leave rows for the test, found ",
          o.train_share, " and ", o.valid_share);
  }
  void require_rows(const Series& series, const char* part, std::size_t rows) const {
    // Written so that a huge option cannot wrap around.
    if (rows > options_.window && rows - options_.window >= options_.horizon) return;
    throw_error(io::printable(series.name), ": the ", part, " part has ", rows, " rows, too few for a window of ",
                options_.window, " and a horizon of ", options_.horizon);
  }

  void measure(const Series& series, const std::vector<double>& logs) {
    std::vector<double> changes, errors;
    for (std::size_t t = 0; t + options_.horizon < logs.size(); ++t) {
      changes.push_back(logs[t + options_.horizon] - logs[t]);
      errors.push_back(std::abs(series.values[t + options_.horizon] - series.values[t]));
    }
    log_ = detail::moments(logs);
    change_ = detail::moments(changes);
    naive_error_ = detail::moments(errors).mean;
    // A growth that is exactly constant leaves rounding noise as its deviation, so that zero is no test.
    if (log_.deviation < 1e-9 || change_.deviation < 1e-9)
      throw_error(io::printable(series.name),
                  ": the prices or the changes of the training part are all equal, nothing can be scaled by them");
  }

  WindowedPart cut(const Series& series, const std::vector<double>& logs, std::size_t begin, std::size_t end) const {
    WindowedPart part;
    for (std::size_t start = begin; start + options_.window + options_.horizon <= end; ++start, ++part.count) {
      const std::size_t last = start + options_.window - 1, goal = last + options_.horizon;
      const auto [zero, unit] =
          options_.target == Target::level ? log_ : detail::Moments{logs[last], change_.deviation};
      for (std::size_t k = start; k <= last; ++k) part.inputs.push_back(static_cast<float>((logs[k] - zero) / unit));
      part.targets.push_back(static_cast<float>((logs[goal] - zero) / unit));
      part.dates.push_back(series.dates[goal]);
      part.last_logs.push_back(logs[last]);
      part.true_logs.push_back(logs[goal]);
      part.prices.push_back(series.values[goal]);
    }
    return part;
  }

  WindowOptions options_;
  Period period_ = Period::unknown;
  detail::Moments log_, change_;
  double naive_error_ = 0;
  double mean_target_ = 0;
};

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
