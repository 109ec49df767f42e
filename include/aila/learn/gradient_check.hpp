// What a gradient check is asked and what it answers.
#pragma once

#include <cstddef>
#include <string>

#include "../core/random.hpp"

namespace aila::inline v0 {

struct GradientCheckOptions {
  std::size_t samples = 3;
  bool lengths = false;   ///< sequences: samples of all, one and half of the steps in turn
  bool training = false;  ///< dropout is active
  double tolerance =
      1e-7;  ///< greatest relative error; a tensor's least elements are compared to 0.001 of its greatest
  Seed seed{};
};

/// `where` is the element of the worst error: "input[3]", "weight_hh[12]", "2.integrate.score[4]" inside a stack.
struct GradientCheck {
  bool ok = true;
  double worst = 0;  ///< relative error
  std::string where;

  explicit operator bool() const { return ok; }

  /// One comparison more. An error that is no number counts as infinite.
  void take(double error, double tolerance, const std::string& name, std::size_t element) {
    if (!(error <= tolerance)) ok = false;
    if (!(error == error)) error = 1e300;
    if (error > worst || where.empty()) {
      worst = error;
      where = name + "[" + std::to_string(element) + "]";
    }
  }
  void merge(const std::string& prefix, const GradientCheck& other) {
    ok = ok && other.ok;
    if (other.worst > worst || where.empty()) {
      worst = other.worst;
      where = prefix + other.where;
    }
  }
};

}  // namespace aila::inline v0
