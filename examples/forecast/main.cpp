// forecast: monthly prices, forecast by networks that differ in the connection between their layers alone.
#include <aila/io/atomic_file.hpp>
#include <cstdio>

#include "../common/program.hpp"
#include "plots.hpp"
#include "report.hpp"
#include "saved.hpp"

namespace forecast {
namespace {

using example::plot_files;
using example::try_place;

/// What is written at the end. Every place is tried before the training that it is to hold the fruits of.
struct Outputs {
  Outputs(const Options& options, const std::vector<Task>& tasks) {
    if (options.report) try_place("--report", *options.report);
    if (options.save) {
      models = model_files(*options.save, tasks);
      for (const auto& file : models) try_place("--save", file);
    }
    if (options.plot) {
      plots = plot_files(*options.plot, "forecast", {"weights"});
      for (const auto& file : plots) try_place("--plot", file);
    }
  }

  void write(const Options& options, const Experiment& experiment, const std::vector<Result>& results) {
    save_best(options, experiment, models);
    if (!plots.empty()) {
      aila::io::write_text(plots[0], draw_forecasts(experiment));
      const auto weights = draw_weights(experiment, results);
      if (weights.empty())
        plots.pop_back();  // no policy has any
      else
        aila::io::write_text(plots[1], weights);
    }
    if (options.report) aila::io::write_text(*options.report, report(options, experiment, results, models));
  }

  void print(const Options& options) const {
    if (options.report) std::printf("report: %s\n", options.report->c_str());
    for (const auto& file : plots) std::printf("plot:   %s\n", file.c_str());
    for (const auto& file : models) std::printf("model:  %s\n", file.c_str());
  }

  SavedModels models;
  std::vector<std::filesystem::path> plots;  ///< forecasts, weights
};

void print(const Options& options, const Experiment& experiment, const std::vector<Result>& results) {
  std::printf("\n%s\n", table(experiment, results).c_str());
  std::puts("Mean over seeds (standard deviation); mse_z: squared z-scored log units; mse_price: squared price units;");
  std::puts("skill: 1 - mse_z / mse_z of persistence; mase: 1 is the mean error of persistence in the training part.");
  std::printf("%s\n\n", why_two_targets);
  for (std::size_t i = 0; i < experiment.tasks.size(); ++i) {
    const Task& task = experiment.tasks[i];
    const Run& run = experiment.runs[experiment.best[i].run];
    std::printf("%s, target %s: lowest validation loss by %s, seed %llu; its forecast for %zu month%s after %s: %.6g\n",
                task.asset.c_str(), target_name(task.target).c_str(), run.policy.c_str(),
                static_cast<unsigned long long>(run.seed), options.horizon, options.horizon == 1 ? "" : "s",
                task.last_date.c_str(), next_price(experiment, i));
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
  Outputs outputs(*options, experiment->tasks);
  if (!options->load) {
    example::catch_interrupts();
    experiment = train(*options, std::move(experiment->tasks), example::interrupted);
    if (experiment == nullptr) {
      std::fputs("forecast: cancelled; nothing was written\n", stderr);
      return example::interrupted_code;
    }
  }
  const auto results = results_of(*experiment);
  outputs.write(*options, *experiment, results);
  print(*options, *experiment, results);
  outputs.print(*options);
  return 0;
}

}  // namespace
}  // namespace forecast

int main(int argc, char** argv) {
  return example::run_program("forecast", argc, argv, forecast::run);
}
