// The command line, by CLI11.
#include "options.hpp"

#include <CLI/CLI.hpp>
#include <aila/core/thread_pool.hpp>
#include <algorithm>
#include <cstdio>

#include "../common/candidates.hpp"
#include "../common/text.hpp"
#include "models.hpp"

namespace image {

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names{"fashion-mnist", "cifar-10", "mnist"};
  return names;
}

std::optional<Options> parse_options(int argc, const char* const* argv) {
  Options o;
  o.threads = aila::ThreadPool::available();
  auto& t = o.training;
  t = {.epochs = 24, .batch = 128, .patience = 10, .learning_rate = 2e-3, .weight_decay = 0.05, .warm_up = 1};
  std::vector<std::string> networks{"aila"}, policies{"linear"};
  std::size_t seeds = 1;
  std::uint64_t first_seed = 1;
  std::optional<std::size_t> padding;
  std::optional<bool> flip;
  const CLI::Range some(std::size_t{1}, std::size_t{1'000'000});
  const CLI::Range rate(0.0, 1e3);

  CLI::App app("Classifies images by networks that differ in the connection between their layers, and by others.");
  app.set_help_flag("--help", "Print this and end");
  app.add_option("--data", o.data, "Folder of the data, in place of AILA_DATA, the cache and /usr/share/datasets");
  app.add_option("--limit", o.limit, "Most images of each part, the first ones; 0: all (0)");
  app.add_option("--threads", o.threads, "Threads of a training; results do not depend on it (all processors)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{256}));
  app.add_option("--report", o.report, "Write all figures to this JSON file");
  app.add_option("--plot", o.plot,
                 "Draw learning curves to this SVG file, confusion and weights beside it; or a folder");
  app.add_option("--predict", o.predict, "Classify this image as well (PPM or PGM, of the size of the data's images)");
  app.add_flag("--summary", o.summary, "Print the layers of each network");
  app.add_flag("--quiet", o.quiet, "No progress");
  auto* load = app.add_option("--load", o.load, "Use a saved model, without training");

  std::vector<CLI::Option*> of_training;  // what a saved model has answered already
  const auto training = [&](CLI::Option* option) {
    option->group("Training");
    of_training.push_back(option);
    return option;
  };
  training(app.add_option("--dataset", o.dataset, example::join(dataset_names()) + " (fashion-mnist)"));
  training(app.add_option("--network", networks,
                          "Of " + example::join(example::network_names(known_candidates())) + ", or all (aila)"))
      ->delimiter(',');
  auto* policy =
      training(app.add_option("--policy", policies,
                              "Of " + example::join(example::policy_names(known_candidates())) + ", or all (linear)"))
          ->delimiter(',');
  training(app.add_option("--seeds", seeds, "Trainings of each network, from seeds that follow one another (1)"))
      ->check(some);
  training(app.add_option("--seed", first_seed, "The first of the seeds (1)"));
  training(app.add_option("--epochs", t.epochs, "Most epochs of a training (24)"))->check(some);
  training(app.add_option("--batch", t.batch, "Images in a training step (128)"))->check(some);
  training(app.add_option("--patience", t.patience,
                          "Epochs without a better validation accuracy that end a training; 0: never (10)"));
  training(app.add_option("--lr", t.learning_rate, "Learning rate of AdamW (0.002)"))->check(rate);
  training(app.add_option("--weight-decay", t.weight_decay, "Weight decay of AdamW (0.05)"))->check(rate);
  training(app.add_option("--schedule", t.schedule, example::join(example::schedule_names()) + " (cosine)"));
  training(app.add_option("--warm-up", t.warm_up, "Epochs over which the learning rate rises (1)"))->check(rate);
  training(app.add_option("--clip", t.clip_norm, "Largest norm of a step's gradient; 0: any (0)"))->check(rate);
  training(app.add_option("--smoothing", o.label_smoothing, "Label smoothing (0)"))->check(CLI::Range(0.0, 0.999));
  training(app.add_option("--padding", padding, "Black pixels around an image, for random crops (4, of grey images 2)"))
      ->check(CLI::Range(std::size_t{0}, std::size_t{28}));
  training(app.add_flag("--flip,!--no-flip", flip, "Mirror half of the images, at random (unless they are digits)"));
  training(app.add_option("--cutout", o.augmentation.cutout, "Side of a blank square, at random; 0: none (0)"))
      ->check(CLI::Range(std::size_t{0}, std::size_t{32}));
  training(
      app.add_option("--save", o.save, "Write the best weights to this safetensors file, as soon as they are found"));

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

  const auto one_of = [](const char* option, const std::string& value, const std::vector<std::string>& known) {
    if (std::ranges::find(known, value) == known.end())
      throw aila::Error(std::string(option) + ": expected " + example::join(known) + ", found \"" + value + '"');
  };
  one_of("--dataset", o.dataset, dataset_names());
  one_of("--schedule", t.schedule, example::schedule_names());
  const auto known = known_candidates(o.dataset);
  o.candidates =
      example::candidates_of(known, example::chosen("--network", networks, example::network_names(known)),
                             example::chosen("--policy", policies, example::policy_names(known)), policy->count() > 0);
  for (std::size_t i = 0; i < seeds; ++i) o.seeds.push_back(first_seed + i);
  o.augmentation.padding = padding.value_or(is_grey(o.dataset) ? 2 : 4);
  o.augmentation.flip = flip.value_or(o.dataset != "mnist");
  return o;
}

}  // namespace image
