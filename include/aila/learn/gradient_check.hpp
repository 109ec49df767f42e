// What a gradient check is asked and what it answers.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <string>

#include "../core/random.hpp"

namespace aila::inline v0 {

struct GradientCheckOptions {
  std::size_t samples = 3;
  bool lengths = false;   ///< sequences: samples of all, one and half of the steps in turn
  bool training = false;  ///< dropout is active
  double tolerance =
      1e-7;  ///< greatest relative error, below 1; a tensor's least elements are compared to 0.001 of its greatest
  Seed seed{};
};

/// What was compared, and how it went. One that was never made is not ok.
struct GradientCheck {
  bool ok = false;
  double worst = 0;  ///< relative error; 1e300 where a kernel or body does what it must not do at all
  /// The element of the worst error: "input[3]", "weight_hh[12]", "2.integrate.score[4]" inside a stack. Or what is
  /// wrong: "output[7] was not written".
  std::string where = "nothing was compared";
  std::size_t compared = 0;  ///< derivatives that were set beside differences
  std::size_t nonzero = 0;   ///< those of them that differ from zero by more than the rounding of the differences
  std::string constant;      ///< "input", "weight_hh": of which none does, with ", " between them

  explicit operator bool() const { return ok; }

  /// Of which nothing has been found wrong yet.
  static GradientCheck begin() {
    GradientCheck check;
    check.ok = true;
    check.where.clear();
    return check;
  }
  /// One comparison more. An error that is no number counts as infinite.
  void take(double error, double tolerance, const std::string& name, std::size_t element) {
    if (!(error <= tolerance)) ok = false;
    if (!(error == error)) error = 1e300;
    if (error > worst || where.empty()) {
      worst = error;
      where = name + "[" + std::to_string(element) + "]";
    }
  }
  /// Wrong whatever the derivatives are; the first such sentence stays.
  void refuse(const std::string& what) {
    ok = false;
    if (worst >= 1e300) return;
    worst = 1e300;
    where = what;
  }
  void merge(const std::string& prefix, const GradientCheck& other) {
    const bool leads = ok == other.ok ? other.worst > worst : ok;
    ok = ok && other.ok;
    if (leads || where.empty()) {
      worst = other.worst;
      where = prefix + other.where;
    }
    compared += other.compared;
    nonzero += other.nonzero;
    if (!other.constant.empty()) (constant += constant.empty() ? "" : ", ") += prefix + other.constant;
  }
};

namespace detail {

/// The check with these options that could not find a mistake, or one of which nothing has been found wrong yet.
inline GradientCheck begin_check(const GradientCheckOptions& options) {
  GradientCheck check = GradientCheck::begin();
  if (options.samples == 0) check.refuse("options: expected one sample or more, found samples = 0");
  if (!(options.tolerance >= 0 && options.tolerance < 1))
    check.refuse("options: expected a tolerance of at least 0 and below 1, found " + std::to_string(options.tolerance));
  return check;
}

}  // namespace detail

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
