// Attention and what stands around it against figures that PyTorch made (figures/make_sequences.py).
#include "figures.hpp"

using namespace aila;
using layer_figures::check, layer_figures::Net;

namespace {
struct Vision : Network<Image<4, 4, 3>, PatchEmbedding<2, 6>, ClassToken, LearnedPositions,
                        Repeat<2, TransformerBlock<3, 8>>, LayerNorm, FirstStep, Linear<4>> {};

}  // namespace

TEST_CASE("self-attention is PyTorch's MultiheadAttention, with its masks") {
  using In = Sequence<5, 6>;
  check<Net<In, SelfAttention<2>>>("attention");
  check<Net<In, SelfAttention<3, Causal>>>("attention-causal");
  check<Net<In, SelfAttention<2>>>("attention-lengths");
  check<Net<In, SelfAttention<1, Causal>>>("attention-causal-lengths");
}

TEST_CASE("transformer blocks are PyTorch's TransformerEncoderLayer") {
  using In = Sequence<5, 6>;
  check<Net<In, TransformerBlock<2, 9>>>("transformer-pre");
  check<Net<In, TransformerBlock<2, 9, PostNorm, Relu>>>("transformer-post");
  check<Net<In, TransformerBlock<2, 9>>>("transformer-pre-lengths");
  check<Net<In, TransformerBlock<2, 9, PostNorm, Relu>>>("transformer-post-lengths");
}

TEST_CASE("patches are PyTorch's convolution whose kernel is its stride") {
  check<Net<Image<4, 6, 3>, PatchEmbedding<2, 7>>>("patches");
}

TEST_CASE("attention pooling and sinusoidal positions are what PyTorch makes of their formulas") {
  check<Net<Sequence<5, 3>, AttentionPooling<7>>>("pooling");
  check<Net<Sequence<5, 3>, AttentionPooling<7>>>("pooling-lengths");
  check<Net<Sequence<40, 6>, SinusoidalPositions>>("sinusoidal");
}

TEST_CASE("a small vision transformer agrees with PyTorch in its outputs and all gradients") {
  check<Vision>("vision-transformer");
}
