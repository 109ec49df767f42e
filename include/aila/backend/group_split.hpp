// How a batch is split into the groups that workers take.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>

#include "../core/config.hpp"

namespace aila::inline v0 {

/// How a batch is split: G = min(ceil(batch / 4), 64) groups of nearly equal size, whatever the number of threads.
/// Fewer samples are too few for the products of a group; more groups are more gradients to be summed.
struct GroupSplit {
  std::size_t groups;
  std::size_t samples;                           ///< of each but the last
  static constexpr std::size_t evaluation = 16;  ///< samples of a group of an evaluation

  static constexpr GroupSplit of(std::size_t batch) {
    if (batch == 0) return {0, 0};
    const std::size_t samples = divide(batch, most_groups(batch));
    return {divide(batch, samples), samples};
  }
  /// Most samples of a group, and most groups, in a batch of `batch` or fewer: one of 260 has 52 groups, one of 256
  /// has 64.
  static constexpr std::size_t most_samples(std::size_t batch) {
    return std::min(batch, std::max(few, divide(batch, most)));
  }
  static constexpr std::size_t most_groups(std::size_t batch) {
    return std::clamp<std::size_t>(divide(batch, few), 1, most);
  }
  /// Of any batch.
  static constexpr std::size_t most = 64;

 private:
  static constexpr std::size_t few = 4;
  /// Rounded up; of any number.
  static constexpr std::size_t divide(std::size_t n, std::size_t by) { return n / by + (n % by != 0 ? 1 : 0); }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
