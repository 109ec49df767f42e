// One training of a classifier, and what was measured of it.
#pragma once

#include <aila/core/random.hpp>
#include <aila/learn/history.hpp>
#include <aila/learn/metric_classification.hpp>
#include <aila/learn/progress.hpp>
#include <aila/network/mixture_weights.hpp>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace example {

/// How to train: AdamW on the cross-entropy. The weights of the best epoch are kept: of the highest validation
/// accuracy, and of equal ones the lowest validation loss; or of the lowest validation loss.
struct Training {
  std::size_t epochs = 0;
  std::size_t batch = 0;
  std::size_t patience = 0;  ///< epochs without a better one that end the training; 0: never
  double learning_rate = 1e-3;
  double weight_decay = 1e-2;
  double clip_norm = 0;
  std::string schedule = "cosine";  ///< of schedule_names()
  double warm_up = 0;               ///< epochs over which the learning rate rises
  bool best_by_loss = false;
};

/// cosine, one-cycle, constant.
const std::vector<std::string>& schedule_names();

/// Loss is the mean cross-entropy, accuracy the share of samples whose class has the largest output.
struct Score {
  double loss = 0;
  double accuracy = 0;
};

/// One epoch, counted from 1. Training loss is the mean over the epoch, while the weights changed.
struct Epoch {
  double training_loss = 0;
  Score validation;
  double learning_rate = 0;
  double seconds = 0;  ///< training and validation
};

/// A network with a policy, or with one of its own ("-").
struct Candidate {
  std::string network;
  std::string policy;
  std::string name() const { return policy == "-" ? network : network + " " + policy; }
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// One network trained from one seed.
struct Run {
  Candidate candidate;
  std::uint64_t seed = 0;
  std::size_t parameters = 0;
  std::vector<Epoch> epochs;  ///< none of a model that was loaded
  std::size_t best_epoch = 0;
  bool stopped_early = false;
  Score validation;  ///< of the weights that are kept, as test
  Score test;
  aila::metric::ConfusionMatrix confusion{2};  ///< of the test part
  std::vector<aila::MixtureWeights> mixture;   ///< mean over samples of the test part

  double seconds_per_epoch() const {
    double sum = 0;
    for (const auto& epoch : epochs) sum += epoch.seconds / static_cast<double>(epochs.size());
    return sum;
  }
};

/// What is told of a training while it goes on.
struct Watch {
  const std::atomic<bool>* cancel = nullptr;
  std::function<void(const aila::Progress&)> on_step;
  std::function<void()> on_best;  ///< after an epoch better than those before it, whose weights the network has now
};

}  // namespace example
