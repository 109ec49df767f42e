// How much a layer of a stack takes from each earlier one.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include "../core/config.hpp"

namespace aila::inline v0 {

/// The mixture weights of one layer of a stack, averaged over samples and (valid) positions.
struct MixtureWeights {
  std::string path;       ///< "stack.2.integrate", "stack.2.input", "stack.end"
  std::size_t layer = 0;  ///< 0-based
  std::size_t heads = 0;
  std::vector<std::string> items;  ///< "own", "h_0", "h_1", ..., "task"; in front of cores and at the end "input", too
  std::vector<double> mean;        ///< [heads, items]; the items of a head sum to 1, where weights are not signed

  /// The mean over the heads of an item's weight; 0 for an item that this layer has not.
  double of(const std::string& item) const {
    double sum = 0;
    for (std::size_t i = 0; i < items.size(); ++i)
      if (items[i] == item)
        for (std::size_t h = 0; h < heads; ++h) sum += mean[h * items.size() + i];
    return heads > 0 ? sum / static_cast<double>(heads) : 0;
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
