// What the command lines of all programs share, by CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "run.hpp"

namespace example {

/// The options of a program. What is added as `training` cannot be given together with --load.
class CommandLine {
 public:
  explicit CommandLine(const char* about);

  CLI::App app;

  /// Marks an option that a saved model has answered already.
  CLI::Option* training(CLI::Option* option);
  /// --load, behind which the options of trainings are refused.
  CLI::Option* add_load(std::optional<std::filesystem::path>& file, const char* about);
  CLI::Option* add_threads(std::size_t& threads, const char* about);
  CLI::Option* add_device(std::string& device);

  /// Reads the command line; false where help was asked for, which is then printed. Throws aila::Error, one sentence,
  /// for whatever is not understood.
  bool parse(int argc, const char* const* argv);

 private:
  std::vector<const CLI::Option*> of_training_;
  const CLI::Option* load_ = nullptr;
};

/// How classifiers are trained, and from which seeds; defaults are what the members hold.
struct TrainingOptions {
  Training& training;
  double& label_smoothing;
  std::size_t seeds = 1;
  std::uint64_t first_seed = 1;

  /// `samples` is what a step is made of, `better` what ends a training where it does not come: "Images", "a lower
  /// validation loss".
  void add(CommandLine& line, const std::string& samples, const std::string& better);
  /// Those of the command line that parse has read. Throws aila::Error for a schedule that is not known.
  std::vector<std::uint64_t> seed_list() const;
};

/// A number from 1 on.
inline const CLI::Range at_least_one(std::size_t{1}, std::size_t{1'000'000});

/// Throws aila::Error where `value` is not one of `known`.
void require_one_of(const char* option, const std::string& value, const std::vector<std::string>& known);

}  // namespace example
