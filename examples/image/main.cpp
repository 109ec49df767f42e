// image: small images, classified by networks that differ in the connection between their layers, and by others.
#include <aila/data/pnm.hpp>
#include <aila/io/input_file.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "../common/plots.hpp"
#include "../common/program.hpp"
#include "models.hpp"
#include "options.hpp"
#include "report.hpp"
#include "saved.hpp"

namespace image {
namespace {

using example::Experiment;

/// What is written at the end.
struct Outputs {
  explicit Outputs(const Options& options) {
    example::Places places;
    if (options.load) places.reads("--load", *options.load);
    if (options.predict) places.reads("--predict", *options.predict);
    if (options.report) places.writes("--report", *options.report);
    if (options.save) places.writes("--save", *options.save);
    if (options.plot) pictures.emplace(*options.plot, "image", places);
  }
  void write(const Options& options, example::LastSteps& steps, const Dataset& dataset, const Experiment& experiment,
             const std::vector<example::Result>& results) const {
    if (!experiment.not_saved.empty()) steps.failed(experiment.not_saved);
    if (options.report)
      steps.write("report: ", *options.report, [&] { return report(options, dataset, experiment, results); });
    if (pictures) pictures->write(steps, experiment, results);
    if (options.save && experiment.not_saved.empty()) steps.wrote("model:  ", *options.save);
  }
  std::optional<example::Pictures> pictures;
};

void print(const Dataset& dataset, const Experiment& experiment, const std::vector<example::Result>& results) {
  const auto& best = experiment.runs[experiment.best];
  if (dataset.trains())
    std::printf("\n%s: %zu images train, %zu validate, %zu test\n\n", dataset.name.c_str(), dataset.split.train.size(),
                dataset.split.valid.size(), dataset.images.test.size());
  else
    std::printf("\n%s: %zu images test\n\n", dataset.name.c_str(), dataset.images.test.size());
  std::printf("%s\n", table(experiment, results).c_str());
  std::printf("Mean over seeds (standard deviation), after +- half of the 95 %% interval.\n\n");
  std::printf("%s, seed %llu: %.2f %% of the test images are recognised; by class:\n%s\n",
              best.candidate.name().c_str(), static_cast<unsigned long long>(best.seed), 100 * best.test.accuracy,
              class_table(experiment).c_str());
}

/// The classes of one image, by the probabilities that the best network gives them.
void print_prediction(const Dataset& dataset, const Experiment& experiment, const aila::data::ImageSet& picture,
                      const std::filesystem::path& file) {
  auto outputs = classify(dataset, *experiment.model, picture);
  const float largest = *std::ranges::max_element(outputs);
  for (float& o : outputs) o = std::exp(o - largest);
  const float sum = std::accumulate(outputs.begin(), outputs.end(), 0.0F);
  std::vector<std::size_t> order(outputs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return outputs[a] > outputs[b]; });
  std::printf("%s:", file.c_str());
  for (std::size_t i = 0; i < 3; ++i)
    std::printf("%s %s %.1f %%", i == 0 ? "" : ",", dataset.classes()[order[i]].c_str(),
                static_cast<double>(100 * outputs[order[i]] / sum));
  std::puts("");
}

Experiment train(const Options& options, const Dataset& dataset, aila::ThreadPool& pool) {
  const Preparation preparation{
      .device = options.device, .augmentation = options.augmentation, .label_smoothing = options.label_smoothing};
  const auto make = [&](const example::Candidate& candidate, aila::Seed seed) {
    return make_classifier(dataset, candidate, seed, preparation, pool);
  };
  if (options.summary)
    for (const auto& candidate : options.candidates)
      std::printf("%s\n%s\n", candidate.name().c_str(), make(candidate, {})->summary().c_str());
  example::catch_interrupts();
  return example::train({.candidates = options.candidates,
                         .seeds = options.seeds,
                         .training = options.training,
                         .save = options.save,
                         .metadata = metadata_of(dataset),
                         .quiet = options.quiet},
                        dataset.classes(), make);
}

Experiment load(const std::filesystem::path& file, const SavedModel& saved, const Dataset& dataset, bool summary,
                example::Device device, aila::ThreadPool& pool) {
  auto model = make_classifier(dataset, saved.candidate, {saved.seed}, {.device = device, .augmentation = {}}, pool);
  model->load(file);
  if (summary) std::printf("%s\n", model->summary().c_str());
  return example::loaded(saved.candidate, saved.seed, dataset.classes(), std::move(model));
}

aila::data::ImageSet read_picture(const std::filesystem::path& file, const Dataset& dataset) {
  const auto name = aila::io::display_name(file);
  auto picture = aila::data::parse_pnm(aila::io::read_bytes(file), name);
  const auto& like = dataset.images.test;
  const auto size = [](const aila::data::ImageSet& set) {
    return aila::io::shape_text(std::vector{set.height, set.width, set.channels}, " x ");
  };
  if (size(picture) != size(like))
    throw aila::Error(name + ": expected an image of height x width x channels " + size(like) + ", found " +
                      size(picture));
  picture.classes = like.classes;
  return picture;
}

int run(int argc, const char* const* argv) {
  const auto options = parse_options(argc, argv);
  if (!options) return 0;
  aila::ThreadPool pool(options->threads);
  std::optional<SavedModel> saved;
  if (options->load) saved.emplace(*options->load, *options);
  const Dataset dataset =
      saved ? std::move(saved->dataset) : read_dataset(options->dataset, options->data, options->limit);
  std::optional<aila::data::ImageSet> picture;
  if (options->predict) picture = read_picture(*options->predict, dataset);
  const Outputs outputs(*options);
  const auto experiment = saved && options->load
                              ? load(*options->load, *saved, dataset, options->summary, options->device, pool)
                              : train(*options, dataset, pool);
  if (experiment.cancelled) {
    std::fprintf(stderr, "image: cancelled; %s\n", what_was_saved(experiment).c_str());
    return example::interrupted_code;
  }
  const auto results = results_of(experiment);
  example::LastSteps steps("image");
  outputs.write(*options, steps, dataset, experiment, results);
  print(dataset, experiment, results);
  if (picture && options->predict)
    steps.take([&] { print_prediction(dataset, experiment, *picture, *options->predict); });
  std::fputs(steps.written().c_str(), stdout);
  return steps.code();
}

}  // namespace
}  // namespace image

int main(int argc, char** argv) {
  return example::run_program("image", argc, argv, image::run);
}
