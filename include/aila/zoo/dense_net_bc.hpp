// DenseNet-BC for small images such as CIFAR's.
#pragma once

#include "../core/macros_aside.hpp"

#include "../compose/merge.hpp"
#include "../compose/network.hpp"
#include "../layer/activation.hpp"
#include "../layer/batch_norm.hpp"
#include "../layer/conv.hpp"
#include "../layer/linear.hpp"
#include "../layer/pool.hpp"
#include "../layer/readout.hpp"

namespace aila::inline v0::zoo {

/// [x, f(x)] with Growth features of f beside those of x: a bottleneck of 4 Growth features, then 3 x 3, each behind
/// batch normalisation and ReLU.
template <std::size_t Growth>
struct DenseLayer : Concat<BatchNorm<>, Relu, Conv<4 * Growth, Kernel<1>, NoBias, Initial<init::HeNormal>>, BatchNorm<>,
                           Relu, Conv<Growth, NoBias, Initial<init::HeNormal>>> {
  static constexpr const char* name = "dense_layer";
};

/// To Filters features, and half the height and width.
template <std::size_t Filters>
struct DenseTransition
    : Chain<BatchNorm<>, Relu, Conv<Filters, Kernel<1>, NoBias, Initial<init::HeNormal>>, AveragePool<2>> {
  static constexpr const char* name = "transition";
};

/// Layers in each of the three blocks, and features behind transition number `blocks`: half of those before it.
constexpr std::size_t dense_layers(std::size_t depth) {
  return (depth - 4) / 6;
}
constexpr std::size_t dense_features(std::size_t depth, std::size_t growth, std::size_t blocks) {
  std::size_t features = 2 * growth;
  for (std::size_t i = 0; i < blocks; ++i) features = (features + dense_layers(depth) * growth) / 2;
  return features;
}

/// 40, 100, 190, 250 in the paper.
template <std::size_t Depth>
concept DenseNetDepth = Depth >= 10 && Depth % 6 == 4;

/// [H, W, C] -> [Classes]: a convolution, three blocks of (Depth - 4) / 6 dense layers with transitions between them,
/// the mean over pixels, a linear map. DenseNetBc<100, 12> has 769,162 parameters. Source: Huang, Liu, van der Maaten
/// and Weinberger, arXiv 1608.06993, section 3, with compression 0.5.
template <std::size_t Depth = 100, std::size_t Growth = 12, class Input = Image<32, 32, 3>, std::size_t Classes = 10>
  requires DenseNetDepth<Depth>
struct DenseNetBc
    : Network<Input, Conv<2 * Growth, NoBias, Initial<init::HeNormal>>,                                            //
              Repeat<dense_layers(Depth), DenseLayer<Growth>>, DenseTransition<dense_features(Depth, Growth, 1)>,  //
              Repeat<dense_layers(Depth), DenseLayer<Growth>>, DenseTransition<dense_features(Depth, Growth, 2)>,  //
              Repeat<dense_layers(Depth), DenseLayer<Growth>>,                                                     //
              BatchNorm<>, Relu, MeanOverPositions, Linear<Classes>> {};

}  // namespace aila::inline v0::zoo

#include "../core/macros_back.hpp"
