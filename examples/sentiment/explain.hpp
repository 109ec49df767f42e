// Why a network answers as it does to one review: which words and which layers mattered.
#pragma once

#include <aila/any_model.hpp>
#include <string>
#include <vector>

#include "reviews.hpp"

namespace sentiment {

using AnyNetwork = aila::AnyModel<In, aila::Vector<1>>;

/// Of one review. A word's contribution is the gradient of the logit with respect to the word's vector, times the
/// vector (summed over its numbers): what the logit would lose, to first order, if the vector faded away. It is one
/// measure for every network; positive speaks for a good review. Networks that end in attention pooling also tell what
/// share of the review's final vector each word's step has.
struct Explanation {
  double positive = 0;                  ///< probability of a good review
  std::vector<double> contributions{};  ///< one a token
  std::vector<double> pooling{};        ///< weights of the attention pooling, one a token; or none
  std::vector<aila::MixtureWeights>
      layers{};  ///< weights of the stack's integration, mean over the review's words; or none
};

Explanation explain(const AnyNetwork& network, const Review& review);

/// "positive, 97.3 %".
std::string verdict(const Explanation& explanation);

/// For the terminal: verdict, the words that mattered most and layers, with bars.
std::string as_text(const Review& review, const Explanation& explanation);

/// As SVG: the words shaded by contribution and underlined by pooling, and the layers' weights.
std::string draw(const Review& review, const Explanation& explanation, const std::string& network);

}  // namespace sentiment
