// forecast: monthly prices, forecast by networks that differ in the connection between their layers alone.
#include <cstdio>

#include "../common/outputs.hpp"
#include "../common/program.hpp"
#include "plots.hpp"
#include "prices.hpp"
#include "report.hpp"
#include "saved.hpp"

namespace forecast {
namespace {

/// What is written at the end.
struct Outputs {
  Outputs(const Options& options, const std::vector<Task>& tasks) {
    example::Places places;
    if (options.load) places.reads("--load", *options.load);
    if (options.data)
      for (const auto& file : price_files(*options.data)) places.reads("--data", file);
    if (options.report) places.writes("--report", *options.report);
    if (options.save) {
      models = model_files(*options.save, tasks);
      for (const auto& file : models) places.writes("--save", file);
      for (const auto& task : tasks) example::require_saveable("the name of an asset", task.asset);
    }
    if (options.plot) {
      plots = example::plot_files(*options.plot, "forecast", {"weights"});
      for (const auto& file : plots) places.writes("--plot", file);
    }
  }

  void write(const Options& options, example::LastSteps& steps, const Experiment& experiment,
             const std::vector<Result>& results) const {
    SavedModels saved = models;
    for (std::size_t task = 0; task < models.size(); ++task)
      if (steps.take([&] { save_best(options, experiment, task, models[task]); }))
        steps.wrote("model:  ", models[task]);
      else
        saved[task].clear();
    if (!plots.empty()) {
      steps.write("plot:   ", plots[0], [&] { return draw_forecasts(experiment); });
      steps.write("plot:   ", plots[1], [&] { return draw_weights(experiment, results); });
    }
    if (options.report)
      steps.write("report: ", *options.report, [&] { return report(options, experiment, results, saved); });
  }

  SavedModels models;
  std::vector<std::filesystem::path> plots;  ///< forecasts, weights
};

void print(const Options& options, const Experiment& experiment, const std::vector<Result>& results) {
  std::printf("\n%s\n", table(experiment, results).c_str());
  std::puts("Mean over seeds (standard deviation); mse_z: squared z-scored log units; mse_price: squared price units;");
  std::puts("skill: 1 - mse_z / mse_z of the first forecast below the networks, for which nothing is learnt;");
  std::puts("mase: 1 is the mean error of persistence in the training part.");
  std::printf("%s\n%s\n\n", why_two_targets, why_ends_of_months);
  for (std::size_t i = 0; i < experiment.tasks.size(); ++i) {
    const Task& task = experiment.tasks[i];
    const Run& run = experiment.runs[experiment.best[i].run];
    std::printf(
        "%s, target %s: lowest validation loss by %s, seed %llu; its forecast for %zu month%s after %s (%s): %.6g\n",
        task.asset.c_str(), target_name(task.target).c_str(), run.policy.c_str(),
        static_cast<unsigned long long>(run.seed), options.horizon, options.horizon == 1 ? "" : "s",
        task.last_date.c_str(), task.month_price == MonthPrice::end ? "end of the month" : "mean of the month",
        next_price(experiment, i));
  }
}

int run(int argc, const char* const* argv) {
  auto options = parse_options(argc, argv);
  if (!options) return 0;
  std::unique_ptr<Experiment> experiment;
  if (options->load) {
    experiment = load_model(*options->load, *options);
  } else {
    experiment = std::make_unique<Experiment>();
    experiment->tasks = make_tasks(*options);
  }
  const Outputs outputs(*options, experiment->tasks);
  if (!options->load) {
    example::catch_interrupts();
    experiment = train(*options, std::move(experiment->tasks), example::interrupted);
    if (experiment == nullptr) {
      std::fputs("forecast: cancelled; nothing was written\n", stderr);
      return example::interrupted_code;
    }
  }
  const auto results = results_of(*experiment);
  example::LastSteps steps("forecast");
  outputs.write(*options, steps, *experiment, results);
  print(*options, *experiment, results);
  std::fputs(steps.written().c_str(), stdout);
  return steps.code();
}

}  // namespace
}  // namespace forecast

int main(int argc, char** argv) {
  return example::run_program("forecast", argc, argv, forecast::run);
}
