// The command line, by CLI11.
#include "options.hpp"

#include "../common/candidates.hpp"
#include "../common/command_line.hpp"
#include "../common/text.hpp"
#include "models.hpp"

namespace image {

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names{"fashion-mnist", "cifar-10", "mnist"};
  return names;
}

std::optional<Options> parse_options(int argc, const char* const* argv) {
  Options o;
  o.training = {.epochs = 24, .batch = 128, .patience = 10, .learning_rate = 2e-3, .weight_decay = 0.05, .warm_up = 1};
  std::vector<std::string> networks{"aila"}, policies{"linear"};
  std::optional<std::size_t> padding;
  bool flip = true;

  example::CommandLine line(
      "Classifies images by networks that differ in the connection between their layers, and by others.");
  auto& app = line.app;
  app.add_option("--data", o.data, "Folder of the data, in place of AILA_DATA, the cache and /usr/share/datasets");
  app.add_option("--limit", o.limit, "Most images of each part, the first ones; 0: all (0)");
  line.add_threads(o.threads, "Threads of a training");
  std::string device;
  line.add_device(device);
  app.add_option("--report", o.report, "Write all figures to this JSON file");
  app.add_option("--plot", o.plot,
                 "Draw learning curves to this SVG file, confusion and weights beside it; or a folder");
  app.add_option("--predict", o.predict, "Classify this image as well (PPM or PGM, of the size of the data's images)");
  app.add_flag("--summary", o.summary, "Print the layers of each network");
  app.add_flag("--quiet", o.quiet, "No progress");
  line.add_load(o.load, "Use a saved model, without training");

  line.training(app.add_option("--dataset", o.dataset, example::join(dataset_names()) + " (fashion-mnist)"));
  line.training(app.add_option("--network", networks,
                               "Of " + example::join(example::network_names(known_candidates())) + ", or all (aila)")
                    ->delimiter(','));
  auto* policy = line.training(
      app.add_option("--policy", policies,
                     "Of " + example::join(example::policy_names(known_candidates())) + ", or all (linear)")
          ->delimiter(','));
  example::TrainingOptions of_training{o.training, o.label_smoothing};
  of_training.add(line, "Images", "a better validation accuracy");
  line.training(
      app.add_option("--padding", padding, "Black pixels around an image, for random crops (4, of grey images 2)")
          ->check(CLI::Range(std::size_t{0}, std::size_t{28})));
  auto* flips = line.training(
      app.add_flag("--flip,!--no-flip", flip, "Mirror half of the images, at random (unless they are digits)"));
  line.training(app.add_option("--cutout", o.augmentation.cutout, "Side of a blank square, at random; 0: none (0)")
                    ->check(CLI::Range(std::size_t{0}, std::size_t{32})));
  line.training(
      app.add_option("--save", o.save, "Write the best weights to this safetensors file, as soon as they are found"));
  if (!line.parse(argc, argv)) return std::nullopt;

  example::require_one_of("--dataset", o.dataset, dataset_names());
  const auto known = known_candidates(o.dataset);
  o.candidates =
      example::candidates_of(known, example::chosen("--network", networks, example::network_names(known)),
                             example::chosen("--policy", policies, example::policy_names(known)), policy->count() > 0);
  o.seeds = of_training.seed_list();
  o.device = example::device_of(device);
  o.augmentation.padding = padding.value_or(is_grey(o.dataset) ? 2 : 4);
  o.augmentation.flip = flips->count() > 0 ? flip : o.dataset != "mnist";
  return o;
}

}  // namespace image
