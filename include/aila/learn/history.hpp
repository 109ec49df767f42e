// What a training leaves behind: one record an epoch.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <limits>
#include <vector>

#include "../core/config.hpp"

namespace aila::inline v0 {

/// One epoch, counted from 1. A value that was not measured is NaN.
struct EpochRecord {
  std::size_t epoch = 0;
  double training_loss = std::numeric_limits<double>::quiet_NaN();    ///< mean over the samples, while weights change
  double validation_loss = std::numeric_limits<double>::quiet_NaN();  ///< after the epoch's last update
  double learning_rate = 0;                                           ///< of the epoch's last update
  double seconds = 0;                                                 ///< training and validation
  double gradient_norm = std::numeric_limits<double>::quiet_NaN();    ///< mean over the updates, before clipping
};

struct History {
  std::vector<EpochRecord> epochs;
  std::size_t best_epoch = 0;  ///< counted from 1; 0 where no epoch was finished
  double best_validation_loss = std::numeric_limits<double>::infinity();
  bool stopped_early = false;
  bool cancelled = false;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
