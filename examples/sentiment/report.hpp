// The report: every figure of an experiment, as JSON.
#pragma once

#include <string>

#include "../common/results.hpp"
#include "options.hpp"

namespace sentiment {

std::string report(const Options& options, const Reviews& reviews, const Reading& reading,
                   const example::Experiment& experiment, const std::vector<example::Result>& results);

}  // namespace sentiment
