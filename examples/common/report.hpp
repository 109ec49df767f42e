// The part of a report that experiments with classifiers share.
#pragma once

#include "results.hpp"

namespace example {

/// How it was trained, for the report.
Json training_json(const Training& training);

/// Adds to a report: seconds, classes; `results`, one for each network and policy: means over seeds under a figure's
/// name, standard deviations under its name with _std, and all runs by seed with every epoch; and `best`.
void add_results(Json& report, const Experiment& experiment, const std::vector<Result>& results);

}  // namespace example
