// Metrics of classes: outputs are logits (or probabilities), `classes` of them for each target, which is a class index.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstdint>
#include <vector>

#include "../core/error.hpp"
#include "../core/no_memory.hpp"
#include "metric.hpp"

namespace aila::inline v0::metric {

namespace detail {

/// Whether class a comes before class b: the larger output first, the lower index where they are equal.
template <class Number>
bool ranks_before(const Number* output, std::size_t a, std::size_t b) {
  return output[a] > output[b] || (output[a] == output[b] && a < b);
}

inline std::size_t require_classes(const char* who, std::size_t classes) {
  if (classes < 2) throw_error(who, ": expected at least 2 classes, found ", classes);
  return classes;
}

}  // namespace detail

/// The share of samples whose class is among the k largest outputs; of equal outputs the lower index counts first.
class TopKAccuracy {
 public:
  /// Throws Error for fewer than two classes or a k outside 1 to classes.
  TopKAccuracy(std::size_t classes, std::size_t k) : classes_(detail::require_classes("TopKAccuracy", classes)), k_(k) {
    if (k < 1 || k > classes) throw_error("TopKAccuracy: k must lie from 1 to ", classes, ", it is ", k);
  }
  template <class Outputs, class Targets>
  void add(const Outputs& outputs, const Targets& targets) {
    detail::require_sizes("TopKAccuracy", outputs.size(), targets.size(), classes_);
    for (std::size_t s = 0; s < targets.size(); ++s) {
      const auto* output = outputs.data() + s * classes_;
      detail::require_numbers("TopKAccuracy", output, classes_, s);
      const std::size_t truth = detail::class_index("TopKAccuracy", targets[s], classes_, s);
      std::size_t before = 0;
      for (std::size_t c = 0; c < classes_; ++c) before += detail::ranks_before(output, c, truth) ? 1U : 0U;
      right_ += before < k_ ? 1U : 0U;
      ++count_;
    }
  }
  void merge(const TopKAccuracy& other) {
    right_ += other.right_;
    count_ += other.count_;
  }
  double value() const { return detail::mean(static_cast<double>(right_), count_); }

 private:
  std::size_t classes_;
  std::size_t k_;
  std::size_t right_ = 0;
  std::size_t count_ = 0;
};

/// The share of samples whose class has the largest output.
class Accuracy : public TopKAccuracy {
 public:
  explicit Accuracy(std::size_t classes) : TopKAccuracy(classes, 1) {}
};

/// How often each class was taken for each; the predicted class has the largest output.
class ConfusionMatrix {
 public:
  static constexpr std::size_t most_classes = 32768;  ///< whose counts take 8 GiB

  /// Throws Error for fewer than two classes, more than `most_classes`, and where there is no memory for the counts.
  explicit ConfusionMatrix(std::size_t classes) : classes_(detail::require_classes("ConfusionMatrix", classes)) {
    if (classes > most_classes)
      throw_error("ConfusionMatrix: expected at most ", most_classes, " classes, found ", classes);
    counts_ = aila::detail::or_no_memory([&] { return std::vector<std::uint64_t>(classes * classes); },
                                         [&] {
                                           return "ConfusionMatrix: there is no memory for the counts of " +
                                                  std::to_string(classes) + " classes";
                                         });
  }

  template <class Outputs, class Targets>
  void add(const Outputs& outputs, const Targets& targets) {
    detail::require_sizes("ConfusionMatrix", outputs.size(), targets.size(), classes_);
    for (std::size_t s = 0; s < targets.size(); ++s) {
      const auto* output = outputs.data() + s * classes_;
      detail::require_numbers("ConfusionMatrix", output, classes_, s);
      const std::size_t truth = detail::class_index("ConfusionMatrix", targets[s], classes_, s);
      std::size_t predicted = 0;
      for (std::size_t c = 1; c < classes_; ++c)
        if (detail::ranks_before(output, c, predicted)) predicted = c;
      ++counts_[truth * classes_ + predicted];
    }
  }
  /// Throws Error where the number of classes differs.
  void merge(const ConfusionMatrix& other) {
    detail::require_sizes("ConfusionMatrix, merging", other.counts_.size(), counts_.size());
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }

  std::size_t classes() const { return classes_; }
  /// Samples of class `truth` taken for `predicted`. Throws Error where there is no such class.
  std::uint64_t count(std::size_t truth, std::size_t predicted) const {
    if (truth >= classes_ || predicted >= classes_)
      throw_error("ConfusionMatrix: classes run from 0 to ", classes_ - 1, ", asked for ", truth, " taken for ",
                  predicted);
    return counts_[truth * classes_ + predicted];
  }

  /// Of the samples predicted as c, the share that are; NaN where none was predicted.
  double precision(std::size_t c) const { return detail::ratio(hits(c), predicted_as(c)); }
  /// Of the samples that are c, the share predicted as such; NaN where there are none.
  double recall(std::size_t c) const { return detail::ratio(hits(c), samples_of(c)); }
  /// 2 precision recall / (precision + recall); NaN for a class that neither occurs nor is predicted.
  double f1(std::size_t c) const { return detail::ratio(2 * hits(c), predicted_as(c) + samples_of(c)); }

  /// The mean of f1 over the classes that occur or are predicted.
  double macro_f1() const {
    double sum = 0;
    std::size_t defined = 0;
    for (std::size_t c = 0; c < classes_; ++c) {
      if (predicted_as(c) + samples_of(c) == 0) continue;
      sum += f1(c);
      ++defined;
    }
    return detail::mean(sum, defined);
  }
  /// Accuracy.
  double value() const {
    double right = 0;
    double all = 0;
    for (std::size_t c = 0; c < classes_; ++c) {
      right += hits(c);
      all += samples_of(c);
    }
    return detail::ratio(right, all);
  }

 private:
  double hits(std::size_t c) const { return static_cast<double>(count(c, c)); }
  double samples_of(std::size_t c) const {
    double sum = 0;
    for (std::size_t k = 0; k < classes_; ++k) sum += static_cast<double>(count(c, k));
    return sum;
  }
  double predicted_as(std::size_t c) const {
    double sum = 0;
    for (std::size_t k = 0; k < classes_; ++k) sum += static_cast<double>(count(k, c));
    return sum;
  }

  std::size_t classes_;
  std::vector<std::uint64_t> counts_;
};

}  // namespace aila::inline v0::metric

#include "../core/macros_back.hpp"
