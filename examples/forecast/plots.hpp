// The pictures of an experiment.
#pragma once

#include <filesystem>
#include <vector>

#include "results.hpp"

namespace forecast {

/// Forecasts against truth, a panel for each asset and target; and mean integration weights, a panel for each result
/// that has some.
struct Plots {
  std::filesystem::path forecasts;
  std::filesystem::path weights;
};

/// The files that `--plot` stands for: X.svg and X-weights.svg, or forecast.svg and forecast-weights.svg in a folder.
/// Throws aila::Error where it is neither a name that ends in .svg nor a folder.
Plots plot_files(const std::filesystem::path& plot);

/// The best model's forecasts of the test part, the truth and the last price repeated.
std::string draw_forecasts(const Experiment& experiment);
/// Layer by earlier layer; empty where no policy has weights.
std::string draw_weights(const Experiment& experiment, const std::vector<Result>& results);

}  // namespace forecast
