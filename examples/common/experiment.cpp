// Trainings in a row.
#include "experiment.hpp"

#include <aila/core/error.hpp>
#include <aila/io/text.hpp>
#include <chrono>

#include "program.hpp"
#include "progress.hpp"

namespace example {
namespace {

/// The best of all runs so far, and its file.
class Champion {
 public:
  explicit Champion(const Plan& plan) : plan_(plan) {}

  /// Of equal scores the first stays.
  bool beaten_by(const Run& run) const { return !score_ || better(plan_.training, run.validation, *score_); }

  void checkpoint(const Run& run, const Classifier& model) {
    if (!beaten_by(run)) return;
    score_ = run.validation;
    if (!plan_.save) return;
    auto metadata = plan_.metadata;
    metadata["network"] = run.candidate.network;
    metadata["policy"] = run.candidate.policy;
    metadata["seed"] = std::to_string(run.seed);
    model.save(*plan_.save, metadata);
    saved_ = true;
  }
  bool saved() const { return saved_; }

 private:
  const Plan& plan_;
  std::optional<Score> score_;
  bool saved_ = false;
};

std::vector<Run> runs_of(const Plan& plan) {
  std::vector<Run> runs;
  for (const auto& candidate : plan.candidates)
    for (const auto seed : plan.seeds) {
      Run run;
      run.candidate = candidate;
      run.seed = seed;
      runs.push_back(std::move(run));
    }
  return runs;
}

void check_saved(const std::filesystem::path& file, const Experiment& experiment, const Make& make) {
  const Run& best = experiment.runs[experiment.best];
  const auto again = make(best.candidate, {best.seed + 1});
  again->load(file);
  if (again->predict_test() != experiment.model->predict_test())
    throw aila::Error(aila::io::display_name(file) + ": the saved model, read again, gives other outputs");
}

}  // namespace

Experiment train(const Plan& plan, std::vector<std::string> classes, const Make& make) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  Experiment experiment;
  experiment.classes = std::move(classes);
  experiment.runs = runs_of(plan);
  auto& runs = experiment.runs;
  Champion champion(plan);
  JobProgress progress(runs.size(), plan.quiet);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Run& run = runs[i];
    const aila::Seed seed{run.seed};
    auto model = make(run.candidate, seed);
    const std::string name = run.candidate.name() + " seed " + std::to_string(run.seed);
    const auto cost = model->cost();
    bool is_best = false;
    const Watch watch{.cancel = &interrupted,
                      .on_step = [&](const aila::Progress& p) { progress.step(i, name, cost, p); },
                      .on_best =
                          [&] {
                            is_best = is_best || champion.beaten_by(run);
                            champion.checkpoint(run, *model);
                          }};
    if (!model->fit(plan.training, seed, watch, run)) {
      experiment.cancelled = true;
      experiment.saved = champion.saved();
      return experiment;
    }
    model->measure(run);
    progress.end(i, cost);
    if (!is_best) continue;
    experiment.best = i;
    experiment.model = std::move(model);
  }
  progress.finish();
  experiment.saved = champion.saved();
  if (plan.save) check_saved(*plan.save, experiment, make);
  experiment.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return experiment;
}

Experiment loaded(const Candidate& candidate, std::uint64_t seed, std::vector<std::string> classes,
                  std::unique_ptr<Classifier> model) {
  Experiment experiment;
  experiment.classes = std::move(classes);
  Run run;
  run.candidate = candidate;
  run.seed = seed;
  model->measure(run);
  experiment.runs.push_back(std::move(run));
  experiment.model = std::move(model);
  return experiment;
}

}  // namespace example
