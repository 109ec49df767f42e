// The networks that the program has: the words of a review in, one logit out; each compiled in a unit of its own.
#pragma once

#include <aila/any_model.hpp>
#if defined(AILA_EXAMPLES_CUDA)
#include <aila/backend/cuda/cuda.hpp>
#endif
#include <aila/layer/layers.hpp>
#include <aila/zoo/attention_lstm.hpp>
#include <aila/zoo/lstm2.hpp>
#include <aila/zoo/residual_cnn_1d.hpp>
#include <aila/zoo/transformer_encoder.hpp>

#include "input.hpp"

namespace sentiment {

using Loss = aila::BinaryCrossEntropy;

/// The policies that are compared: linear integration with four heads, attention with one.
using None = aila::integrate::None;
using Residual = aila::integrate::Residual;
using DenseNet = aila::integrate::DenseNet;
using Linear = aila::integrate::Linear<aila::Heads<4>>;
using Attention = aila::integrate::Attention<>;

/// From a vector for each word to one for the review.
using Last = aila::LastStep;
using Mean = aila::MeanOverPositions;
using Pooled = aila::AttentionPooling<64>;

/// Four LSTM layers of 64 that differ in the connection between them alone, and a read-out. While it trains some
/// numbers of the words' vectors are left out, and some features before the answer; how many was chosen on the
/// validation part.
template <class Policy, class Readout>
struct Aila : aila::Network<In, aila::Dropout<20>, aila::Stack<Policy, aila::Repeat<4, aila::Lstm<64>>>, Readout,
                            aila::Dropout<50>, aila::Linear<1>> {};

/// What reaches the last of 200 steps is little already: it learns better from whole vectors.
template <class Policy>
struct Aila<Policy, Last> : aila::Network<In, aila::Stack<Policy, aila::Repeat<4, aila::Lstm<64>>>, Last,
                                          aila::Dropout<30>, aila::Linear<1>> {};

}  // namespace sentiment

// What CMakeLists.txt compiles by aila_add_network is not compiled again where this header is read.
#define NETWORK(name, readout, policy, ...) extern template struct aila::NetworkUnit<__VA_ARGS__, sentiment::Loss>;
#include "networks.def"
#undef NETWORK
#if defined(AILA_EXAMPLES_CUDA)  // and by aila_add_cuda_network
#define NETWORK(name, readout, policy, ...) \
  extern template struct aila::NetworkUnit<__VA_ARGS__, sentiment::Loss, aila::backend::Cuda>;
#include "networks.def"
#undef NETWORK
#endif
