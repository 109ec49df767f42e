// What is no number must not look like one further on: NaN in, NaN out, with any release of xsimd.
#include <doctest/doctest.h>

#include <aila/integrate/policies.hpp>
#include <aila/learn/losses.hpp>
#include <aila/network/stream.hpp>
#include <array>
#include <string>

#include "on_backend.hpp"

namespace {

using namespace aila;
using Arch = simd::DefaultArch;

/// The lanes of f(x) of which one in the middle is a NaN, as text: "." a number, "n" a NaN.
template <class S, class F>
std::string lanes_of(F f) {
  constexpr std::size_t W = simd::width<S, Arch>;
  alignas(64) S x[W], y[W];
  for (std::size_t i = 0; i < W; ++i) x[i] = S(0.25) * static_cast<S>(i + 1) - S(1);
  x[W / 2] = std::numeric_limits<S>::quiet_NaN();
  simd::store(y, simd::Batch<S, Arch>(f(simd::load<S, Arch>(x))));
  std::string text;
  for (std::size_t i = 0; i < W; ++i) text += std::isnan(y[i]) ? 'n' : '.';
  return text;
}
template <class S>
std::string one_lost() {
  std::string text(simd::width<S, Arch>, '.');
  text[text.size() / 2] = 'n';
  return text;
}

/// Whether the outputs of the second of two samples hold a NaN, and those of the first none, where element `place` of
/// the second is one; while predicting, and where that computes otherwise while training.
template <class Net, class Backend = CpuFloat>
bool survives(std::size_t place) {
  using S = typename Backend::Scalar;
  using In = NetworkInput<Net>;
  constexpr std::size_t outputs = NetworkOutput<Net>::elements;
  const Model<Net, Backend> model{Seed{3}};
  auto x = waves<S>(2 * In::elements);
  x[In::elements + place] = std::numeric_limits<S>::quiet_NaN();
  Pass pass;
  pass.samples = 2;
  const auto is_nan = [](S v) { return std::isnan(v); };
  Workspace<Net, Backend, Capability::predict> space(2);
  std::fill_n(space.output(), 2 * outputs, S(0));
  space.forward(pass, model.parameters().data(), model.packed(), x.data());
  return std::none_of(space.output(), space.output() + outputs, is_nan) &&
         std::any_of(space.output() + outputs, space.output() + 2 * outputs, is_nan);
}
/// At the beginning, in the middle and at the end of the sample.
template <class Net, class Backend = CpuFloat>
bool survives() {
  constexpr std::size_t last = NetworkInput<Net>::elements - 1;
  return survives<Net, Backend>(0) && survives<Net, Backend>(last / 2) && survives<Net, Backend>(last);
}

template <class... Layers>
struct OfSteps : Network<Sequence<6, 5>, Layers...> {};
template <class... Layers>
struct OfImages : Network<Image<4, 4, 3>, Layers...> {};

}  // namespace

TEST_CASE_TEMPLATE("a NaN stays one, alone in its lane, through every function of batches", S, float, double) {
  using V = simd::Batch<S, Arch>;
  const std::string want = one_lost<S>();
  CHECK(lanes_of<S>([](V x) { return math::exp(x); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::log(x + V(S(9))); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::log1p(x + V(S(9))); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::erf(x); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::erf(x * V(S(0.01))); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::tanh(x); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::tanh(x * V(S(0.01))); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::sqrt(x + V(S(9))); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::abs(x); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::sigmoid(x); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::softplus(x); }) == want);
  CHECK(lanes_of<S>([](V x) { return simd::sigmoid_gate(x); }) == want);
  CHECK(lanes_of<S>([](V x) { return simd::tanh_gate(x); }) == want);
  CHECK(lanes_of<S>([](V x) { return cpu::power_of_two(x); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::max(x, V(S(0))); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::min(x, V(S(0))); }) == want);
  CHECK(lanes_of<S>([](V x) { return math::fma(x, x, x); }) == want);
  CHECK(lanes_of<S>([](V x) { return V(simd::reduce_add(x)); }) == std::string(want.size(), 'n'));
  CHECK(lanes_of<S>([](V x) { return V(simd::reduce_max(x)); }) == std::string(want.size(), 'n'));
  // In the second place it is passed over, as with scalars: on every architecture, with every release.
  CHECK(lanes_of<S>([](V x) { return math::max(V(S(0)), x); }) == std::string(want.size(), '.'));
  CHECK(lanes_of<S>([](V x) { return math::min(V(S(0)), x); }) == std::string(want.size(), '.'));
}

TEST_CASE_TEMPLATE("a NaN stays one through every activation and its slope", S, float, double) {
  using V = simd::Batch<S, Arch>;
  const auto check = []<class Activation>(std::type_identity<Activation>) {
    CHECK_MESSAGE(lanes_of<S>([](V x) { return Activation::value(x); }) == one_lost<S>(), Activation::name);
    // the gradient behind a NaN is one: 0 times it, too
    CHECK_MESSAGE(lanes_of<S>([](V x) { return x * Activation::slope(x, V(Activation::value(x))); }) == one_lost<S>(),
                  Activation::name);
  };
  check(std::type_identity<Identity>{});
  check(std::type_identity<Relu>{});
  check(std::type_identity<Gelu>{});
  check(std::type_identity<Silu>{});
  check(std::type_identity<Tanh>{});
  check(std::type_identity<Sigmoid>{});
  constexpr std::size_t features = 3;
  for (std::size_t place = 0; place < features; ++place) {
    V x[features] = {V(S(1)), V(S(2)), V(S(0))}, y[features];
    x[place] = V(std::numeric_limits<S>::quiet_NaN());
    Softmax::forward<Vector<features>>(x, Weights<S>{nullptr, nullptr}, y);  // it has no tensors
    for (const V& each : y) CHECK(std::isnan(simd::reduce_add(each)));
  }
}

TEST_CASE_TEMPLATE("a loss and its slope of an output that is a NaN are NaN", Number, float, double, CpuFloat,
                   CpuDouble) {
  const auto check = []<class Loss, class Out>(Loss loss, Out) {
    const auto tried = [&]<class V>(V nan) {
      for (std::size_t place = 0; place < Out::elements; ++place) {
        V output[Out::elements], target[Out::elements], slope[Out::elements];
        for (std::size_t i = 0; i < Out::elements; ++i) output[i] = V(1), target[i] = V(0), slope[i] = V(0);
        output[place] = nan;
        const V value = loss.template operator()<Out>(output, target, slope);
        CHECK_MESSAGE(std::isnan(math::reduce_add(value)), Loss::name);
        CHECK_MESSAGE(std::isnan(math::reduce_add(slope[place])), Loss::name);
      }
    };
    if constexpr (std::is_floating_point_v<Number>) {
      tried(std::numeric_limits<Number>::quiet_NaN());
    } else {
      using V = typename Lanes<Number>::V;
      tried(V(std::numeric_limits<typename Number::Scalar>::quiet_NaN()));
    }
  };
  check(MeanSquaredError{}, Vector<3>{});
  check(MeanAbsoluteError{}, Vector<3>{});
  check(Huber{}, Vector<3>{});
  check(Quantile{.q = 0.25}, Vector<3>{});
  check(BinaryCrossEntropy{}, Vector<3>{});
  check(CrossEntropy{}, Vector<3>{});
}

TEST_CASE("a NaN in a sequence reaches what is told of it, through every layer of sequences") {
  CHECK(survives<OfSteps<Linear<4>, Relu>>());
  CHECK(survives<OfSteps<Lstm<7>, LastStep>>());
  CHECK(survives<OfSteps<Lstm<7>, LastStep>, CpuDouble>());
  CHECK(survives<OfSteps<Lstm<40>, Relu, LastStep>>());
  CHECK(survives<OfSteps<Gru<7>, LastStep>>());
  CHECK(survives<OfSteps<Bidirectional<Gru<3>>, GlobalMaxPool>>());
  CHECK(survives<OfSteps<LayerNorm, Tanh, MeanOverPositions>>());
  CHECK(survives<OfSteps<LayerNorm, GlobalMaxPool>>());
  CHECK(survives<OfSteps<Linear<4>, AttentionPooling<3>>>());
  CHECK(survives<OfSteps<Linear<4>, SelfAttention<2>, LastStep>>());
  CHECK(survives<OfSteps<Linear<4>, TransformerBlock<2, 8>, MeanOverPositions, Softmax>>());
  CHECK(survives<OfSteps<MaxPool<2>, Relu>>());
}

TEST_CASE("a NaN in an image reaches what is told of it, through every layer of images") {
  CHECK(survives<OfImages<Conv<4>, Relu, GlobalMaxPool>>());
  CHECK(survives<OfImages<DepthwiseConv<>, BatchNorm<>, Silu, MaxPool<2>>>());
  CHECK(survives<OfImages<Conv<4>, SqueezeExcitation<2>, AveragePool<2>, MeanOverPositions, Gelu>>());
}

TEST_CASE("a NaN goes through stacks of every policy") {
  CHECK(survives<OfSteps<Stack<integrate::None, Lstm<6>, Lstm<6>, Lstm<6>>, LastStep>>());
  CHECK(survives<OfSteps<Stack<integrate::Residual, Lstm<6>, Gru<6>>, LastStep>>());
  CHECK(survives<OfSteps<Stack<integrate::DenseNet, Lstm<6>, Lstm<6>>, LastStep>>());
  CHECK(survives<OfSteps<Stack<integrate::Linear<Heads<2>>, Lstm<6>, Lstm<6>, Lstm<6>>, LastStep>>());
  CHECK(survives<OfSteps<Stack<integrate::Attention<>, Lstm<6>, Lstm<6>, Lstm<6>>, LastStep>>());
}

namespace {
/// The outputs of a stream hold a NaN from the step on that was given one.
template <class Net, class Backend = CpuFloat>
bool stream_survives() {
  using S = typename Backend::Scalar;
  const Model<Net, Backend> model{Seed{3}};
  Stream<Net, Backend> stream{model};
  std::array<S, 5> step{S(1), S(-1), S(0.5), S(2), S(0)};
  const auto nan_out = [&] {
    const auto y = stream.step(step);
    return std::any_of(y.begin(), y.end(), [](S v) { return std::isnan(v); });
  };
  bool right = !nan_out();
  step[2] = std::numeric_limits<S>::quiet_NaN();
  right &= nan_out();
  step[2] = S(0);
  return right && nan_out();
}
}  // namespace

TEST_CASE("a NaN goes through the steps of a stream, and stays in its state") {
  CHECK(stream_survives<OfSteps<Lstm<5>, LastStep>>());
  CHECK(stream_survives<OfSteps<Gru<24>, Relu, LastStep>>());
  CHECK(stream_survives<OfSteps<Stack<integrate::Attention<>, Lstm<24>, Gru<24>, Lstm<24>>, LastStep, Linear<2>>>());
  CHECK(stream_survives<OfSteps<Lstm<5>, Gru<5>, LastStep, Linear<2>>, CpuDouble>());
}
