// How a batch is split into the groups that workers take.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>

#include "../core/config.hpp"

namespace aila::inline v0 {

/// How a batch is split: G = min(ceil(batch / few), most) groups of nearly equal size, whatever the number of threads,
/// for a network of so many parameters (0: few). Of four samples or more where all gradients fit a cache, up to 64
/// groups: fewer samples are too few for the products of a group. Of eight or more, up to 16 groups, where they do not:
/// each group has gradients of its own, to be written and summed.
struct GroupSplit {
  std::size_t groups;
  std::size_t samples;                           ///< of each but the last
  static constexpr std::size_t evaluation = 16;  ///< samples of a group of an evaluation
  static constexpr std::size_t most = 64;        ///< groups of any batch

  static constexpr GroupSplit of(std::size_t batch, std::size_t parameters = 0) {
    if (batch == 0) return {0, 0};
    const std::size_t samples = divide(batch, most_groups(batch, parameters));
    return {divide(batch, samples), samples};
  }
  /// Most samples of a group, and most groups, in a batch of `batch` or fewer: one of 260 has 52 groups, one of 256
  /// has 64.
  static constexpr std::size_t most_samples(std::size_t batch, std::size_t parameters = 0) {
    const Rule rule = rule_for(parameters);
    return std::min(batch, std::max(rule.few, divide(batch, rule.most)));
  }
  static constexpr std::size_t most_groups(std::size_t batch, std::size_t parameters = 0) {
    const Rule rule = rule_for(parameters);
    return std::clamp<std::size_t>(divide(batch, rule.few), 1, rule.most);
  }

 private:
  struct Rule {
    std::size_t few, most;
  };
  /// A megabyte of gradients a group, in float.
  static constexpr Rule rule_for(std::size_t parameters) {
    return parameters <= (std::size_t{1} << 18) ? Rule{4, most} : Rule{8, 16};
  }
  /// Rounded up; of any number.
  static constexpr std::size_t divide(std::size_t n, std::size_t by) { return n / by + (n % by != 0 ? 1 : 0); }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
