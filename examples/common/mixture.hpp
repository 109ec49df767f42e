// Integration weights of several runs, and in reports.
#pragma once

#include <aila/network/mixture_weights.hpp>
#include <vector>

#include "json.hpp"

namespace example {

/// What `mixture_weights` gave of one model: an entry for each layer that integrates.
using Mixture = std::vector<aila::MixtureWeights>;

/// The mean over models of one network.
Mixture mean_of(const std::vector<Mixture>& mixtures);

/// Layers, items and weights [layers, items] as in `io::mixture_map`, null where a layer has not the item; null for a
/// network without weights.
Json mixture_json(const Mixture& mixture);

}  // namespace example
