// Samples set aside for validation, as many of each class as of the others.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "../core/error.hpp"
#include "../core/no_memory.hpp"
#include "../core/random.hpp"
#include "label.hpp"

namespace aila::inline v0::data {

/// Numbers of samples, ascending.
struct Split {
  std::vector<std::size_t> train, valid;
};

/// 0, 1, ..., n - 1. Throws Error where there is no memory for them.
inline std::vector<std::size_t> all_rows(std::size_t n) {
  auto rows =
      aila::detail::or_no_memory([&] { return std::vector<std::size_t>(n); },
                                 [&] { return "split: there is no memory for " + std::to_string(n) + " rows"; });
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

/// Puts the share of each class into the validation part, to the nearest whole number of samples; which they are, the
/// seed says, and not the order of the classes. Throws Error for a share that is not in [0, 1], and where a part stays
/// empty that should not.
inline Split stratified_split(std::span<const Label> labels, double valid_share, Seed seed) {
  if (!(valid_share >= 0 && valid_share <= 1)) throw_error("split: expected a share from 0 to 1, found ", valid_share);
  std::vector<std::size_t> order(labels.size());
  permutation(seed, 0, order);
  std::map<Label, std::size_t> left;  // how many of a class are still to be set aside
  for (const Label label : labels) ++left[label];
  for (auto& [label, count] : left)
    count = static_cast<std::size_t>(std::llround(static_cast<double>(count) * valid_share));
  Split split;
  for (const std::size_t row : order) {
    std::size_t& more = left[labels[row]];
    (more > 0 ? split.valid : split.train).push_back(row);
    if (more > 0) --more;
  }
  if ((split.valid.empty() && valid_share > 0) || (split.train.empty() && valid_share < 1))
    throw_error("split: a share of ", valid_share, " of ", labels.size(), " samples leaves one part empty");
  std::ranges::sort(split.train);
  std::ranges::sort(split.valid);
  return split;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
