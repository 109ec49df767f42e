// The pictures of an experiment.
#pragma once

#include <string>
#include <vector>

#include "results.hpp"

namespace forecast {

/// The best model's forecasts of the test part, the truth and the naive forecast that skill is measured against: a
/// panel for each asset and target.
std::string draw_forecasts(const Experiment& experiment);
/// Mean integration weights, layer by earlier layer: a panel for each result that has some; empty where none has.
std::string draw_weights(const Experiment& experiment, const std::vector<Result>& results);

}  // namespace forecast
