// ResNet for small images such as CIFAR's.
#pragma once

#include "../core/macros_aside.hpp"

#include "../compose/merge.hpp"
#include "../compose/network.hpp"
#include "../compose/sum.hpp"
#include "../layer/activation.hpp"
#include "../layer/batch_norm.hpp"
#include "../layer/conv.hpp"
#include "../layer/linear.hpp"
#include "../layer/readout.hpp"
#include "../layer/shortcut.hpp"

namespace aila::inline v0::zoo {

/// relu(x + f(x)), f two convolutions of 3 x 3, each normalised over the batch; [H, W, Filters] stays.
template <std::size_t Filters>
struct ResidualBlock : Chain<Residual<Conv<Filters, NoBias, Initial<init::HeNormal>>, BatchNorm<>, Relu,
                                      Conv<Filters, NoBias, Initial<init::HeNormal>>, BatchNorm<>>,
                             Relu> {
  static constexpr const char* name = "block";
};

/// The same with a first stride of 2 and the parameterless shortcut of option A: to half the height and width, and
/// Filters features.
template <std::size_t Filters>
struct HalvingBlock : Chain<Sum<Shortcut<Filters, Stride<2>>,
                                Chain<Conv<Filters, Stride<2>, NoBias, Initial<init::HeNormal>>, BatchNorm<>, Relu,
                                      Conv<Filters, NoBias, Initial<init::HeNormal>>, BatchNorm<>>>,
                            Relu> {
  static constexpr const char* name = "halving_block";
};

/// Depths of the paper's networks: 6 n + 2 with n blocks of each width, 20, 32, 44, 56, 110.
template <std::size_t Depth>
concept ResNetDepth = Depth >= 14 && Depth % 6 == 2;

/// [H, W, C] -> [Classes]: a convolution, (Depth - 2) / 6 blocks each of 16, 32 and 64 filters, the mean over pixels, a
/// linear map. ResNet<20> has 269,722 parameters.
/// Source: He, Zhang, Ren and Sun, arXiv 1512.03385, section 4.2, with option A as there.
template <std::size_t Depth, class Input = Image<32, 32, 3>, std::size_t Classes = 10>
  requires ResNetDepth<Depth>
struct ResNet : Network<Input, Conv<16, NoBias, Initial<init::HeNormal>>, BatchNorm<>, Relu,
                        Repeat<(Depth - 2) / 6, ResidualBlock<16>>,                        //
                        HalvingBlock<32>, Repeat<(Depth - 2) / 6 - 1, ResidualBlock<32>>,  //
                        HalvingBlock<64>, Repeat<(Depth - 2) / 6 - 1, ResidualBlock<64>>,  //
                        MeanOverPositions, Linear<Classes>> {};

}  // namespace aila::inline v0::zoo

#include "../core/macros_back.hpp"
