// The table of networks: from a name and a policy to a classifier.
#pragma once

#include <aila/core/thread_pool.hpp>
#include <memory>
#include <string>
#include <vector>

#include "../common/classifier.hpp"
#include "../common/device.hpp"
#include "explain.hpp"

namespace sentiment {

/// Every network with every policy that it has, as networks.def lists them; named "lstm", or "aila-last" where there
/// are read-outs to choose.
const std::vector<example::Candidate>& known_candidates();

/// The name under which known_candidates has a network with a read-out.
std::string with_readout(const std::string& network, const std::string& readout);
/// Networks without their read-outs, and the read-outs.
const std::vector<std::string>& family_names();
const std::vector<std::string>& readout_names();

/// A network with first weights, by itself. Throws aila::Error where there is no such network.
std::unique_ptr<AnyNetwork> make_network(const example::Candidate& candidate, aila::Seed seed, example::Device device,
                                         double label_smoothing = 0);

/// A classifier over the reviews, which must outlive it, as must the pool.
std::unique_ptr<example::Classifier> make_classifier(const Reviews& reviews, const example::Candidate& candidate,
                                                     aila::Seed seed, example::Device device, double label_smoothing,
                                                     aila::ThreadPool& pool);

}  // namespace sentiment
