// fit: training over epochs, with validation, early stopping, schedules, progress and cancellation.
#pragma once

#include "../core/macros_aside.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <optional>

#include "../core/thread_pool.hpp"
#include "evaluate.hpp"
#include "history.hpp"
#include "progress.hpp"
#include "schedule.hpp"
#include "trainer.hpp"

namespace aila::inline v0 {

/// Options of fit, for the network's input and the backend's Scalar.
template <class In, class Scalar>
struct FitOptions {
  SourceRef<In, Scalar> validation{};  ///< empty: training loss decides what is best
  std::size_t epochs = 10;
  std::size_t batch = 32;
  std::size_t patience = 0;  ///< stop after so many epochs without improvement; 0: never
  double min_improvement = 0;
  bool restore_best = true;  ///< end with the weights of the best epoch, where there is validation or patience
  Schedule schedule{};
  double clip_norm = 0;
  std::vector<PartRate> part_rates{};
  Seed seed{};  ///< of shuffling and dropout
  bool shuffle = true;
  std::size_t threads = 1;                             ///< started here; not used where an executor is lent
  std::optional<ExecutorRef> executor{};               ///< a pool of the host's own
  std::function<void(const Progress&)> on_progress{};  ///< after every step, on the caller's thread
  std::function<bool(const EpochRecord&)> on_epoch{};  ///< after every epoch; false stops
  const std::atomic<bool>* cancel = nullptr;           ///< looked at after every step
};

namespace detail {

template <class Net, class Backend, class LossType, class OptimiserType>
class Fitting {
 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename ModelType::In;
  using Out = typename ModelType::Out;
  using Options = FitOptions<In, Scalar>;
  using Source = SourceRef<In, Scalar>;

  Fitting(ModelType& model, const Source& train, const LossType& loss, const OptimiserType& optimiser,
          const Options& options, ExecutorRef executor)
      : model_(model),
        train_(train),
        loss_(loss),
        options_(options),
        learning_rate_(optimiser.learning_rate),
        trainer_(model, loss, optimiser,
                 {.batch = std::min(options.batch, train.size()),
                  .clip_norm = options.clip_norm,
                  .seed = options.seed,
                  .part_rates = options.part_rates},
                 executor),
        evaluator_(executor),
        order_(detail::taking("fit", train.size(), "samples", [&] { return std::vector<std::size_t>(train.size()); })) {
  }

  History run() {
    const std::size_t batch = std::min(options_.batch, train_.size());
    const std::size_t steps = (train_.size() - 1) / batch + 1;
    const bool watches = options_.validation.size() > 0 || options_.patience > 0;
    bool stop = false;
    keep();
    trainer_.keep(train_);
    if (options_.validation.size() > 0) evaluator_.keep(options_.validation);
    started_ = Clock::now();
    for (std::size_t epoch = 1; epoch <= options_.epochs && !stop; ++epoch) {
      const auto begin = Clock::now();
      EpochRecord record{.epoch = epoch};
      shuffle(epoch);
      if (!train_epoch(record, batch, steps)) break;
      if (!parameters_are_finite()) fail("after the update a parameter is", epoch, steps, train_, {});
      if (options_.validation.size() > 0) {
        record.validation_loss = evaluator_.loss(model_, options_.validation, loss_);
        if (!std::isfinite(record.validation_loss)) fail_validation(epoch, steps);
      }
      record.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      history_.epochs.push_back(record);
      stop = !keep_best(record, watches);
      if (options_.on_epoch && !options_.on_epoch(record)) {
        history_.cancelled = true;
        stop = true;
      }
    }
    if (watches && options_.restore_best && history_.best_epoch > 0) restore();
    return std::move(history_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void shuffle(std::size_t epoch) {
    if (options_.shuffle)
      permutation(options_.seed, epoch, order_);
    else
      for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
  }

  /// False where it was cancelled.
  bool train_epoch(EpochRecord& record, std::size_t batch, std::size_t steps) {
    double loss = 0, norm = 0;
    constexpr std::size_t endless = std::numeric_limits<std::size_t>::max();  // as many epochs until cancelled
    const std::size_t total = options_.epochs <= endless / steps ? steps * options_.epochs : endless;
    for (std::size_t step = 0; step < steps; ++step) {
      const std::size_t first = step * batch;
      const auto batch_from = [&](std::size_t at) {
        return std::span<const std::size_t>(order_).subspan(at, std::min(batch, order_.size() - at));
      };
      const auto indices = batch_from(first), next = batch_from(first + indices.size());
      const double rate = options_.schedule.factor(trainer_.steps(), total, steps);
      const StepResult result = trainer_.step(train_, indices, rate, record.epoch, next);
      if (!result.finite)
        fail(std::isfinite(result.loss) ? "the gradient is" : "the loss is", record.epoch, step + 1, train_, indices);
      loss += result.loss * static_cast<double>(indices.size());
      norm += result.gradient_norm;
      record.learning_rate = learning_rate_ * rate;
      if (options_.on_progress)
        report(record.epoch, step + 1, steps, loss / static_cast<double>(first + indices.size()),
               first + indices.size());
      if (options_.cancel != nullptr && options_.cancel->load(std::memory_order_relaxed)) {
        history_.cancelled = true;
        return false;
      }
    }
    record.training_loss = loss / static_cast<double>(order_.size());
    record.gradient_norm = norm / static_cast<double>(steps);
    return true;
  }

  void report(std::size_t epoch, std::size_t step, std::size_t steps, double loss, std::size_t samples) const {
    const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    const auto size = static_cast<double>(order_.size());
    const double done = static_cast<double>(epoch - 1) * size + static_cast<double>(samples);
    const double all = static_cast<double>(options_.epochs) * size;
    options_.on_progress({.epoch = epoch,
                          .epochs = options_.epochs,
                          .step = step,
                          .steps = steps,
                          .loss = loss,
                          .samples_per_second = done / seconds,
                          .seconds_left = seconds * (all - done) / done});
  }

  /// False where patience has run out.
  bool keep_best(const EpochRecord& record, bool watches) {
    const double loss = options_.validation.size() > 0 ? record.validation_loss : record.training_loss;
    if (history_.best_epoch == 0 || loss < history_.best_validation_loss - options_.min_improvement) {
      history_.best_epoch = record.epoch;
      history_.best_validation_loss = loss;
      keep();
    } else if (options_.patience > 0 && record.epoch - history_.best_epoch >= options_.patience) {
      history_.stopped_early = true;
      return false;
    } else if (!watches) {
      keep();
    }
    return true;
  }

  void keep() { model_.keep(best_); }
  void restore() { model_.restore(std::move(best_)); }  ///< once, at the end
  bool parameters_are_finite() const { return std::ranges::all_of(model_.tensors(), &StoredTensor<Scalar>::is_finite); }

  /// Where an update has made a parameter infinite, which the step after it shows, the weights kept last come back.
  [[noreturn]] void fail(const char* what, std::size_t epoch, std::size_t step, const Source& source,
                         std::span<const std::size_t> indices, bool training = true) {
    const std::string where = trainer_.first_non_finite(source, indices, training);
    if (!parameters_are_finite()) restore();
    throw_error("training stopped at epoch ", epoch, ", step ", step, ": ", what,
                " not finite; the first value that is not finite is in ", where);
  }

  [[noreturn]] void fail_validation(std::size_t epoch, std::size_t steps) {
    std::vector<std::size_t> all(options_.validation.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    fail("the validation loss is", epoch, steps, options_.validation, all, false);
  }

  ModelType& model_;
  Source train_;
  LossType loss_;
  const Options& options_;
  double learning_rate_;
  Trainer<Net, LossType, OptimiserType, Backend> trainer_;
  Evaluator<Net, LossType, Backend> evaluator_;
  ModelState<Scalar> best_;
  std::vector<std::size_t> order_;
  History history_;
  Clock::time_point started_{};
};

template <class Net, class LossType, class Source>
void check_source(const Source& source, const char* what) {
  using In = NetworkInput<Net>;
  using Out = NetworkOutput<Net>;
  if constexpr (LossAcceptsOutput<LossType, Out>) {
    check_target_count<LossType, Out>(source, what);
    const auto targets = source.targets_in_memory();
    const auto lengths = source.lengths_in_memory();
    if (!targets.empty())
      check_targets<LossType, Out>(targets, source.size(), [&](std::size_t sample) {
        if constexpr (has_steps<In> && SequenceShape<Out>)
          if (!lengths.empty()) {
            Pass pass;
            pass.lengths = lengths.data();
            return valid_steps_after<typename PlacedNetwork<Net>::Layer, In>(pass, sample);
          }
        return Out::positions;
      });
  }
}

}  // namespace detail

/// Trains a model on a source: samples in memory or any SampleSource. Options by designated initialisers,
/// `fit(model, train, CrossEntropy{}, AdamW{}, {.validation = valid, .epochs = 100, .patience = 10})`.
/// Runs with one seed give the same bits for any number of threads. Throws Error for sources and options that do not
/// fit, and where loss or gradient is not finite: with epoch, step and layer; the parameters are then those before that
/// step, or if an update has made one of them infinite, those of the best epoch (without validation or patience: of the
/// last), or of the start. Rows of tables are parameters as the others, here and for `restore_best`.
template <class Net, class Backend, class LossType, class OptimiserType>
  requires(!std::is_same_v<OptimiserType, FitOptions<NetworkInput<Net>, typename Backend::Scalar>>)
History fit(Model<Net, Backend>& model,
            const std::type_identity_t<SourceRef<NetworkInput<Net>, typename Backend::Scalar>>& train,
            const LossType& loss, const OptimiserType& optimiser,
            const std::type_identity_t<FitOptions<NetworkInput<Net>, typename Backend::Scalar>>& options = {}) {
  enum { checked = detail::TrainingRefusal<Net, LossType, OptimiserType, Backend>::say() };
  if constexpr (Optimiser<OptimiserType>) {
    if (train.size() == 0) throw_error("fit: expected at least one training sample, found none");
    if (options.batch == 0) throw_error("fit: a batch needs at least one sample");
    detail::check_source<Net, LossType>(train, "fit");
    if (options.validation.size() > 0) detail::check_source<Net, LossType>(options.validation, "fit, validation");
    const auto run = [&](ExecutorRef executor) {
      return detail::Fitting<Net, Backend, LossType, OptimiserType>(model, train, loss, optimiser, options, executor)
          .run();
    };
    if (options.executor) return run(*options.executor);
    if (options.threads > 1) {
      ThreadPool pool(options.threads);
      return run(pool);
    }
    Inline executor;
    return run(executor);
  } else {
    return {};
  }
}

/// The same by Adam.
template <class Net, class Backend, class LossType>
  requires(!std::is_same_v<LossType, FitOptions<NetworkInput<Net>, typename Backend::Scalar>>)
History fit(Model<Net, Backend>& model,
            const std::type_identity_t<SourceRef<NetworkInput<Net>, typename Backend::Scalar>>& train,
            const LossType& loss,
            const std::type_identity_t<FitOptions<NetworkInput<Net>, typename Backend::Scalar>>& options = {}) {
  return fit(model, train, loss, Adam{}, options);
}

/// The same by Adam on the mean squared error.
template <class Net, class Backend>
History fit(Model<Net, Backend>& model,
            const std::type_identity_t<SourceRef<NetworkInput<Net>, typename Backend::Scalar>>& train,
            const std::type_identity_t<FitOptions<NetworkInput<Net>, typename Backend::Scalar>>& options = {}) {
  return fit(model, train, MeanSquaredError{}, Adam{}, options);
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
