// How a batch is split into the groups that workers take.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>

#include "../core/config.hpp"

namespace aila::inline v0 {

/// How a batch is split: G = min(ceil(batch / 8), 16) groups of nearly equal size, whatever the number of threads.
struct GroupSplit {
  std::size_t groups;
  std::size_t samples;                           ///< of each but the last
  static constexpr std::size_t evaluation = 16;  ///< samples of a group of an evaluation

  static constexpr GroupSplit of(std::size_t batch) {
    if (batch == 0) return {0, 0};
    const std::size_t samples = divide(batch, most_groups(batch));
    return {divide(batch, samples), samples};
  }
  /// Most samples of a group, and most groups, in a batch of `batch` or fewer: one of 130 has 15 groups, one of 128
  /// has 16.
  static constexpr std::size_t most_samples(std::size_t batch) {
    return std::min(batch, std::max<std::size_t>(8, divide(batch, 16)));
  }
  static constexpr std::size_t most_groups(std::size_t batch) {
    return std::clamp<std::size_t>(divide(batch, 8), 1, 16);
  }

 private:
  /// Rounded up; of any number.
  static constexpr std::size_t divide(std::size_t n, std::size_t by) { return n / by + (n % by != 0 ? 1 : 0); }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
