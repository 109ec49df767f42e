// Saving, checking and loading of forecasters.
#include "saved.hpp"

#include <aila/io/safetensors.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace forecast {
namespace {

using Metadata = std::map<std::string, std::string>;

/// With all digits of a double.
std::string exact(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

Metadata metadata_of(const Options& options, const Task& task, const Run& run) {
  return {{"program", "aila forecast"},
          {"asset", task.asset},
          {"target", target_name(task.target)},
          {"policy", run.policy},
          {"seed", std::to_string(run.seed)},
          {"window", std::to_string(options.window)},
          {"horizon", std::to_string(options.horizon)},
          {"log_mean", exact(task.series.log_mean())},
          {"log_deviation", exact(task.series.log_deviation())},
          {"change_deviation", exact(task.series.change_deviation())}};
}

/// The metadata of a file of this program; every method throws aila::Error that begins with the file's name.
class ModelFile {
 public:
  explicit ModelFile(const std::filesystem::path& path) : file_(aila::io::SafetensorsFile::read(path)) {
    if (text("program") != "aila forecast") file_.fail("the file was not written by this program's --save");
  }
  const std::string& text(const std::string& key) const {
    const auto found = file_.metadata().find(key);
    if (found == file_.metadata().end())
      file_.fail("the metadata have no " + key + ", so the file was not written by this program's --save");
    return found->second;
  }
  template <class Number>
  Number number(const std::string& key) const {
    const auto& digits = text(key);
    Number value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size())
      file_.fail("the metadata say \"" + aila::io::printable(digits) + "\" where " + key + " is a number");
    return value;
  }
  /// The scale that a model was trained in is part of what it means.
  void require_scale(const std::string& key, double found) const {
    const auto expected = number<double>(key);
    if (std::abs(expected - found) > 1e-9 * std::abs(expected))
      file_.fail("the model was trained on prices whose " + key + " is " + exact(expected) + ", these prices have " +
                 exact(found));
  }
  [[noreturn]] void fail(const std::string& sentence) const { file_.fail(sentence); }

 private:
  aila::io::SafetensorsFile file_;
};

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

void save_best(const Options& options, const Experiment& experiment, const SavedModels& files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& best = experiment.best[i];
    const Run& run = experiment.runs[best.run];
    best.model->save(files[i], metadata_of(options, experiment.tasks[i], run));
    const auto again = make_forecaster(run.policy, options.window, {run.seed + 1});
    again->load(files[i]);
    const auto& inputs = experiment.tasks[i].series.test.inputs;
    const auto expected = best.model->predict(inputs), found = again->predict(inputs);
    if (std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float)) != 0)
      throw aila::Error(aila::io::display_name(files[i]) + ": the saved model, read again, forecasts other prices");
  }
}

std::unique_ptr<Experiment> load_model(const std::filesystem::path& path, Options& options) {
  const ModelFile file(path);
  const auto known = [&](const auto& all, const auto& value, const std::string& what) {
    if (std::ranges::find(all, value) == all.end())
      file.fail("the " + what + " " + aila::io::printable(file.text(what)) + " is not one of this program's");
  };
  options.assets = {file.text("asset")};
  options.policies = {file.text("policy")};
  known(policy_names(), options.policies[0], "policy");
  options.window = file.number<std::size_t>("window");
  known(windows, options.window, "window");
  known(std::vector<std::string>{"return", "level"}, file.text("target"), "target");
  options.targets = {target_of(file.text("target"))};
  options.horizon = file.number<std::size_t>("horizon");
  options.seeds = 1;
  options.epochs = 0;

  auto experiment = std::make_unique<Experiment>();
  experiment->tasks = make_tasks(options);
  const Task& task = experiment->tasks[0];
  file.require_scale("log_mean", task.series.log_mean());
  file.require_scale("log_deviation", task.series.log_deviation());
  file.require_scale("change_deviation", task.series.change_deviation());

  Run run;
  run.policy = options.policies[0];
  run.seed = file.number<std::uint64_t>("seed");
  const std::shared_ptr<Forecaster> model = make_forecaster(run.policy, options.window, {run.seed});
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
