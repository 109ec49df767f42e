// Classifiers over reviews.
#include "models.hpp"

#include <algorithm>

#include "../common/classifier_of.hpp"
#include "networks.hpp"

// The lines of networks.def that CMakeLists.txt compiles.
#if !defined(AILA_SENTIMENT_NETWORKS)
#define AILA_SENTIMENT_NETWORKS "networks.def"
#endif

namespace sentiment {
namespace {

using example::Candidate;

/// Texts of the test part by which mixture weights are measured.
constexpr std::size_t mixture_samples = 256;

using Make = std::unique_ptr<AnyNetwork> (*)(aila::Seed, example::Device, double);

template <class Net>
std::unique_ptr<AnyNetwork> make(aila::Seed seed, example::Device device, double label_smoothing) {
  return example::make_model<Net, Loss>(device, seed, {.label_smoothing = label_smoothing});
}

struct Entry {
  std::string family, readout;
  Candidate candidate;
  Make make;
};

const std::vector<Entry>& entries() {
#define NETWORK(name, readout, policy, ...) {name, readout, {with_readout(name, readout), policy}, make<__VA_ARGS__>},
  static const std::vector<Entry> table{
#include AILA_SENTIMENT_NETWORKS
  };
#undef NETWORK
  return table;
}

/// One member of each entry, each once, "-" left out.
std::vector<std::string> names(std::string Entry::* member) {
  std::vector<std::string> all;
  for (const auto& entry : entries())
    if (entry.*member != "-" && std::ranges::find(all, entry.*member) == all.end()) all.push_back(entry.*member);
  return all;
}

std::vector<aila::data::Label> labels_of(const Reviews::Source& source) {
  std::vector<aila::data::Label> labels;
  labels.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) labels.push_back(source.label(i));
  return labels;
}

/// Samples taken evenly from a source.
aila::Samples<In> some(const Reviews::Source& source, std::size_t count) {
  aila::Samples<In> samples;
  count = std::min(count, source.size());
  samples.inputs.resize(count * In::elements);
  for (std::size_t i = 0; i < count; ++i) {
    aila::SampleSlot<In, float> slot{.input = samples.inputs.data() + i * In::elements};
    source.load(i * source.size() / count, slot);
    samples.lengths.push_back(slot.length);
  }
  return samples;
}

std::shared_ptr<const example::Parts<In>> parts_of(const Reviews& reviews) {
  auto parts = std::make_shared<example::Parts<In>>();
  if (reviews.trains()) {
    parts->train = reviews.train();
    parts->valid = reviews.valid();
    parts->valid_labels = labels_of(reviews.valid());
  }
  parts->test = reviews.test();
  parts->test_labels = labels_of(reviews.test());
  parts->mixture = some(reviews.test(), mixture_samples);
  return parts;
}

}  // namespace

std::string with_readout(const std::string& network, const std::string& readout) {
  return readout == "-" ? network : network + "-" + readout;
}

const std::vector<Candidate>& known_candidates() {
  static const std::vector<Candidate> all = [] {
    std::vector<Candidate> candidates;
    for (const auto& entry : entries()) candidates.push_back(entry.candidate);
    return candidates;
  }();
  return all;
}

const std::vector<std::string>& family_names() {
  static const auto all = names(&Entry::family);
  return all;
}

const std::vector<std::string>& readout_names() {
  static const auto all = names(&Entry::readout);
  return all;
}

std::unique_ptr<AnyNetwork> make_network(const Candidate& candidate, aila::Seed seed, example::Device device,
                                         double label_smoothing) {
  const auto found = std::ranges::find(entries(), candidate, &Entry::candidate);
  if (found == entries().end()) throw aila::Error("there is no network " + candidate.name());
  return found->make(seed, device, label_smoothing);
}

std::unique_ptr<example::Classifier> make_classifier(const Reviews& reviews, const Candidate& candidate,
                                                     aila::Seed seed, example::Device device, double label_smoothing,
                                                     aila::ThreadPool& pool) {
  return std::make_unique<example::ClassifierOf<In, 1>>(make_network(candidate, seed, device, label_smoothing),
                                                        parts_of(reviews), pool);
}

}  // namespace sentiment
