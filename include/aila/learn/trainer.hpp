// Trainer: one training step of a model: groups of samples forward and backward, gradients summed, the optimiser.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../core/executor.hpp"
#include "../core/no_memory.hpp"
#include "../core/shares.hpp"
#include "../network/map_visitor.hpp"
#include "gradient_norm.hpp"
#include "losses.hpp"
#include "optimisers.hpp"
#include "pieces.hpp"
#include "table_step.hpp"
#include "worker.hpp"

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
};

struct StepResult {
  double loss = 0;           ///< mean over the samples of weight * loss
  double gradient_norm = 0;  ///< before clipping, of all that is trained
  bool finite = true;        ///< false: the step was not taken
};

/// How a batch is split: G = min(ceil(batch / 8), 16) groups of nearly equal size, whatever the number of threads.
struct GroupSplit {
  std::size_t groups;
  std::size_t samples;  ///< of each but the last

  static constexpr GroupSplit of(std::size_t batch) {
    if (batch == 0) return {0, 0};
    const std::size_t samples = divide(batch, most_groups(batch));
    return {divide(batch, samples), samples};
  }
  /// Most samples of a group, and most groups, in a batch of `batch` or fewer: one of 130 has 15 groups, one of 128
  /// has 16.
  static constexpr std::size_t most_samples(std::size_t batch) {
    return std::min(batch, std::max<std::size_t>(8, divide(batch, 16)));
  }
  static constexpr std::size_t most_groups(std::size_t batch) {
    return std::clamp<std::size_t>(divide(batch, 8), 1, 16);
  }

 private:
  /// Rounded up; of any number.
  static constexpr std::size_t divide(std::size_t n, std::size_t by) { return n / by + (n % by != 0 ? 1 : 0); }
};

namespace detail {
/// Why this cannot train. Asked where training begins, so that an error does not come from deep inside it.
template <class Net, class LossType, class OptimiserType, class Backend>
using TrainingRefusal =
    FirstRefusal<Refuse<LossRefusal<LossType, NetworkOutput<Net>>>, Refuse<OptimiserRefusal<OptimiserType>>,
                 Refuse<MissingBackward<KernelFor<PlacedNetwork<Net>, Backend>>>>;

template <class Part>
concept IsBatchNorm = requires { requires Part::Layer::is_batch_norm; };
}  // namespace detail

/// Owns gradients, moments and a workspace per worker, or where groups meet in the midst of a step (batch
/// normalisation), per group; a step allocates nothing, takes no lock, and gives the same bits
/// for any number of threads. The model must outlive it.
template <class Net, class LossType = MeanSquaredError, class OptimiserType = Adam, HostBackend Backend = backend::Cpu>
class Trainer {
  enum { checked = detail::TrainingRefusal<Net, LossType, OptimiserType, Backend>::say() };
  using Rule = std::conditional_t<Optimiser<OptimiserType>, OptimiserType, Adam>;

 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename ModelType::In;
  using WorkerType = Worker<Net, LossType, Backend, Capability::train>;

  /// Throws Error for options that are none, a batch that there is no memory for among them.
  Trainer(ModelType& model, LossType loss, Rule optimiser, TrainerOptions options, ExecutorRef executor)
      : model_(model),
        loss_(loss),
        optimiser_(optimiser),
        options_(std::move(options)),
        executor_(executor),
        shares_(executor.size()) {
    if (options_.batch == 0) throw_error("trainer: a batch needs at least one sample");
    if (!(options_.clip_norm >= 0))
      throw_error("trainer: expected a clip_norm of at least 0, which is none, found ", options_.clip_norm);
    if constexpr (requires { loss_.check(); }) loss_.check();
    if constexpr (requires { optimiser_.check(); }) optimiser_.check();
    detail::taking("trainer", options_.batch, "samples a batch", [this] { take_memory(); });
    check_part_rates();
    cut_pieces();
    check_statistics();
    piece_norm_.resize(sum_pieces_.size());
  }

  /// One update from the samples `indices` of the source, at the optimiser's learning rate times `rate`. Where loss,
  /// gradient or what statistics are to change by is not finite the parameters, rows of tables among them, stay as they
  /// were, and `finite` is false.
  StepResult step(const SourceRef<In, Scalar>& source, std::span<const std::size_t> indices, double rate = 1,
                  std::uint64_t epoch = 0) {
    if (indices.empty() || indices.size() > options_.batch)
      throw_error("step: expected 1 to ", options_.batch, " samples, found ", indices.size());
    detail::check_target_count<LossType, typename ModelType::Out>(source, "step");
    epoch_ = epoch;
    for (std::size_t t = 0; t < tables; ++t) table_steps_[t].prepare(model_.all_tables()[t]);
    const auto split = GroupSplit::of(indices.size());
    run_groups(source, indices, split);
    StepResult result;
    for (std::size_t g = 0; g < split.groups; ++g) result.loss += group_loss_[g];
    result.loss /= static_cast<double>(indices.size());
    sum_groups(split.groups);
    double squares = 0;
    for (const double s : piece_norm_) squares += s;
    for (auto& table : table_steps_) squares += table.sum(split.groups, executor_);
    result.gradient_norm = std::sqrt(squares);
    result.finite = std::isfinite(result.loss) && std::isfinite(result.gradient_norm) && statistics_are_finite();
    if (result.finite) update(rate, clip_factor(result.gradient_norm, options_.clip_norm));
    return result;
  }

  /// The gradient of the last step, in the canonical layout: 0 for what is frozen; those of tables, of few rows each,
  /// are not kept.
  std::span<const Scalar> gradient() const { return {gradients_[0].data(), layout.size}; }
  std::uint64_t steps() const { return steps_; }

  /// Where the first value that is not finite appears in the samples of the last step: "the output of stack.2.core",
  /// "the parameter ...", the input, or a gradient. Slow; for the message of an error.
  /// Without `training` the pass is one of evaluation, and gradients are not looked at.
  std::string first_non_finite(const SourceRef<In, Scalar>& source, std::span<const std::size_t> indices,
                               bool training = true) {
    for (const auto& tensor : model_.tensors())
      if (!tensor.is_finite()) return "the parameter " + tensor.name;
    const std::size_t most = std::min(indices.size(), workers_[0]->workspace.capacity());
    WorkerType worker(most, Retain::all);
    for (std::size_t first = 0; first < indices.size(); first += most) {
      Pass pass = load(source, indices, first, most, worker);
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
        ModelType::Kernel::template for_each_map<Capability::train>(worker.samples(), worker.workspace.saved(),
                                                                    worker.workspace.output(), std::string(), look);
      else
        look("the network", worker.workspace.output(), worker.samples() * ModelType::Out::elements);
      if (!where.empty()) return "the output of " + where;
      if (!std::isfinite(worker.loss(loss_, 1))) return "the loss";
    }
    if (!training) return "the loss";
    for (const ParameterInfo& p : parameter_table<Net>())
      if (!finite(gradients_[0].data() + p.offset, p.size))
        return (p.kind == ParameterKind::buffer ? "the change of " : "the gradient of ") + p.name;
    for (std::size_t t = 0; t < tables; ++t)
      if (!table_steps_[t].is_finite()) return "the gradient of " + network_tables<Net>()[t].name;
    return "a sum of gradients";
  }

 private:
  static constexpr const auto& layout = ModelType::layout;
  static constexpr std::size_t array_size = layout.size + 2 * alignment_elements;
  static constexpr std::size_t piece_size = 8192;
  static constexpr std::size_t phases = WorkerType::WorkspaceType::phases;
  static constexpr std::size_t tables = ModelType::tables;
  static constexpr std::size_t most_deposits = WorkerType::WorkspaceType::meeting;

  void take_memory() {
    const std::size_t groups = GroupSplit::most_groups(options_.batch);
    by_group_ = phases > 0 || groups < executor_.size();
    for (std::size_t i = 0; i < (by_group_ ? groups : executor_.size()); ++i)
      workers_.push_back(std::make_unique<WorkerType>(GroupSplit::most_samples(options_.batch)));
    for (std::size_t i = 0; i < groups; ++i) gradients_.emplace_back(array_size);
    for (std::size_t i = 0; i < (phases > 0 ? groups : 0); ++i) deposits_.emplace_back(most_deposits);
    meetings_.resize(groups);
    if constexpr (tables > 0) {
      for (const TableInfo& info : network_tables<Net>())
        table_steps_.emplace_back(info, groups, GroupSplit::most_samples(options_.batch), factor_of(info.name));
      row_gradients_.resize(groups * tables);
    }
    for (std::size_t i = 0; i < Rule::moments; ++i) moments_.emplace_back(array_size);
    group_loss_.resize(gradients_.size());
  }

  /// Up to `most` samples of the batch from number `first` on.
  Pass load(const SourceRef<In, Scalar>& source, std::span<const std::size_t> indices, std::size_t first,
            std::size_t most, WorkerType& worker) const {
    worker.load(source, indices.subspan(first, std::min(most, indices.size() - first)), epoch_);
    return training_pass(first);
  }

  Pass training_pass(std::size_t first) const {
    Pass pass;
    pass.training = true;
    pass.collects = true;
    pass.seed = options_.seed;
    pass.frozen_tensors = &frozen_tensors_;
    pass.step = steps_;
    pass.first_sample = first;
    return pass;
  }

  /// Forward, loss and backward of all groups. Where groups meet, those are calls for each phase, with everybody done
  /// with one phase before the next begins.
  void run_groups(const SourceRef<In, Scalar>& source, std::span<const std::size_t> indices, GroupSplit split) {
    for (std::size_t phase = 0; phase <= 2 * phases; ++phase) {
      executor_.run(split.groups, [&](std::size_t group, std::size_t worker) {
        run_group(source, indices, split, group, phase, *workers_[by_group_ ? group : worker]);
      });
      if constexpr (phases > 0) meet(split.groups);
    }
  }

  /// A group's part of one phase: those of the forward, and then of the backward; the last of one is the first of the
  /// other.
  void run_group(const SourceRef<In, Scalar>& source, std::span<const std::size_t> indices, GroupSplit split,
                 std::size_t group, std::size_t phase, WorkerType& worker) {
    const std::size_t first = group * split.samples;
    if (phase == 0) {
      load(source, indices, first, split.samples, worker);
      if constexpr (!zeroes_by_parts) clear(gradients_[group].data());
    }
    Pass pass = training_pass(first);
    pass.zeroes_gradients = zeroes_by_parts;
    if constexpr (phases > 0) {
      meetings_[group] = {deposits_[group].data(), total_.data(), 0};
      pass.meeting = &meetings_[group];
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

  /// Sums what the groups have deposited, in their order.
  void meet(std::size_t groups) {
    for (std::size_t i = 0; i < meetings_[0].count; ++i) {
      double sum = 0;
      for (std::size_t g = 0; g < groups; ++g) sum += deposits_[g].data()[i];
      total_.data()[i] = sum;
    }
  }

  /// Whether the network clears its gradients itself: a part that works in phases would do so more than once.
  static constexpr bool zeroes_by_parts = phases == 0 && is_plan_kernel<typename ModelType::Kernel>;
  static void clear(Scalar* gradients) {
    std::fill_n(gradients, layout.trainable_end, Scalar(0));
    std::fill_n(gradients + layout.frozen_end, layout.size - layout.frozen_end, Scalar(0));
  }

  /// Adds the groups' gradients to the first, in order, and takes the squared norm of each piece.
  void sum_groups(std::size_t groups) {
    for (const detail::Piece& piece : held_)
      std::fill(gradients_[0].data() + piece.begin, gradients_[0].data() + piece.end, Scalar(0));
    using Lane = Lanes<Backend>;
    shares_.run(executor_, sum_pieces_.size(), [&](std::size_t i) {
      [[maybe_unused]] const typename Backend::FloatMode mode;
      const detail::Piece& piece = sum_pieces_[i];
      Scalar* sum = gradients_[0].data();
      for (std::size_t at = piece.begin; at < piece.end; at += Lane::count) {  // tensors are padded: whole vectors
        auto total = Lane::load(sum + at);
        for (std::size_t g = 1; g < groups; ++g) total += Lane::load(gradients_[g].data() + at);
        Lane::store(sum + at, total);
      }
      const double norm = gradient_norm<Backend>(std::span<const Scalar>(sum + piece.begin, piece.end - piece.begin));
      piece_norm_[i] = norm * norm;
    });
  }

  /// One pass: parameters, and what is packed of them while they are in the cache.
  void update(double rate, double gradient_scale) {
    ++steps_;
    model_.edit_pieces([&](std::span<Scalar> parameters, const auto& pack) {
      for (std::size_t part = 0; part < part_pieces_.size(); ++part)
        pieces_left_[part].store(part_pieces_[part], std::memory_order_relaxed);
      shares_.run(executor_, update_pieces_.size(), [&](std::size_t i) {
        const detail::Piece& piece = update_pieces_[i];
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
    [[maybe_unused]] const typename Backend::FloatMode mode;
    const OptimiserStep step{.number = steps_,
                             .learning_rate = optimiser_.learning_rate * rate * piece.factor,
                             .decays = piece.decays,
                             .gradient_scale = gradient_scale};
    std::array<Scalar*, Rule::moments> state{};
    for (std::size_t m = 0; m < state.size(); ++m) state[m] = moments_[m].data() + piece.begin;
    const std::size_t size = piece.end - piece.begin;
    aila::update<typename Lanes<Backend>::V>(optimiser_, step, std::span<Scalar>(parameters + piece.begin, size),
                                             std::span<const Scalar>(gradient + piece.begin, size), state);
  }

  double factor_of(const std::string& name) const {
    double factor = 1;
    for (const PartRate& part : options_.part_rates)
      if (name.starts_with(part.prefix)) factor = part.factor;
    return factor;
  }

  void check_part_rates() const {
    for (const PartRate& part : options_.part_rates) {
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
    if constexpr (phases > 0)
      if (options_.batch == 1)
        for_each_layer<Net>([&]<class Part>(const std::string& path) {
          if constexpr (detail::IsBatchNorm<Part>)
            if (Part::In::positions == 1 && factor_of(path + ".running_mean") != 0 &&
                factor_of(path + ".running_var") != 0)
              throw_error("trainer: expected batches of at least 2 samples, for the statistics of ", path,
                          " have no variance in one of 1; a part rate of 0 freezes them");
        });
  }

  void cut_pieces() {
    std::vector<detail::Piece> trained, changed;  // tensors; of what changes, each with the part that packs it
    std::size_t tensor = 0;
    for (const ParameterInfo& p : parameter_table<Net>()) {
      const double factor = factor_of(p.name);
      detail::Piece piece{.begin = p.offset,
                          .end = p.offset + round_up(p.size, alignment_elements),
                          .kind = p.kind,
                          .factor = p.kind == ParameterKind::trainable ? factor : 1,
                          .decays = p.decays};
      if (factor == 0 && p.size > 0) {
        frozen_offsets_.push_back(static_cast<std::uint32_t>(p.offset));
        if (p.kind != ParameterKind::frozen) held_.push_back(piece);
      }
      const bool is_trained = p.kind == ParameterKind::trainable && piece.factor != 0;
      if (is_trained) trained.push_back(piece);
      piece.part = ModelType::pack_piece_of_tensor(tensor++);
      if (is_trained || (p.kind == ParameterKind::buffer && factor != 0)) changed.push_back(piece);
    }
    std::ranges::sort(frozen_offsets_);
    frozen_tensors_ = {frozen_offsets_.data(), frozen_offsets_.size()};
    sum_pieces_ = detail::cut_pieces(std::move(trained), piece_size);
    update_pieces_ = detail::cut_pieces(std::move(changed), piece_size);
    part_pieces_.resize(std::max<std::size_t>(ModelType::pack_pieces, 1));
    for (const detail::Piece& piece : update_pieces_) ++part_pieces_[piece.part];
    pieces_left_ = std::vector<std::atomic<std::size_t>>(part_pieces_.size());
  }

  bool statistics_are_finite() const {
    return std::ranges::all_of(update_pieces_, [&](const detail::Piece& piece) {
      return piece.kind != ParameterKind::buffer || finite(gradients_[0].data() + piece.begin, piece.end - piece.begin);
    });
  }
  static bool finite(const Scalar* values, std::size_t count) {
    return std::all_of(values, values + count, [](Scalar v) { return std::isfinite(v); });
  }

  ModelType& model_;
  LossType loss_;
  Rule optimiser_;
  TrainerOptions options_;
  ExecutorRef executor_;
  std::vector<std::unique_ptr<WorkerType>>
      workers_;  ///< one a worker of the executor, or one a group if these are fewer
  bool by_group_ = false;
  std::vector<AlignedArray<Scalar>> gradients_;  ///< one array a group
  std::vector<AlignedArray<Scalar>> moments_;
  std::vector<AlignedArray<double>> deposits_;  ///< what each group brings to a meeting
  AlignedArray<double> total_{most_deposits};
  std::vector<Meeting> meetings_;  ///< of each group
  std::vector<detail::TableStep<Backend, Rule>> table_steps_;
  std::vector<RowGradients> row_gradients_;  ///< of each group, of each table
  std::vector<detail::Piece> held_;          ///< tensors that a part rate of 0 holds
  std::vector<std::uint32_t> frozen_offsets_;
  FrozenTensors frozen_tensors_;
  std::vector<double> group_loss_;
  std::vector<detail::Piece> sum_pieces_;     ///< of what is trained
  std::vector<double> piece_norm_;            ///< of each of them
  std::vector<detail::Piece> update_pieces_;  ///< of what is trained and of statistics, each in one part of the packing
  std::vector<std::size_t> part_pieces_;      ///< how many of these are in each part
  std::vector<std::atomic<std::size_t>> pieces_left_;
  Shares shares_;
  std::uint64_t steps_ = 0;
  std::uint64_t epoch_ = 0;  ///< of the last step
};

template <class Net, class Backend, class LossType, class OptimiserType>
Trainer(Model<Net, Backend>&, LossType, OptimiserType, TrainerOptions, ExecutorRef)
    -> Trainer<Net, LossType, OptimiserType, Backend>;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
