// Charts and heat maps.
#include "plots.hpp"

#include <aila/io/plot.hpp>
#include <algorithm>
#include <limits>

#include "program.hpp"
#include "text.hpp"

namespace example {
namespace {

/// The mean over seeds of one number of each epoch.
template <class Get>
aila::io::Line line(const Experiment& experiment, const Result& result, std::size_t epochs, Get get) {
  aila::io::Line line{.name = result.candidate.name(), .values = {}};
  for (std::size_t e = 0; e < epochs; ++e) {
    double sum = 0, count = 0;
    for (const auto r : result.runs) {
      const auto& run = experiment.runs[r];
      if (e >= run.epochs.size()) continue;
      sum += get(run.epochs[e]);
      count += 1;
    }
    line.values.push_back(count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN());
  }
  return line;
}

template <class Get>
std::string chart(const Experiment& experiment, const std::vector<Result>& results, const std::string& label, Get get) {
  std::size_t epochs = 0;
  for (const auto& run : experiment.runs) epochs = std::max(epochs, run.epochs.size());
  aila::io::LineChart chart{.title = label, .x_label = "epoch", .height = 320};
  for (std::size_t e = 1; e <= epochs; ++e) chart.dates.push_back(std::to_string(e));
  for (const auto& result : results) chart.lines.push_back(line(experiment, result, epochs, get));
  return aila::io::svg(chart);
}

}  // namespace

std::string draw_curves(const Experiment& experiment, const std::vector<Result>& results) {
  if (experiment.runs[0].epochs.empty()) return "";
  return aila::io::panels(
      {chart(experiment, results, "Validation accuracy (%)",
             [](const Epoch& e) { return 100 * e.validation.accuracy; }),
       chart(experiment, results, "Training loss", [](const Epoch& e) { return e.training_loss; }),
       chart(experiment, results, "Validation loss", [](const Epoch& e) { return e.validation.loss; })},
      1);
}

std::string draw_confusion(const Experiment& experiment) {
  const Run& best = experiment.runs[experiment.best];
  const auto title = best.candidate.name() + ", test accuracy " + text("%.2f", 100 * best.test.accuracy) + " %";
  return aila::io::svg(aila::io::confusion_map(title, best.confusion, experiment.classes));
}

std::string draw_weights(const std::vector<Result>& results) {
  std::vector<std::string> maps;
  for (const auto& result : results)
    if (!result.mixture.empty())
      maps.push_back(aila::io::svg(aila::io::mixture_map(result.candidate.name(), result.mixture)));
  return maps.empty() ? std::string() : aila::io::panels(maps, 2);
}

Pictures::Pictures(const std::filesystem::path& plot, const std::string& name, Places& places)
    : files_(plot_files(plot, name, {"confusion", "weights"})) {
  for (const auto& file : files_) places.writes("--plot", file);
}

void Pictures::write(LastSteps& steps, const Experiment& experiment, const std::vector<Result>& results) const {
  const std::function<std::string()> drawn[] = {[&] { return draw_curves(experiment, results); },
                                                [&] { return draw_confusion(experiment); },
                                                [&] { return draw_weights(results); }};
  for (std::size_t i = 0; i < files_.size(); ++i) steps.write("plot:   ", files_[i], drawn[i]);
}

}  // namespace example
