// The report in JSON, keys in a reader's order.
#include "report.hpp"

#include "../common/json.hpp"

namespace forecast {
namespace {

using example::add;
using example::Json;

Json part_json(const aila::data::WindowedPart& part) {
  return {{"windows", part.count}, {"first_target", part.dates.front()}, {"last_target", part.dates.back()}};
}

/// The mean forecast's losses are what a network has to be better than.
Json task_json(const Options& options, const Task& task) {
  const auto& s = task.series;
  return {{"asset", task.asset},
          {"period", aila::data::period_name(task.series.period())},
          {"target", target_name(task.target)},
          {"prices", month_price_name(task.month_price)},
          {"skill_against", task.naive[0].name},
          {"batch", batch_of(options, task.target)},
          {"warm_up_epochs", warm_up_of(options, task.target)},
          {"patience", patience_of(options, task.target)},
          {"train", part_json(s.train)},
          {"valid", part_json(s.valid)},
          {"test", part_json(s.test)},
          {"log_mean", s.log_mean()},
          {"log_deviation", s.log_deviation()},
          {"change_deviation", s.change_deviation()},
          {"naive_error", s.naive_error()},
          {"mean_target", s.mean_target()},
          {"training_loss_of_mean_forecast", loss_of(task, s.train, s.mean_forecast(s.train))},
          {"validation_loss_of_mean_forecast", loss_of(task, s.valid, s.mean_forecast(s.valid))}};
}

Json run_json(const Run& run) {
  return {{"seed", run.seed},
          {"mse_z", run.scores.mse_z},
          {"mse_price", run.scores.mse_price},
          {"skill", run.scores.skill},
          {"mase", run.scores.mase},
          {"epochs", run.epochs},
          {"best_epoch", run.best_epoch},
          {"first_validation_loss", run.first_validation_loss},
          {"best_validation_loss", run.validation_loss},
          {"first_training_loss", run.first_training_loss},
          {"last_training_loss", run.last_training_loss},
          {"training_loss", run.training_loss},
          {"seconds_per_epoch", run.seconds_per_epoch}};
}

Json result_json(const Experiment& experiment, const Result& r) {
  const Task& task = experiment.tasks[r.task];
  Json json{{"asset", task.asset},        {"target", target_name(task.target)},
            {"policy", r.policy},         {"kind", r.baseline ? "baseline" : "network"},
            {"parameters", r.parameters}, {"seeds", r.runs.size()}};
  add(json, "mse_z", r.mse_z);
  add(json, "mse_price", r.mse_price);
  add(json, "skill", r.skill);
  add(json, "mase", r.mase);
  add(json, "seconds_per_epoch", r.seconds_per_epoch);
  add(json, "epochs", r.epochs);
  add(json, "training_loss", r.training_loss);
  add(json, "best_validation_loss", r.validation_loss);
  if (!r.mixture.empty()) json["integration_weights"] = example::mixture_json(r.mixture);
  json["runs"] = Json::array();
  for (const auto i : r.runs) json["runs"].push_back(run_json(experiment.runs[i]));
  return json;
}

Json options_json(const Options& o) {
  return {{"data", o.data ? o.data->string() : "gold, 1978-01 to 2012-12, in the program"},
          {"window", o.window},
          {"horizon", o.horizon},
          {"seeds", o.seeds},
          {"epochs", o.epochs},
          {"optimiser", "Adam"},
          {"learning_rate", 1e-3},
          {"threads", o.threads}};
}

}  // namespace

std::string report(const Options& options, const Experiment& experiment, const std::vector<Result>& results,
                   const SavedModels& models) {
  Json json = example::report_head("aila forecast");
  json["options"] = options_json(options);
  json["why_two_targets"] = why_two_targets;
  json["why_ends_of_months"] = why_ends_of_months;
  json["seconds"] = experiment.seconds;
  for (const char* list : {"tasks", "results", "best"}) json[list] = Json::array();
  for (const auto& task : experiment.tasks) json["tasks"].push_back(task_json(options, task));
  for (const auto& result : results) json["results"].push_back(result_json(experiment, result));
  for (std::size_t task = 0; task < experiment.best.size(); ++task) {
    const Run& run = experiment.runs[experiment.best[task].run];
    json["best"].push_back({{"asset", experiment.tasks[task].asset},
                            {"target", target_name(experiment.tasks[task].target)},
                            {"policy", run.policy},
                            {"seed", run.seed},
                            {"validation_loss", run.validation_loss},
                            {"file", models.empty() ? "" : models[task].string()}});
  }
  return example::dump(json);
}

}  // namespace forecast
