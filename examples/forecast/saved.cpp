// Saving, checking and loading of forecasters.
#include "saved.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../common/saved_file.hpp"
#include "../common/text.hpp"

namespace forecast {
namespace {

using example::exact;
using example::Metadata;

Metadata metadata_of(const Options& options, const Task& task, const Run& run) {
  return {{"program", "aila forecast"},
          {"asset", task.asset},
          {"target", target_name(task.target)},
          {"prices", month_price_name(task.month_price)},
          {"policy", run.policy},
          {"seed", std::to_string(run.seed)},
          {"window", std::to_string(options.window)},
          {"horizon", std::to_string(options.horizon)},
          {"log_mean", exact(task.series.log_mean())},
          {"log_deviation", exact(task.series.log_deviation())},
          {"change_deviation", exact(task.series.change_deviation())}};
}

/// The scale that a model was trained in is part of what it means.
void require_scale(const example::SavedFile& file, const std::string& key, double found) {
  const auto expected = file.number(key);
  if (std::abs(expected - found) > 1e-9 * std::abs(expected))
    file.fail("the model was trained on prices whose " + key + " is " + exact(expected) + ", these prices have " +
              exact(found));
}

}  // namespace

SavedModels model_files(const std::filesystem::path& save, const std::vector<Task>& tasks) {
  if (tasks.size() == 1) return {save};
  SavedModels files;
  for (const auto& task : tasks) {
    files.push_back(save);
    files.back().replace_filename(save.stem().string() + "-" + task.asset + "-" + target_name(task.target) +
                                  save.extension().string());
  }
  return files;
}

void save_best(const Options& options, const Experiment& experiment, std::size_t task,
               const std::filesystem::path& file) {
  const auto& best = experiment.best[task];
  const Run& run = experiment.runs[best.run];
  best.model->save(file, metadata_of(options, experiment.tasks[task], run));
  const auto again = make_forecaster(run.policy, options.window, {run.seed + 1}, options.device);
  again->load(file);
  const auto& inputs = experiment.tasks[task].series.test.inputs;
  const auto expected = best.model->predict(inputs), found = again->predict(inputs);
  if (std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float)) != 0)
    throw aila::Error(aila::io::display_name(file) + ": the saved model, read again, forecasts other prices");
}

std::unique_ptr<Experiment> load_model(const std::filesystem::path& path, Options& options) {
  const example::SavedFile file(path, "aila forecast");
  options.assets = {file.text("asset")};
  std::vector<std::string> names = policy_names();
  names.insert(names.end(), network_names().begin(), network_names().end());
  options.policies = {file.text("policy", names)};
  options.window = file.whole_number("window");
  if (std::ranges::find(windows, options.window) == windows.end())
    file.fail("the window " + std::to_string(options.window) + " is not one of this program's");
  options.prices = month_price_of(file.text("prices", {"end", "mean"}));
  options.targets = {target_of(file.text("target", {"return", "level"}))};
  options.horizon = file.whole_number("horizon");
  options.seeds = 1;
  options.epochs = 0;

  auto experiment = std::make_unique<Experiment>();
  experiment->tasks = make_tasks(options);
  const Task& task = experiment->tasks[0];
  require_scale(file, "log_mean", task.series.log_mean());
  require_scale(file, "log_deviation", task.series.log_deviation());
  require_scale(file, "change_deviation", task.series.change_deviation());

  Run run;
  run.policy = options.policies[0];
  run.seed = file.whole_number("seed");
  const std::shared_ptr<Forecaster> model = make_forecaster(run.policy, options.window, {run.seed}, options.device);
  model->load(path);
  measure(task, *model, run);
  experiment->runs.push_back(std::move(run));
  experiment->best.push_back({0, model});
  return experiment;
}

double next_price(const Experiment& experiment, std::size_t task_index) {
  const Task& task = experiment.tasks[task_index];
  const auto& series = task.series;
  const bool level = task.target == aila::data::Target::level;
  const double last = task.last_logs.back();
  std::vector<float> window;
  window.reserve(task.last_logs.size());
  for (const double l : task.last_logs)
    window.push_back(static_cast<float>(level ? series.to_z(l) : (l - last) / series.change_deviation()));
  const auto output = static_cast<double>(experiment.best[task_index].model->predict(window).at(0));
  return std::exp(level ? series.log_mean() + series.log_deviation() * output
                        : last + series.change_deviation() * output);
}

}  // namespace forecast
