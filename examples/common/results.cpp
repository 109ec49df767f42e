// Means over seeds, and the tables.
#include "results.hpp"

#include <algorithm>
#include <utility>

#include "text.hpp"

namespace example {
namespace {

/// The statistic of one number of each run.
template <class Get>
Statistic over(const Experiment& experiment, const std::vector<std::size_t>& runs, Get get) {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const auto r : runs) values.push_back(static_cast<double>(get(experiment.runs[r])));
  return statistic(values);
}

Mixture mean_mixture(const Experiment& experiment, const std::vector<std::size_t>& runs) {
  std::vector<Mixture> mixtures;
  mixtures.reserve(runs.size());
  for (const auto r : runs) mixtures.push_back(experiment.runs[r].mixture);
  return mean_of(mixtures);
}

Result result_of(const Experiment& experiment, std::vector<std::size_t> runs) {
  Result r;
  r.candidate = experiment.runs[runs[0]].candidate;
  r.test_accuracy = over(experiment, runs, [](const Run& run) { return run.test.accuracy; });
  r.test_loss = over(experiment, runs, [](const Run& run) { return run.test.loss; });
  r.validation_accuracy = over(experiment, runs, [](const Run& run) { return run.validation.accuracy; });
  r.validation_loss = over(experiment, runs, [](const Run& run) { return run.validation.loss; });
  r.epochs = over(experiment, runs, [](const Run& run) { return run.epochs.size(); });
  r.seconds_per_epoch = over(experiment, runs, [](const Run& run) { return run.seconds_per_epoch(); });
  r.mixture = mean_mixture(experiment, runs);
  r.runs = std::move(runs);
  return r;
}

/// Differences are taken seed by seed: both runs then begin with the same data in the same order.
void compare(const Experiment& experiment, std::vector<Result>& results) {
  for (auto& result : results) {
    const Candidate bare{result.candidate.network, "none"};
    const auto control = std::ranges::find(results, bare, &Result::candidate);
    if (control == results.end() || result.candidate == bare) continue;
    std::vector<double> differences;
    differences.reserve(result.runs.size());
    for (std::size_t i = 0; i < result.runs.size(); ++i)
      differences.push_back(experiment.runs[result.runs[i]].test.accuracy -
                            experiment.runs[control->runs[i]].test.accuracy);
    result.gain = statistic(differences);
  }
}

std::string percent(const Statistic& s) {
  return s.count > 1 ? text("%.2f (%.2f)", 100 * s.mean, 100 * s.deviation) : text("%.2f", 100 * s.mean);
}

}  // namespace

std::vector<Result> results_of(const Experiment& experiment) {
  std::vector<Result> results;
  std::vector<std::size_t> runs;  // of one candidate: they follow one another
  for (std::size_t r = 0; r < experiment.runs.size(); ++r) {
    if (!runs.empty() && experiment.runs[r].candidate != experiment.runs[runs[0]].candidate)
      results.push_back(result_of(experiment, std::exchange(runs, {})));
    runs.push_back(r);
  }
  results.push_back(result_of(experiment, runs));
  compare(experiment, results);
  return results;
}

std::string table(const Experiment& experiment, const std::vector<Result>& results) {
  std::string lines = text("%-20s %-10s %10s %14s %14s %10s %18s %7s %9s\n", "network", "policy", "parameters",
                           "test %", "validation %", "test loss", "test % less none", "epochs", "s/epoch");
  for (const auto& r : results) {
    const std::string gain =
        r.gain ? text("%+.2f", 100 * r.gain->mean) +
                     (r.gain->count > 1 ? text(" +- %.2f", 100 * r.gain->half_interval()) : std::string())
               : std::string();
    lines += text("%-20s %-10s %10zu %14s %14s %10.4f %18s %7.0f %9.1f\n", r.candidate.network.c_str(),
                  r.candidate.policy.c_str(), experiment.runs[r.runs[0]].parameters, percent(r.test_accuracy).c_str(),
                  percent(r.validation_accuracy).c_str(), r.test_loss.mean, gain.c_str(), r.epochs.mean,
                  r.seconds_per_epoch.mean);
  }
  return lines;
}

std::string class_table(const Experiment& experiment) {
  const auto& confusion = experiment.runs[experiment.best].confusion;
  std::string lines;
  for (std::size_t c = 0; c < experiment.classes.size(); ++c)
    lines += text("%-14s %6.2f\n", experiment.classes[c].c_str(), 100 * confusion.recall(c));
  return lines;
}

}  // namespace example
