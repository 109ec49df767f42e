// Layers on the device, and PyTorch's figures of them (tests/layer/figures).
#include "figures.hpp"

using namespace aila;
using device_figures::meets, device_figures::meets_case, layer_figures::Net;

namespace {
struct Vision : Network<Image<4, 4, 3>, PatchEmbedding<2, 6>, ClassToken, LearnedPositions,
                        Repeat<2, TransformerBlock<3, 8>>, LayerNorm, FirstStep, Linear<4>> {};
}  // namespace

TEST_CASE("recurrent layers on the device are PyTorch's, in one direction and in both") {
  if (!gpu::is_there()) return;
  using In = Sequence<6, 3>;
  for (const char* const suffix : {"", "-lengths"}) {
    meets<Net<In, Gru<5>>>(std::string("gru") + suffix);
    meets<Net<In, Bidirectional<Gru<5>>>>(std::string("gru-both") + suffix);
    meets<Net<In, Bidirectional<Lstm<5>>>>(std::string("lstm-both") + suffix);
  }
}

TEST_CASE("attention and what stands around it are PyTorch's on the device") {
  if (!gpu::is_there()) return;
  using In = Sequence<5, 6>;
  meets<Net<In, SelfAttention<3, Causal>>>("attention-causal");
  meets<Net<In, SelfAttention<1, Causal>>>("attention-causal-lengths");
  for (const char* const suffix : {"", "-lengths"}) {
    meets<Net<In, SelfAttention<2>>>(std::string("attention") + suffix);
    meets<Net<In, TransformerBlock<2, 9>>>(std::string("transformer-pre") + suffix);
    meets<Net<In, TransformerBlock<2, 9, PostNorm, Relu>>>(std::string("transformer-post") + suffix);
    meets<Net<Sequence<5, 3>, AttentionPooling<7>>>(std::string("pooling") + suffix);
  }
  meets<Net<Image<4, 6, 3>, PatchEmbedding<2, 7>>>("patches");
  meets<Net<Sequence<40, 6>, SinusoidalPositions>>("sinusoidal");
  device_figures::meets_as_float_does<Vision>("vision-transformer");
}

TEST_CASE("batch normalisation on the device is PyTorch's, and squeeze-and-excitation what it makes of the formula") {
  if (!gpu::is_there()) return;
  for (const char* const name : {"batch-norm-evaluation", "batch-norm-training"})
    meets<Net<Image<2, 4, 5>, BatchNorm<>>>(name);
  meets<Net<Sequence<3, 17>, BatchNorm<StatisticsRate<250>, Epsilon<1000>>>>("batch-norm-options");
  meets<Net<Image<3, 4, 6>, SqueezeExcitation<3, Silu>>>("squeeze-excitation");
  meets<Net<Sequence<5, 17>, SqueezeExcitation<4>>>("squeeze-excitation-relu");
}

TEST_CASE("convolutions on the device agree with PyTorch's") {
  if (!gpu::is_there()) return;
  const char* const file = "convolutions";
  meets_case<Conv<4>, Image<4, 5, 3>>(file, "same");
  meets_case<Conv<3, Stride<2>>, Image<5, 6, 2>>(file, "stride");
  meets_case<Conv<3, Kernel<2, 3>, Dilation<1, 2>, Padding<0>>, Image<4, 7, 2>>(file, "dilation");
  meets_case<Conv<6, Stride<1, 2>, Padding<2, 1>, Groups<2>, NoBias>, Image<3, 5, 4>>(file, "groups");
  meets_case<DepthwiseConv<>, Image<4, 3, 5>>(file, "depthwise");
  meets_case<DepthwiseConv<Kernel<4>, Stride<3>, Dilation<2>>, Image<7, 8, 3>>(file, "depthwise_stride");
  meets_case<Conv<5, Kernel<1>>, Image<3, 2, 3>>(file, "pointwise");
  meets_case<Conv<4>, Sequence<7, 3>>(file, "sequence");
  meets_case<Conv<4, Kernel<5>, Stride<3>, Dilation<2>, Groups<2>>, Sequence<11, 4>>(file, "sequence_stride");
}

TEST_CASE("pools on the device agree with PyTorch's") {
  if (!gpu::is_there()) return;
  const char* const file = "pools";
  meets_case<MaxPool<2>, Image<4, 6, 3>>(file, "max");
  meets_case<MaxPool<3, Stride<2>, Padding<1>>, Image<5, 6, 3>>(file, "max_overlap");
  meets_case<MaxPool<2, Width<3>, Stride<1, 2>, Padding<0, 1>>, Image<4, 5, 2>>(file, "max_window");
  meets_case<MaxPool<3, Stride<2>, Padding<1>>, Sequence<8, 3>>(file, "max_sequence");
  meets_case<AveragePool<2>, Image<4, 5, 3>>(file, "average");
  meets_case<AveragePool<3, Stride<2>, Padding<1>>, Image<5, 6, 3>>(file, "average_padding");
  meets_case<AveragePool<4, Stride<3>, Padding<2>>, Sequence<8, 3>>(file, "average_sequence");
  meets_case<GlobalMaxPool, Image<3, 4, 5>>(file, "global_max");
}
