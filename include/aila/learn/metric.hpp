// What a metric is: an accumulator over batches, in double.
//
// A metric has
//   void add(outputs, targets);   ranges of numbers of one batch, sample after sample; throws Error where they do not
//   fit double value() const;         over everything added; NaN where nothing was, or where it is not defined
// and is started again by assigning a fresh one. Several accumulators of one kind are joined by merge(other).
#pragma once

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
  if (outputs != targets * per_target)
    throw Error(std::string(who) + ": expected " + std::to_string(targets * per_target) + " outputs for " +
                std::to_string(targets) + " targets, found " + std::to_string(outputs));
}

/// sum / count, or NaN of nothing.
inline double mean(double sum, std::size_t count) {
  return count > 0 ? sum / static_cast<double>(count) : undefined;
}

/// numerator / denominator, or NaN where the denominator is 0.
inline double ratio(double numerator, double denominator) {
  return denominator != 0 ? numerator / denominator : undefined;
}

/// A target as a class index; throws Error where it is none.
template <class Number>
std::size_t class_index(const char* who, Number target, std::size_t classes, std::size_t sample) {
  const auto t = static_cast<double>(target);
  if (!(t >= 0 && t < static_cast<double>(classes)) || t != std::floor(t))
    throw Error(std::string(who) + ": target " + std::to_string(sample) + " of the batch must be a class index below " +
                std::to_string(classes) + ", it is " + std::to_string(t));
  return static_cast<std::size_t>(t);
}

/// Throws Error where an output is not a number: it has no rank.
template <class Number>
void require_numbers(const char* who, const Number* output, std::size_t classes, std::size_t sample) {
  for (std::size_t k = 0; k < classes; ++k)
    if (output[k] != output[k])
      throw Error(std::string(who) + ": output " + std::to_string(k) + " of sample " + std::to_string(sample) +
                  " of the batch is not a number");
}

}  // namespace detail
}  // namespace metric
}  // namespace aila::inline v0
