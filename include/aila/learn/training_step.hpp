// A training step on the host's kernels: groups of samples forward and backward, gradients summed, the optimiser.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../backend/host/lanes.hpp"
#include "../core/executor.hpp"
#include "../core/no_memory.hpp"
#include "../core/shares.hpp"
#include "../core/tree_sum.hpp"
#include "gradient_norm.hpp"
#include "pieces.hpp"
#include "table_step.hpp"
#include "training.hpp"
#include "worker.hpp"

namespace aila::inline v0 {

namespace detail {
/// Elements [begin, end) of the first of `groups` arrays become the sums over all of them, in a tree. They are whole
/// vectors.
template <class Backend>
[[gnu::noinline]] void sum_in_tree(ArrayOn<typename Backend::Scalar, Backend>* arrays, std::size_t groups,
                                   std::size_t begin, std::size_t end) {
  using Lane = Lanes<KernelsOf<Backend>>;
  constexpr std::size_t block = 16;  // vectors: what waits in the tree stays in the first-level cache
  TreeSum<typename Lane::V, block, Backend::Split::most> tree;
  for (std::size_t at = begin; at < end; at += block * Lane::count)
    tree.run(
        groups, std::min(block, (end - at) / Lane::count),
        [&](std::size_t g, std::size_t v) { return Lane::load(arrays[g].data() + at + v * Lane::count); },
        [&](std::size_t v, const auto& sum) { Lane::store(arrays[0].data() + at + v * Lane::count, sum); });
}
}  // namespace detail

/// A workspace per worker, or where groups meet in the midst of a step (batch normalisation), per group; gradients per
/// group. Groups are shared among the workers of an executor, and what they give is summed in a tree of their numbers
/// alone: the same bits for any number of workers.
template <class Net, class LossType, class Rule, class Backend>
  requires HostBackend<KernelsOf<Backend>>
class TrainingStep<Net, LossType, Rule, Backend> {
 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename ModelType::In;
  using Source = SourceRef<In, Scalar>;
  using Indices = std::span<const std::size_t>;
  using WorkerType = Worker<Net, LossType, Backend, Capability::train>;

  TrainingStep(ModelType& model, const LossType& loss, const Rule& optimiser, TrainerOptions options,
               ExecutorRef executor)
      : model_(model),
        loss_(loss),
        optimiser_(optimiser),
        options_(std::move(options)),
        executor_(executor),
        shares_(executor.size()) {
    detail::taking("trainer", options_.batch, "samples a batch", [this] { take_memory(); });
    pieces_ = detail::TrainingPieces::of(parameter_table<Net>(), ModelType::pack_pieces,
                                         &ModelType::pack_piece_of_tensor, options_);
    frozen_tensors_ = {pieces_.frozen_offsets.data(), pieces_.frozen_offsets.size()};
    pieces_left_ = std::vector<std::atomic<std::size_t>>(pieces_.in_part.size());
    piece_norm_.resize(pieces_.summed.size());
  }

  void keep(const Source&) {}
  StepResult run(const Source& source, Indices indices, double rate, std::uint64_t epoch, Indices /*next*/) {
    epoch_ = epoch;
    for (std::size_t t = 0; t < tables; ++t) table_steps_[t].prepare(model_.all_tables()[t]);
    const auto split = Backend::Split::of(indices.size(), layout.size);
    run_groups(source, indices, split);
    StepResult result;
    result.loss = tree_sum(group_loss_.data(), split.groups) / static_cast<double>(indices.size());
    queue_.run([&] {
      sum_groups(split.groups);
      double squares = 0;
      for (const double s : piece_norm_) squares += s;
      for (auto& table : table_steps_) squares += table.sum(split.groups, executor_);
      result.gradient_norm = std::sqrt(squares);
      result.finite = std::isfinite(result.loss) && std::isfinite(result.gradient_norm) && statistics_are_finite();
      if (result.finite) update(rate, clip_factor(result.gradient_norm, options_.clip_norm));
    });
    return result;
  }

  /// What a pass of training knows of the step, for samples of the batch from number `first` on.
  Pass pass(std::size_t first) const { return detail::training_pass(options_, frozen_tensors_, steps_, first); }
  const TrainerOptions& options() const { return options_; }
  const LossType& loss() const { return loss_; }
  std::size_t most_samples() const { return workers_[0]->workspace.capacity(); }
  std::uint64_t steps() const { return steps_; }
  std::uint64_t epoch() const { return epoch_; }  ///< of the last step

  /// The gradient of the last step, in the canonical layout.
  std::span<const Scalar> gradient() const {
    return {detail::on_host<Backend>(queue_, gradients_[0].data(), layout.size, gradient_copy_), layout.size};
  }
  /// Whether that of a table was finite.
  bool table_is_finite(std::size_t table) const {
    bool finite = true;
    queue_.run([&] { finite = table_steps_[table].is_finite(); });
    return finite;
  }

 private:
  static constexpr const auto& layout = ModelType::layout;
  static constexpr std::size_t array_size = layout.size + 2 * alignment_elements;
  static constexpr std::size_t phases = WorkerType::WorkspaceType::phases;
  static constexpr std::size_t tables = ModelType::tables;
  static constexpr std::size_t most_deposits = WorkerType::WorkspaceType::all_reduce;
  using Split = typename Backend::Split;

  void take_memory() {
    const std::size_t groups = Split::most_groups(options_.batch, layout.size);
    by_group_ = phases > 0 || groups < executor_.size();
    for (std::size_t i = 0; i < (by_group_ ? groups : executor_.size()); ++i)
      workers_.push_back(std::make_unique<WorkerType>(Split::most_samples(options_.batch, layout.size)));
    for (std::size_t i = 0; i < groups; ++i) gradients_.emplace_back(array_size);
    for (std::size_t i = 0; i < (phases > 0 ? groups : 0); ++i) deposits_.emplace_back(most_deposits);
    all_reduces_.resize(groups);
    if constexpr (tables > 0) {
      for (const TableInfo& info : network_tables<Net>())
        table_steps_.emplace_back(info, groups, Split::most_samples(options_.batch, layout.size),
                                  options_.factor_of(info.name));
      row_gradients_.resize(groups * tables);
    }
    for (std::size_t i = 0; i < Rule::moments; ++i) moments_.emplace_back(array_size);
    group_loss_.resize(gradients_.size());
  }

  /// Forward, loss and backward of all groups. Where groups meet, those are calls for each phase, with everybody done
  /// with one phase before the next begins.
  void run_groups(const Source& source, Indices indices, Split split) {
    for (std::size_t phase = 0; phase <= 2 * phases; ++phase) {
      executor_.run(split.groups, [&](std::size_t group, std::size_t worker) {
        run_group(source, indices, split, group, phase, *workers_[by_group_ ? group : worker]);
      });
      if constexpr (phases > 0) queue_.run([&] { reduce_all(split.groups); });
    }
  }

  /// A group's part of one phase: those of the forward, and then of the backward; the last of one is the first of the
  /// other.
  void run_group(const Source& source, Indices indices, Split split, std::size_t group, std::size_t phase,
                 WorkerType& worker) {
    const std::size_t first = group * split.samples;
    if (phase == 0) {
      worker.load(source, indices.subspan(first, std::min(split.samples, indices.size() - first)), epoch_);
      if constexpr (!zeroes_by_parts) clear(worker.workspace.queue(), gradients_[group].data());
    }
    Pass pass = this->pass(first);
    pass.zeroes_gradients = zeroes_by_parts;
    if constexpr (phases > 0) {
      all_reduces_[group] = {deposits_[group].data(), total_.data(), 0};
      pass.all_reduce = &all_reduces_[group];
    }
    if (phase <= phases) {
      pass.enter(phase);
      worker.forward(model_, pass);
    }
    if constexpr (tables > 0) {
      RowGradients* const rows = row_gradients_.data() + group * tables;
      if (phase == 0)
        for (std::size_t t = 0; t < tables; ++t) rows[t] = table_steps_[t].open(group);
      pass.row_gradients = rows;
    }
    if (phase == phases) group_loss_[group] = worker.loss(loss_, 1.0 / static_cast<double>(indices.size()));
    if (phase >= phases) {
      pass.enter(phase - phases);
      worker.backward(model_, pass, gradients_[group].data());
    }
    if (phase == 2 * phases)
      for (std::size_t t = 0; t < tables; ++t) table_steps_[t].close(group, row_gradients_[group * tables + t]);
  }

  /// Sums what the groups have deposited.
  void reduce_all(std::size_t groups) {
    static_assert(Split::most <= 64);  // tree_sum
    std::array<double, Split::most> own{};
    for (std::size_t i = 0; i < all_reduces_[0].count; ++i) {
      for (std::size_t g = 0; g < groups; ++g) own[g] = deposits_[g].data()[i];
      total_.data()[i] = tree_sum(own.data(), groups);
    }
  }

  /// Whether the network clears its gradients itself: a part that works in phases would do so more than once.
  static constexpr bool zeroes_by_parts = phases == 0 && is_plan_kernel<typename ModelType::Kernel>;
  static void clear(typename Backend::Queue& queue, Scalar* gradients) {
    queue.clear(layout.trainable_end, gradients);
    queue.clear(layout.size - layout.frozen_end, gradients + layout.frozen_end);
  }

  /// The sum of the groups' gradients, in the first, and the squared norm of each piece.
  void sum_groups(std::size_t groups) {
    for (const detail::Piece& piece : pieces_.held)
      std::fill(gradients_[0].data() + piece.begin, gradients_[0].data() + piece.end, Scalar(0));
    shares_.run(executor_, pieces_.summed.size(), [&](std::size_t i) {
      [[maybe_unused]] const typename KernelsOf<Backend>::FloatMode mode;
      const detail::Piece& piece = pieces_.summed[i];
      const Scalar* const sum = gradients_[0].data();
      detail::sum_in_tree<Backend>(gradients_.data(), groups, piece.begin, piece.end);
      const double norm =
          gradient_norm<KernelsOf<Backend>>(std::span<const Scalar>(sum + piece.begin, piece.end - piece.begin));
      piece_norm_[i] = norm * norm;
    });
  }

  /// One pass: parameters, and what is packed of them while they are in the cache.
  void update(double rate, double gradient_scale) {
    ++steps_;
    model_.edit_pieces([&](std::span<Scalar> parameters, const auto& pack) {
      for (std::size_t part = 0; part < pieces_.in_part.size(); ++part)
        pieces_left_[part].store(pieces_.in_part[part], std::memory_order_relaxed);
      shares_.run(executor_, pieces_.changed.size(), [&](std::size_t i) {
        const detail::Piece& piece = pieces_.changed[i];
        update_piece(piece, parameters.data(), rate, gradient_scale);
        // Who ends a part's last piece packs the part, and sees there what the others have written.
        if (pieces_left_[piece.part].fetch_sub(1, std::memory_order_acq_rel) == 1) pack(piece.part);
      });
      for (std::size_t t = 0; t < tables; ++t)
        table_steps_[t].update(
            model_.all_tables()[t], optimiser_,
            {.number = steps_, .learning_rate = optimiser_.learning_rate * rate, .gradient_scale = gradient_scale},
            executor_);
    });
  }

  void update_piece(const detail::Piece& piece, Scalar* parameters, double rate, double gradient_scale) {
    const Scalar* const gradient = gradients_[0].data();
    if (piece.kind == ParameterKind::buffer) {  // the first group of the batch says by how much statistics change
      for (std::size_t i = piece.begin; i < piece.end; ++i) parameters[i] += gradient[i];
      return;
    }
    [[maybe_unused]] const typename KernelsOf<Backend>::FloatMode mode;
    const OptimiserStep step{.number = steps_,
                             .learning_rate = optimiser_.learning_rate * rate * piece.factor,
                             .decays = piece.decays,
                             .gradient_scale = gradient_scale};
    std::array<Scalar*, Rule::moments> state{};
    for (std::size_t m = 0; m < state.size(); ++m) state[m] = moments_[m].data() + piece.begin;
    const std::size_t size = piece.end - piece.begin;
    aila::update<typename Lanes<KernelsOf<Backend>>::V>(optimiser_, step,
                                                        std::span<Scalar>(parameters + piece.begin, size),
                                                        std::span<const Scalar>(gradient + piece.begin, size), state);
  }

  bool statistics_are_finite() const {
    return std::ranges::all_of(pieces_.changed, [&](const detail::Piece& piece) {
      if (piece.kind != ParameterKind::buffer) return true;
      return detail::are_finite(gradients_[0].data() + piece.begin, piece.end - piece.begin);
    });
  }

  ModelType& model_;
  LossType loss_;
  Rule optimiser_;
  TrainerOptions options_;
  ExecutorRef executor_;
  /// One a worker of the executor, or one a group if these are fewer.
  std::vector<std::unique_ptr<WorkerType>> workers_;
  bool by_group_ = false;
  std::vector<ArrayOn<Scalar, Backend>> gradients_;  ///< one array a group
  std::vector<ArrayOn<Scalar, Backend>> moments_;
  std::vector<ArrayOn<double, Backend>> deposits_;  ///< what each group brings to an all-reduce
  ArrayOn<double, Backend> total_{most_deposits};
  std::vector<AllReduce> all_reduces_;  ///< of each group
  std::vector<detail::TableStep<Backend, Rule>> table_steps_;
  std::vector<RowGradients> row_gradients_;  ///< of each group, of each table
  std::vector<double> group_loss_;
  detail::TrainingPieces pieces_;
  FrozenTensors frozen_tensors_;
  std::vector<double> piece_norm_;  ///< of pieces that are summed
  std::vector<std::atomic<std::size_t>> pieces_left_;
  Shares shares_;
  [[no_unique_address]] mutable typename Backend::Queue queue_;
  mutable std::vector<Scalar> gradient_copy_;
  std::uint64_t steps_ = 0;
  std::uint64_t epoch_ = 0;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
