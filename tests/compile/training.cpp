// expect 1: aila: training needs this policy's backward; see contract/policy.hpp
// expect 2: aila: training needs this layer's backward(x, w, dy, dx, g)
// expect 3: aila: training needs this layer's slope(x, y), which is dy/dx
// expect 4: aila: this loss cannot be taken of the network's output
// expect 5: aila: this loss cannot be taken of the network's output
// expect 6: aila: this type is no optimiser; see learn/optimiser.hpp
// expect 7: aila: this is no source of samples of the network's input and Scalar
// expect 8: aila: this is no source of samples of the network's input and Scalar
// expect 9: aila: this is no source of samples of the network's input and Scalar
// expect 10: aila: training needs this policy's backward; see contract/policy.hpp
#include <aila/aila.hpp>
using namespace aila;

// A policy, a position-wise layer and an element-wise layer that can predict only.
struct Mean : integrate::Policy {
  template <class Own, class Before, class V>
  static constexpr void forward(const V*, const V* const* before, Weights<ScalarOf<V>>, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = before[0][f];
  }
};
struct Double {
  static constexpr bool position_wise = true;
  template <RealShape In>
  using Out = In;
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>>, V* y) {
    for (std::size_t f = 0; f < In::features; ++f) y[f] = x[f] + x[f];
  }
};
struct Square {
  template <RealShape In>
  using Out = In;
  template <class V>
  static constexpr V value(V x) {
    return x * x;
  }
};

using In = Sequence<12, 4>;
template <class... Layers>
using Ending = Network<In, Layers..., LastStep, Linear<1>>;
struct Net : Ending<Lstm<4>> {};
struct OnlyPredicts : Ending<Double, Square, Stack<Mean, Repeat<3, Lstm<4>>>> {};
struct WithMean : Ending<Stack<Mean, Repeat<3, Lstm<4>>>> {};
struct WithNarrowMean : Ending<Stack<Mean, Repeat<3, Lstm<2>>>> {};
struct WithDouble : Ending<Chain<Double, Lstm<4>>> {};
struct WithSquare : Ending<Stack<integrate::None, Repeat<3, Lstm<4>>, Epilogue<Square>>> {};

float predicts(const Samples<In>& samples) {
  const Model<OnlyPredicts> model;
  return Predictor{model}(samples.inputs)[0] + aila::predict(model, samples)[0];
}

void trains(const Samples<In>& samples, const Samples<Sequence<12, 3>>& other) {
#if defined(MUST_FAIL_1)
  Model<WithMean> model;
  fit(model, samples, {.validation = samples, .epochs = 3});
#elif defined(MUST_FAIL_2)
  Model<WithDouble> model;
  fit(model, samples, Huber{}, {.validation = samples, .epochs = 3});
#elif defined(MUST_FAIL_3)
  Model<WithSquare> model;
  fit(model, samples, Huber{}, AdamW{}, {.validation = samples, .epochs = 3});
#elif defined(MUST_FAIL_10)
  Model<WithNarrowMean> model;
  Inline executor;
  Trainer<WithNarrowMean> trainer(model, {}, {}, {}, executor);
#else
  Model<Net> model;
#if defined(MUST_FAIL_4)  // one output is no logits of two classes
  fit(model, samples, CrossEntropy{}, {.validation = samples, .epochs = 3});
#elif defined(MUST_FAIL_5)
  fit(model, samples, Adam{}, {.epochs = 3});
#elif defined(MUST_FAIL_6)
  fit(model, samples, Huber{}, 1e-3, {.epochs = 3});
#elif defined(MUST_FAIL_7)
  fit(model, other, {.epochs = 3});
#elif defined(MUST_FAIL_8)
  fit(model, samples, Huber{}, {.validation = other, .epochs = 3});
#elif defined(MUST_FAIL_9)
  evaluate(model, std::vector<float>(12));
#else
  fit(model, samples, Huber{}, AdamW{}, {.validation = samples, .epochs = 3});
#endif
#endif
  static_cast<void>(samples);
  static_cast<void>(other);
}
