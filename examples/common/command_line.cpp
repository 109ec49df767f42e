#include "command_line.hpp"

#include <aila/core/thread_pool.hpp>
#include <algorithm>
#include <cstdio>

#include "device.hpp"
#include "text.hpp"

namespace example {

CommandLine::CommandLine(const char* about) : app(about) {
  app.set_help_flag("--help", "Print this and end");
}

CLI::Option* CommandLine::training(CLI::Option* option) {
  of_training_.push_back(option);
  return option->group("Training");
}

CLI::Option* CommandLine::add_load(std::optional<std::filesystem::path>& file, const char* about) {
  auto* option = app.add_option("--load", file, about);
  load_ = option;
  return option;
}

CLI::Option* CommandLine::add_threads(std::size_t& threads, const char* about) {
  threads = aila::ThreadPool::available();
  return app.add_option("--threads", threads, std::string(about) + "; results do not depend on it (all processors)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{256}));
}

CLI::Option* CommandLine::add_device(std::string& device) {
  device = "cpu";
  return app.add_option("--device", device, "Where networks train and predict: " + join(device_names()) + " (cpu)");
}

bool CommandLine::parse(int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return false;
  } catch (const CLI::ParseError& error) {
    throw aila::Error(error.what());
  }
  if (load_ != nullptr && load_->count() > 0)
    for (const auto* option : of_training_)
      if (option->count() > 0)
        throw aila::Error(option->get_name() + " cannot be given together with --load: a saved model has its own");
  return true;
}

void TrainingOptions::add(CommandLine& line, const std::string& samples, const std::string& better) {
  Training& t = training;
  const CLI::Range rate(0.0, 1e3);
  // Behind every explanation is the value that holds where nothing is given.
  const auto add = [&line](const char* name, auto& value, const std::string& about) {
    std::string otherwise;
    if constexpr (std::is_same_v<std::remove_reference_t<decltype(value)>, std::string>)
      otherwise = value;
    else
      otherwise = text("%g", static_cast<double>(value));
    return line.training(line.app.add_option(name, value, about + " (" + otherwise + ")"));
  };
  add("--seeds", seeds, "Trainings of each network, from seeds that follow one another")->check(at_least_one);
  add("--seed", first_seed, "The first of the seeds");
  add("--epochs", t.epochs, "Most epochs of a training")->check(at_least_one);
  add("--batch", t.batch, samples + " in a training step")->check(at_least_one);
  add("--patience", t.patience, "Epochs without " + better + " that end a training; 0: never");
  add("--lr", t.learning_rate, "Learning rate of AdamW")->check(rate);
  add("--weight-decay", t.weight_decay, "Weight decay of AdamW")->check(rate);
  add("--schedule", t.schedule, join(schedule_names()));
  add("--warm-up", t.warm_up, "Epochs over which the learning rate rises")->check(rate);
  add("--clip", t.clip_norm, "Largest norm of a step's gradient; 0: any")->check(rate);
  add("--smoothing", label_smoothing, "Label smoothing")->check(CLI::Range(0.0, 0.999));
}

std::vector<std::uint64_t> TrainingOptions::seed_list() const {
  require_one_of("--schedule", training.schedule, schedule_names());
  std::vector<std::uint64_t> list;
  list.reserve(seeds);
  for (std::size_t i = 0; i < seeds; ++i) list.push_back(first_seed + i);
  return list;
}

void require_one_of(const char* option, const std::string& value, const std::vector<std::string>& known) {
  if (std::ranges::find(known, value) == known.end())
    throw aila::Error(std::string(option) + ": expected " + join(known) + ", found \"" + value + '"');
}

}  // namespace example
