// Networks of the zoo on the device, and PyTorch's figures of them (tests/zoo/figures).
#include "figures.hpp"

using namespace aila;
using device_figures::meets_whole;

namespace {
using Heads4 = integrate::Linear<Heads<4>>;
using Tied = integrate::Attention<TiedValues>;
}  // namespace

TEST_CASE("networks of recurrent layers meet PyTorch's figures on the device") {
  if (!gpu::is_there()) return;
  meets_whole<zoo::Lstm2<Sequence<7, 3>, 2, 5>>("lstm2");
  meets_whole<zoo::AttentionLstm<Sequence<7, 3>, 2, 5>>("attention_lstm");
  meets_whole<zoo::AilaSequence<Heads4, Sequence<7, 3>, 2, LastStep, 4, 8>>("aila_sequence_linear");
  meets_whole<zoo::AilaSequence<Tied, Sequence<7, 3>, 2, LastStep, 4, 8>>("aila_sequence_attention");
}

TEST_CASE("transformers meet PyTorch's figures on the device") {
  if (!gpu::is_there()) return;
  using In = Sequence<7, 3>;
  meets_whole<zoo::TransformerEncoder<In, 2, 8, 2>>("transformer_mean");
  meets_whole<zoo::TransformerEncoder<In, 2, 8, 2, LearnedPositions, FirstStep>>("transformer_token");
  meets_whole<zoo::VisionTransformer<Image<8, 8, 3>, 10, 16>>("vision_transformer");
}

TEST_CASE("networks of convolutions meet PyTorch's figures on the device") {
  if (!gpu::is_there()) return;
  meets_whole<zoo::ResidualCnn1d<Sequence<9, 3>, 2, 6>>("residual_cnn_1d");
  meets_whole<zoo::ResNet<20, Image<16, 16, 3>>>("res_net_20");
  meets_whole<zoo::AilaImage<Heads4, Image<8, 8, 3>, 10, 8>>("aila_image_linear");
  meets_whole<zoo::AilaImage<Tied, Image<8, 8, 3>, 10, 8>>("aila_image_attention");
}
