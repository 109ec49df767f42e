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
  std::function<void()> save_beside{};  ///< writes what the saved file needs beside it, unless it is there; or empty
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
  std::string not_saved;   ///< why the best weights are not in their file, one sentence; empty where they are
};

/// Trains everything, each run with all threads of the classifiers' executor. Progress goes to stderr. Where
/// `interrupted` becomes true it ends as `cancelled`; the saved file then holds the best weights so far. A file that
/// cannot be written ends nothing: it is tried again with the next better weights and at the end, where it is also read
/// again, and `not_saved` tells what came of it. Throws aila::Error where a training diverges.
Experiment train(const Plan& plan, std::vector<std::string> classes, const Make& make);

/// What a cancelled experiment leaves, as the end of a sentence.
std::string what_was_saved(const Experiment& experiment);

/// The experiment of one model that was trained before.
Experiment loaded(const Candidate& candidate, std::uint64_t seed, std::vector<std::string> classes,
                  std::unique_ptr<Classifier> model);

}  // namespace example
