// Attention over steps.
#include "compare.hpp"

using namespace aila;

namespace {
struct Heads2 : Network<Sequence<17, 32>, SelfAttention<2>> {};
struct Odd : Network<Sequence<7, 15>, SelfAttention<3>> {};
struct CausalOf : Network<Sequence<40, 16>, SelfAttention<2, Causal>> {};
struct Long : Network<Sequence<200, 64>, SelfAttention<4>> {};
struct Wide : Network<Sequence<9, 128>, SelfAttention<1>> {};
struct WideChunks : Network<Sequence<70, 128>, SelfAttention<1>> {};
struct Alone : Network<Sequence<17, 96>, Attend<2>> {};
struct AloneCausal : Network<Sequence<9, 45>, Attend<3, Causal>> {};
struct OneStep : Network<Sequence<1, 16>, SelfAttention<2>, AttentionPooling<5>> {};
struct Pooled : Network<Sequence<17, 20>, AttentionPooling<12>> {};
struct PooledLong : Network<Sequence<200, 64>, AttentionPooling<32>> {};
struct Blocks : Network<Sequence<12, 16>, SinusoidalPositions, Repeat<2, TransformerBlock<2, 32>>, MeanOverPositions> {
};
struct Values : Network<Sequence<6, 16>, Stack<integrate::ValueResidual, Repeat<3, TransformerBlock<2, 32>>>> {};
struct Patches : Network<Image<16, 16, 3>, PatchEmbedding<4, 32>, ClassToken, LearnedPositions, TransformerBlock<2, 64>,
                         LayerNorm, FirstStep, Linear<10>> {};
}  // namespace

TEST_CASE("self-attention") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Heads2>("two heads", {1, 5, 67});
  gpu::compare_all<Odd>("odd widths", {1, 5, 67});
  gpu::compare_all<CausalOf>("causal", {1, 67});
  gpu::compare_all<Long>("200 steps", {3});
  gpu::compare_all<Wide>("one head of 128", {3});
  gpu::compare_all<WideChunks>("one head of 128, 70 steps", {1});
  gpu::compare_all<Alone>("of queries, keys and values");
  gpu::compare_all<AloneCausal>("of queries, keys and values, causal");
  gpu::compare_all<OneStep>("one step");
  gpu::compare_all<Pooled>("attention pooling", {1, 5, 67});
  gpu::compare_all<PooledLong>("attention pooling of 200 steps", {3, 67});
}
TEST_CASE("transformers") {
  if (!gpu::is_there()) return;
  gpu::compare_all<Blocks>("transformer blocks", {1, 67});
  gpu::compare_all<Values>("value residual", {1, 67});
  gpu::compare_all<Patches>("vision transformer", {1, 33});
}
