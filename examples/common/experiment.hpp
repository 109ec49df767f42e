// An experiment with classifiers: every network and policy, every seed; trained one after the other, and measured.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "classifier.hpp"

namespace example {

struct Plan {
  std::vector<Candidate> candidates;
  std::vector<std::uint64_t> seeds;
  Training training;
  std::optional<std::filesystem::path> save;    ///< holds the best weights of all runs so far, at any time
  std::map<std::string, std::string> metadata;  ///< of the saved file, besides network, policy and seed
  bool quiet = false;
};

using Make = std::function<std::unique_ptr<Classifier>(const Candidate&, aila::Seed)>;

struct Experiment {
  std::vector<std::string> classes;
  std::vector<Run> runs;
  std::size_t best = 0;               ///< the run of the best validation score
  std::unique_ptr<Classifier> model;  ///< of that run
  double seconds = 0;
  bool cancelled = false;  ///< then there is nothing but `saved`
  bool saved = false;      ///< some weights were
};

/// Trains everything, each run with all threads of the classifiers' executor. Progress goes to stderr. Where
/// `interrupted` becomes true it ends as `cancelled`; the saved file then holds the best weights so far. Throws
/// aila::Error where a training diverges, a file cannot be written, or what was written gives other outputs when it is
/// read again.
Experiment train(const Plan& plan, std::vector<std::string> classes, const Make& make);

/// The experiment of one model that was trained before.
Experiment loaded(const Candidate& candidate, std::uint64_t seed, std::vector<std::string> classes,
                  std::unique_ptr<Classifier> model);

}  // namespace example
