// A confusion matrix as a picture.
#pragma once

#include "../core/macros_aside.hpp"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../learn/metric_classification.hpp"
#include "heat_map.hpp"

namespace aila::inline v0::io {

/// Which class (row) was taken for which (column), in percent of the row's samples; empty for a class without any.
/// Throws Error where there is not one name a class.
inline HeatMap confusion_map(std::string title, const metric::ConfusionMatrix& matrix,
                             const std::vector<std::string>& classes) {
  const std::size_t n = matrix.classes();
  if (classes.size() != n) throw_error("confusion_map: expected ", n, " names of classes, found ", classes.size());
  HeatMap map{.title = std::move(title),
              .row_title = "class",
              .column_title = "taken for (% of the class)",
              .row_labels = classes,
              .column_labels = classes,
              .low = 0,
              .high = 100,
              .decimals = 1};
  for (std::size_t truth = 0; truth < n; ++truth) {
    double all = 0;
    for (std::size_t c = 0; c < n; ++c) all += static_cast<double>(matrix.count(truth, c));
    for (std::size_t c = 0; c < n; ++c)
      map.values.push_back(all > 0 ? 100 * static_cast<double>(matrix.count(truth, c)) / all
                                   : std::numeric_limits<double>::quiet_NaN());
  }
  return map;
}

}  // namespace aila::inline v0::io

#include "../core/macros_back.hpp"
