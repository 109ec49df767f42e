// What the runs of one policy say together: means and standard deviations over seeds; and the baselines beside them.
#pragma once

#include <string>
#include <vector>

#include "../common/statistic.hpp"
#include "experiment.hpp"

namespace forecast {

/// One line of the table.
struct Result {
  std::size_t task = 0;
  std::string policy;  ///< or the name of a baseline: "mean", or of a naive forecast
  bool baseline = false;
  std::size_t parameters = 0;
  std::vector<std::size_t> runs;  ///< one a seed; none of a baseline
  example::Statistic mse_z, mse_price, skill, mase, seconds_per_epoch, epochs, training_loss, validation_loss;
  example::Mixture mixture;  ///< mean over seeds
};

/// The results of every task: its policies in the order of the runs, then the naive forecasts and the mean forecast.
std::vector<Result> results_of(const Experiment& experiment);

/// Why both targets are reported, in one sentence.
extern const char* const why_two_targets;

/// The results as text, a header first.
std::string table(const Experiment& experiment, const std::vector<Result>& results);

}  // namespace forecast
