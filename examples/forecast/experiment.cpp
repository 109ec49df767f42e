// Trainings of many networks side by side.
#include "experiment.hpp"

#include <aila/core/thread_pool.hpp>
#include <algorithm>
#include <chrono>
#include <mutex>

#include "../common/progress.hpp"

namespace forecast {
namespace {

using Clock = std::chrono::steady_clock;

/// Keeps the best model of each task while others are still trained.
class Champions {
 public:
  explicit Champions(std::size_t tasks) : best_(tasks) {}

  /// The lower validation loss wins, and of equal ones the earlier run: whatever order they end in.
  void offer(const std::vector<Run>& runs, std::size_t index, std::shared_ptr<Forecaster> model) {
    const std::lock_guard lock(mutex_);
    Best& best = best_[runs[index].task];
    const double loss = runs[index].validation_loss;
    if (best.model == nullptr || loss < runs[best.run].validation_loss ||
        (loss == runs[best.run].validation_loss && index < best.run))
      best = {index, std::move(model)};
  }
  std::vector<Best> take() { return std::move(best_); }

 private:
  std::mutex mutex_;
  std::vector<Best> best_;
};

std::vector<Run> plan(const Options& options, std::size_t tasks) {
  std::vector<Run> runs;
  for (std::size_t task = 0; task < tasks; ++task)
    for (const auto& policy : options.policies)
      for (std::uint64_t seed = 1; seed <= options.seeds; ++seed) {
        Run run;
        run.task = task;
        run.policy = policy;
        run.seed = seed;
        runs.push_back(std::move(run));
      }
  return runs;
}

void keep(const aila::History& history, Run& run) {
  run.epochs = history.epochs.size();
  run.best_epoch = history.best_epoch;
  run.first_validation_loss = history.epochs.front().validation_loss;
  run.first_training_loss = history.epochs.front().training_loss;
  run.last_training_loss = history.epochs.back().training_loss;
  for (const auto& epoch : history.epochs)
    run.seconds_per_epoch += epoch.seconds / static_cast<double>(history.epochs.size());
}

}  // namespace

double loss_of(const Task& task, const aila::data::WindowedPart& part, const std::vector<double>& logs) {
  const double unit = task.target == aila::data::Target::level ? task.series.log_deviation()  //
                                                               : task.series.change_deviation();
  double sum = 0;
  for (std::size_t i = 0; i < part.count; ++i) {
    const double error = (logs[i] - part.true_logs[i]) / unit;
    sum += error * error / static_cast<double>(part.count);
  }
  return sum;
}

std::vector<Task> make_tasks(const Options& options) {
  std::vector<Task> tasks;
  for (const auto& asset : read_assets(options.data, options.assets, options.prices))
    for (const auto target : options.targets) {
      const auto& prices = asset.prices;
      const aila::data::WindowOptions window{.window = options.window, .horizon = options.horizon, .target = target};
      tasks.push_back({.asset = prices.name,
                       .target = target,
                       .series = aila::data::WindowedSeries(prices, window),
                       .last_logs = {},
                       .last_date = prices.dates.back(),
                       .month_price = asset.month_price,
                       .dates = prices.dates,
                       .naive = naive_forecasts(asset)});
      for (std::size_t i = prices.values.size() - options.window; i < prices.values.size(); ++i)
        tasks.back().last_logs.push_back(std::log(prices.values[i]));
    }
  return tasks;
}

std::vector<double> logs_of(const Task& task, const Naive& naive, const aila::data::WindowedPart& part) {
  std::vector<double> logs;
  logs.reserve(part.count);
  for (const auto& date : part.dates) {
    const auto goal = std::ranges::lower_bound(task.dates, date) - task.dates.begin();
    logs.push_back(naive.logs.at(static_cast<std::size_t>(goal) - task.series.options().horizon));
  }
  return logs;
}

aila::data::ForecastScores scores_of(const Task& task, const std::vector<double>& logs) {
  const auto& series = task.series;
  const auto naive = aila::data::score(series, series.test, logs_of(task, task.naive[0], series.test));
  auto scores = aila::data::score(series, series.test, logs);
  scores.skill = scores.mse_z == naive.mse_z ? 0 : 1 - scores.mse_z / naive.mse_z;
  return scores;
}

void measure(const Task& task, const Forecaster& model, Run& run) {
  const auto& series = task.series;
  run.parameters = model.parameter_count();
  run.training_loss = model.loss(series.train);
  run.validation_loss = model.loss(series.valid);
  run.test_logs = series.to_logs(series.test, model.predict(series.test.inputs));
  run.scores = scores_of(task, run.test_logs);
  run.mixture = model.mixture(series.test.inputs);
}

std::unique_ptr<Experiment> train(const Options& options, std::vector<Task> tasks, const std::atomic<bool>& cancel) {
  auto experiment = std::make_unique<Experiment>();
  experiment->tasks = std::move(tasks);
  auto& runs = experiment->runs = plan(options, experiment->tasks.size());
  Champions champions(experiment->tasks.size());
  example::JobProgress progress(runs.size(), options.quiet);
  const auto begin = Clock::now();
  const auto one = [&](std::size_t index, std::size_t) {
    if (cancel.load()) return;
    Run& run = runs[index];
    const Task& task = experiment->tasks[run.task];
    const std::shared_ptr<Forecaster> model = make_forecaster(run.policy, options.window, {run.seed}, options.device);
    const std::string name =
        task.asset + " " + target_name(task.target) + " " + run.policy + " seed " + std::to_string(run.seed);
    const auto cost = static_cast<double>(model->parameter_count() * task.series.train.count);
    const auto history =
        model->fit(task.series.train, task.series.valid,
                   {.epochs = options.epochs,
                    .batch = batch_of(options, task.target),
                    .warm_up_epochs = warm_up_of(options, task.target),
                    .patience = patience_of(options, task.target),
                    .seed = {run.seed},
                    .cancel = &cancel,
                    .on_progress = [&](const aila::Progress& p) { progress.step(index, name, cost, p); }});
    if (history.cancelled) return;
    keep(history, run);
    measure(task, *model, run);
    champions.offer(runs, index, model);
    progress.end(index, cost);
  };
  aila::ThreadPool(options.threads).run(runs.size(), one);
  if (cancel.load()) return nullptr;
  progress.finish();
  experiment->best = champions.take();
  experiment->seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return experiment;
}

}  // namespace forecast
