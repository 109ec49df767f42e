// Classifiers over images.
#include "models.hpp"

#include <aila/data/image_source.hpp>
#include <algorithm>
#include <optional>

#include "../common/classifier_of.hpp"
#include "networks.hpp"

// The lines of networks.def that CMakeLists.txt compiles.
#if !defined(AILA_IMAGE_NETWORKS)
#define AILA_IMAGE_NETWORKS "networks.def"
#endif

namespace image {
namespace {

using aila::data::ImageSource;
using example::Candidate;
using example::Classifier;

/// Samples of the test part by which mixture weights are measured.
constexpr std::size_t mixture_samples = 512;

/// The sources of one training, whose seed the changes by chance have; those of the test part alone where nothing
/// trains.
template <class In>
struct Images : example::Parts<In> {
  Images(const Dataset& set, const aila::data::Augmentation& augmentation, aila::Seed seed)
      : test_images(set.images.test, set.scaling, aila::data::all_rows(set.images.test.size())) {
    if (set.trains()) {
      const auto& images = set.images.train;
      this->train = train_images.emplace(images, set.scaling, set.split.train, augmentation, seed);
      this->valid = valid_images.emplace(images, set.scaling, set.split.valid);
      for (const std::size_t row : set.split.valid) this->valid_labels.push_back(images.labels[row]);
    }
    this->test = test_images;
    this->test_labels = set.images.test.labels;
    auto& inputs = this->mixture.inputs;
    inputs.resize(std::min(mixture_samples, test_images.size()) * In::elements);
    for (std::size_t i = 0; i < inputs.size() / In::elements; ++i) {
      aila::SampleSlot<In, float> slot{.input = inputs.data() + i * In::elements};
      test_images.load(i, slot);
    }
  }
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;

  std::optional<ImageSource<In>> train_images, valid_images;
  ImageSource<In> test_images;
};

using Make = std::unique_ptr<Classifier> (*)(const Dataset&, const Preparation&, aila::Seed, aila::ThreadPool&);

template <class Net>
std::unique_ptr<Classifier> make(const Dataset& set, const Preparation& preparation, aila::Seed seed,
                                 aila::ThreadPool& pool) {
  using In = aila::NetworkInput<Net>;
  auto images = std::make_shared<Images<In>>(set, preparation.augmentation, seed);
  auto model =
      example::make_model<Net, Loss>(preparation.device, seed, {.label_smoothing = preparation.label_smoothing});
  return std::make_unique<example::ClassifierOf<In, classes>>(std::move(model), std::move(images), pool);
}

/// A network, with its maker for each input.
struct Entry {
  Candidate candidate;
  Make grey, colour;  ///< null: the network does not take such images
};

const std::vector<Entry>& entries() {
#define NETWORK(name, policy, ...) {{name, policy}, make<__VA_ARGS__<Grey>>, make<__VA_ARGS__<Colour>>},
#define COLOUR_NETWORK(name, policy, ...) {{name, policy}, nullptr, make<__VA_ARGS__<Colour>>},
  static const std::vector<Entry> table{
#include AILA_IMAGE_NETWORKS
  };
#undef COLOUR_NETWORK
#undef NETWORK
  return table;
}

}  // namespace

std::vector<Candidate> known_candidates(const std::string& dataset) {
  std::vector<Candidate> candidates;
  for (const auto& entry : entries())
    if (dataset.empty() || (is_grey(dataset) ? entry.grey : entry.colour) != nullptr)
      candidates.push_back(entry.candidate);
  return candidates;
}

std::unique_ptr<Classifier> make_classifier(const Dataset& dataset, const Candidate& candidate, aila::Seed seed,
                                            const Preparation& preparation, aila::ThreadPool& pool) {
  const auto found = std::ranges::find(entries(), candidate, &Entry::candidate);
  const Make make = found == entries().end() ? nullptr : is_grey(dataset.name) ? found->grey : found->colour;
  if (make == nullptr) throw aila::Error("there is no network " + candidate.name() + " for " + dataset.name);
  return make(dataset, preparation, seed, pool);
}

std::vector<float> classify(const Dataset& dataset, const Classifier& classifier, const aila::data::ImageSet& picture) {
  const auto outputs = [&]<class In>(const example::ClassifierOf<In, classes>& of) {
    return of.model().predict(ImageSource<In>(picture, dataset.scaling, {0}));
  };
  if (is_grey(dataset.name)) return outputs(dynamic_cast<const example::ClassifierOf<Grey, classes>&>(classifier));
  return outputs(dynamic_cast<const example::ClassifierOf<Colour, classes>&>(classifier));
}

}  // namespace image
