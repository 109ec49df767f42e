// Central differences of the layers for sequences.
#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>

#include "gradients.hpp"

namespace aila {
namespace {

TEST_CASE_TEMPLATE("self-attention has right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<SelfAttention<1>, Sequence<5, 3>, Backend>() == "");
  CHECK(wrong_gradient<SelfAttention<2>, Sequence<5, 6>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<SelfAttention<2, Causal>, Sequence<19, 4>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<SelfAttention<4>, Sequence<1, 4>, Backend>({.samples = 1}) == "");
}

TEST_CASE_TEMPLATE("transformer blocks have right gradients", Backend, ReferenceDouble, CpuDouble) {
  using In = Sequence<4, 6>;
  CHECK(wrong_gradient<TransformerBlock<2, 5>, In, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<TransformerBlock<3, 4, PostNorm, Tanh, Dropout<30>, Causal>, In, Backend>(
            {.lengths = true, .training = true}) == "");
}

TEST_CASE_TEMPLATE("GRU has right gradients through time, in one direction and in both", Backend, ReferenceDouble,
                   CpuDouble) {
  CHECK(wrong_gradient<Gru<3>, Sequence<5, 2>, Backend>() == "");
  CHECK(wrong_gradient<Gru<9>, Sequence<4, 3>, Backend>({.samples = 5, .lengths = true}) == "");
  CHECK(wrong_gradient<Gru<8>, Sequence<1, 1>, Backend>({.samples = 1}) == "");
  CHECK(wrong_gradient<Bidirectional<Gru<3>>, Sequence<5, 3>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<Bidirectional<Lstm<2>>, Sequence<5, 3>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<Bidirectional<Chain<Linear<3>, Gru<2>, Dropout<40>>>, Sequence<4, 2>, Backend>(
            {.training = true}) == "");
}

TEST_CASE_TEMPLATE("positions, tokens and patches have right gradients", Backend, ReferenceDouble, CpuDouble) {
  using In = Sequence<5, 3>;
  CHECK(wrong_gradient<LearnedPositions, In, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<SinusoidalPositions, In, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<ClassToken, In, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<FirstStep, In, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<PatchEmbedding<2, 5>, Image<4, 6, 3>, Backend>() == "");
  CHECK(wrong_gradient<PatchEmbedding<1, 1>, Image<2, 1, 1>, Backend>() == "");
}

TEST_CASE_TEMPLATE("attention pooling has right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<AttentionPooling<5>, Sequence<5, 3>, Backend>() == "");
  CHECK(wrong_gradient<AttentionPooling<17>, Sequence<6, 9>, Backend>({.lengths = true}) == "");
}

TEST_CASE_TEMPLATE("stochastic depth has right gradients, at rest and while training", Backend, ReferenceDouble,
                   CpuDouble) {
  CHECK(wrong_gradient<StochasticDepth<40>, Sequence<5, 3>, Backend>() == "");
  CHECK(wrong_gradient<StochasticDepth<40>, Image<2, 2, 3>, Backend>({.samples = 9, .training = true}) == "");
}

TEST_CASE("stacks of transformer blocks and of recurrent layers have right gradients") {
  using In = Sequence<4, 4>;
  CHECK(wrong_gradient<Stack<integrate::Attention<>, Repeat<3, TransformerBlock<2, 5>>>, In, CpuDouble>(
            {.lengths = true}) == "");
  CHECK(wrong_gradient<Stack<integrate::Linear<>, Bidirectional<Gru<2>>, SelfAttention<2>, Gru<4>>, In, CpuDouble>(
            {.lengths = true}) == "");
}

}  // namespace
}  // namespace aila
