// EfficientNet-B0, for images of any size.
#pragma once

#include "../core/macros_aside.hpp"

#include "../compose/merge.hpp"
#include "../compose/network.hpp"
#include "../compose/squeeze_excitation.hpp"
#include "../layer/activation.hpp"
#include "../layer/batch_norm.hpp"
#include "../layer/conv.hpp"
#include "../layer/dropout.hpp"
#include "../layer/linear.hpp"
#include "../layer/readout.hpp"
#include "../layer/stochastic_depth.hpp"

namespace aila::inline v0::zoo {

/// An inverted bottleneck from Inputs to Filters features: to 6 Inputs features, a depthwise convolution of Size x
/// Size, features weighed by Inputs / 4 squeezed ones, then Filters features without an activation.
template <std::size_t Inputs, std::size_t Filters, std::size_t Size, std::size_t Step>
struct MbConv : Chain<Conv<6 * Inputs, Kernel<1>, NoBias, Initial<init::HeNormal>>, BatchNorm<>, Silu,
                      DepthwiseConv<Kernel<Size>, Stride<Step>, NoBias, Initial<init::HeNormal>>, BatchNorm<>, Silu,
                      SqueezeExcitation<Inputs / 4, Silu>, Conv<Filters, Kernel<1>, NoBias, Initial<init::HeNormal>>,
                      BatchNorm<>> {
  static constexpr const char* name = "mb_conv";
};

/// The same added to its input, [H, W, Filters] stays; Part of Of samples leave it out while training.
template <std::size_t Filters, std::size_t Size, std::size_t Part, std::size_t Of>
struct MbConvResidual : Residual<MbConv<Filters, Filters, Size, 1>, StochasticDepth<Part, Of>> {};

/// [Size, Size, 3] -> [Classes]: 16 inverted bottlenecks; 5,288,548 parameters and 0.39 billion multiply-adds at
/// EfficientNetB0<224, 1000>. Block i of 0 to 15 is left out with probability i / 16 of DropPercent, features before
/// the last map with DropPercent itself. Source: Tan and Le, arXiv 1905.11946, table 1; details are torchvision's.
template <std::size_t Size = 224, std::size_t Classes = 1000, std::size_t DropPercent = 20>
struct EfficientNetB0
    : Network<Image<Size, Size, 3>, Conv<32, Stride<2>, NoBias, Initial<init::HeNormal>>, BatchNorm<>, Silu,
              DepthwiseConv<NoBias, Initial<init::HeNormal>>, BatchNorm<>, Silu, SqueezeExcitation<8, Silu>,  // block 0
              Conv<16, Kernel<1>, NoBias, Initial<init::HeNormal>>, BatchNorm<>,                              //
              MbConv<16, 24, 3, 2>, MbConvResidual<24, 3, 2 * DropPercent, 1600>,                             //
              MbConv<24, 40, 5, 2>, MbConvResidual<40, 5, 4 * DropPercent, 1600>,                             //
              MbConv<40, 80, 3, 2>, MbConvResidual<80, 3, 6 * DropPercent, 1600>,                             //
              MbConvResidual<80, 3, 7 * DropPercent, 1600>,                                                   //
              MbConv<80, 112, 5, 1>, MbConvResidual<112, 5, 9 * DropPercent, 1600>,                           //
              MbConvResidual<112, 5, 10 * DropPercent, 1600>,                                                 //
              MbConv<112, 192, 5, 2>, MbConvResidual<192, 5, 12 * DropPercent, 1600>,                         //
              MbConvResidual<192, 5, 13 * DropPercent, 1600>, MbConvResidual<192, 5, 14 * DropPercent, 1600>,  //
              MbConv<192, 320, 3, 1>,                                                                          //
              Conv<1280, Kernel<1>, NoBias, Initial<init::HeNormal>>, BatchNorm<>, Silu,                       //
              MeanOverPositions, Dropout<DropPercent>, Linear<Classes>> {};

}  // namespace aila::inline v0::zoo

#include "../core/macros_back.hpp"
