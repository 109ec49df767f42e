#include <doctest/doctest.h>

#include <aila/aila.hpp>
#include <array>
#include <cmath>
#include <vector>

#include "../says.hpp"
#include "decay.hpp"

namespace aila {
namespace {

using Double = backend::CpuDouble;

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = 1.3F * std::sin(0.7F * static_cast<float>(i * i % 97));
  return values;
}

/// A model whose norms, biases and statistics are not what they are at the start.
template <class N, class Backend>
Model<N, Backend> make_model() {
  using S = typename Backend::Scalar;
  Model<N, Backend> model{Seed{5}};
  model.edit([](std::span<S> p) {
    for (std::size_t i = 0; i < p.size(); ++i)
      if (p[i] == S(0) || p[i] == S(1)) p[i] += S(0.01) * static_cast<S>(i % 7);
  });
  return model;
}

/// Bit for bit what a Predictor gives, with any number of threads and valid steps.
template <class N, class Backend = backend::Cpu>
void check_equals_predictor() {
  using S = typename Backend::Scalar;
  using In = NetworkInput<N>;
  const auto model = make_model<N, Backend>();
  Predictor predict{model};
  for (const std::size_t threads : {1UL, 2UL, 3UL, 9UL}) {
    CAPTURE(threads);
    WavefrontPredictor wavefront{model, threads};
    for (std::size_t call = 0; call < 6; ++call) {
      std::vector<S> x;
      for (const float v : numbers(In::elements)) x.push_back(static_cast<S>(v) + S(0.1) * static_cast<S>(call));
      const std::size_t lengths[] = {In::positions, 1, In::positions / 2, In::positions - 1, 2};
      const auto length = static_cast<std::int32_t>(lengths[call > 0 ? call - 1 : 0]);
      CAPTURE(length);
      const auto expected = call == 0 ? predict(x) : predict(x, length);
      const auto found = call == 0 ? wavefront(x) : wavefront(x, length);
      REQUIRE(std::abs(expected[0]) > S(1e-6));
      for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == expected[i]);
    }
  }
}

template <class Policy>
struct Stacked : Network<Sequence<37, 3>, Stack<Policy, Repeat<3, Lstm<8>>, Gru<8>, Chain<Linear<8>, Lstm<8>>>,
                         LastStep, Linear<2>> {};
TEST_CASE_TEMPLATE("stacks of every policy", Policy, integrate::None, integrate::Residual, integrate::DenseNet,
                   integrate::Linear<Heads<2>, TaskEmbedding>, integrate::Attention<TiedValues>) {
  check_equals_predictor<Stacked<Policy>>();
}

TEST_CASE("layers of other widths, with steps by the register") {
  struct Widths : Network<Sequence<83, 5>, Stack<integrate::Residual, Lstm<24>, Lstm<24>, Lstm<24>>, Lstm<9>,
                          Linear<40>, Tanh, Gru<70>, LastStep, Linear<3>> {};
  check_equals_predictor<Widths>();
  check_equals_predictor<Widths, Double>();
  check_equals_predictor<Widths, backend::Reference<double>>();
}

TEST_CASE("what stands behind the steps sees the whole sequence") {
  struct Mean : Network<Sequence<20, 2>, Lstm<8>, Lstm<8>, AveragePool<2>, Bidirectional<Lstm<5>>, MeanOverPositions,
                        Linear<2>> {};
  struct Attended : Network<Sequence<20, 2>, Gru<8>, Lstm<8>, AttentionPooling<6>, Linear<2>> {};
  check_equals_predictor<Mean>();
  check_equals_predictor<Attended>();
}

TEST_CASE("a network with a row for each step") {
  struct Rows : Network<Sequence<9, 2>, Linear<7>, Tanh, Lstm<9>, LayerNorm, Linear<3>, Softmax> {};
  check_equals_predictor<Rows>();
}

TEST_CASE("joined, normalised and frozen layers") {
  struct Joined
      : Network<Sequence<19, 4>, Residual<Linear<6>, Gelu, Linear<4>>, Concat<Gru<5>>, Sum<Lstm<9>, Shortcut<9>>,
                StochasticDepth<20>, Dropout<30>, Frozen<Chain<Linear<5>, Lstm<12>>>, LastStep, Flatten, Linear<2>> {};
  struct Normalised : Network<Sequence<19, 3>, Lstm<6>, DepthwiseConv<Kernel<1>>, Conv<12, Kernel<1>>, BatchNorm<>,
                              Relu, Lstm<8>, BatchNorm<>, LastStep, Linear<2>> {};
  check_equals_predictor<Joined>();
  check_equals_predictor<Normalised>();
}

TEST_CASE("layers of stacks that could change the number of steps, and do not") {
  struct Filtered : Network<Sequence<23, 3>, Stack<integrate::Residual, Conv<8, Kernel<1>>, Lstm<8>, Lstm<8>, Lstm<8>>,
                            LastStep, Linear<2>> {};
  struct Between : Network<Sequence<23, 3>, Stack<integrate::None, Lstm<8>, Conv<8, Kernel<1>>, Lstm<8>, Gru<8>>,
                           LastStep, Linear<2>> {};
  check_equals_predictor<Filtered>();
  check_equals_predictor<Between>();
}

TEST_CASE("a deep stack, a layer or two for each of many threads") {
  struct Deep : Network<Sequence<30, 2>, Stack<integrate::Linear<Heads<2>>, Repeat<12, Lstm<8>>>, LastStep, Linear<1>> {
  };
  check_equals_predictor<Deep>();
}

template <std::size_t Steps>
struct Short : Network<Sequence<Steps, 2>, Linear<4>, Lstm<4>, Gru<4>, LastStep, Linear<1>> {};
template <std::size_t... Steps>
void check_lengths(std::index_sequence<Steps...>) {
  (check_equals_predictor<Short<2 + Steps>>(), ...);
}
TEST_CASE("sequences of any length, from two steps on") {
  check_lengths(std::make_index_sequence<9>{});
}

TEST_CASE("the parts that go by blocks are found") {
  using detail::WavefrontPlan;
  struct Frozens : Network<Sequence<9, 2>, Frozen<Stack<integrate::None, Lstm<4>, Lstm<4>>>, Conv<5, Kernel<1>>,
                           Lstm<4>, LastStep, Linear<1>> {};
  static_assert(WavefrontPlan<Stacked<integrate::Attention<>>, backend::Cpu>::units == 5);
  static_assert(WavefrontPlan<Frozens, backend::Cpu>::units == 3);
  static_assert(WavefrontPlan<Frozens, Double>::units == 3);
  static_assert(WavefrontPlan<Frozens, backend::Reference<double>>::units == 3);
  check_equals_predictor<Frozens>();
}

/// Whether all tasks are handed out, each once, and behind the two that it needs.
template <class N>
consteval bool tasks_are_in_order() {
  using Plan = detail::WavefrontPlan<N, backend::Cpu>;
  std::array<std::array<std::size_t, Plan::blocks>, Plan::stages.count> number{};  // from 1 on
  typename Plan::Task task;
  for (std::size_t i = 1; i <= Plan::tasks; ++i, task.next()) {
    if (number.at(task.stage).at(task.block) != 0) return false;
    number[task.stage][task.block] = i;
    if (task.stage > 0 && number[task.stage - 1][task.block] == 0) return false;
    if (task.block > 0 && number[task.stage][task.block - 1] == 0) return false;
  }
  return Plan::tasks == Plan::blocks * Plan::stages.count && number.back().back() == Plan::tasks;
}
TEST_CASE("tasks are handed out once, behind what they need; small layers are part of another's") {
  using detail::WavefrontPlan;
  static_assert(tasks_are_in_order<Short<2>>() && tasks_are_in_order<Short<7>>());
  static_assert(tasks_are_in_order<Stacked<integrate::None>>());
  struct Long : Network<Sequence<200, 3>, Lstm<8>, Lstm<8>, Linear<1>, LastStep> {};
  static_assert(tasks_are_in_order<Long>());
  static_assert(WavefrontPlan<Long, backend::Cpu>::units == 3 && WavefrontPlan<Long, backend::Cpu>::stages.count == 2);
  struct Narrow : Network<Sequence<12, 2>, Linear<2>, Linear<1>, Lstm<16>, Relu, Lstm<16>, LastStep> {};
  using Plan = WavefrontPlan<Narrow, backend::Cpu>;
  static_assert(Plan::units == 5 && Plan::stages.count == 2 && Plan::stages.begin[1] == 3);
  static_assert(tasks_are_in_order<Narrow>());
  check_equals_predictor<Narrow>();
}

TEST_CASE("a user's layer with a state of its own is computed whole") {
  struct Own : Network<Sequence<12, 2>, Lstm<4>, Linear<3>, Decay, Lstm<4>, LastStep, Linear<2>> {};
  static_assert(detail::WavefrontPlan<Own, backend::Cpu>::units == 2);
  check_equals_predictor<Own>();
}

TEST_CASE("tokens, each table with its own layer") {
  struct Texts : Network<Tokens<40>, Embedding<4>, Lstm<8>, Lstm<8>, LastStep, Linear<2>> {};
  const Model<Texts> model{Seed{3}, {10}};
  Predictor predict{model};
  WavefrontPredictor wavefront{model};
  std::vector<std::int32_t> tokens(40);
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<std::int32_t>(i * i % 13);  // some name no row
  for (const std::int32_t length : {1, 23, 40})
    for (std::size_t i = 0; i < 2; ++i) CHECK(wavefront(tokens, length)[i] == predict(tokens, length)[i]);
}

struct Net : Network<Sequence<24, 1>, Lstm<8>, Lstm<8>, LastStep, Linear<1>> {};

TEST_CASE("many calls, with pauses in which the threads fall asleep, and models that change") {
  Model<Net> model{Seed{1}};
  const Model<Net> other{Seed{2}};
  Predictor predict{model};
  WavefrontPredictor wavefront{model};
  const auto x = numbers(24);
  for (std::size_t call = 0; call < 3000; ++call) {
    if (call % 500 == 499) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (call % 700 == 699)
      model.edit([](std::span<float> p) {
        for (float& v : p) v *= 1.1F;
      });
    predict.use(call % 3 == 0 ? other : model);
    wavefront.use(call % 3 == 0 ? other : model);
    REQUIRE(wavefront(x)[0] == predict(x)[0]);
  }
}

TEST_CASE("inputs as a Predictor takes them, and the same refusals") {
  const Model<Net> model{Seed{1}};
  WavefrontPredictor wavefront{model};
  const auto x = numbers(24);
  const std::span<const float, 24> fixed(x.data(), 24);
  static_assert(noexcept(wavefront(fixed)));
  static_assert(decltype(wavefront(fixed))::extent == 1);
  CHECK(wavefront(fixed)[0] == wavefront(x)[0]);
  CHECK(says([&] { wavefront(std::vector<float>(3)); },
             "predict: expected the 24 elements of an input of shape [24, 1], found 3"));
  CHECK(says([&] { const WavefrontPredictor none(model, 0); },
             "ThreadPool: expected 1 to 4096 workers, of which the caller is one, found 0"));
}

}  // namespace
}  // namespace aila
