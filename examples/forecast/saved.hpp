// Models in files: the best one of each task saved and read again, and forecasts of a model saved earlier.
#pragma once

#include <filesystem>
#include <memory>

#include "report.hpp"

namespace forecast {

/// The file of each task: `save` itself where there is one task, else its name with asset and target behind it.
SavedModels model_files(const std::filesystem::path& save, const std::vector<Task>& tasks);

/// Saves a task's best model, reads it into a fresh one and compares the forecasts. Throws aila::Error where the file
/// cannot be written, or where the forecasts are not the same bits.
void save_best(const Options& options, const Experiment& experiment, std::size_t task,
               const std::filesystem::path& file);

/// The experiment of a saved model on its own asset, with nothing trained. `options` receives window, horizon, target,
/// prices, policy and asset as the file tells them. Throws aila::Error for a file that is none of this program's, and
/// where the prices are scaled otherwise than those that the model was trained on.
std::unique_ptr<Experiment> load_model(const std::filesystem::path& path, Options& options);

/// The price that a task's best model forecasts `horizon` months after the last month of the data.
double next_price(const Experiment& experiment, std::size_t task_index);

}  // namespace forecast
