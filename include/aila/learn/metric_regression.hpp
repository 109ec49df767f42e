// Metrics of numbers: errors, the share of variance explained, and errors measured against a simple forecast.
#pragma once

#include "metric.hpp"

namespace aila::inline v0::metric {

/// mean (o - t)^2, in squared units of the targets.
class MeanSquaredError {
 public:
  template <class Outputs, class Targets>
  void add(const Outputs& outputs, const Targets& targets) {
    detail::require_sizes("MeanSquaredError", outputs.size(), targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const double e = static_cast<double>(outputs[i]) - static_cast<double>(targets[i]);
      sum_ += e * e;
    }
    count_ += targets.size();
  }
  void merge(const MeanSquaredError& other) {
    sum_ += other.sum_;
    count_ += other.count_;
  }
  double value() const { return detail::mean(sum_, count_); }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

/// mean |o - t|, in units of the targets.
class MeanAbsoluteError {
 public:
  template <class Outputs, class Targets>
  void add(const Outputs& outputs, const Targets& targets) {
    detail::require_sizes("MeanAbsoluteError", outputs.size(), targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i)
      sum_ += std::fabs(static_cast<double>(outputs[i]) - static_cast<double>(targets[i]));
    count_ += targets.size();
  }
  void merge(const MeanAbsoluteError& other) {
    sum_ += other.sum_;
    count_ += other.count_;
  }
  double value() const { return detail::mean(sum_, count_); }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

/// R^2 = 1 - sum (o - t)^2 / sum (t - mean t)^2, all elements as one population. NaN where the targets do not vary.
class RSquared {
 public:
  template <class Outputs, class Targets>
  void add(const Outputs& outputs, const Targets& targets) {
    detail::require_sizes("RSquared", outputs.size(), targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const auto t = static_cast<double>(targets[i]);
      const double e = static_cast<double>(outputs[i]) - t;
      residual_ += e * e;
      count_ += 1;
      const double from_mean = t - mean_;  // Welford's recurrence: exact also where the mean is far from 0
      mean_ += from_mean / count_;
      spread_ += from_mean * (t - mean_);
    }
  }
  void merge(const RSquared& other) {
    if (other.count_ == 0) return;
    const double all = count_ + other.count_;
    const double apart = other.mean_ - mean_;
    spread_ += other.spread_ + apart * apart * count_ * other.count_ / all;
    mean_ += apart * other.count_ / all;
    residual_ += other.residual_;
    count_ = all;
  }
  double value() const { return 1 - detail::ratio(residual_, spread_); }

 private:
  double residual_ = 0;
  double mean_ = 0;
  double spread_ = 0;
  double count_ = 0;
};

/// The mean absolute change of a series over `season` steps: the error of the forecast that repeats the value of one
/// season before. NaN for a series that is not longer than that. Throws Error where season is 0.
template <class Series>
double naive_error(const Series& series, std::size_t season = 1) {
  if (season == 0) throw Error("naive_error: season must be at least 1, it is 0");
  double sum = 0;
  for (std::size_t i = season; i < series.size(); ++i)
    sum += std::fabs(static_cast<double>(series[i]) - static_cast<double>(series[i - season]));
  return series.size() > season ? sum / static_cast<double>(series.size() - season) : undefined;
}

/// MASE: mean |o - t| over `scale`, which is naive_error of the training part, in the same units. Below 1 is better
/// than repeating the last value was there. Source: Hyndman and Koehler, "Another look at measures of forecast
/// accuracy", 2006.
class MeanAbsoluteScaledError {
 public:
  /// Throws Error where scale is not above 0.
  explicit MeanAbsoluteScaledError(double scale) : scale_(scale) {
    if (!(scale > 0)) throw Error("MeanAbsoluteScaledError: scale must be above 0, it is " + std::to_string(scale));
  }
  template <class Outputs, class Targets>
  void add(const Outputs& outputs, const Targets& targets) {
    error_.add(outputs, targets);
  }
  void merge(const MeanAbsoluteScaledError& other) { error_.merge(other.error_); }
  double value() const { return error_.value() / scale_; }

 private:
  MeanAbsoluteError error_;
  double scale_;
};

/// 1 - error / baseline_error: 1 is perfect, 0 as good as the baseline, negative worse. NaN for a baseline without
/// error.
inline double skill(double error, double baseline_error) {
  return 1 - detail::ratio(error, baseline_error);
}

/// The skill in mean squared error against the forecasts of a baseline, which are added beside the outputs.
class Skill {
 public:
  template <class Outputs, class Targets, class Baseline>
  void add(const Outputs& outputs, const Targets& targets, const Baseline& baseline) {
    detail::require_sizes("Skill, baseline", baseline.size(), targets.size());
    error_.add(outputs, targets);
    baseline_error_.add(baseline, targets);
  }
  void merge(const Skill& other) {
    error_.merge(other.error_);
    baseline_error_.merge(other.baseline_error_);
  }
  double value() const { return skill(error_.value(), baseline_error_.value()); }

 private:
  MeanSquaredError error_;
  MeanSquaredError baseline_error_;
};

}  // namespace aila::inline v0::metric
