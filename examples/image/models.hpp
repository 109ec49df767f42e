// The table of networks: from a name and a policy to a classifier.
#pragma once

#include <aila/core/thread_pool.hpp>
#include <aila/data/augment.hpp>
#include <memory>
#include <string>
#include <vector>

#include "../common/classifier.hpp"
#include "../common/device.hpp"
#include "dataset.hpp"

namespace image {

/// Every network that takes the images of a data set, with every policy that it has, as networks.def lists them.
/// Without a name: all of them.
std::vector<example::Candidate> known_candidates(const std::string& dataset = "");

/// What a training needs besides example::Training.
struct Preparation {
  example::Device device = example::Device::cpu;
  aila::data::Augmentation augmentation;
  double label_smoothing = 0;
};

/// A classifier over the data set, which must outlive it, as must the pool. Throws aila::Error where there is no such
/// network.
std::unique_ptr<example::Classifier> make_classifier(const Dataset& dataset, const example::Candidate& candidate,
                                                     aila::Seed seed, const Preparation& preparation,
                                                     aila::ThreadPool& pool);

/// Outputs of a network with the weights of a file for one image [height, width, channels].
std::vector<float> classify(const Dataset& dataset, const example::Classifier& classifier,
                            const aila::data::ImageSet& picture);

}  // namespace image
