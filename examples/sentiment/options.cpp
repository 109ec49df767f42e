// The command line, by CLI11.
#include "options.hpp"

#include <algorithm>

#include "../common/candidates.hpp"
#include "../common/command_line.hpp"
#include "../common/text.hpp"
#include "models.hpp"

namespace sentiment {
namespace {

/// The names of networks, each with each of the read-outs where it has them to choose.
std::vector<std::string> networks_of(const std::vector<std::string>& families, const std::vector<std::string>& readouts,
                                     bool readouts_given) {
  const auto known = example::network_names(known_candidates());
  std::vector<std::string> networks;
  bool used = false;
  for (const auto& family : families) {
    if (std::ranges::find(known, family) != known.end()) {
      networks.push_back(family);
      continue;
    }
    used = true;
    for (const auto& readout : readouts) networks.push_back(with_readout(family, readout));
  }
  if (readouts_given && !used)
    throw aila::Error("--readout: " + example::join(families) + " has no read-out to choose");
  return networks;
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv) {
  Options o;
  o.training = {.epochs = 8,
                .batch = 64,
                .patience = 4,
                .learning_rate = 1e-3,
                .weight_decay = 1e-2,
                .clip_norm = 1,
                .best_by_loss = true};
  std::vector<std::string> families{"aila"}, readouts{"attention"}, policies{"attention"};
  std::string keep = "first";

  example::CommandLine line(
      "Tells good reviews from bad ones by networks that differ in the connection between their layers, and by "
      "others; and says which words and layers mattered.");
  auto& app = line.app;
  app.add_option("--data", o.reviews.data, "Folder that holds aclImdb and glove, in place of AILA_DATA and the cache");
  auto* limit =
      app.add_option("--limit", o.reviews.limit, "Most texts of each part, as many of each class; 0: all (0)");
  line.add_threads(o.threads, "Threads of a training");
  std::string device;
  line.add_device(device);
  auto* report = app.add_option("--report", o.report, "Write all figures to this JSON file");
  auto* plot = app.add_option("--plot", o.plot,
                              "Draw learning curves to this SVG file, confusion, weights and reviews beside it; or a "
                              "folder");
  app.add_option("--review", o.texts, "Classify this text, and say why; may be given again")->allow_extra_args(false);
  app.add_flag("--summary", o.summary, "Print the layers of each network");
  app.add_flag("--quiet", o.quiet, "No progress");
  auto* load =
      line.add_load(o.load, "Use a saved model, without training; without --review and --test it asks for reviews");
  auto* test = app.add_flag("--test", o.test, "With --load: measure the saved model on the test part");

  line.training(
      app.add_option("--vectors", o.reviews.vectors,
                     "File of word vectors with 100 numbers each (glove.6B.100d.txt, else imdb-skipgram.100d.txt, "
                     "of the data set glove)"));
  line.training(app.add_option("--tokens", o.reviews.reading.tokens, "Words and signs that are read of a review (200)")
                    ->check(CLI::Range(std::size_t{1}, most_tokens)));
  line.training(app.add_option("--keep", keep, "Which of a longer review: first, last (first)"));
  line.training(
      app.add_option("--network", families, "Of " + example::join(family_names()) + ", or all (aila)")->delimiter(','));
  auto* readout = line.training(
      app.add_option("--readout", readouts, "Of aila: " + example::join(readout_names()) + ", or all (attention)")
          ->delimiter(','));
  auto* policy = line.training(
      app.add_option("--policy", policies,
                     "Of aila: " + example::join(example::policy_names(known_candidates())) + ", or all (attention)")
          ->delimiter(','));
  example::TrainingOptions of_training{o.training, o.label_smoothing};
  of_training.add(line, "Reviews", "a lower validation loss");
  line.training(app.add_option("--save", o.save,
                               "Write the best weights to this safetensors file as soon as they are found, and its "
                               "words to another beside it"));
  if (!line.parse(argc, argv)) return std::nullopt;

  if (load->count() > 0) {
    if (!o.test && (report->count() > 0 || limit->count() > 0))
      throw aila::Error((report->count() > 0 ? report : limit)->get_name() + " needs --test where --load is given");
    if (!o.test && o.texts.empty() && plot->count() > 0)
      throw aila::Error("--plot needs --test or --review where --load is given");
  } else if (test->count() > 0) {
    throw aila::Error("--test needs --load: a training is always measured on the test part");
  }
  o.seeds = of_training.seed_list();
  o.device = example::device_of(device);
  example::require_one_of("--keep", keep, {"first", "last"});
  o.reviews.reading.keep = keep == "first" ? aila::data::Keep::first : aila::data::Keep::last;
  const auto networks = networks_of(example::chosen("--network", families, family_names()),
                                    example::chosen("--readout", readouts, readout_names()), readout->count() > 0);
  const auto known_policies = example::policy_names(known_candidates());
  o.candidates = example::candidates_of(known_candidates(), networks,
                                        example::chosen("--policy", policies, known_policies), policy->count() > 0);
  return o;
}

}  // namespace sentiment
