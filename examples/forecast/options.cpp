// The command line, by CLI11.
#include "options.hpp"

#include <CLI/CLI.hpp>
#include <aila/core/thread_pool.hpp>
#include <algorithm>
#include <cstdio>

#include "../common/text.hpp"
#include "forecaster.hpp"

namespace forecast {
namespace {

using example::chosen;
using example::join;

void require_window(std::size_t window) {
  if (std::ranges::find(windows, window) != windows.end()) return;
  std::string known;
  for (const auto w : windows) known += (known.empty() ? "" : " or ") + std::to_string(w);
  throw aila::Error("--window: this program was compiled for windows of " + known + " months, found " +
                    std::to_string(window));
}

}  // namespace

std::string target_name(aila::data::Target target) {
  return target == aila::data::Target::level ? "level" : "return";
}

aila::data::Target target_of(const std::string& name) {
  if (name == "return") return aila::data::Target::change;
  if (name == "level") return aila::data::Target::level;
  throw aila::Error("--target: expected return, level or both, found \"" + name + '"');
}

std::size_t batch_of(const Options& options, aila::data::Target target) {
  return options.batch.value_or(target == aila::data::Target::level ? 64 : 16);
}

std::size_t warm_up_of(const Options& options, aila::data::Target target) {
  return options.warm_up.value_or(target == aila::data::Target::level ? 10 : 0);
}

std::size_t patience_of(const Options& options, aila::data::Target target) {
  return options.patience.value_or(target == aila::data::Target::level ? 60 : 30);
}

std::optional<Options> parse_options(int argc, const char* const* argv) {
  Options o;
  o.threads = aila::ThreadPool::available();
  std::vector<std::string> assets{"gold"}, policies{"all"};
  std::string target = "return";
  const CLI::Range some(std::size_t{1}, std::size_t{1'000'000});

  CLI::App app("Forecasts monthly prices by networks that differ in the connection between their layers alone.");
  app.set_help_flag("--help", "Print this and end");
  std::vector<CLI::Option*> of_training;  // what a saved model has answered already
  of_training.push_back(
      app.add_option("--assets", assets, "Which prices, separated by commas, or all (gold)")->delimiter(','));
  of_training.push_back(
      app.add_option("--policies", policies, "Of " + join(policy_names()) + ", or all (all)")->delimiter(','));
  of_training.push_back(app.add_option("--target", target, "What is predicted: return, level or both (return)"));
  of_training.push_back(app.add_option("--window", o.window, "Months that a network sees: 12 or 24 (12)"));
  of_training.push_back(app.add_option("--horizon", o.horizon, "Months ahead that it predicts (1)")->check(some));
  of_training.push_back(
      app.add_option("--seeds", o.seeds, "Trainings of each network, from seeds 1, 2, ... (5)")->check(some));
  of_training.push_back(app.add_option("--epochs", o.epochs, "Most epochs of a training (300)")->check(some));
  of_training.push_back(
      app.add_option("--batch", o.batch, "Windows in a training step (16 for returns, 64 for levels)")->check(some));
  of_training.push_back(app.add_option("--warm-up", o.warm_up,
                                       "Epochs over which the learning rate rises (0 for returns, 10 for levels)"));
  of_training.push_back(
      app.add_option("--patience", o.patience,
                     "Epochs without improvement that end a training; 0: never (30 for returns, 60 for levels)"));
  app.add_option("--threads", o.threads, "Trainings at a time; results do not depend on it (all processors)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{256}));
  app.add_option("--data", o.data, "Folder with prices/monthly.csv, in place of the gold prices in the program");
  app.add_option("--report", o.report, "Write all figures to this JSON file");
  app.add_option("--plot", o.plot, "Draw forecasts to this SVG file, and weights beside it; or into this folder");
  auto* save = app.add_option("--save", o.save, "Write the best model to this safetensors file");
  auto* load = app.add_option("--load", o.load, "Forecast with a saved model, without training");
  app.add_flag("--quiet", o.quiet, "No progress");
  of_training.push_back(save);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw aila::Error(error.what());
  }
  if (load->count() > 0)
    for (const auto* option : of_training)
      if (option->count() > 0)
        throw aila::Error(option->get_name() + " cannot be given together with --load: a saved model has its own");

  o.assets = chosen("--assets", assets, {});
  if (o.assets == std::vector<std::string>{"all"}) o.assets.clear();
  o.policies = chosen("--policies", policies, policy_names());
  if (target == "both")
    o.targets = {aila::data::Target::change, aila::data::Target::level};
  else
    o.targets = {target_of(target)};
  require_window(o.window);
  return o;
}

}  // namespace forecast
