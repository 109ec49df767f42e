// The command line, by CLI11.
#include "options.hpp"

#include <algorithm>

#include "../common/command_line.hpp"
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

std::string month_price_name(MonthPrice price) {
  return price == MonthPrice::end ? "end" : "mean";
}

MonthPrice month_price_of(const std::string& name) {
  example::require_one_of("--prices", name, {"end", "mean"});
  return name == "end" ? MonthPrice::end : MonthPrice::mean;
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
  std::vector<std::string> assets{"gold"}, policies{"all"}, networks;
  std::string target = "return", prices, device;
  const auto& some = example::at_least_one;

  example::CommandLine line(
      "Forecasts monthly prices by networks that differ in the connection between their layers alone.");
  auto& app = line.app;
  line.training(app.add_option("--assets", assets, "Which prices, separated by commas, or all (gold)")->delimiter(','));
  line.training(
      app.add_option("--policies", policies, "Of " + join(policy_names()) + ", or all (all)")->delimiter(','));
  line.training(app.add_option("--networks", networks,
                               "Published networks beside them: of " + join(network_names()) + ", or all (none)")
                    ->delimiter(','));
  line.training(app.add_option("--target", target, "What is predicted: return, level or both (return)"));
  line.training(app.add_option("--prices", prices,
                               "What stands for a month: end, its last day, or mean (end where days are known)"));
  line.training(app.add_option("--window", o.window, "Months that a network sees: 12 or 24 (12)"));
  line.training(app.add_option("--horizon", o.horizon, "Months ahead that it predicts (1)")->check(some));
  line.training(app.add_option("--seeds", o.seeds, "Trainings of each network, from seeds 1, 2, ... (5)")->check(some));
  line.training(app.add_option("--epochs", o.epochs, "Most epochs of a training (300)")->check(some));
  line.training(
      app.add_option("--batch", o.batch, "Windows in a training step (16 for returns, 64 for levels)")->check(some));
  line.training(app.add_option("--warm-up", o.warm_up,
                               "Epochs over which the learning rate rises (0 for returns, 10 for levels)"));
  line.training(
      app.add_option("--patience", o.patience,
                     "Epochs without improvement that end a training; 0: never (30 for returns, 60 for levels)"));
  line.add_threads(o.threads, "Trainings at a time");
  line.add_device(device);
  app.add_option("--data", o.data,
                 "Folder with prices/daily/*.csv or prices/monthly.csv, in place of the gold in the program");
  app.add_option("--report", o.report, "Write all figures to this JSON file");
  app.add_option("--plot", o.plot, "Draw forecasts to this SVG file, and weights beside it; or into this folder");
  line.training(app.add_option("--save", o.save, "Write the best model to this safetensors file"));
  line.add_load(o.load, "Forecast with a saved model, without training");
  app.add_flag("--quiet", o.quiet, "No progress");
  if (!line.parse(argc, argv)) return std::nullopt;

  o.assets = chosen("--assets", assets, {});
  if (o.assets == std::vector<std::string>{"all"}) o.assets.clear();
  o.policies = chosen("--policies", policies, policy_names());
  if (!networks.empty())
    for (auto& name : chosen("--networks", networks, network_names())) o.policies.push_back(std::move(name));
  if (target == "both")
    o.targets = {aila::data::Target::change, aila::data::Target::level};
  else
    o.targets = {target_of(target)};
  if (!prices.empty()) o.prices = month_price_of(prices);
  require_window(o.window);
  o.device = example::device_of(device);
  return o;
}

}  // namespace forecast
