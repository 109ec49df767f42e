// expect 1: aila: a stream needs a network whose input is a Sequence or Tokens
// expect 2: aila: Bidirectional cannot stream: it reads a sequence from its end, too
// expect 3: aila: SelfAttention cannot stream: a step attends to all before it
// expect 4: aila: SelfAttention cannot stream: a step attends to all before it
// expect 5: aila: AttentionPooling cannot stream: it weighs every step; LastStep can
// expect 6: aila: MeanOverPositions cannot stream: it needs every step; LastStep can
// expect 7: aila: GlobalMaxPool cannot stream: it needs every step; LastStep can
// expect 8: aila: MaxPool and AveragePool cannot stream: windows wait for later steps
// expect 9: aila: convolutions stream with Kernel<1> and Stride<1>; others need later steps
// expect 10: aila: Flatten cannot stream: it holds every step; LastStep can
// expect 11: aila: FirstStep cannot stream: later steps change nothing; LastStep can
// expect 12: aila: ClassToken cannot stream: it puts a step before the first one
// expect 13: aila: LearnedPositions cannot stream: its table ends, a stream does not
// expect 14: aila: SinusoidalPositions cannot stream: it counts steps without end
// expect 15: aila: SqueezeExcitation cannot stream: it needs the mean over every step
// expect 16: aila: Shortcut streams with Stride<1> alone; others leave steps out
// expect 17: aila: this layer does not say that it can stream; see contract/layer.hpp
// expect 18: aila: weights of a layer in a stream may not depend on the number of steps
// expect 19: aila: this type is not a network; derive it from Network<input, layers...>
// expect 20: aila: MeanOverPositions cannot stream: it needs every step; LastStep can
// expect 22: aila: Attend cannot stream: a step attends to all before it
// expect 21: aila: this network has a kernel of its own; to go step by step its layers are needed
#include <aila/aila.hpp>
using namespace aila;

/// The sum over all steps: a body of a whole sample, which may look at any step.
struct SumOfSteps {
  template <SequenceShape In>
  using Out = Vector<In::features>;
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>>, V* y) {
    for (std::size_t f = 0; f < In::features; ++f) y[f] = V(0);
    for (std::size_t i = 0; i < In::elements; ++i) y[i % In::features] += x[i];
  }
};
/// Says that it can stream, and has a parameter for each step.
struct ScaleOfStep {
  template <SequenceShape In>
  using Out = In;
  template <class In>
  static constexpr bool streams = true;
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("scale", {20 * In::positions}, init::ones())};
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    for (std::size_t i = 0; i < In::elements; ++i) y[i] = x[i] * V(w[0][i / In::features]);
  }
};

#if defined(MUST_FAIL_1)
struct Net : Network<Vector<12>, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Sequence<12, 1>, Bidirectional<Lstm<8>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Sequence<12, 4>, Stack<integrate::Residual, Lstm<4>, SelfAttention<2>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_4)   // also where it looks back alone
struct Net : Network<Sequence<12, 4>, TransformerBlock<2, 8, Causal>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_22)  // also in halves, where a policy opens it
struct Net
    : Network<Sequence<12, 4>, Stack<integrate::ValueResidual, Repeat<2, SelfAttention<2>>>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Sequence<12, 1>, Lstm<8>, AttentionPooling<4>, Linear<1>> {};
#elif defined(MUST_FAIL_6)
struct Net : Network<Sequence<12, 1>, Lstm<8>, MeanOverPositions, Linear<1>> {};
#elif defined(MUST_FAIL_7)
struct Net : Network<Sequence<12, 1>, Gru<8>, GlobalMaxPool, Linear<1>> {};
#elif defined(MUST_FAIL_8)
struct Net : Network<Sequence<12, 1>, MaxPool<2>, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_9)
struct Net : Network<Sequence<12, 1>, Residual<Conv<1, Kernel<3>>>, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_10)
struct Net : Network<Sequence<12, 1>, Gru<8>, Flatten, Linear<1>> {};
#elif defined(MUST_FAIL_11)
struct Net : Network<Sequence<12, 1>, Gru<8>, FirstStep, Linear<1>> {};
#elif defined(MUST_FAIL_12)
struct Net : Network<Sequence<12, 1>, ClassToken, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_13)
struct Net : Network<Tokens<12>, Embedding<4>, LearnedPositions, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_14)
struct Net : Network<Sequence<12, 2>, Sum<Identity, SinusoidalPositions>, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_15)
struct Net : Network<Sequence<12, 2>, Frozen<SqueezeExcitation<1>>, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_16)
struct Net : Network<Sequence<12, 2>, Shortcut<4, Stride<2>>, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_17)
struct Net : Network<Sequence<12, 2>, Gru<8>, SumOfSteps, Linear<1>> {};
#elif defined(MUST_FAIL_18)
struct Net : Network<Sequence<12, 2>, ScaleOfStep, Gru<8>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_19)
using Net = Chain<Gru<8>, LastStep>;
#elif defined(MUST_FAIL_20)
struct Net : Network<Sequence<10, 2>,
                     Stack<integrate::None, Epilogue<Chain<Relu, Residual<Concat<Identity>, Linear<8>>>>, Lstm<8>>,
                     Chain<MeanOverPositions, Linear<3>>, Linear<1>> {};
#elif defined(MUST_FAIL_21)
#include "whole_kernel.hpp"
#else
struct Net : Network<Sequence<12, 2>, Conv<4, Kernel<1>>, Shortcut<4>, Stack<integrate::Attention<>, Lstm<8>, Gru<8>>,
                     LastStep, Flatten, Linear<1>> {};
#endif

float every_step(const Model<Net>& model) {
  Stream stream{model};
  stream.reset();
  const std::array<Stream<Net>::Element, Stream<Net>::In::elements> x{};
  return static_cast<float>(stream.step(x)[0]);
}
