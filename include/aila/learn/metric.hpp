// What a metric is: an accumulator over batches, in double.
//
// A metric has
//   void add(outputs, targets);
//       takes ranges of numbers of one batch, sample after sample; throws Error where they do not fit
//   double value() const;
//       over everything added; NaN where nothing was, or where it is not defined
// and is started again by assigning a fresh one. Several accumulators of one kind are joined by merge(other).
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string>

#include "../core/error.hpp"

namespace aila::inline v0 {

template <class M>
concept Metric = requires(M& metric, const M& constant, std::span<const float> numbers) {
  metric.add(numbers, numbers);
  { constant.value() } -> std::convertible_to<double>;
};

namespace metric {

inline constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

namespace detail {

/// Throws Error unless there are as many outputs as `per_target` times the targets.
inline void require_sizes(const char* who, std::size_t outputs, std::size_t targets, std::size_t per_target = 1) {
  const bool countable = per_target == 0 || targets <= std::numeric_limits<std::size_t>::max() / per_target;
  if (countable && outputs == targets * per_target) return;
  const std::string expected = countable ? std::to_string(targets * per_target)
                                         : std::to_string(per_target) + " times " + std::to_string(targets);
  throw_error(who, ": expected ", expected, " outputs for ", targets, " targets, found ", outputs);
}

/// sum / count, or NaN of nothing.
inline double mean(double sum, std::size_t count) {
  return count > 0 ? sum / static_cast<double>(count) : undefined;
}

/// numerator / denominator, or NaN where the denominator is 0.
inline double ratio(double numerator, double denominator) {
  return denominator != 0 ? numerator / denominator : undefined;
}

/// a - b in a unit; 0 where they are equal, infinities too.
inline double difference(double a, double b, double unit) {
  return a == b ? 0 : a * unit - b * unit;
}

/// value 2^exponent: sums of squares leave the range of double where their ratio or mean does not.
struct Scaled {
  double value = 0;
  int exponent = 0;

  double plain() const { return std::ldexp(value, exponent); }
  Scaled over(double count) const { return {value / count, exponent}; }
};

/// numerator / denominator, or NaN where the denominator is 0.
inline double ratio(const Scaled& numerator, const Scaled& denominator) {
  if (numerator.value == 0 || !std::isfinite(numerator.value) || !std::isfinite(denominator.value))
    return ratio(numerator.value, denominator.value);
  int above = 0, below = 0;
  const double fraction = ratio(std::frexp(numerator.value, &above), std::frexp(denominator.value, &below));
  return std::ldexp(fraction, above - below + numerator.exponent - denominator.exponent);
}

/// The units in which a sum is kept beside its own: the first is used unless the sum left its range there.
inline constexpr std::array<double, 3> units{1, 0x1p-600, 0x1p600};

/// The sum that is right of those in the three units, of numbers to the power of `power` (1 or 2) in that unit.
inline Scaled chosen(double plain, double of_huge, double of_tiny, int power) {
  if (!std::isfinite(plain)) return {of_huge, 600 * power};
  if (plain < 0x1p-900 && std::isfinite(of_tiny)) return {of_tiny, -600 * power};
  return {plain, 0};
}

/// sum |o - t| or, where Power is 2, sum (o - t)^2.
template <int Power>
class ErrorSum {
 public:
  void add(double output, double target) {
    for (std::size_t u = 0; u < units.size(); ++u) {
      const double e = difference(output, target, units[u]);
      sums_[u] += Power == 2 ? e * e : std::fabs(e);
    }
  }
  void merge(const ErrorSum& other) {
    for (std::size_t u = 0; u < units.size(); ++u) sums_[u] += other.sums_[u];
  }
  Scaled sum() const { return chosen(sums_[0], sums_[1], sums_[2], Power); }

 private:
  std::array<double, 3> sums_{};
};

/// A target as a class index; throws Error where it is none.
template <class Number>
std::size_t class_index(const char* who, Number target, std::size_t classes, std::size_t sample) {
  const auto t = static_cast<double>(target);
  if (!(t >= 0 && t < static_cast<double>(classes)) || t != std::floor(t))
    throw_error(who, ": target ", sample, " of the batch must be a class index below ", classes, ", it is ", t);
  return static_cast<std::size_t>(t);
}

/// Throws Error where an output is not a number: it has no rank.
template <class Number>
void require_numbers(const char* who, const Number* output, std::size_t classes, std::size_t sample) {
  for (std::size_t k = 0; k < classes; ++k)
    if (output[k] != output[k])
      throw_error(who, ": output ", k, " of sample ", sample, " of the batch is not a number");
}

}  // namespace detail
}  // namespace metric
}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
