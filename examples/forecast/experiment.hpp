// The experiment: every asset and target, every policy, every seed; trained, and measured on the test part.
#pragma once

#include <aila/data/scores.hpp>
#include <memory>
#include <string>
#include <vector>

#include "forecaster.hpp"
#include "naive.hpp"
#include "options.hpp"

namespace forecast {

/// One asset seen as one target.
struct Task {
  std::string asset;
  aila::data::Target target;
  aila::data::WindowedSeries series;
  std::vector<double> last_logs;  ///< log prices of the last window, behind which the data end
  std::string last_date;
  MonthPrice month_price = MonthPrice::end;
  std::vector<std::string> dates{};  ///< of all months
  std::vector<Naive> naive{};        ///< skill is measured against the first
};

/// One network trained from one seed on one task.
struct Run {
  std::size_t task = 0;
  std::string policy;
  std::uint64_t seed = 0;
  std::size_t parameters = 0;
  std::size_t epochs = 0;
  std::size_t best_epoch = 0;
  double first_validation_loss = 0;  ///< after the first epoch
  double validation_loss = 0;        ///< of the best epoch, whose weights are kept
  double first_training_loss = 0;    ///< of the first epoch, as the weights changed
  double last_training_loss = 0;     ///< of the last epoch, as the weights changed
  double training_loss = 0;          ///< of the weights that are kept
  double seconds_per_epoch = 0;
  aila::data::ForecastScores scores;  ///< on the test part
  std::vector<double> test_logs;      ///< log prices forecast for the test part
  example::Mixture mixture;           ///< mean over the test part
};

/// The model of lowest validation loss of a task, and the run that it is of.
struct Best {
  std::size_t run = 0;
  std::shared_ptr<Forecaster> model;
};

struct Experiment {
  std::vector<Task> tasks;
  std::vector<Run> runs;
  std::vector<Best> best;  ///< one a task
  double seconds = 0;
};

/// The tasks of the options, assets first. Throws aila::Error as read_assets and WindowedSeries.
std::vector<Task> make_tasks(const Options& options);

/// Trains everything, `options.threads` trainings at a time; each by itself, so that results do not depend on that
/// number. Empty where `cancel` became true. Throws aila::Error where a training diverges.
std::unique_ptr<Experiment> train(const Options& options, std::vector<Task> tasks, const std::atomic<bool>& cancel);

/// Log prices that a naive forecast gives for the windows of a part.
std::vector<double> logs_of(const Task& task, const Naive& naive, const aila::data::WindowedPart& part);

/// The scores of log prices forecast for the test part, skill against the first naive forecast.
aila::data::ForecastScores scores_of(const Task& task, const std::vector<double>& logs);

/// Fills what a trained model says about the task: scores, forecasts, mixture, losses of the weights it has.
void measure(const Task& task, const Forecaster& model, Run& run);

/// Mean squared error of log-price forecasts in the units of the task's targets: what a network's loss is.
double loss_of(const Task& task, const aila::data::WindowedPart& part, const std::vector<double>& logs);

}  // namespace forecast
