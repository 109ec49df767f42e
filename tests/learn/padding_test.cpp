// Whatever lies behind a sample's length changes no training, no evaluation, no prediction and no explanation.
#include <doctest/doctest.h>

#include <aila/layer/layers.hpp>
#include <aila/learn/fit.hpp>
#include <aila/network/explain.hpp>
#include <aila/network/inspect.hpp>
#include <aila/network/wavefront.hpp>
#include <bit>
#include <limits>

#include "../says.hpp"

using namespace aila;

namespace {

constexpr std::size_t steps = 8, features = 3;
constexpr float no_number = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

struct Reading
    : Network<Sequence<steps, features>, Linear<5>, LayerNorm, Stack<integrate::Attention<>, Repeat<2, Lstm<5>>>,
              Residual<Linear<5>>, MeanOverPositions, Linear<2>> {};
template <std::size_t T>
struct Tagging : Network<Sequence<T, features>, Linear<4>, LayerNorm, Gru<4>, Linear<2>> {};

/// Six samples of 4 steps and more, with `behind` in the rest of the inputs, and of targets of single steps.
template <std::size_t T = steps>
Samples<Sequence<T, features>> samples(std::size_t targets, bool of_steps, float behind, bool all_four = false) {
  Samples<Sequence<T, features>> data;
  for (std::size_t n = 0; n < 6; ++n) {
    const std::size_t length = all_four ? 4 : std::min<std::size_t>(4 + n % 3, T);
    data.lengths.push_back(static_cast<std::int32_t>(length));
    for (std::size_t t = 0; t < T; ++t)
      for (std::size_t f = 0; f < features; ++f)
        data.inputs.push_back(t < length ? static_cast<float>((n * 31 + t * 17 + f * 7) % 41) / 20 - 1 : behind);
    for (std::size_t t = 0; t < (of_steps ? T : 1); ++t)
      for (std::size_t k = 0; k < targets; ++k)
        data.targets.push_back(!of_steps || t < length ? static_cast<float>((n + t + k) % 2) : behind);
  }
  return data;
}

/// All that a program can learn of a network from padded samples, as bits.
template <class Net, class L>
std::vector<std::uint64_t> told(const Samples<Sequence<steps, features>>& data, const L& loss) {
  std::vector<std::uint64_t> bits;
  const auto tell = [&](const auto& numbers) {
    for (const auto v : numbers) bits.push_back(std::bit_cast<std::uint64_t>(static_cast<double>(v)));
  };
  Model<Net> model{Seed{3}};
  const History history = fit(model, data, loss, Adam{}, {.validation = data, .epochs = 2, .batch = 4});
  for (const EpochRecord& e : history.epochs) tell(std::vector{e.training_loss, e.validation_loss});
  tell(model.parameters());
  tell(predict(model, SourceRef<Sequence<steps, features>>(data)));
  Predictor predictor(model, 6);
  tell(predictor.batch(data.inputs, data.lengths));
  WavefrontPredictor wavefront(model, 2);
  for (std::size_t n = 0; n < 6; ++n) {
    const std::span<const float, steps * features> x(data.inputs.data() + n * steps * features, steps * features);
    tell(predictor(x, data.lengths[n]));
    tell(wavefront(x, data.lengths[n]));
  }
  tell(input_gradients(model, data.inputs, 1, data.lengths));
  for (const auto& map : layer_maps(model, data.inputs, "", data.lengths)) tell(map.values);
  for (const auto& layer : mixture_weights(model, data.inputs, data.lengths)) tell(layer.mean);
  for (const std::uint64_t b : bits) CHECK(std::isfinite(std::bit_cast<double>(b)));
  return bits;
}

}  // namespace

TEST_CASE("what lies behind a length changes no bit of training, prediction and what explains it") {
  const auto expected = told<Reading>(samples(2, false, 0), MeanSquaredError{});
  for (const float behind : {no_number, -infinity, 1e38F})
    CHECK(told<Reading>(samples(2, false, behind), MeanSquaredError{}) == expected);
}

TEST_CASE("nor of networks that tell something of each step, also where the targets behind it are no numbers") {
  const auto expected = told<Tagging<steps>>(samples(2, true, 0), MeanSquaredError{});
  for (const float behind : {no_number, -infinity, 1e38F})
    CHECK(told<Tagging<steps>>(samples(2, true, behind), MeanSquaredError{}) == expected);
  CHECK(told<Tagging<steps>>(samples(1, true, no_number), CrossEntropy{}) ==
        told<Tagging<steps>>(samples(1, true, 0), CrossEntropy{}));
}

TEST_CASE("the loss of a sequence of outputs is that of the sample by itself") {
  const auto stepped = []<std::size_t T>(const Samples<Sequence<T, features>>& data, const auto& loss) {
    Model<Tagging<T>> model{Seed{3}};
    Inline executor;
    Trainer trainer(model, loss, Sgd{}, {.batch = 6}, executor);
    const std::size_t all[] = {0, 1, 2, 3, 4, 5};
    const StepResult result = trainer.step(data, all);
    std::vector<double> numbers{result.loss, result.gradient_norm, evaluate(model, data, loss)};
    numbers.insert(numbers.end(), model.parameters().begin(), model.parameters().end());
    return numbers;
  };
  const auto check = [&](const auto& loss, std::size_t targets) {
    const auto alone = stepped(samples<4>(targets, true, 0, true), loss);
    const auto padded = stepped(samples<steps>(targets, true, no_number, true), loss);
    for (std::size_t i = 0; i < alone.size(); ++i) CHECK(padded[i] == doctest::Approx(alone[i]).epsilon(1e-5));
  };
  check(MeanSquaredError{}, 2);
  check(CrossEntropy{.label_smoothing = 0.1}, 1);
}

TEST_CASE("a target of a valid step must still be right, and the input is to blame only for valid steps") {
  auto data = samples(2, true, no_number);
  data.targets[(2 * steps + 5) * 2] = no_number;  // sample 2 has six steps
  Model<Tagging<steps>> model{Seed{3}};
  CHECK(says([&] { fit(model, data); }, "targets of sample 2: expected each to be a finite number"));

  const auto unseen = samples(2, false, no_number);
  Model<Reading> reading{Seed{3}};
  reading.edit([](std::span<float> p) { std::fill_n(p.begin(), 5, 3e38F); });
  Inline executor;
  Trainer trainer(reading, MeanSquaredError{}, Adam{}, {.batch = 6}, executor);
  const std::size_t all[] = {0, 1, 2, 3, 4, 5};
  CHECK(trainer.first_non_finite(unseen, all) == "the output of linear");
}
