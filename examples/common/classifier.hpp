// A classifier: one network with the samples of its task, behind one interface for all inputs.
#pragma once

#include <aila/data/label.hpp>
#include <aila/learn/schedule.hpp>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "run.hpp"

namespace example {

class Classifier {
 public:
  Classifier() = default;
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;
  virtual ~Classifier() = default;

  /// Trains, keeps the best weights, and fills what `run` tells of the training. False where it was cancelled.
  virtual bool fit(const Training& training, aila::Seed seed, const Watch& watch, Run& run) = 0;
  /// Fills what `run` tells of the test part, and `parameters`.
  virtual void measure(Run& run) const = 0;
  /// Outputs of the test part [samples, classes], or one a sample where that is enough.
  virtual std::vector<float> predict_test() const = 0;
  /// What a training epoch takes, in any unit.
  virtual double cost() const = 0;
  virtual std::string summary() const = 0;
  virtual void save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata) const = 0;
  virtual void load(const std::filesystem::path& path) = 0;
};

/// Loss and confusion of outputs [samples, classes] against labels. One output a sample is the logit of the second of
/// two classes, against 0 of the first.
Score score(std::span<const float> outputs, std::span<const aila::data::Label> labels,
            aila::metric::ConfusionMatrix& confusion);

/// The learning rate's way over a training of `steps` updates an epoch.
aila::Schedule schedule_of(const Training& training, std::size_t steps);

/// Whether `found` is better than the best so far.
bool better(const Training& training, const Score& found, const Score& best);

}  // namespace example
