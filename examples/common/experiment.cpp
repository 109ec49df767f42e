// Trainings in a row.
#include "experiment.hpp"

#include <aila/core/error.hpp>
#include <aila/io/text.hpp>
#include <chrono>
#include <exception>
#include <system_error>

#include "program.hpp"
#include "progress.hpp"

namespace example {
namespace {

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

/// The best of all runs so far, and its file.
class Champion {
 public:
  explicit Champion(const Plan& plan) : plan_(plan) {}

  /// Of equal scores the first stays.
  bool beaten_by(const Run& run) const { return !score_ || better(plan_.training, run.validation, *score_); }

  void checkpoint(const Run& run, const Classifier& model) {
    if (!beaten_by(run)) return;
    score_ = run.validation;
    metadata_ = plan_.metadata;
    metadata_["network"] = run.candidate.network;
    metadata_["policy"] = run.candidate.policy;
    metadata_["seed"] = std::to_string(run.seed);
    write(model);
  }
  /// The end of a training that was broken off: writes the best weights, which `model` has, once more where that failed
  /// or the file was lost.
  void try_again(const Classifier& model) {
    std::error_code code;
    if (plan_.save && (!failure_.empty() || !std::filesystem::exists(*plan_.save, code))) write(model);
  }
  /// The end: reads the file again, and writes it once more where it is not, or no longer, what it is to be.
  void finish(const Experiment& experiment, const Make& make) {
    if (!plan_.save) return;
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (attempt > 0 || !failure_.empty()) write(*experiment.model);
      if (!failure_.empty()) return;
      try {
        if (plan_.save_beside) plan_.save_beside();
        check_saved(*plan_.save, experiment, make);
        return;
      } catch (const std::exception& error) {
        failure_ = error.what();
      }
    }
  }
  bool saved() const { return saved_; }
  const std::string& failure() const { return failure_; }

 private:
  void write(const Classifier& model) {
    if (!plan_.save) return;
    try {
      if (plan_.save_beside) plan_.save_beside();
      model.save(*plan_.save, metadata_);
      saved_ = true;
      failure_.clear();
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
  }

  const Plan& plan_;
  std::optional<Score> score_;
  std::map<std::string, std::string> metadata_;
  bool saved_ = false;
  std::string failure_;
};

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
      const auto& best = is_best ? model : experiment.model;
      if (best != nullptr) champion.try_again(*best);
      experiment.cancelled = true;
      experiment.saved = champion.saved();
      experiment.not_saved = champion.failure();
      return experiment;
    }
    model->measure(run);
    progress.end(i, cost);
    if (!is_best) continue;
    experiment.best = i;
    experiment.model = std::move(model);
  }
  progress.finish();
  champion.finish(experiment, make);
  experiment.saved = champion.saved();
  experiment.not_saved = champion.failure();
  experiment.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return experiment;
}

std::string what_was_saved(const Experiment& experiment) {
  if (!experiment.not_saved.empty()) return experiment.not_saved;
  return experiment.saved ? "the best weights so far were saved" : "nothing was written";
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
