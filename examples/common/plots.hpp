// The pictures of an experiment with classifiers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "outputs.hpp"
#include "results.hpp"

namespace example {

/// Validation accuracy, training loss and validation loss by epoch, a line for each network and policy: the mean over
/// the seeds that still ran. Empty where nothing was trained.
std::string draw_curves(const Experiment& experiment, const std::vector<Result>& results);
/// Of the best run.
std::string draw_confusion(const Experiment& experiment);
/// Layer by earlier layer, a panel for each network and policy that has weights; empty where none has.
std::string draw_weights(const std::vector<Result>& results);

/// The files of `--plot`: curves, confusion, weights.
class Pictures {
 public:
  /// Throws aila::Error as plot_files and Places.
  Pictures(const std::filesystem::path& plot, const std::string& name, Places& places);
  /// Writes those that there are, a step each.
  void write(LastSteps& steps, const Experiment& experiment, const std::vector<Result>& results) const;

 private:
  std::vector<std::filesystem::path> files_;
};

}  // namespace example
