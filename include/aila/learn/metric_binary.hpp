// Metrics of yes-or-no answers.
#pragma once

#include "../core/macros_aside.hpp"

#include "metric.hpp"

namespace aila::inline v0::metric {

/// Yes-or-no answers: each output is a logit, yes above `threshold` (0 is a probability of one half; give 0.5 for
/// probabilities); each target is 0 or 1.
class Binary {
 public:
  explicit Binary(double threshold = 0) : threshold_(threshold) {}

  template <class Outputs, class Targets>
  void add(const Outputs& outputs, const Targets& targets) {
    detail::require_sizes("Binary", outputs.size(), targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i) {
      detail::require_numbers("Binary", outputs.data() + i, 1, i);
      const bool truth = detail::class_index("Binary", targets[i], 2, i) == 1;
      const bool yes = static_cast<double>(outputs[i]) > threshold_;
      if (yes)
        ++(truth ? true_yes_ : false_yes_);
      else
        ++(truth ? false_no_ : true_no_);
    }
  }
  void merge(const Binary& other) {
    true_yes_ += other.true_yes_;
    false_yes_ += other.false_yes_;
    true_no_ += other.true_no_;
    false_no_ += other.false_no_;
  }

  double accuracy() const { return detail::ratio(true_yes_ + true_no_, true_yes_ + false_yes_ + true_no_ + false_no_); }
  /// Of the answers yes, the share that is right; NaN where there is none.
  double precision() const { return detail::ratio(true_yes_, true_yes_ + false_yes_); }
  /// Of the true cases, the share found; NaN where there is none.
  double recall() const { return detail::ratio(true_yes_, true_yes_ + false_no_); }
  /// 2 precision recall / (precision + recall); NaN where nothing is true and nothing was answered yes.
  double f1() const { return detail::ratio(2 * true_yes_, 2 * true_yes_ + false_yes_ + false_no_); }

 private:
  double threshold_;
  double true_yes_ = 0;  // counts in double are exact up to 2^53
  double false_yes_ = 0;
  double true_no_ = 0;
  double false_no_ = 0;
};

class BinaryAccuracy : public Binary {
 public:
  using Binary::Binary;
  double value() const { return accuracy(); }
};

class BinaryF1 : public Binary {
 public:
  using Binary::Binary;
  double value() const { return f1(); }
};

}  // namespace aila::inline v0::metric

#include "../core/macros_back.hpp"
