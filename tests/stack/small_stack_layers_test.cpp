// Threads with little stack - those of audio drivers, of some C libraries - run any network: what grows with it is
// memory of workspaces, not automatic arrays. Layers and losses.
#include <doctest/doctest.h>

#include <aila/learn/losses.hpp>

#include "on_small_stack.hpp"

namespace aila {
namespace {

// Wide maps, so wide that a row of theirs would break the bound.
struct Wide
    : Network<Sequence<4, 4096>, Softmax, LayerNorm, Identity, Relu, Gelu, Silu, Tanh, Sigmoid, Dropout<20>,
              StochasticDepth<20>, LearnedPositions, SinusoidalPositions, ReluLayerNorm, BatchNorm<>, DepthwiseConv<>,
              MaxPool<2>, Shortcut<5000>, AveragePool<2>, Residual<Frozen<LayerNorm>>, ClassToken, SqueezeExcitation<4>,
              Sum<Tanh, Softmax>, Sum<FirstStep, LastStep, MeanOverPositions, GlobalMaxPool, AttentionPooling<3>>,
              Concat<Softmax>, Linear<3>> {};
struct WideInside : Network<Sequence<2, 3>, AttentionPooling<5000>, Linear<5000>, Softmax> {};
struct WideTokens : Network<Tokens<3>, Embedding<5000>> {};
struct Recurrent : Network<Sequence<3, 600>, Lstm<300>, Gru<300>, Bidirectional<Lstm<150>>, SelfAttention<2>,
                           TransformerBlock<2, 600>, LastStep> {};
struct Long : Network<Sequence<1200, 4>, Lstm<4>, Gru<4>, Bidirectional<Gru<2>>, SelfAttention<2>, SinusoidalPositions,
                      AttentionPooling<3>> {};
struct Images : Network<Image<4, 4, 256>, Conv<256>, BatchNorm<>, Relu, Conv<256, Stride<2>>, Conv<256, Kernel<1>>,
                        DepthwiseConv<>, PatchEmbedding<2, 600>> {};
struct LargeWindows : Network<Image<32, 32, 40>, Conv<4, Kernel<13>>, MaxPool<16>, Flatten> {};

TEST_CASE("wide layers keep off the stack") {
  check_small_stack_on_both<Wide>();
  check_small_stack_on_both<WideInside>();
  check_small_stack_on_both<WideTokens>();
}
TEST_CASE("layers over wide and long sequences and images keep off the stack") {
  check_small_stack_on_both<Recurrent>();
  check_small_stack_on_both<Long>();
  check_small_stack_on_both<Images>();
  check_small_stack_on_both<LargeWindows>();
}

template <class Loss, class V>
std::size_t used_by_loss(const Loss& loss) {
  using Out = Vector<20000>;
  const AlignedArray<V> output(Out::elements), target(Loss::template targets<Out>);
  AlignedArray<V> gradient(Out::elements);
  return painted_stack().used_by(
      [&] { gradient.data()[0] += loss.template operator()<Out>(output.data(), target.data(), gradient.data()); });
}
TEST_CASE_TEMPLATE("losses over many outputs keep off the stack", Loss, CrossEntropy, MeanSquaredError,
                   MeanAbsoluteError, Huber, BinaryCrossEntropy, Quantile) {
  CHECK(used_by_loss<Loss, double>(Loss{}) <= stack_bound);
  CHECK(used_by_loss<Loss, Lanes<backend::Cpu>::V>(Loss{}) <= stack_bound);
}

}  // namespace
}  // namespace aila
