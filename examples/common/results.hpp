// What the runs of one network and policy say together: means and standard deviations over seeds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiment.hpp"
#include "mixture.hpp"
#include "statistic.hpp"

namespace example {

/// One line of the table.
struct Result {
  Candidate candidate;
  std::vector<std::size_t> runs;  ///< one a seed
  Statistic test_accuracy, test_loss, validation_accuracy, validation_loss, epochs, seconds_per_epoch;
  /// Test accuracy less that of the same network without connections (policy none) from the same seed.
  std::optional<Statistic> gain;
  Mixture mixture;  ///< mean over seeds
};

/// In the order of the runs.
std::vector<Result> results_of(const Experiment& experiment);

/// The results as text, a header first.
std::string table(const Experiment& experiment, const std::vector<Result>& results);

/// Of each class the share that the best run recognised, in percent, as text.
std::string class_table(const Experiment& experiment);

}  // namespace example
