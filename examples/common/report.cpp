#include "report.hpp"

namespace example {
namespace {

Json epoch_json(const Epoch& epoch) {
  return {{"training_loss", epoch.training_loss},
          {"validation_loss", epoch.validation.loss},
          {"validation_accuracy", epoch.validation.accuracy},
          {"learning_rate", epoch.learning_rate},
          {"seconds", epoch.seconds}};
}

Json run_json(const Experiment& experiment, const Run& run) {
  Json json{{"seed", run.seed},
            {"test_accuracy", run.test.accuracy},
            {"test_loss", run.test.loss},
            {"best_epoch", run.best_epoch},
            {"stopped_early", run.stopped_early}};
  if (!run.epochs.empty()) {
    json["validation_accuracy"] = run.validation.accuracy;
    json["validation_loss"] = run.validation.loss;
  }
  json["seconds_per_epoch"] = run.seconds_per_epoch();
  Json& recall = json["class_accuracy"] = Json::object();
  Json& confusion = json["confusion"] = Json::array();
  for (std::size_t truth = 0; truth < experiment.classes.size(); ++truth) {
    recall[experiment.classes[truth]] = run.confusion.recall(truth);
    Json row = Json::array();
    for (std::size_t c = 0; c < experiment.classes.size(); ++c) row.push_back(run.confusion.count(truth, c));
    confusion.push_back(row);
  }
  json["epochs"] = Json::array();
  for (const auto& epoch : run.epochs) json["epochs"].push_back(epoch_json(epoch));
  return json;
}

Json result_json(const Experiment& experiment, const Result& r) {
  Json json{{"network", r.candidate.network},
            {"policy", r.candidate.policy},
            {"parameters", experiment.runs[r.runs[0]].parameters},
            {"seeds", r.runs.size()}};
  add(json, "test_accuracy", r.test_accuracy);
  add(json, "test_loss", r.test_loss);
  if (!experiment.runs[r.runs[0]].epochs.empty()) {
    add(json, "validation_accuracy", r.validation_accuracy);
    add(json, "validation_loss", r.validation_loss);
  }
  add(json, "epochs", r.epochs);
  add(json, "seconds_per_epoch", r.seconds_per_epoch);
  if (r.gain)
    json["test_accuracy_less_none"] = {
        {"mean", r.gain->mean}, {"half_interval_95", r.gain->half_interval()}, {"seeds", r.gain->count}};
  if (!r.mixture.empty()) json["integration_weights"] = mixture_json(r.mixture);
  json["runs"] = Json::array();
  for (const auto i : r.runs) json["runs"].push_back(run_json(experiment, experiment.runs[i]));
  return json;
}

}  // namespace

Json training_json(const Training& t) {
  return {{"optimiser", "AdamW"},
          {"epochs", t.epochs},
          {"batch", t.batch},
          {"patience", t.patience},
          {"learning_rate", t.learning_rate},
          {"weight_decay", t.weight_decay},
          {"clip_norm", t.clip_norm},
          {"schedule", t.schedule},
          {"warm_up_epochs", t.warm_up},
          {"best_by", t.best_by_loss ? "validation_loss" : "validation_accuracy"}};
}

void add_results(Json& report, const Experiment& experiment, const std::vector<Result>& results) {
  report["seconds"] = experiment.seconds;
  report["classes"] = experiment.classes;
  report["results"] = Json::array();
  for (const auto& result : results) report["results"].push_back(result_json(experiment, result));
  const Run& best = experiment.runs[experiment.best];
  report["best"] = {{"network", best.candidate.network},
                    {"policy", best.candidate.policy},
                    {"seed", best.seed},
                    {"test_accuracy", best.test.accuracy}};
}

}  // namespace example
