// Charts and heat maps, put side by side in one document.
#include "plots.hpp"

#include <aila/io/plot.hpp>
#include <algorithm>
#include <cmath>

namespace forecast {
namespace {

std::string title(const Task& task) {
  return task.asset + (task.month_price == MonthPrice::end ? ", ends" : ", means") + " of months, target " +
         target_name(task.target);
}

std::vector<double> prices(std::vector<double> logs) {
  std::ranges::transform(logs, logs.begin(), [](double l) { return std::exp(l); });
  return logs;
}

}  // namespace

std::string draw_forecasts(const Experiment& experiment) {
  std::vector<std::string> charts;
  for (std::size_t i = 0; i < experiment.tasks.size(); ++i) {
    const Task& task = experiment.tasks[i];
    const auto& test = task.series.test;
    const Run& run = experiment.runs[experiment.best[i].run];
    const aila::io::LineChart chart{
        .title = title(task),
        .y_label = "price",
        .dates = test.dates,
        .lines = {{.name = "truth", .values = test.prices},
                  {.name = run.policy + ", seed " + std::to_string(run.seed), .values = prices(run.test_logs)},
                  {.name = task.naive[0].name, .values = prices(logs_of(task, task.naive[0], test))}},
        .height = 400};
    charts.push_back(aila::io::svg(chart));
  }
  return aila::io::panels(charts, 1);
}

std::string draw_weights(const Experiment& experiment, const std::vector<Result>& results) {
  std::vector<std::string> maps;
  for (const auto& result : results) {
    if (result.mixture.empty()) continue;
    maps.push_back(aila::io::svg(
        aila::io::mixture_map(title(experiment.tasks[result.task]) + ", " + result.policy, result.mixture)));
  }
  return maps.empty() ? std::string() : aila::io::panels(maps, 2);
}

}  // namespace forecast
