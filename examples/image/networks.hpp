// The networks that the program has, as types.
#pragma once

#include <aila/any_model.hpp>
#if defined(AILA_EXAMPLES_CUDA)
#include <aila/backend/cuda/cuda.hpp>
#endif
#include <aila/zoo/aila_image.hpp>
#include <aila/zoo/dense_net_bc.hpp>
#include <aila/zoo/efficient_net_b0.hpp>
#include <aila/zoo/res_net.hpp>
#include <aila/zoo/vision_transformer.hpp>

namespace image {

/// What MNIST's family and CIFAR-10 give, and the classes of each of them.
using Grey = aila::Image<28, 28, 1>;
using Colour = aila::Image<32, 32, 3>;
inline constexpr std::size_t classes = 10;
using Loss = aila::CrossEntropy;

/// The policies that are compared: linear integration with four heads, attention with one and tied values.
using None = aila::integrate::None;
using Residual = aila::integrate::Residual;
using DenseNet = aila::integrate::DenseNet;
using Linear = aila::integrate::Linear<aila::Heads<4>>;
using Attention = aila::integrate::Attention<aila::TiedValues>;

/// Four convolutions that differ in the connection between them alone.
template <class Policy>
struct Aila {
  template <class In>
  struct On : aila::zoo::AilaImage<Policy, In, classes> {};
};

/// More of them, cores in order, on larger maps.
template <class Policy, class... Cores>
struct Convolutions {
  template <class In>
  struct On : aila::Network<In, aila::Stack<Policy, Cores...>, aila::MeanOverPositions, aila::Linear<classes>> {};
};
using Wide = aila::Conv<64>;
using Halving = aila::Conv<64, aila::Stride<2>>;
template <class Policy>
using Aila6 = Convolutions<Policy, Wide, Wide, Halving, Wide, Halving, Wide>;
/// Three of these see whole images: what it takes for nine of ten right answers on CIFAR-10.
template <class Policy>
using Aila10 = Convolutions<Policy, Wide, Wide, Wide, Halving, Wide, Wide, Halving, Wide, Wide, Wide>;

template <class In>
struct ResNet20 : aila::zoo::ResNet<20, In, classes> {};
template <class In>
struct DenseNetBc : aila::zoo::DenseNetBc<100, 12, In, classes> {};
template <class In>
struct EfficientNetB0 : aila::zoo::EfficientNetB0<In::extents[0], classes> {};
template <class In>
struct VisionTransformer : aila::zoo::VisionTransformer<In, classes> {};

}  // namespace image

// What CMakeLists.txt compiles by aila_add_network is not compiled again where this header is read.
#define COLOUR_NETWORK(name, policy, ...) \
  extern template struct aila::NetworkUnit<__VA_ARGS__<image::Colour>, image::Loss>;
#define NETWORK(name, policy, ...)          \
  COLOUR_NETWORK(name, policy, __VA_ARGS__) \
  extern template struct aila::NetworkUnit<__VA_ARGS__<image::Grey>, image::Loss>;
#include "networks.def"
#undef NETWORK
#undef COLOUR_NETWORK
#if defined(AILA_EXAMPLES_CUDA)  // and by aila_add_cuda_network
#define COLOUR_NETWORK(name, policy, ...) \
  extern template struct aila::NetworkUnit<__VA_ARGS__<image::Colour>, image::Loss, aila::backend::Cuda>;
#define NETWORK(name, policy, ...)          \
  COLOUR_NETWORK(name, policy, __VA_ARGS__) \
  extern template struct aila::NetworkUnit<__VA_ARGS__<image::Grey>, image::Loss, aila::backend::Cuda>;
#include "networks.def"
#undef COLOUR_NETWORK
#undef NETWORK
#endif
