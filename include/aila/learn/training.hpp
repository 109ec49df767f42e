// What a training is told, what a step of it gives, and the contract of who takes the steps.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "../backend/kernel.hpp"
#include "../core/random.hpp"

namespace aila::inline v0 {

/// A factor of the learning rate, at least 0, for the parameters whose name begins with `prefix`: "" for all. Of
/// several that fit a name, the last in the list counts. 0 freezes them as Frozen does: nothing of them moves,
/// statistics (buffers) neither, a BatchNorm whose statistics are frozen normalises by them, and no norm of gradients
/// counts them; another factor is nothing to statistics. What is inside Frozen stays so. A training of which all is
/// frozen may run.
struct PartRate {
  std::string prefix;
  double factor = 1;
};

struct TrainerOptions {
  std::size_t batch = 32;  ///< most samples of a step
  double clip_norm = 0;    ///< gradients are scaled to at most this norm; 0: no clipping
  Seed seed{};             ///< of dropout
  std::vector<PartRate> part_rates{};

  /// Of the learning rate, for the parameter of this name.
  double factor_of(const std::string& name) const {
    double factor = 1;
    for (const PartRate& part : part_rates)
      if (name.starts_with(part.prefix)) factor = part.factor;
    return factor;
  }
};

struct StepResult {
  double loss = 0;           ///< mean over the samples of weight * loss
  double gradient_norm = 0;  ///< before clipping, of all that is trained
  bool finite = true;        ///< false: the step was not taken
};

namespace detail {
/// What a pass of training knows of step number `step`, for samples of the batch from number `first` on.
inline Pass training_pass(const TrainerOptions& options, const FrozenTensors& frozen, std::uint64_t step,
                          std::size_t first) {
  Pass pass;
  pass.training = true;
  pass.collects = true;
  pass.seed = options.seed;
  pass.frozen_tensors = &frozen;
  pass.step = step;
  pass.first_sample = first;
  return pass;
}
}  // namespace detail

/// The executor of training steps: from the samples to the changed parameters. Each kind of kernels has its own, with
///   TrainingStep(ModelType&, const LossType&, const Rule&, TrainerOptions, ExecutorRef);  options were checked
///   options(); loss();  as they were given
///   StepResult run(source, indices, rate, epoch, next);  as Trainer::step
///   keep(source);  as Trainer::keep
///   Pass pass(first); steps(); epoch(); most_samples();  what is known of the last step, to repeat its forward
///   gradient(); table_is_finite(table);  what it found
/// It allocates nothing once it is made.
template <class Net, class LossType, class Rule, class Backend>
class TrainingStep;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
