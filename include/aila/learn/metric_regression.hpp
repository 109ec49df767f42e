// Metrics of numbers: errors, the share of variance explained, and errors measured against a simple forecast.
#pragma once

#include "../core/macros_aside.hpp"

#include "metric.hpp"

namespace aila::inline v0::metric {

/// mean (o - t)^2, in squared units of the targets.
class MeanSquaredError {
 public:
  template <class Outputs, class Targets>
  void add(const Outputs& outputs, const Targets& targets) {
    detail::require_sizes("MeanSquaredError", outputs.size(), targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i)
      sum_.add(static_cast<double>(outputs[i]), static_cast<double>(targets[i]));
    count_ += targets.size();
  }
  void merge(const MeanSquaredError& other) {
    sum_.merge(other.sum_);
    count_ += other.count_;
  }
  double value() const { return mean().plain(); }

 private:
  friend class Skill;
  detail::Scaled mean() const {
    return count_ > 0 ? sum_.sum().over(static_cast<double>(count_)) : detail::Scaled{undefined};
  }

  detail::ErrorSum<2> sum_;
  std::size_t count_ = 0;
};

/// mean |o - t|, in units of the targets.
class MeanAbsoluteError {
 public:
  template <class Outputs, class Targets>
  void add(const Outputs& outputs, const Targets& targets) {
    detail::require_sizes("MeanAbsoluteError", outputs.size(), targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i)
      sum_.add(static_cast<double>(outputs[i]), static_cast<double>(targets[i]));
    count_ += targets.size();
  }
  void merge(const MeanAbsoluteError& other) {
    sum_.merge(other.sum_);
    count_ += other.count_;
  }
  double value() const { return mean().plain(); }

 private:
  friend class MeanAbsoluteScaledError;
  detail::Scaled mean() const {
    return count_ > 0 ? sum_.sum().over(static_cast<double>(count_)) : detail::Scaled{undefined};
  }

  detail::ErrorSum<1> sum_;
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
      residual_.add(static_cast<double>(outputs[i]), t);
      count_ += 1;
      spread_.add(t, count_);
      huge_.add(t * detail::units[1], count_);
      tiny_.add(t * detail::units[2], count_);
    }
  }
  void merge(const RSquared& other) {
    if (other.count_ == 0) return;
    spread_.merge(other.spread_, count_, other.count_);
    huge_.merge(other.huge_, count_, other.count_);
    tiny_.merge(other.tiny_, count_, other.count_);
    residual_.merge(other.residual_);
    count_ += other.count_;
  }
  double value() const {
    return 1 - detail::ratio(residual_.sum(), detail::chosen(spread_.sum, huge_.sum, tiny_.sum, 2));
  }

 private:
  /// sum (t - mean t)^2.
  struct Spread {
    double mean = 0;
    double sum = 0;

    void add(double t, double count) {
      const double from_mean = t - mean;  // Welford's recurrence: exact also where the mean is far from 0
      mean += from_mean / count;
      sum += from_mean * (t - mean);
    }
    void merge(const Spread& other, double count, double other_count) {
      const double all = count + other_count;
      const double apart = other.mean - mean;
      sum += other.sum + apart * apart * count * other_count / all;
      mean += apart * other_count / all;
    }
  };

  detail::ErrorSum<2> residual_;
  Spread spread_, huge_, tiny_;  ///< in the units of metric.hpp
  double count_ = 0;
};

/// The mean absolute change of a series over `season` steps: the error of the forecast that repeats the value of one
/// season before. NaN for a series that is not longer than that. Throws Error where season is 0.
template <class Series>
double naive_error(const Series& series, std::size_t season = 1) {
  if (season == 0) throw_error("naive_error: season must be at least 1, it is 0");
  detail::ErrorSum<1> sum;
  for (std::size_t i = season; i < series.size(); ++i)
    sum.add(static_cast<double>(series[i]), static_cast<double>(series[i - season]));
  return series.size() > season ? sum.sum().over(static_cast<double>(series.size() - season)).plain() : undefined;
}

/// MASE: mean |o - t| over `scale`, which is naive_error of the training part, in the same units. Below 1 is better
/// than repeating the last value was there. Source: Hyndman and Koehler, "Another look at measures of forecast
/// accuracy", 2006.
class MeanAbsoluteScaledError {
 public:
  /// Throws Error where scale is not above 0.
  explicit MeanAbsoluteScaledError(double scale) : scale_(scale) {
    if (!(scale > 0)) throw_error("MeanAbsoluteScaledError: scale must be above 0, it is ", scale);
  }
  template <class Outputs, class Targets>
  void add(const Outputs& outputs, const Targets& targets) {
    error_.add(outputs, targets);
  }
  void merge(const MeanAbsoluteScaledError& other) { error_.merge(other.error_); }
  double value() const { return detail::ratio(error_.mean(), detail::Scaled{scale_}); }

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
  double value() const { return 1 - detail::ratio(error_.mean(), baseline_error_.mean()); }

 private:
  MeanSquaredError error_;
  MeanSquaredError baseline_error_;
};

}  // namespace aila::inline v0::metric

#include "../core/macros_back.hpp"
