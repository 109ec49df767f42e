// What the user asks for on the command line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../common/device.hpp"
#include "prices.hpp"

namespace forecast {

struct Options {
  std::optional<std::filesystem::path> report, plot, save, load, data;
  std::vector<std::string> assets;    ///< empty: all that the data have
  std::vector<std::string> policies;  ///< in the order given, and behind them published networks
  std::vector<aila::data::Target> targets;
  std::optional<MonthPrice> prices;  ///< not given: ends of months where days are known, else means
  std::size_t window = 12;
  std::size_t horizon = 1;
  std::size_t seeds = 5;
  std::size_t epochs = 300;
  std::optional<std::size_t> batch;     ///< not given: batch_of chooses
  std::optional<std::size_t> warm_up;   ///< not given: warm_up_of chooses
  std::optional<std::size_t> patience;  ///< not given: patience_of chooses
  std::size_t threads = 1;
  example::Device device = example::Device::cpu;
  bool quiet = false;
};

/// "return" or "level".
std::string target_name(aila::data::Target target);
/// The target of that name; throws aila::Error for any other.
aila::data::Target target_of(const std::string& name);

/// "end" or "mean", and what is meant by it; throws aila::Error for any other.
std::string month_price_name(MonthPrice price);
MonthPrice month_price_of(const std::string& name);

/// Windows in a training step: as given, else 16 for returns and 64 for levels. Returns are mostly noise, and
/// validation is often best after an epoch or two: small steps get more done by then. Levels train for tens of epochs,
/// and large batches keep the validation loss of the last ones calm.
std::size_t batch_of(const Options& options, aila::data::Target target);
/// Epochs over which the learning rate rises: as given, else none for returns and 10 for levels, about 100 steps:
/// without, the large first steps of Adam take some seeds by chance near a validation loss that takes long to beat.
std::size_t warm_up_of(const Options& options, aila::data::Target target);
/// Epochs without improvement that end a training: as given, else 30 for returns and 60 for levels, whose validation
/// loss falls slowly and not steadily.
std::size_t patience_of(const Options& options, aila::data::Target target);

/// Reads the command line. Empty where only help was asked for, which is then printed.
/// Throws aila::Error, one sentence, for whatever is not understood.
std::optional<Options> parse_options(int argc, const char* const* argv);

}  // namespace forecast
