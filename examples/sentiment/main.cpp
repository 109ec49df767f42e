// sentiment: film reviews, good or bad, by networks that differ in the connection between their layers, and by others.
#include <aila/io/atomic_file.hpp>
#include <aila/io/model_file.hpp>
#include <aila/io/panels.hpp>
#include <cstdio>

#include "../common/classifier_of.hpp"
#include "../common/plots.hpp"
#include "../common/program.hpp"
#include "explain.hpp"
#include "models.hpp"
#include "options.hpp"
#include "prompt.hpp"
#include "report.hpp"
#include "saved.hpp"

namespace sentiment {
namespace {

using example::Experiment;

/// What is written at the end.
struct Outputs {
  explicit Outputs(const Options& options) {
    example::Places places;
    if (options.load) {
      places.reads("--load", *options.load);
      places.reads("--load", words_file(*options.load));
    }
    if (!options.reviews.vectors.empty()) places.reads("--vectors", options.reviews.vectors);
    if (options.report) places.writes("--report", *options.report);
    if (options.save) {
      places.writes("--save", *options.save);
      places.writes("--save", words_file(*options.save));
    }
    if (!options.plot) return;
    if (options.measures()) pictures.emplace(*options.plot, "sentiment", places);
    if (options.texts.empty()) return;
    const auto files = example::plot_files(*options.plot, "sentiment", {"review"});
    review = options.measures() ? files[1] : files[0];
    places.writes("--plot", *review);
  }
  std::optional<example::Pictures> pictures;
  std::optional<std::filesystem::path> review;
};

void print(const Reviews& reviews, const Experiment& experiment, const std::vector<example::Result>& results) {
  const auto& best = experiment.runs[experiment.best];
  if (reviews.trains())
    std::printf("\n%zu reviews train, %zu validate, %zu test\n", reviews.train().size(), reviews.valid().size(),
                reviews.test().size());
  else
    std::printf("\n%zu reviews test\n", reviews.test().size());
  std::printf("%s\n\n%s\n", about(reviews.words()).c_str(), table(experiment, results).c_str());
  std::puts("Mean over seeds (standard deviation), after +- half of the 95 % interval.\n");
  std::printf("%s, seed %llu: %.2f %% of the test reviews are told right; by class:\n%s\n",
              best.candidate.name().c_str(), static_cast<unsigned long long>(best.seed), 100 * best.test.accuracy,
              class_table(experiment).c_str());
}

/// Draws the reviews of the command line, and says what was written.
std::string write_reviews(const Options& options, example::LastSteps& steps, const Outputs& outputs,
                          const AnyNetwork& network, const Words& words, const Reading& reading,
                          const std::string& name) {
  std::string written;
  if (outputs.review)
    steps.take([&] {
      std::vector<std::string> drawn;
      for (const auto& text : options.texts)
        if (const auto review = read_review(text, words, reading); !review.tokens.empty())
          drawn.push_back(draw(review, explain(network, review), name));
      if (drawn.empty()) return;
      aila::io::write_text(*outputs.review, aila::io::panels(drawn, 1));
      written = "plot:   " + outputs.review->string() + "\n";
    });
  return written;
}

/// Answers the reviews of the command line.
void answer_all(const Options& options, const AnyNetwork& network, const Words& words, const Reading& reading) {
  for (const auto& text : options.texts) {
    std::printf("%s\n", aila::io::printable(text, 400).c_str());
    answer(network, words, reading, text);
    std::puts("");
  }
}

/// Writes report and plots.
void write(const Options& options, example::LastSteps& steps, const Outputs& outputs, const Reviews& reviews,
           const Reading& reading, const Experiment& experiment, const std::vector<example::Result>& results) {
  if (!experiment.not_saved.empty()) steps.failed(experiment.not_saved);
  if (options.report)
    steps.write("report: ", *options.report, [&] { return report(options, reviews, reading, experiment, results); });
  if (outputs.pictures) outputs.pictures->write(steps, experiment, results);
  if (options.save && experiment.not_saved.empty()) {
    steps.wrote("model:  ", *options.save);
    steps.wrote("        ", words_file(*options.save));
  }
}

Experiment train(const Options& options, const Reviews& reviews, aila::ThreadPool& pool) {
  const auto make = [&](const example::Candidate& candidate, aila::Seed seed) {
    return make_classifier(reviews, candidate, seed, options.device, options.label_smoothing, pool);
  };
  if (options.summary)
    for (const auto& candidate : options.candidates)
      std::printf("%s\n%s\n", candidate.name().c_str(), make_network(candidate, {}, options.device)->summary().c_str());
  example::catch_interrupts();
  return example::train({.candidates = options.candidates,
                         .seeds = options.seeds,
                         .training = options.training,
                         .save = options.save,
                         .metadata = metadata_of(reviews.words(), options.reviews.reading),
                         .save_beside = [&] { save_words(words_file(*options.save), reviews.words()); },
                         .quiet = options.quiet},
                        reviews.classes(), make);
}

/// The end of a program that measured: all files are written before anything is printed, whoever may read it.
int measure(const Options& options, const Outputs& outputs, const Reviews& reviews, const Reading& reading,
            const Experiment& experiment) {
  const auto results = results_of(experiment);
  const auto& model = dynamic_cast<const example::ClassifierOf<In, 1>&>(*experiment.model).model();
  example::LastSteps steps("sentiment");
  write(options, steps, outputs, reviews, reading, experiment, results);
  const auto drawn = write_reviews(options, steps, outputs, model, reviews.words(), reading,
                                   experiment.runs[experiment.best].candidate.name());
  print(reviews, experiment, results);
  std::fputs(steps.written().c_str(), stdout);
  if (!options.texts.empty()) std::puts("");
  answer_all(options, model, reviews.words(), reading);
  std::fputs(drawn.c_str(), stdout);
  return steps.code();
}

int run_training(const Options& options) {
  aila::ThreadPool pool(options.threads);
  const Outputs outputs(options);
  const Reviews reviews(options.reviews);
  if (options.save) example::require_saveable("the name of the file of word vectors", reviews.words().file);
  for (const auto& warning : reviews.warnings()) std::fprintf(stderr, "sentiment: %s\n", warning.c_str());
  const auto experiment = train(options, reviews, pool);
  if (experiment.cancelled) {
    std::fprintf(stderr, "sentiment: cancelled; %s\n", what_was_saved(experiment).c_str());
    return example::interrupted_code;
  }
  return measure(options, outputs, reviews, options.reviews.reading, experiment);
}

int run_saved(const Options& options, const std::filesystem::path& file) {
  auto saved = read_saved(file);
  const Outputs outputs(options);
  if (options.test) {
    aila::ThreadPool pool(options.threads);
    auto of_test = options.reviews;
    of_test.reading = saved.reading;
    const Reviews reviews(of_test, std::move(saved.words));
    auto model = make_classifier(reviews, saved.candidate, {saved.seed}, options.device, 0, pool);
    model->load(file);
    if (options.summary) std::printf("%s\n", model->summary().c_str());
    return measure(options, outputs, reviews, saved.reading,
                   example::loaded(saved.candidate, saved.seed, reviews.classes(), std::move(model)));
  }
  const auto network = make_network(saved.candidate, {saved.seed}, options.device);
  aila::io::load(*network, file);
  if (options.summary) std::printf("%s\n", network->summary().c_str());
  if (options.texts.empty()) prompt(*network, saved.words, saved.reading);
  example::LastSteps steps("sentiment");
  const auto drawn =
      write_reviews(options, steps, outputs, *network, saved.words, saved.reading, saved.candidate.name());
  answer_all(options, *network, saved.words, saved.reading);
  std::fputs(drawn.c_str(), stdout);
  return steps.code();
}

int run(int argc, const char* const* argv) {
  const auto options = parse_options(argc, argv);
  if (!options) return 0;
  return options->load ? run_saved(*options, *options->load) : run_training(*options);
}

}  // namespace
}  // namespace sentiment

int main(int argc, char** argv) {
  return example::run_program("sentiment", argc, argv, sentiment::run);
}
