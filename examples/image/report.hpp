// The report: every figure of an experiment, as JSON.
#pragma once

#include <string>

#include "../common/results.hpp"
#include "dataset.hpp"
#include "options.hpp"

namespace image {

std::string report(const Options& options, const Dataset& dataset, const example::Experiment& experiment,
                   const std::vector<example::Result>& results);

}  // namespace image
