// How the learning rate goes over a training.
#pragma once

#include "../core/macros_aside.hpp"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

#include "../core/error.hpp"

namespace aila::inline v0 {

/// A factor of the optimiser's learning rate for every step. Made by the functions of namespace schedule:
/// `schedule::cosine().with_warm_up(500)`.
struct Schedule {
  enum class Kind { constant, step, cosine, one_cycle };

  Kind kind = Kind::constant;
  std::uint64_t every = 1;  ///< step: epochs between two cuts
  double gamma = 1;         ///< step: the factor of one cut
  double start = 1;         ///< one_cycle: the first factor
  double peak = 0;          ///< one_cycle: where the factor is 1, as a share of the training
  double final = 1;         ///< cosine, one_cycle: the last factor
  std::uint64_t warm_up = 0;

  /// The same schedule after `steps` updates in which the factor rises in a line: 1/steps, 2/steps, ..., 1 times the
  /// schedule's first factor. The schedule itself starts after them and spreads over what is left.
  constexpr Schedule with_warm_up(std::uint64_t steps) const {
    Schedule copy = *this;
    copy.warm_up = steps;
    return copy;
  }

  /// The factor of update number `step`, counted from 0, of a training of `total` updates, `steps_per_epoch` an epoch
  /// (with the default of 1, a step schedule counts updates). Steps beyond the end keep the last factor.
  double factor(std::uint64_t step, std::uint64_t total, std::uint64_t steps_per_epoch = 1) const {
    const std::uint64_t left = total > warm_up ? total - warm_up : 0;
    if (step < warm_up)
      return static_cast<double>(step + 1) / static_cast<double>(warm_up) * after_warm_up(0, left, steps_per_epoch);
    return after_warm_up(step - warm_up, left, steps_per_epoch);
  }

 private:
  double after_warm_up(std::uint64_t step, std::uint64_t total, std::uint64_t steps_per_epoch) const {
    const auto s = static_cast<double>(step);
    const auto n = static_cast<double>(total);
    if (kind == Kind::constant) return 1;
    if (kind == Kind::step) {
      const std::uint64_t cuts = every == 0 || steps_per_epoch == 0 ? 0 : step / steps_per_epoch / every;
      return std::pow(gamma, static_cast<double>(cuts));
    }
    if (kind == Kind::cosine) return total == 0 ? 1 : between(1, final, s / n);
    const double last = n - 1;
    const double top = peak * n - 1;
    if (s <= top) return top > 0 ? between(start, 1, s / top) : 1;
    return last > top ? between(1, final, (s - top) / (last - top)) : 1;
  }

  /// Half a wave of cosine from a to b as share goes from 0 to 1.
  static double between(double a, double b, double share) {
    if (share >= 1) return b;
    return b + (a - b) * (1 + std::cos(std::numbers::pi * share)) / 2;
  }
};

namespace schedule {

/// 1 all the way.
constexpr Schedule constant() {
  return {};
}

/// Multiplied by gamma after every `every_epochs` epochs. Throws Error where every_epochs is 0 or gamma not a finite
/// number above 0.
inline Schedule step(std::uint64_t every_epochs, double gamma = 0.1) {
  if (every_epochs == 0) throw_error("schedule::step: every_epochs must be at least 1, it is 0");
  if (!(gamma > 0 && std::isfinite(gamma)))
    throw_error("schedule::step: gamma must be a finite number above 0, it is ", gamma);
  return {.kind = Schedule::Kind::step, .every = every_epochs, .gamma = gamma};
}

/// final + (1 - final) (1 + cos(pi step / total)) / 2: from 1 towards `final_factor`, which the step after the last one
/// has. Source: arXiv 1608.03983, one period. Throws Error for a factor that is negative or infinite.
inline Schedule cosine(double final_factor = 0) {
  if (!(final_factor >= 0 && std::isfinite(final_factor)))
    throw_error("schedule::cosine: final_factor must be a finite number of at least 0, it is ", final_factor);
  return {.kind = Schedule::Kind::cosine, .final = final_factor};
}

/// Half a cosine from `start_factor` up to 1, reached after `peak` of the training, then one down to `final_factor`,
/// which the last step has. The rates are those of PyTorch's OneCycleLR by cosine; it also moves momentum (of Adam
/// beta1) against the rate, which stays as the optimiser has it here. Source: arXiv 1708.07120. Throws Error for
/// factors that are negative or infinite and a peak outside 0 to 1.
inline Schedule one_cycle(double peak = 0.3, double start_factor = 1.0 / 25, double final_factor = 1.0 / 250'000) {
  if (!(peak >= 0 && peak <= 1)) throw_error("schedule::one_cycle: peak must lie from 0 to 1, it is ", peak);
  for (const double factor : {start_factor, final_factor})
    if (!(factor >= 0 && std::isfinite(factor)))
      throw_error("schedule::one_cycle: a factor must be a finite number of at least 0, it is ", factor);
  return {.kind = Schedule::Kind::one_cycle, .start = start_factor, .peak = peak, .final = final_factor};
}

}  // namespace schedule

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
