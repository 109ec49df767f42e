// The command line, by CLI11.
#include "options.hpp"

#include <CLI/CLI.hpp>
#include <aila/core/thread_pool.hpp>
#include <algorithm>
#include <cstdio>

#include "../common/candidates.hpp"
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

void require_one_of(const char* option, const std::string& value, const std::vector<std::string>& known) {
  if (std::ranges::find(known, value) == known.end())
    throw aila::Error(std::string(option) + ": expected " + example::join(known) + ", found \"" + value + '"');
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv) {
  Options o;
  o.threads = aila::ThreadPool::available();
  auto& t = o.training;
  t = {.epochs = 8,
       .batch = 64,
       .patience = 4,
       .learning_rate = 1e-3,
       .weight_decay = 1e-2,
       .clip_norm = 1,
       .best_by_loss = true};
  std::vector<std::string> families{"aila"}, readouts{"attention"}, policies{"attention"};
  std::string keep = "first";
  std::size_t seeds = 1;
  std::uint64_t first_seed = 1;
  const CLI::Range some(std::size_t{1}, std::size_t{1'000'000});
  const CLI::Range rate(0.0, 1e3);

  CLI::App app(
      "Tells good reviews from bad ones by networks that differ in the connection between their layers, and by "
      "others; and says which words and layers mattered.");
  app.set_help_flag("--help", "Print this and end");
  app.add_option("--data", o.reviews.data, "Folder that holds aclImdb and glove, in place of AILA_DATA and the cache");
  auto* limit =
      app.add_option("--limit", o.reviews.limit, "Most texts of each part, as many of each class; 0: all (0)");
  app.add_option("--threads", o.threads, "Threads of a training; results do not depend on it (all processors)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{256}));
  auto* report = app.add_option("--report", o.report, "Write all figures to this JSON file");
  auto* plot = app.add_option("--plot", o.plot,
                              "Draw learning curves to this SVG file, confusion, weights and reviews beside it; or a "
                              "folder");
  app.add_option("--review", o.texts, "Classify this text, and say why; may be given again")->allow_extra_args(false);
  app.add_flag("--summary", o.summary, "Print the layers of each network");
  app.add_flag("--quiet", o.quiet, "No progress");
  auto* load = app.add_option("--load", o.load,
                              "Use a saved model, without training; without --review and --test it asks for reviews");
  auto* test = app.add_flag("--test", o.test, "With --load: measure the saved model on the test part");

  std::vector<CLI::Option*> of_training;  // what a saved model has answered already
  const auto training = [&](CLI::Option* option) {
    option->group("Training");
    of_training.push_back(option);
    return option;
  };
  training(app.add_option("--vectors", o.reviews.vectors,
                          "File of word vectors with 100 numbers each (glove.6B.100d.txt, else imdb-skipgram.100d.txt, "
                          "of the data set glove)"));
  training(app.add_option("--tokens", o.reviews.reading.tokens, "Words and signs that are read of a review (200)"))
      ->check(CLI::Range(std::size_t{1}, most_tokens));
  training(app.add_option("--keep", keep, "Which of a longer review: first, last (first)"));
  training(app.add_option("--network", families, "Of " + example::join(family_names()) + ", or all (aila)"))
      ->delimiter(',');
  auto* readout = training(app.add_option("--readout", readouts,
                                          "Of aila: " + example::join(readout_names()) + ", or all (attention)"))
                      ->delimiter(',');
  auto* policy = training(app.add_option("--policy", policies,
                                         "Of aila: " + example::join(example::policy_names(known_candidates())) +
                                             ", or all (attention)"))
                     ->delimiter(',');
  training(app.add_option("--seeds", seeds, "Trainings of each network, from seeds that follow one another (1)"))
      ->check(some);
  training(app.add_option("--seed", first_seed, "The first of the seeds (1)"));
  training(app.add_option("--epochs", t.epochs, "Most epochs of a training (8)"))->check(some);
  training(app.add_option("--batch", t.batch, "Reviews in a training step (64)"))->check(some);
  training(app.add_option("--patience", t.patience,
                          "Epochs without a lower validation loss that end a training; 0: never (4)"));
  training(app.add_option("--lr", t.learning_rate, "Learning rate of AdamW (0.001)"))->check(rate);
  training(app.add_option("--weight-decay", t.weight_decay, "Weight decay of AdamW (0.01)"))->check(rate);
  training(app.add_option("--schedule", t.schedule, example::join(example::schedule_names()) + " (cosine)"));
  training(app.add_option("--warm-up", t.warm_up, "Epochs over which the learning rate rises (0)"))->check(rate);
  training(app.add_option("--clip", t.clip_norm, "Largest norm of a step's gradient; 0: any (1)"))->check(rate);
  training(app.add_option("--smoothing", o.label_smoothing, "Label smoothing (0)"))->check(CLI::Range(0.0, 0.999));
  training(app.add_option("--save", o.save,
                          "Write the best weights to this safetensors file as soon as they are found, and its words to "
                          "another beside it"));

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw aila::Error(error.what());
  }
  if (load->count() > 0) {
    for (const auto* option : of_training)
      if (option->count() > 0)
        throw aila::Error(option->get_name() + " cannot be given together with --load: a saved model has its own");
    if (!o.test && (report->count() > 0 || limit->count() > 0))
      throw aila::Error((report->count() > 0 ? report : limit)->get_name() + " needs --test where --load is given");
    if (!o.test && o.texts.empty() && plot->count() > 0)
      throw aila::Error("--plot needs --test or --review where --load is given");
  } else if (test->count() > 0) {
    throw aila::Error("--test needs --load: a training is always measured on the test part");
  }

  require_one_of("--schedule", t.schedule, example::schedule_names());
  require_one_of("--keep", keep, {"first", "last"});
  o.reviews.reading.keep = keep == "first" ? aila::data::Keep::first : aila::data::Keep::last;
  const auto networks = networks_of(example::chosen("--network", families, family_names()),
                                    example::chosen("--readout", readouts, readout_names()), readout->count() > 0);
  const auto known_policies = example::policy_names(known_candidates());
  o.candidates = example::candidates_of(known_candidates(), networks,
                                        example::chosen("--policy", policies, known_policies), policy->count() > 0);
  for (std::size_t i = 0; i < seeds; ++i) o.seeds.push_back(first_seed + i);
  return o;
}

}  // namespace sentiment
