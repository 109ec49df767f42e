// Means over seeds, and the table.
#include "results.hpp"

#include <utility>

#include "../common/text.hpp"

namespace forecast {
namespace {

using example::Statistic;
using example::text;

/// The statistic of one number of each run.
template <class Get>
Statistic over(const Experiment& experiment, const std::vector<std::size_t>& runs, Get get) {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const auto r : runs) values.push_back(static_cast<double>(get(experiment.runs[r])));
  return example::statistic(values);
}

example::Mixture mean_mixture(const Experiment& experiment, const std::vector<std::size_t>& runs) {
  std::vector<example::Mixture> mixtures;
  mixtures.reserve(runs.size());
  for (const auto r : runs) mixtures.push_back(experiment.runs[r].mixture);
  return example::mean_of(mixtures);
}

Result of_policy(const Experiment& experiment, std::size_t task, std::vector<std::size_t> runs) {
  Result r;
  r.task = task;
  r.policy = experiment.runs[runs[0]].policy;
  r.parameters = experiment.runs[runs[0]].parameters;
  r.mse_z = over(experiment, runs, [](const Run& run) { return run.scores.mse_z; });
  r.mse_price = over(experiment, runs, [](const Run& run) { return run.scores.mse_price; });
  r.skill = over(experiment, runs, [](const Run& run) { return run.scores.skill; });
  r.mase = over(experiment, runs, [](const Run& run) { return run.scores.mase; });
  r.seconds_per_epoch = over(experiment, runs, [](const Run& run) { return run.seconds_per_epoch; });
  r.epochs = over(experiment, runs, [](const Run& run) { return run.epochs; });
  r.training_loss = over(experiment, runs, [](const Run& run) { return run.training_loss; });
  r.validation_loss = over(experiment, runs, [](const Run& run) { return run.validation_loss; });
  r.mixture = mean_mixture(experiment, runs);
  r.runs = std::move(runs);
  return r;
}

/// A forecast that nothing is learnt for; `forecasts` gives the log prices of a part.
template <class Forecasts>
Result of_baseline(const Experiment& experiment, std::size_t index, std::string name, Forecasts forecasts) {
  const Task& task = experiment.tasks[index];
  const auto& series = task.series;
  const auto scores = scores_of(task, forecasts(series.test));
  Result r;
  r.task = index;
  r.policy = std::move(name);
  r.baseline = true;
  r.mse_z.mean = scores.mse_z;
  r.mse_price.mean = scores.mse_price;
  r.skill.mean = scores.skill;
  r.mase.mean = scores.mase;
  r.training_loss.mean = loss_of(task, series.train, forecasts(series.train));
  r.validation_loss.mean = loss_of(task, series.valid, forecasts(series.valid));
  return r;
}

void add_baselines(const Experiment& experiment, std::size_t index, std::vector<Result>& results) {
  using aila::data::WindowedPart;
  const Task& task = experiment.tasks[index];
  for (const auto& naive : task.naive)
    results.push_back(of_baseline(experiment, index, naive.name,
                                  [&](const WindowedPart& part) { return logs_of(task, naive, part); }));
  results.push_back(of_baseline(experiment, index, "mean",
                                [&](const WindowedPart& part) { return task.series.mean_forecast(part); }));
}

std::string plus_minus(const Statistic& s, bool baseline) {
  return baseline ? text("%.4g", s.mean) : text("%.4g (%.2g)", s.mean, s.deviation);
}

}  // namespace

const char* const why_two_targets =
    "A network that predicts levels must reach, in the test part, prices above everything it saw in training, where "
    "its saturated units cannot follow; one that predicts returns starts from the last price and sees the same range "
    "of changes at any height, so the two targets are not equally hard.";

std::vector<Result> results_of(const Experiment& experiment) {
  std::vector<Result> results;
  for (std::size_t task = 0; task < experiment.tasks.size(); ++task) {
    std::vector<std::size_t> runs;  // of one policy: they follow one another
    for (std::size_t r = 0; r < experiment.runs.size(); ++r) {
      const Run& run = experiment.runs[r];
      if (run.task != task) continue;
      if (!runs.empty() && experiment.runs[runs[0]].policy != run.policy)
        results.push_back(of_policy(experiment, task, std::exchange(runs, {})));
      runs.push_back(r);
    }
    results.push_back(of_policy(experiment, task, runs));
    add_baselines(experiment, task, results);
  }
  return results;
}

std::string table(const Experiment& experiment, const std::vector<Result>& results) {
  std::string lines = text("%-7s %-7s %-14s %10s %18s %18s %19s %16s %8s %7s\n", "asset", "target", "policy",
                           "parameters", "mse_z", "mse_price", "skill", "mase", "s/epoch", "epochs");
  for (const auto& r : results) {
    const Task& task = experiment.tasks[r.task];
    lines +=
        text("%-7s %-7s %-14s %10s %18s %18s %19s %16s %8s %7s\n", task.asset.c_str(), target_name(task.target).c_str(),
             r.policy.c_str(), r.baseline ? "" : std::to_string(r.parameters).c_str(),
             plus_minus(r.mse_z, r.baseline).c_str(), plus_minus(r.mse_price, r.baseline).c_str(),
             plus_minus(r.skill, r.baseline).c_str(), plus_minus(r.mase, r.baseline).c_str(),
             r.baseline ? "" : text("%.4f", r.seconds_per_epoch.mean).c_str(),
             r.baseline ? "" : text("%.0f", r.epochs.mean).c_str());
  }
  return lines;
}

}  // namespace forecast
