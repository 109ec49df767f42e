// Trainer: one training step of a model.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "../network/map_visitor.hpp"
#include "losses.hpp"
#include "optimisers.hpp"
#include "training_step.hpp"

namespace aila::inline v0 {

namespace detail {
/// Has the bodies of loss and backward compiled where training begins (CompiledFirst).
template <class Net, class LossType, class Kernels>
struct TrainingBodies {
  using Placed = PlacedNetwork<Net>;
  enum {
    of_loss = compile_loss<LossType, Placed, Kernels>(),
    of_backward = static_cast<bool>(sizeof(typename KernelFor<Placed, Kernels>::template Saved<Capability::train>))
  };
  using Refusal = NoRefusal;
};
/// Why this cannot train. Asked where training begins, so that an error does not come from deep inside it.
template <class Net, class LossType, class OptimiserType, class Backend>
using TrainingRefusal =
    FirstRefusal<Refuse<LossRefusal<LossType, NetworkOutput<Net>>>, Refuse<OptimiserRefusal<OptimiserType>>,
                 Refuse<MissingBackward<KernelFor<PlacedNetwork<Net>, KernelsOf<Backend>>>>,
                 TrainingBodies<Net, LossType, KernelsOf<Backend>>>;

template <class Part>
concept IsBatchNorm = requires { requires Part::Layer::is_batch_norm; };
}  // namespace detail

/// Owns all memory of a training: gradients, moments and workspaces. A step allocates nothing, takes no lock, and gives
/// the same bits for any number of threads. The model must outlive it.
template <class Net, class LossType = MeanSquaredError, class OptimiserType = Adam,
          ComputeBackend Backend = backend::Cpu>
class Trainer {
  enum { checked = detail::TrainingRefusal<Net, LossType, OptimiserType, Backend>::say() };
  using Rule = std::conditional_t<Optimiser<OptimiserType>, OptimiserType, Adam>;

 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename ModelType::In;

  /// Throws Error for options that are none, a batch that there is no memory for among them.
  Trainer(ModelType& model, LossType loss, Rule optimiser, TrainerOptions options, ExecutorRef executor)
      : model_(model), step_(model, loss, optimiser, checked_options(std::move(options), loss, optimiser), executor) {
    check_part_rates();
    check_statistics();
  }

  /// One update from the samples `indices` of the source, at the optimiser's learning rate times `rate`. Where loss,
  /// gradient or what statistics are to change by is not finite the parameters, rows of tables among them, stay as they
  /// were, and `finite` is false. `next`, where the caller knows it, are the samples of the step that comes then, in
  /// this epoch: a backend with memory of its own loads them meanwhile.
  StepResult step(const SourceRef<In, Scalar>& source, std::span<const std::size_t> indices, double rate = 1,
                  std::uint64_t epoch = 0, std::span<const std::size_t> next = {}) {
    if (indices.empty() || indices.size() > options().batch)
      throw_error("step: expected 1 to ", options().batch, " samples, found ", indices.size());
    detail::check_target_count<LossType, typename ModelType::Out>(source, "step");
    return step_.run(source, indices, rate, epoch, next);
  }

  /// Says that this source's samples stay as they are, or the images or texts that it makes them of (SourceWithView):
  /// where they lie in memory, a backend with memory of its own takes a copy, if there is room, from which batches are
  /// then made without the host. `fit` says so of its source.
  void keep(const SourceRef<In, Scalar>& source) { step_.keep(source); }

  /// The gradient of the last step, in the canonical layout: 0 for what is frozen; those of tables, of few rows each,
  /// are not kept.
  std::span<const Scalar> gradient() const { return step_.gradient(); }
  std::uint64_t steps() const { return step_.steps(); }

  /// Where the first value that is not finite appears in the samples of the last step: "the output of stack.2.core",
  /// "the parameter ...", the input, or a gradient. Slow; for the message of an error.
  /// Without `training` the pass is one of evaluation, and gradients are not looked at.
  std::string first_non_finite(const SourceRef<In, Scalar>& source, std::span<const std::size_t> indices,
                               bool training = true) {
    for (const auto& tensor : model_.tensors())
      if (!tensor.is_finite()) return "the parameter " + tensor.name;
    const std::size_t most = std::min(indices.size(), step_.most_samples());
    Worker<Net, LossType, Backend, Capability::train> worker(most, Retain::all);
    auto& queue = worker.workspace.queue();
    const auto finite = [&](const Scalar* values, std::size_t count) {
      return detail::are_finite_on<Backend>(queue, values, count);
    };
    bool loss_is_finite = true;  // it is blamed where all outputs are finite, those of other groups too
    for (std::size_t first = 0; first < indices.size(); first += most) {
      worker.load(source, indices.subspan(first, std::min(most, indices.size() - first)), step_.epoch());
      Pass pass = step_.pass(first);
      pass.training = training;
      worker.forward(model_, pass);  // which clears what lies behind a sample's length
      if constexpr (!In::is_tokens)
        if (!finite(worker.workspace.input(), worker.samples() * In::elements)) return "the input";
      std::string where;
      const auto look_at = [&](const std::string& path, const Scalar* map, std::size_t elements) {
        if (where.empty() && !finite(map, elements)) where = path;
      };
      const MapVisitor<Scalar> look(look_at);
      if constexpr (requires {
                      ModelType::Kernel::template for_each_map<Capability::train>(
                          worker.samples(), worker.workspace.saved(), worker.workspace.output(), where, look);
                    })
        queue.run([&] {
          ModelType::Kernel::template for_each_map<Capability::train>(worker.samples(), worker.workspace.saved(),
                                                                      worker.workspace.output(), std::string(), look);
        });
      else
        look("the network", worker.workspace.output(), worker.samples() * ModelType::Out::elements);
      if (!where.empty()) return "the output of " + where;
      loss_is_finite = loss_is_finite && std::isfinite(worker.loss(step_.loss(), 1));
    }
    if (!training || !loss_is_finite) return "the loss";
    const Scalar* const gradient = step_.gradient().data();
    for (const ParameterInfo& p : parameter_table<Net>())
      if (!detail::are_finite(gradient + p.offset, p.size))
        return (p.kind == ParameterKind::buffer ? "the change of " : "the gradient of ") + p.name;
    for (std::size_t t = 0; t < ModelType::tables; ++t)
      if (!step_.table_is_finite(t)) return "the gradient of " + network_tables<Net>()[t].name;
    return "a sum of gradients";
  }

 private:
  const TrainerOptions& options() const { return step_.options(); }
  static TrainerOptions checked_options(TrainerOptions options, const LossType& loss, const Rule& optimiser) {
    if (options.batch == 0) throw_error("trainer: a batch needs at least one sample");
    if (!(options.clip_norm >= 0))
      throw_error("trainer: expected a clip_norm of at least 0, which is none, found ", options.clip_norm);
    if constexpr (requires { loss.check(); }) loss.check();
    if constexpr (requires { optimiser.check(); }) optimiser.check();
    return options;
  }

  void check_part_rates() const {
    for (const PartRate& part : options().part_rates) {
      const auto& table = parameter_table<Net>();
      const auto begins = [&](const auto& p) { return p.name.starts_with(part.prefix); };
      if (std::none_of(table.begin(), table.end(), begins) && std::ranges::none_of(network_tables<Net>(), begins))
        throw_error("part_rates: no parameter's name begins with \"", part.prefix, "\"");
      if (!(part.factor >= 0) || !std::isfinite(part.factor))
        throw_error("part_rates: expected a finite factor of at least 0 for \"", part.prefix, "\", found ",
                    part.factor);
    }
  }

  /// Batches of one sample teach nothing to a batch normalisation whose input has no positions.
  void check_statistics() const {
    if constexpr (phases_of<typename ModelType::Kernel>() > 0)
      if (options().batch == 1)
        for_each_layer<Net>([&]<class Part>(const std::string& path) {
          if constexpr (detail::IsBatchNorm<Part>)
            if (Part::In::positions == 1 && options().factor_of(path + ".running_mean") != 0 &&
                options().factor_of(path + ".running_var") != 0)
              throw_error("trainer: expected batches of at least 2 samples, for the statistics of ", path,
                          " have no variance in one of 1; a part rate of 0 freezes them");
        });
  }

  ModelType& model_;
  TrainingStep<Net, LossType, Rule, Backend> step_;
};

template <class Net, class Backend, class LossType, class OptimiserType>
Trainer(Model<Net, Backend>&, LossType, OptimiserType, TrainerOptions, ExecutorRef)
    -> Trainer<Net, LossType, OptimiserType, Backend>;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
