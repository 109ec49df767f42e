// A residual network of convolutions over the steps of a sequence.
#pragma once

#include "../core/macros_aside.hpp"

#include "../compose/merge.hpp"
#include "../compose/network.hpp"
#include "../layer/activation.hpp"
#include "../layer/batch_norm.hpp"
#include "../layer/conv.hpp"
#include "../layer/linear.hpp"
#include "../layer/readout.hpp"

namespace aila::inline v0::zoo {

/// relu(x + conv(relu(conv(x)))), each convolution over three steps and normalised over the batch; [steps, Filters]
/// stays.
template <std::size_t Filters>
struct ResidualBlock1d : Chain<Residual<Conv<Filters, NoBias, Initial<init::HeNormal>>, BatchNorm<>, Relu,
                                        Conv<Filters, NoBias, Initial<init::HeNormal>>, BatchNorm<>>,
                               Relu> {
  static constexpr const char* name = "block";
};

/// [steps, F] -> [Outputs]: a convolution over seven steps, four residual blocks, the mean over the (valid) steps, a
/// linear map. A step of the last map sees 11 steps to each side.
/// Source: He et al., arXiv 1512.03385, on time series as in Wang, Yan and Oates, arXiv 1611.06455.
template <class Input, std::size_t Outputs, std::size_t Filters = 64>
struct ResidualCnn1d : Network<Input, Conv<Filters, Kernel<7>, NoBias, Initial<init::HeNormal>>, BatchNorm<>, Relu,
                               Repeat<4, ResidualBlock1d<Filters>>, MeanOverPositions, Linear<Outputs>> {};

}  // namespace aila::inline v0::zoo

#include "../core/macros_back.hpp"
