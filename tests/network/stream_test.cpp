#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "../says.hpp"
#include "decay.hpp"

namespace aila {
namespace {

using Double = backend::CpuDouble;

struct Lstms : Network<Sequence<9, 3>, Lstm<13>, Lstm<40>, LastStep, Linear<2>> {};
struct Grus : Network<Sequence<9, 3>, Gru<13>, Gru<40>, LastStep, Linear<2>> {};
/// One vector of units or a part of it, one feature.
struct Small : Network<Sequence<9, 1>, Lstm<8>, Gru<5>, LastStep, Linear<1>> {};
/// More units than the stack takes, and outputs of several panels.
struct Large : Network<Sequence<9, 2>, Lstm<270>, Linear<150>, Gru<258>, LastStep, Linear<33>> {};
/// A row for each step.
struct Rows : Network<Sequence<9, 2>, Linear<7>, Tanh, Lstm<9>, LayerNorm, Linear<3>, Softmax> {};
struct Joined : Network<Sequence<9, 4>, Residual<Linear<6>, Gelu, Linear<4>>, Concat<Gru<5>>, Sum<Lstm<9>, Shortcut<9>>,
                        StochasticDepth<20>, Dropout<30>, LastStep, Flatten, Linear<2>> {};
struct Normalised : Network<Sequence<9, 3>, Conv<12, Kernel<1>>, BatchNorm<>, Relu, DepthwiseConv<Kernel<1>>, Lstm<8>,
                            BatchNorm<>, LastStep, Linear<2>> {};
struct Kept : Network<Sequence<9, 3>, Frozen<Chain<Linear<5>, Lstm<12>>>, Frozen<Gru<6>>, LastStep, Linear<2>> {};
template <class Policy>
struct Stacked
    : Network<Sequence<9, 3>, Stack<Policy, Lstm<8>, Gru<8>, Chain<Linear<8>, Lstm<8>>, Lstm<8>>, LastStep, Linear<2>> {
};

double sine(std::size_t i) {
  return 1.3 * std::sin(0.7 * static_cast<double>(i * i % 97));
}

/// The greatest difference between a stream and the same network on the steps so far, as a share of the greatest
/// output.
template <class N, class Backend>
double difference() {
  using S = typename Backend::Scalar;
  using In = NetworkInput<N>;
  Model<N, Backend> model{Seed{5}};
  model.edit([](std::span<S> p) {  // statistics and biases that are not what they were at the start
    for (std::size_t i = 0; i < p.size(); ++i)
      if (p[i] == S(0) || p[i] == S(1)) p[i] += S(0.01) * static_cast<S>(i % 7);
  });
  std::vector<S> x;
  for (std::size_t i = 0; i < In::elements; ++i) x.push_back(static_cast<S>(sine(i)));
  Predictor predict{model};
  Stream stream{model};
  double largest = 0, worst = 0;
  for (std::size_t t = 0; t < In::positions; ++t) {
    const auto y = stream.step(std::span<const S, In::features>(x.data() + t * In::features, In::features));
    const auto so_far = predict(x, static_cast<std::int32_t>(t + 1));
    const auto expected = so_far.subspan(so_far.size() == y.size() ? 0 : t * y.size(), y.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
      worst = std::max(worst, std::abs(static_cast<double>(y[i]) - static_cast<double>(expected[i])));
    }
  }
  REQUIRE(largest > 0.01);
  return worst / largest;
}

template <class N>
void check_against_the_sequence() {
  CHECK(difference<N, backend::Reference<double>>() < 1e-14);
  CHECK(difference<N, Double>() < 1e-13);
  CHECK(difference<N, backend::Cpu>() < 1.5e-6);
}

TEST_CASE("a stream of LSTMs gives after each step what the sequence so far gives") {
  check_against_the_sequence<Lstms>();
  check_against_the_sequence<Small>();
}
TEST_CASE("a stream of GRUs gives after each step what the sequence so far gives") {
  check_against_the_sequence<Grus>();
}
TEST_CASE("a stream of large layers gives after each step what the sequence so far gives") {
  CHECK(difference<Large, backend::Cpu>() < 1.5e-6);
  CHECK(difference<Large, Double>() < 1e-13);
}
TEST_CASE("a network with a row for each step streams its rows") {
  check_against_the_sequence<Rows>();
}
TEST_CASE("joined, normalised and frozen layers stream") {
  check_against_the_sequence<Joined>();
  check_against_the_sequence<Normalised>();
  check_against_the_sequence<Kept>();
}
TEST_CASE_TEMPLATE("stacks of every policy stream", Policy, integrate::None, integrate::Residual, integrate::DenseNet,
                   integrate::Linear<Heads<2>, TaskEmbedding>, integrate::Attention<Heads<2>>) {
  check_against_the_sequence<Stacked<Policy>>();
}

TEST_CASE("a layer of a user carries a state of its own") {
  struct Own : Network<Sequence<9, 2>, Linear<3>, Decay, Lstm<4>, LastStep, Linear<2>> {};
  CHECK(difference<Own, backend::Reference<double>>() < 1e-14);
  CHECK(difference<Own, backend::Cpu>() < 1.5e-6);
}

struct Net : Network<Sequence<20, 1>, Lstm<24>, LastStep, Linear<1>> {};
TEST_CASE("a stream takes a number, an array, a span and a vector alike") {
  const Model<Net> model{Seed{1}};
  Stream of_number{model}, of_array{model}, of_span{model}, of_vector{model};
  for (std::size_t t = 0; t < 5; ++t) {
    const auto x = static_cast<float>(sine(t));
    const std::array<float, 1> array{x};
    const float y = of_number.step(x)[0];
    CHECK(of_array.step(array)[0] == y);
    CHECK(of_span.step(std::span<const float, 1>(array))[0] == y);
    CHECK(of_vector.step(std::vector<float>{x})[0] == y);
  }
  static_assert(noexcept(of_number.step(1.0F)) && noexcept(of_array.step(std::array<float, 1>{})));
  static_assert(noexcept(of_number.reset()) && noexcept(of_number.use(model)));
  CHECK(says([&] { of_vector.step(std::vector<float>(2)); },
             "stream: expected the 1 elements of a step of shape [1, 1], found 2"));
}

TEST_CASE("tokens stream one by one, each table with its own layer") {
  struct Texts : Network<Tokens<6>, Embedding<4>, Dropout<10>, Lstm<8>, LastStep, Linear<2>> {};
  const Model<Texts> model{Seed{3}, {10}};
  Predictor predict{model};
  Stream stream{model};
  const std::vector<std::int32_t> tokens{3, 9, 0, 77, 4, 4};  // 77 names no row
  for (std::size_t t = 0; t < 6; ++t) {
    const auto y = stream.step(tokens[t]);
    const auto expected = predict(tokens, static_cast<std::int32_t>(t + 1));
    for (std::size_t i = 0; i < 2; ++i) CHECK(y[i] == doctest::Approx(expected[i]).epsilon(1e-5));
  }
}

TEST_CASE("reset begins anew") {
  const Model<Net> model{Seed{1}};
  Stream stream{model};
  const float first = stream.step(0.5F)[0], second = stream.step(0.5F)[0];
  CHECK(first != second);
  stream.reset();
  CHECK(stream.step(0.5F)[0] == first);
  CHECK(stream.step(0.5F)[0] == second);
}

TEST_CASE("streams of one model do not disturb each other") {
  const Model<Small> model{Seed{1}};
  Stream one{model}, other{model}, alone{model};
  for (std::size_t t = 0; t < 20; ++t) {
    const auto x = static_cast<float>(sine(t));
    const float y = one.step(x)[0];
    other.step(-x);
    CHECK(alone.step(x)[0] == y);
  }
}

TEST_CASE("a model that is edited, or another one, is followed from the next step on with the state as it is") {
  Model<Net> model{Seed{1}};
  Stream stream{model}, same{model};
  stream.step(0.5F);
  same.step(0.5F);
  const Model<Net> before = model;
  model.edit([](std::span<float> p) {
    for (float& v : p) v *= 1.5F;
  });
  const float changed = stream.step(0.5F)[0];
  same.use(before);
  CHECK(same.step(0.5F)[0] != changed);

  Stream follows{before};
  follows.step(0.5F);
  follows.use(model);
  CHECK(follows.step(0.5F)[0] == changed);
}

template <class N, class Backend>
void check_ten_thousand_steps() {
  using S = typename Backend::Scalar;
  const Model<N, Backend> model{Seed{2}};
  Stream stream{model};
  S smallest = S(1e9), largest = S(-1e9);
  for (std::size_t t = 0; t < 10'000; ++t) {
    const S y = stream.step(static_cast<S>(sine(t)))[0];
    REQUIRE(std::isfinite(y));
    smallest = std::min(smallest, y);
    largest = std::max(largest, y);
  }
  CHECK(smallest < largest);
  CHECK(largest - smallest < S(10));
}
TEST_CASE("ten thousand steps stay finite") {
  check_ten_thousand_steps<Net, backend::Cpu>();
  check_ten_thousand_steps<Small, backend::Cpu>();
  check_ten_thousand_steps<Net, Double>();
  check_ten_thousand_steps<Small, backend::Reference<double>>();
}

/// What the stream and the reference, which computes in double with standard functions, differ by after many steps.
TEST_CASE("errors do not add up over many steps") {
  const Model<Small> model{Seed{2}};
  Model<Small, backend::Reference<double>> exact;
  exact.edit([&](std::span<double> p) {
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = static_cast<double>(model.parameters()[i]);
  });
  Stream stream{model};
  Stream reference{exact};
  double worst = 0;
  for (std::size_t t = 0; t < 5'000; ++t) {
    const auto x = static_cast<float>(sine(t));
    worst =
        std::max(worst, std::abs(static_cast<double>(stream.step(x)[0]) - reference.step(static_cast<double>(x))[0]));
  }
  CHECK(worst < 2e-6);
}

/// Saturated gates are exactly 0 or 1, so that an LSTM that keeps its cell keeps it.
TEST_CASE("a cell behind a closed input gate and an open forget gate stays for ten thousand steps") {
  struct Memory : Network<Sequence<4, 1>, Lstm<8>> {};
  Model<Memory> model{Seed{1}};
  model.edit([&](std::span<float> p) {
    std::fill(p.begin(), p.end(), 0.0F);
    const auto& table = parameter_table<Memory>();
    for (std::size_t u = 0; u < 8; ++u) {
      p[table[0].offset + u] = 200;         // the input opens its gate
      p[table[0].offset + 16 + u] = 0.25F;  // and is written
      p[table[2].offset + u] = -100;
      p[table[2].offset + 8 + u] = 100;
      p[table[2].offset + 24 + u] = 100;
    }
  });
  Stream stream{model};
  const float written = stream.step(1.0F)[3];
  CHECK(written == doctest::Approx(std::tanh(std::tanh(0.25F))).epsilon(1e-6));
  for (std::size_t t = 0; t < 10'000; ++t) stream.step(0.0F);
  CHECK(stream.step(0.0F)[3] == doctest::Approx(written).epsilon(1e-6));
}

template <class N>
void check_extremes() {
  constexpr float huge = std::numeric_limits<float>::max(), nan = std::numeric_limits<float>::quiet_NaN();
  const Model<N> model{Seed{1}};
  Stream stream{model};
  for (const float x : {1e10F, -1e30F, huge, -huge, 1e-45F, -1e-40F, 0.0F}) {
    CAPTURE(x);
    CHECK(std::isfinite(stream.step(x)[0]));
  }
  CHECK(std::isnan(stream.step(nan)[0]));
  CHECK(std::isnan(stream.step(0.0F)[0]));  // the state has it, too
  stream.reset();
  CHECK(std::isfinite(stream.step(0.0F)[0]));
}
TEST_CASE("large and tiny numbers give numbers, and a NaN is never lost") {
  struct Lstm1 : Network<Sequence<4, 1>, Lstm<8>, LastStep, Linear<1>> {};
  struct Lstm2 : Network<Sequence<4, 1>, Lstm<40>, LastStep, Linear<1>> {};
  struct Gru1 : Network<Sequence<4, 1>, Gru<8>, LastStep, Linear<1>> {};
  struct Gru2 : Network<Sequence<4, 1>, Gru<40>, LastStep, Linear<1>> {};
  check_extremes<Lstm1>();
  check_extremes<Lstm2>();
  check_extremes<Gru1>();
  check_extremes<Gru2>();
}

/// Without a bias and without input a state decays; it becomes 0 and never a denormal number.
template <class Layer>
void check_decay() {
  struct Decaying : Network<Sequence<4, 1>, Layer> {};
  Model<Decaying> model{Seed{1}};
  model.edit([](std::span<float> p) {
    for (const ParameterInfo& info : parameter_table<Decaying>())
      if (info.rank == 1) std::fill_n(p.data() + info.offset, info.size, 0.0F);
  });
  Stream stream{model};
  stream.step(1.0F);
  for (std::size_t t = 0; t < 2'000; ++t)
    for (const float h : stream.step(0.0F)) REQUIRE(std::fpclassify(h) != FP_SUBNORMAL);
  for (const float h : stream.step(0.0F)) CHECK(h == 0.0F);
}
TEST_CASE("a state that decays becomes zero") {
  check_decay<Lstm<8>>();
  check_decay<Lstm<24>>();
  check_decay<Gru<8>>();
}

}  // namespace
}  // namespace aila
