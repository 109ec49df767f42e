// The report: every figure of an experiment, as JSON.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results.hpp"

namespace forecast {

/// Where the best models of an experiment were saved, one a task, an empty name where that failed; empty where none
/// was to be saved.
using SavedModels = std::vector<std::filesystem::path>;

/// The report as text. `results` has one entry for each asset, target and policy, baselines included: the mean over
/// seeds under a figure's name, the standard deviation under its name with _std, and all runs by seed.
std::string report(const Options& options, const Experiment& experiment, const std::vector<Result>& results,
                   const SavedModels& models);

}  // namespace forecast
