// A training step on a GPU: from the samples to the changed parameters, one graph of kernels for each size of batch,
// without a wait inside.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "../../backend/cuda/graph.hpp"
#include "../../backend/cuda/pinned_mirror.hpp"
#include "../../core/executor.hpp"
#include "../../core/no_memory.hpp"
#include "../pieces.hpp"
#include "../training.hpp"
#include "../worker.hpp"
#include "batches.hpp"
#include "loss.hpp"
#include "table_step.hpp"
#include "update.hpp"

namespace aila::inline v0 {

/// The batch is one group. The executor's workers load its samples into memory that the device copies from by itself.
/// What changes from step to step (its number, rates) lies in the device's memory, so that the graph stays as it is.
template <class Net, class LossType, class Rule, class Backend>
  requires CudaBackend<KernelsOf<Backend>>
class TrainingStep<Net, LossType, Rule, Backend> {
 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename ModelType::In;
  using Out = typename ModelType::Out;
  using Source = SourceRef<In, Scalar>;
  using Indices = std::span<const std::size_t>;
  using WorkspaceType = Workspace<Net, Backend, Capability::train>;
  using Over = LossOver<LossType, typename WorkspaceType::Placed, KernelsOf<Backend>>;

  TrainingStep(ModelType& model, const LossType& loss, const Rule& optimiser, TrainerOptions options,
               ExecutorRef executor)
      : model_(model), loss_(loss), optimiser_(optimiser), options_(std::move(options)), batches_(executor) {
    detail::taking("trainer", options_.batch, "samples a batch", [this] { take_memory(); });
  }

  void keep(const Source& source) { batches_.keep(source, queue()); }

  StepResult run(const Source& source, Indices indices, double rate, std::uint64_t epoch, Indices next) {
    epoch_ = epoch;
    queue().run([&] {
      for (std::size_t t = 0; t < tables; ++t) table_steps_[t].prepare(model_.all_tables()[t], queue());
      const cuda::Batch batch = batches_.take(source, indices, epoch, queue());
      tell_rules(rate);
      detail::catching([&] { graphs_.run(queue(), key(batch), [&] { put_in_order(batch); }); },
                       [&] {  // what is on the side already is not to meet the next step
                         if (queue().side != nullptr) side_.wait();
                         detail::rethrow();
                       });
      batches_.look_ahead(source, next, epoch);
      queue().wait();
    });
    const cuda::StepState& state = *state_.host();
    if (state.finite) ++steps_;
    return {.loss = state.loss, .gradient_norm = state.norm, .finite = state.finite};
  }

  /// As the host's.
  Pass pass(std::size_t first) const { return detail::training_pass(options_, frozen_tensors_, steps_, first); }
  const TrainerOptions& options() const { return options_; }
  const LossType& loss() const { return loss_; }
  std::size_t most_samples() const { return workspace_->capacity(); }
  std::uint64_t steps() const { return steps_; }
  std::uint64_t epoch() const { return epoch_; }

  std::span<const Scalar> gradient() const {
    gradient_copy_.resize(layout.size);
    queue().to_host(gradient_.data(), layout.size, gradient_copy_.data());
    return {gradient_copy_.data(), layout.size};
  }
  bool table_is_finite(std::size_t table) const { return table_steps_[table].is_finite(queue()); }

 private:
  static constexpr const auto& layout = ModelType::layout;
  static constexpr std::size_t array_size = layout.size + 2 * alignment_elements;
  static constexpr std::size_t tables = ModelType::tables, targets = Over::targets;
  using RuleOfElement = decltype(std::declval<const Rule&>().template rule<float>(OptimiserStep{}));

  typename Backend::Queue& queue() const { return workspace_->queue(); }

  void take_memory() {
    const bool overlaps = has_room(WorkspaceType::size(options_.batch, Retain::all));
    workspace_ = std::make_unique<WorkspaceType>(options_.batch, overlaps ? Retain::all : Retain::needed);
    if (overlaps) queue().side = &side_;
    batches_.take_memory(options_.batch);
    targets_ = cuda::Array<Scalar>(options_.batch * targets);
    weights_ = cuda::Array<Scalar>(options_.batch);
    lengths_ = cuda::Array<std::int32_t>(options_.batch);
    gradient_ = ArrayOn<Scalar, Backend>(array_size);
    for (std::size_t i = 0; i < Rule::moments; ++i) moments_[i] = ArrayOn<Scalar, Backend>(array_size);
    scratch_ = ArrayOn<Scalar, Backend>(Over::scratch);
    state_ = cuda::PinnedMirror<cuda::StepState>(1);
    number_ = cuda::PinnedMirror<std::uint64_t>(1);
    queue().step = number_.device();
    auto pieces =
        detail::TrainingPieces::of(parameter_table<Net>(), 1, [](std::size_t) { return std::size_t{0}; }, options_);
    frozen_offsets_ = std::move(pieces.frozen_offsets);
    frozen_tensors_ = {frozen_offsets_.data(), frozen_offsets_.size()};
    update_ = cuda::UpdatePlan::of(pieces);
    norms_ = ArrayOn<double, Backend>(update_.pieces.size() + tables);
    counter_ = cuda::Array<unsigned>(1);
    rules_ = cuda::PinnedMirror<RuleOfElement>(update_.classes.size());
    pieces_ = cuda::PinnedMirror<cuda::UpdatePiece>(update_.pieces.size());
    std::copy(update_.pieces.begin(), update_.pieces.end(), pieces_.host());
    pieces_.send(queue());
    if constexpr (tables > 0)
      for (const TableInfo& info : network_tables<Net>())
        table_steps_.emplace_back(info, options_.batch, options_.factor_of(info.name));
    queue().wait();
  }

  /// Whether so many Scalars are an eighth of what is free, or less: then all maps are kept, and gradients of
  /// parameters are computed beside the way back.
  static bool has_room(std::size_t scalars) {
    std::size_t free = 0, all = 0;
    cuda::check(cudaMemGetInfo(&free, &all), "cudaMemGetInfo");
    return scalars <= free / sizeof(Scalar) / 8;
  }

  /// The update's rules for this step, one for each kind of range.
  void tell_rules(double rate) {
    number_.host()[0] = steps_;
    for (std::size_t c = 0; c < update_.classes.size(); ++c)
      rules_.host()[c] =
          optimiser_.template rule<float>({.number = steps_ + 1,
                                           .learning_rate = optimiser_.learning_rate * rate * update_.classes[c].factor,
                                           .decays = update_.classes[c].decays});
    for (auto& table : table_steps_)
      table.tell_rule(optimiser_, {.number = steps_ + 1, .learning_rate = optimiser_.learning_rate * rate});
  }
  /// What a graph of this step depends on. Numbers that the program has changed go to the device here, where nothing is
  /// captured, and are the device's from now on.
  cuda::Graphs::Key key(const cuda::Batch& batch) {
    cuda::Graphs::Key key{batch.samples, (batch.has_lengths ? 1U : 0U) + 2 * batch.place, batch.copy};
    const auto add = [&](const void* at) { key.push_back(reinterpret_cast<std::uintptr_t>(at)); };
    workspace_->expect_here(model_.kernel_parameters());
    add(model_.kernel_parameters());
    model_.edit_pieces([](std::span<Scalar>, const auto&) {});
    for (std::size_t t = 0; t < tables; ++t) {
      add(table_steps_[t].is_trained() ? model_.all_tables()[t].device_to_write()
                                       : const_cast<void*>(model_.all_tables()[t].ref().rows));
      key.push_back(model_.all_tables()[t].rows());
    }
    return key;
  }

  void send(const cuda::Batch& batch, const Pass& pass) {
    auto& queue = this->queue();
    number_.send(queue);
    rules_.send(queue);
    Pass on_queue = pass;
    on_queue.queue = &queue;
    batches_.send(
        on_queue, batch,
        {workspace_->input(), targets_.data(), weights_.data(), batch.has_lengths ? lengths_.data() : nullptr});
    queue.clear(array_size, gradient_.data());
    if (queue.side != nullptr) queue.fork();  // what join() waits for is part of the graph, then
  }

  void put_in_order(const cuda::Batch& batch) {
    auto& queue = this->queue();
    const std::size_t samples = batch.samples;
    Pass pass = this->pass(0);
    pass.samples = samples;
    pass.lengths = batch.has_lengths ? lengths_.data() : nullptr;
    queue.run([&] { send(batch, pass); });
    const auto refs = model_.table_refs();
    pass.tables = refs.data();
    workspace_->forward(pass, model_.kernel_parameters(), model_.packed(), workspace_->input());
    std::array<RowGradients, tables + 1> rows{};
    for (std::size_t t = 0; t < tables; ++t) rows[t] = table_steps_[t].open();
    pass.row_gradients = rows.data();
    const LossArrays<Scalar> of{.samples = samples,
                                .lengths = pass.lengths,
                                .outputs = workspace_->output(),
                                .targets = targets_.data(),
                                .weights = weights_.data(),
                                .gradient = workspace_->output_gradient(),
                                .scratch = scratch_.data(),
                                .queue = &queue};
    queue.run([&] { Over::start(loss_, 1.0 / static_cast<double>(samples), of); });
    workspace_->backward(pass, model_.kernel_parameters(), model_.packed(), gradient_.data());
    queue.run([&] {
      queue.join();
      cuda::UpdateArrays arrays{.gradient = gradient_.data(),
                                .norms = norms_.data(),
                                .tables = tables,
                                .counter = counter_.data(),
                                .loss = Over::total_of(of),
                                .samples = samples,
                                .clip_norm = options_.clip_norm,
                                .state = state_.device()};
      for (std::size_t t = 0; t < tables; ++t)
        table_steps_[t].sum(queue, rows[t].count, norms_.data() + update_.pieces.size() + t);
      cuda::sum_pieces(queue, pieces_.device(), update_.pieces.size(), arrays);
      model_.edit_pieces([&](std::span<Scalar> parameters, [[maybe_unused]] const auto& pack) {
        std::array<Scalar*, Rule::moments + 1> state{};
        for (std::size_t m = 0; m < Rule::moments; ++m) state[m] = moments_[m].data();
        cuda::update_pieces<RuleOfElement, Rule::moments>(queue, pieces_.device(), update_.pieces.size(),
                                                          rules_.device(), arrays, parameters.data(), state.data());
        if constexpr (ModelType::pack_pieces > 0)
          for (std::size_t piece = 0; piece < ModelType::pack_pieces; ++piece) pack(piece);
      });
      for (std::size_t t = 0; t < tables; ++t) table_steps_[t].update(queue, model_.all_tables()[t], state_.device());
      state_.fetch(queue);
    });
  }

  ModelType& model_;
  LossType loss_;
  Rule optimiser_;
  TrainerOptions options_;
  typename Backend::Queue side_;
  std::unique_ptr<WorkspaceType> workspace_;
  cuda::Batches<LossType, typename WorkspaceType::Placed> batches_;
  cuda::Array<Scalar> targets_, weights_;
  cuda::Array<std::int32_t> lengths_;
  cuda::Array<unsigned> counter_;
  cuda::PinnedMirror<cuda::StepState> state_;
  cuda::PinnedMirror<std::uint64_t> number_;
  cuda::PinnedMirror<RuleOfElement> rules_;
  cuda::PinnedMirror<cuda::UpdatePiece> pieces_;
  cuda::UpdatePlan update_;
  ArrayOn<Scalar, Backend> gradient_, scratch_;
  ArrayOn<double, Backend> norms_;
  std::array<ArrayOn<Scalar, Backend>, Rule::moments> moments_;
  std::vector<detail::CudaTableStep<Rule>> table_steps_;
  std::vector<std::uint32_t> frozen_offsets_;
  FrozenTensors frozen_tensors_;
  cuda::Graphs graphs_;
  mutable std::vector<Scalar> gradient_copy_;
  std::uint64_t steps_ = 0;
  std::uint64_t epoch_ = 0;
};

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
