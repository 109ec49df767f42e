// Charts and heat maps, put side by side in one document.
#include "plots.hpp"

#include <aila/io/plot.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace forecast {
namespace {

/// The first number behind `name='` in an SVG document.
double attribute(const std::string& svg, const std::string& name) {
  const char* begin = svg.data() + svg.find(" " + name + "='") + name.size() + 3;
  double value = 0;
  std::from_chars(begin, svg.data() + svg.size(), value);
  return value;
}

/// SVG documents as panels of one, row by row.
std::string panels(const std::vector<std::string>& documents, std::size_t columns) {
  std::string body;
  double width = 0, height = 0;
  for (std::size_t first = 0; first < documents.size(); first += columns) {
    double x = 0, row = 0;
    for (std::size_t i = first; i < std::min(first + columns, documents.size()); ++i) {
      const auto& panel = documents[i];
      const std::string place = "<svg x='" + std::to_string(std::lround(x)) + "' y='" +
                                std::to_string(std::lround(height)) + "'" + panel.substr(panel.find("<svg") + 4);
      body += place;
      x += attribute(panel, "width");
      row = std::max(row, attribute(panel, "height"));
    }
    width = std::max(width, x);
    height += row;
  }
  const std::string w = std::to_string(std::lround(width)), h = std::to_string(std::lround(height));
  return "<svg xmlns='http://www.w3.org/2000/svg' width='" + w + "' height='" + h + "' viewBox='0 0 " + w + " " + h +
         "'>\n<rect width='" + w + "' height='" + h + "' fill='#ffffff'/>\n" + body + "</svg>\n";
}

std::string title(const Task& task) {
  return task.asset + ", target " + target_name(task.target);
}

std::vector<double> prices(std::vector<double> logs) {
  std::ranges::transform(logs, logs.begin(), [](double l) { return std::exp(l); });
  return logs;
}

}  // namespace

Plots plot_files(const std::filesystem::path& plot) {
  std::error_code code;
  if (std::filesystem::is_directory(plot, code)) return {plot / "forecast.svg", plot / "forecast-weights.svg"};
  if (plot.extension() != ".svg")
    throw aila::Error("--plot: expected a file name that ends in .svg or a folder, found \"" + plot.string() + '"');
  auto weights = plot;
  weights.replace_filename(plot.stem().string() + "-weights.svg");
  return {plot, weights};
}

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
                  {.name = "persistence", .values = prices(test.last_logs)}},
        .height = 400};
    charts.push_back(aila::io::svg(chart));
  }
  return panels(charts, 1);
}

std::string draw_weights(const Experiment& experiment, const std::vector<Result>& results) {
  std::vector<std::string> maps;
  for (const auto& result : results) {
    if (result.mixture.layers.empty()) continue;
    const aila::io::HeatMap map{.title = title(experiment.tasks[result.task]) + ", " + result.policy,
                                .row_title = "weight in",
                                .column_title = "of",
                                .row_labels = result.mixture.layers,
                                .column_labels = result.mixture.items,
                                .values = result.mixture.weights,
                                .low = 0,
                                .high = 1};
    maps.push_back(aila::io::svg(map));
  }
  return maps.empty() ? std::string() : panels(maps, 2);
}

}  // namespace forecast
