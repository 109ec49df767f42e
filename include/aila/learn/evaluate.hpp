// Evaluation and batch prediction over a whole source.
#pragma once

#include "../core/macros_aside.hpp"

#include "../core/executor.hpp"
#include "../core/no_memory.hpp"
#include "losses.hpp"
#include "worker.hpp"

namespace aila::inline v0 {

/// Stands where outputs are wanted and no loss: targets are not read.
struct NoLoss {
  template <class Out>
  static constexpr bool accepts = true;
  template <class Out>
  static constexpr std::size_t targets = 0;
  template <class Out, class V>
  constexpr V operator()(const V*, const V*, V*) const {
    return V(ScalarOf<V>(0));
  }
};

/// Predicts and measures samples in groups of `group`; workspaces are taken once.
template <class Net, class LossType = MeanSquaredError, ComputeBackend Backend = backend::Cpu>
class Evaluator {
 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename ModelType::In;
  using Out = typename ModelType::Out;
  using WorkerType = Worker<Net, LossType, Backend, Capability::predict>;
  using Copies = typename WorkerType::Copies;
  static constexpr std::size_t group = Backend::Split::evaluation;
  enum { compiled = detail::compile_loss<LossType, typename ModelType::Placed, KernelsOf<Backend>>() };

  explicit Evaluator(ExecutorRef executor) : executor_(executor) {
    for (std::size_t i = 0; i < executor_.size(); ++i)
      workers_.push_back(detail::taking("evaluate", group, "samples of each worker",
                                        [] { return std::make_unique<WorkerType>(group); }));
  }

  /// Says that this source's samples stay as they are: as Trainer::keep.
  void keep([[maybe_unused]] const SourceRef<In, Scalar>& source) {
    if constexpr (Copies::are_kept) {
      if (detail::may_be_copied<LossType, typename ModelType::Placed, KernelsOf<Backend>>(source.samples_in_memory()))
        copy_.keep(source, workers_.front()->workspace.queue());
    }
  }

  /// The mean over the source of weight * loss; the same bits for any number of threads. Throws Error for no samples.
  double loss(const ModelType& model, const SourceRef<In, Scalar>& source, const LossType& loss_function) {
    if (source.size() == 0) throw_error("evaluate: expected at least one sample, found none");
    detail::check_target_count<LossType, Out>(source, "evaluate");
    detail::taking("evaluate", source.size(), "samples", [&] { sums_.resize(groups(source.size())); });
    run(model, source,
        [&](std::size_t first, WorkerType& worker) { sums_[first / group] = worker.loss(loss_function, 1); });
    double sum = 0;
    for (const double s : sums_) sum += s;
    return sum / static_cast<double>(source.size());
  }

  /// Outputs [size, Out...] of every sample in order.
  std::vector<Scalar> predict(const ModelType& model, const SourceRef<In, Scalar>& source) {
    const std::size_t size = source.size();
    auto outputs = detail::taking("predict", size, "samples", [size] {
      if (size > static_cast<std::size_t>(PTRDIFF_MAX) / (sizeof(Scalar) * Out::elements))
        detail::throw_as<std::bad_alloc>();
      return std::vector<Scalar>(size * Out::elements);
    });
    run(model, source, [&](std::size_t first, WorkerType& worker) {
      std::copy_n(worker.workspace.host_output(worker.samples()), worker.samples() * Out::elements,
                  outputs.data() + first * Out::elements);
    });
    return outputs;
  }

 private:
  static constexpr std::size_t groups(std::size_t samples) { return samples / group + (samples % group != 0 ? 1 : 0); }

  template <class F>
  void run(const ModelType& model, const SourceRef<In, Scalar>& source, F&& then) {
    const std::size_t size = source.size();
    executor_.run(groups(size), [&](std::size_t g, std::size_t w) {
      std::array<std::size_t, group> indices{};
      const std::size_t first = g * group, count = std::min(group, size - first);
      for (std::size_t i = 0; i < count; ++i) indices[i] = first + i;
      WorkerType& worker = *workers_[w];
      load(worker, source, std::span<const std::size_t>(indices.data(), count));
      worker.forward(model, Pass{});
      then(first, worker);
    });
  }

  void load(WorkerType& worker, const SourceRef<In, Scalar>& source, std::span<const std::size_t> indices) {
    if constexpr (Copies::are_kept)
      if (copy_.holds(source)) return worker.load(copy_, indices);
    worker.load(source, indices, 0);
  }

  ExecutorRef executor_;
  [[no_unique_address]] typename Copies::All copy_;
  std::vector<std::unique_ptr<WorkerType>> workers_;
  std::vector<double> sums_;
};

/// Mean loss of a model over a source: samples in memory, or any SampleSource. The same bits with any executor.
template <class Net, class Backend, class LossType = MeanSquaredError>
double evaluate(const Model<Net, Backend>& model,
                const std::type_identity_t<SourceRef<NetworkInput<Net>, typename Backend::Scalar>>& source,
                const LossType& loss, ExecutorRef executor) {
  return Evaluator<Net, LossType, Backend>(executor).loss(model, source, loss);
}
template <class Net, class Backend, class LossType = MeanSquaredError>
double evaluate(const Model<Net, Backend>& model,
                const std::type_identity_t<SourceRef<NetworkInput<Net>, typename Backend::Scalar>>& source,
                const LossType& loss = {}) {
  Inline executor;
  return evaluate(model, source, loss, executor);
}

/// Outputs [size, Out...] of every sample of a source; targets are not read.
template <class Net, class Backend>
std::vector<typename Backend::Scalar> predict(
    const Model<Net, Backend>& model,
    const std::type_identity_t<SourceRef<NetworkInput<Net>, typename Backend::Scalar>>& source, ExecutorRef executor) {
  return Evaluator<Net, NoLoss, Backend>(executor).predict(model, source);
}
template <class Net, class Backend>
std::vector<typename Backend::Scalar> predict(
    const Model<Net, Backend>& model,
    const std::type_identity_t<SourceRef<NetworkInput<Net>, typename Backend::Scalar>>& source) {
  Inline executor;
  return predict(model, source, executor);
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
