// The networks that the program compares: one type for each policy and window, each compiled in a unit of its own.
#pragma once

#include <aila/any_model.hpp>
#if defined(AILA_EXAMPLES_CUDA)
#include <aila/backend/cuda/cuda.hpp>
#endif
#include <aila/zoo/attention_lstm.hpp>
#include <aila/zoo/lstm2.hpp>
#include <aila/zoo/residual_cnn_1d.hpp>
#include <aila/zoo/transformer_encoder.hpp>

namespace forecast {

/// The policies that are compared: linear integration with four heads, attention with one.
using None = aila::integrate::None;
using Residual = aila::integrate::Residual;
using DenseNet = aila::integrate::DenseNet;
using Linear = aila::integrate::Linear<aila::Heads<4>>;
using Attention = aila::integrate::Attention<>;

/// Months of one price in, one number out. The networks differ in the connection between their layers alone.
template <class Policy, std::size_t Window>
struct Net : aila::Network<aila::Sequence<Window, 1>, aila::Stack<Policy, aila::Repeat<4, aila::Lstm<64>>>,
                           aila::LastStep, aila::Linear<1>> {};

/// Published networks, to set beside the stacks.
template <std::size_t Window>
using Lstm2 = aila::zoo::Lstm2<aila::Sequence<Window, 1>, 1>;
template <std::size_t Window>
using AttentionLstm = aila::zoo::AttentionLstm<aila::Sequence<Window, 1>, 1>;
template <std::size_t Window>
using Transformer = aila::zoo::TransformerEncoder<aila::Sequence<Window, 1>, 1>;
template <std::size_t Window>
using Cnn = aila::zoo::ResidualCnn1d<aila::Sequence<Window, 1>, 1>;

}  // namespace forecast

// What CMakeLists.txt compiles by aila_add_network is not compiled again where this header is read.
#define POLICY(name, window, ...) extern template struct aila::NetworkUnit<__VA_ARGS__>;
#define NETWORK(name, window, ...) extern template struct aila::NetworkUnit<__VA_ARGS__>;
#include "networks.def"
#undef POLICY
#undef NETWORK
#if defined(AILA_EXAMPLES_CUDA)  // and by aila_add_cuda_network
#define POLICY(name, window, ...) \
  extern template struct aila::NetworkUnit<__VA_ARGS__, aila::MeanSquaredError, aila::backend::Cuda>;
#define NETWORK(name, window, ...) \
  extern template struct aila::NetworkUnit<__VA_ARGS__, aila::MeanSquaredError, aila::backend::Cuda>;
#include "networks.def"
#undef POLICY
#undef NETWORK
#endif
