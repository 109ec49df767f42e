#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "../says.hpp"
#include "tiny.hpp"

namespace aila {
namespace {

std::vector<std::size_t> first(std::size_t count) {
  std::vector<std::size_t> indices(count);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

consteval bool every_split_fits(std::size_t parameters) {
  for (std::size_t most = 1; most <= 300; ++most)
    for (std::size_t batch = most > 20 ? most - 20 : 1; batch <= most; ++batch) {
      const auto split = GroupSplit::of(batch, parameters);
      if (split.groups > GroupSplit::most_groups(most, parameters)) return false;
      if (split.samples > GroupSplit::most_samples(most, parameters)) return false;
      if (split.groups * split.samples < batch || (split.groups - 1) * split.samples >= batch) return false;
    }
  return true;
}

TEST_CASE("every batch up to the largest has room for its groups, and no group is empty") {
  static_assert(every_split_fits(0) && every_split_fits(1 << 20));
  static_assert(GroupSplit::of(32).groups == 8);
  static_assert(GroupSplit::of(260).groups == 52);
  static_assert(GroupSplit::of(256).groups == 64);
  static_assert(GroupSplit::of(4096).groups == 64);
  static_assert(GroupSplit::of(64, 1 << 18).groups == 16);
  static_assert(GroupSplit::of(64, (1 << 18) + 1).groups == 8);
  static_assert(GroupSplit::of(4096, 1 << 20).groups == 16);
}

TEST_CASE("a trainer made for large batches takes smaller ones that have more groups") {
  const auto data = tiny_samples(260);
  const auto stepped = [&](std::size_t batch, std::size_t threads) {
    CpuTiny model{Seed{3}};
    ThreadPool pool(threads);
    Trainer trainer(model, MeanSquaredError{}, Adam{}, {.batch = batch}, pool);
    const auto indices = first(256);
    trainer.step(data, indices);
    return parameters_of(model);
  };
  CHECK(stepped(260, 1) == stepped(256, 1));
  CHECK(stepped(260, 3) == stepped(256, 1));
}

/// Steps at rate 0 leave the model as it is: each must find the gradient that the first one found.
template <class N>
void check_gradients_begin_at_zero() {
  using In = NetworkInput<N>;
  Samples<In> data;
  for (std::size_t i = 0; i < 9 * In::elements; ++i) data.inputs.push_back(static_cast<float>((i * 37) % 101) / 50 - 1);
  for (std::size_t i = 0; i < 18; ++i) data.targets.push_back(static_cast<float>((i * 11) % 31) / 31);
  Model<N> model{Seed{3}};
  ThreadPool pool(2);
  Trainer trainer(model, MeanSquaredError{}, Adam{}, {.batch = 9}, pool);
  const auto indices = first(9);
  const auto gradient = [&] {
    trainer.step(data, indices, 0);
    const auto trained = trainer.gradient().first(Model<N>::layout.trainable_end);  // statistics change by other sums
    return std::vector<float>(trained.begin(), trained.end());
  };
  const auto once = gradient();
  CHECK(std::count(once.begin(), once.end(), 0.0F) < static_cast<std::ptrdiff_t>(once.size()));
  CHECK(gradient() == once);
  CHECK(gradient() == once);
}
TEST_CASE("gradients of a step begin at zero, wherever a part stands") {
  struct Plain : Network<Sequence<5, 3>, Linear<4>, Tanh, Lstm<4>, LayerNorm, LastStep, Linear<2>> {};
  struct Stacked
      : Network<Sequence<5, 3>, Stack<integrate::Attention<>, Repeat<3, Lstm<4>>>,
                Stack<integrate::DenseNet, Gru<5>, Chain<Linear<5>, Lstm<5>>>, MeanOverPositions, Linear<2>> {};
  struct Nested
      : Network<Sequence<5, 3>, Residual<Stack<integrate::Linear<Heads<1>>, Lstm<3>, Lstm<3>>>,
                Sum<Linear<4>, Chain<Lstm<4>, Linear<4>>>, Bidirectional<Gru<3>>, AttentionPooling<3>, Linear<2>> {};
  struct Frozens : Network<Sequence<5, 3>, Frozen<Stack<integrate::Attention<>, Lstm<4>, Lstm<4>>>, Frozen<Linear<3>>,
                           Lstm<4>, LastStep, Linear<2>> {};
  struct Images : Network<Image<6, 6, 2>, Conv<4>, BatchNorm<>, Relu, Stack<integrate::Residual, Conv<4>, Conv<4>>,
                          MeanOverPositions, Linear<2>> {};
  check_gradients_begin_at_zero<Plain>();
  check_gradients_begin_at_zero<Stacked>();
  check_gradients_begin_at_zero<Nested>();
  check_gradients_begin_at_zero<Frozens>();
  check_gradients_begin_at_zero<Images>();
}

TEST_CASE("a step is what the loss, the mean gradient and the optimiser say") {
  struct Affine : Network<Vector<2>, Linear<1>> {};
  using Backend = backend::Reference<double>;
  Samples<Vector<2>, double> data{{1, 2, 3, -1, 0.5, 4}, {1, -1, 2}, {}, {1, 2, 1}};
  Model<Affine, Backend> model{Seed{3}};
  const auto w = model.parameter("linear.weight"), b = model.parameter("linear.bias");
  const double w0 = w[0], w1 = w[1], b0 = b[0];
  double loss = 0, g0 = 0, g1 = 0, gb = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double x0 = data.inputs[2 * i], x1 = data.inputs[2 * i + 1];
    const double e = w0 * x0 + w1 * x1 + b0 - data.targets[i];
    loss += data.weights[i] * e * e / 3;
    g0 += data.weights[i] * 2 * e * x0 / 3;
    g1 += data.weights[i] * 2 * e * x1 / 3;
    gb += data.weights[i] * 2 * e / 3;
  }
  Inline executor;
  Trainer trainer(model, MeanSquaredError{}, Sgd{.learning_rate = 0.1}, {.batch = 3}, executor);
  const StepResult result = trainer.step(data, first(3), 0.5);
  CHECK(result.finite);
  CHECK(result.loss == doctest::Approx(loss).epsilon(1e-12));
  CHECK(result.gradient_norm == doctest::Approx(std::sqrt(g0 * g0 + g1 * g1 + gb * gb)).epsilon(1e-12));
  CHECK(w[0] == doctest::Approx(w0 - 0.05 * g0).epsilon(1e-12));
  CHECK(w[1] == doctest::Approx(w1 - 0.05 * g1).epsilon(1e-12));
  CHECK(b[0] == doctest::Approx(b0 - 0.05 * gb).epsilon(1e-12));
  CHECK(trainer.steps() == 1);
}

TEST_CASE("a step that is not finite is not taken, and the next one is as if it had not been") {
  auto data = tiny_samples(16);
  auto spoiled = data;
  spoiled.inputs[31] = std::nanf("");
  CpuTiny model{Seed{3}}, other{Seed{3}};
  Inline executor;
  Trainer trainer(model, MeanSquaredError{}, Adam{}, {.batch = 16}, executor);
  const auto before = parameters_of(model);
  CHECK(!trainer.step(spoiled, first(16)).finite);
  CHECK(parameters_of(model) == before);
  CHECK(trainer.steps() == 0);
  CHECK(trainer.step(data, first(16)).finite);
  Trainer plain(other, MeanSquaredError{}, Adam{}, {.batch = 16}, executor);
  plain.step(data, first(16));
  CHECK(parameters_of(model) == parameters_of(other));
}

TEST_CASE("a sample of weight 0 takes no part, be its loss infinite or no number") {
  for (const float target : {1e30F, std::nanf(""), std::numeric_limits<float>::infinity()}) {
    auto data = tiny_samples(11);
    data.weights.assign(11, 1.0F);
    data.weights[4] = 0;
    auto spoiled = data;
    spoiled.targets[8] = target;
    CpuTiny model{Seed{3}}, other{Seed{3}};
    CHECK(evaluate(model, spoiled) == evaluate(model, data));
    Inline executor;
    Trainer trainer(model, MeanSquaredError{}, Adam{}, {.batch = 11}, executor);
    Trainer plain(other, MeanSquaredError{}, Adam{}, {.batch = 11}, executor);
    const auto step = trainer.step(spoiled, first(11)), expected = plain.step(data, first(11));
    CHECK(step.finite);
    CHECK(step.loss == expected.loss);
    CHECK(step.gradient_norm == expected.gradient_norm);
    CHECK(parameters_of(model) == parameters_of(other));
    spoiled.weights[4] = 1e-30F;  // however little it weighs
    CHECK(!trainer.step(spoiled, first(11)).finite);
  }
}

TEST_CASE("batches and sources that do not fit are refused") {
  const auto data = tiny_samples(16);
  CpuTiny model{Seed{3}};
  Inline executor;
  Trainer trainer(model, MeanSquaredError{}, Adam{}, {.batch = 8}, executor);
  CHECK(says([&] { trainer.step(data, first(9)); }, "step: expected 1 to 8 samples, found 9"));
  CHECK(says([&] { trainer.step(data, {}); }, "step: expected 1 to 8 samples, found 0"));
  auto wrong = data;
  wrong.targets.resize(48);
  CHECK(says([&] { trainer.step(wrong, first(8)); },
             "step: expected 2 targets a sample for this loss, the samples have 3"));
  CHECK(says([&] { Trainer(model, MeanSquaredError{}, Adam{}, {.batch = 0}, executor); },
             "trainer: a batch needs at least one sample"));
}

struct Overfit : Network<Sequence<4, 2>, Stack<integrate::Linear<Heads<2>>, Repeat<2, Lstm<8>>>, LastStep, Linear<1>> {
};

template <class Backend>
std::vector<double> overfit_losses() {
  using S = typename Backend::Scalar;
  Samples<Sequence<4, 2>, S> data;
  for (int i = 0; i < 8 * 8; ++i) data.inputs.push_back(S((i * 29) % 17) / 8 - 1);
  for (int i = 0; i < 8; ++i) data.targets.push_back(S((i * 5) % 7) / 4 - 1);
  Model<Overfit, Backend> model{Seed{4}};
  const auto history = fit(model, data, MeanSquaredError{}, Adam{.learning_rate = 0.02}, {.epochs = 150, .batch = 8});
  std::vector<double> losses;
  for (const auto& e : history.epochs) losses.push_back(e.training_loss);
  return losses;
}

TEST_CASE("a few samples are learnt by heart on both backends, and the histories agree") {
  const auto reference = overfit_losses<backend::Reference<float>>();
  const auto cpu = overfit_losses<backend::Cpu>();
  CHECK(reference.back() < 2e-3);
  CHECK(cpu.back() < 2e-3);
  for (std::size_t e = 0; e < 20; ++e) {
    CAPTURE(e);
    CHECK(cpu[e] == doctest::Approx(reference[e]).epsilon(2e-3));
  }
}

struct Few : Network<Vector<3>, Linear<6>, Tanh, Linear<3>> {};

/// Inputs, and of them as targets: half of each, whether each is positive, and the number of the largest.
struct Told {
  std::vector<float> inputs, halves, bits, classes;
};
Told told() {
  Told t;
  for (int i = 0; i < 12 * 3; ++i) t.inputs.push_back(static_cast<float>((i * 7) % 11) / 5 - 1.1F);
  for (const float x : t.inputs) {
    t.halves.push_back(x / 2);
    t.bits.push_back(x > 0 ? 1.0F : 0.0F);
  }
  for (auto x = t.inputs.begin(); x != t.inputs.end(); x += 3)
    t.classes.push_back(static_cast<float>(std::max_element(x, x + 3) - x));
  return t;
}

template <class LossType, class O>
void check_learns(const LossType& loss, const O& optimiser, const std::vector<float>& targets) {
  const Samples<Vector<3>> data{told().inputs, targets, {}, {}};
  Model<Few> model{Seed{6}};
  Inline executor;
  Trainer trainer(model, loss, optimiser, {.batch = 12}, executor);
  const double before = trainer.step(data, first(12)).loss;
  double after = before;
  for (int i = 0; i < 200; ++i) after = trainer.step(data, first(12)).loss;
  CAPTURE(LossType::name);
  CHECK(after < 0.5 * before);
}

TEST_CASE_TEMPLATE("every loss goes down under every optimiser", O, Sgd, Adam, AdamW) {
  O optimiser{};
  optimiser.learning_rate = std::is_same_v<O, Sgd> ? 0.2 : 0.02;
  const Told t = told();
  check_learns(MeanSquaredError{}, optimiser, t.halves);
  check_learns(MeanAbsoluteError{}, optimiser, t.halves);
  check_learns(Huber{}, optimiser, t.halves);
  check_learns(Quantile{}, optimiser, t.halves);
  check_learns(CrossEntropy{}, optimiser, t.classes);
  check_learns(BinaryCrossEntropy{}, optimiser, t.bits);
}

TEST_CASE("momentum of either kind trains") {
  const Told t = told();
  check_learns(MeanSquaredError{}, Sgd{.learning_rate = 0.05, .momentum = 0.9}, t.halves);
  check_learns(MeanSquaredError{}, Sgd{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true}, t.halves);
}

/// After steps the packed copies are those of the parameters, whoever packed them.
template <class N>
void check_packs_what_it_updates(const std::vector<PartRate>& rates) {
  using In = NetworkInput<N>;
  Samples<In> data;
  for (std::size_t i = 0; i < 20 * In::elements; ++i)
    data.inputs.push_back(static_cast<float>((i * 37) % 101) / 50 - 1);
  for (std::size_t i = 0; i < 40; ++i) data.targets.push_back(static_cast<float>((i * 11) % 31) / 31);
  for (const std::size_t threads : {1U, 2U, 3U}) {
    Model<N> model{Seed{3}};
    ThreadPool pool(threads);
    Trainer trainer(model, MeanSquaredError{}, Adam{}, {.batch = 20, .clip_norm = 0.5, .part_rates = rates}, pool);
    const auto indices = first(20);
    for (int step = 0; step < 3; ++step) REQUIRE(trainer.step(data, indices).finite);
    Model<N> fresh{Seed{4}};
    fresh.assign(model.parameters());
    CHECK(std::equal(fresh.packed(), fresh.packed() + Model<N>::Kernel::packed, model.packed()));
  }
}

TEST_CASE("what a step updates it packs: parts, frozen ones, statistics and normalisations taken in") {
  using Wide = Stack<integrate::Linear<Heads<2>>, Epilogue<ReluLayerNorm>, Lstm<40>, Gru<40>, Linear<40>>;
  struct Deep : Network<Sequence<4, 3>, Linear<6>, Wide, Frozen<Linear<4>>, LastStep, Linear<2>> {};
  struct Folded
      : Network<Image<6, 6, 3>, Conv<16>, BatchNorm<>, Relu, Conv<16>, BatchNorm<>, MeanOverPositions, Linear<2>> {};
  check_packs_what_it_updates<Deep>({});
  check_packs_what_it_updates<Deep>({{"stack.0", 0.0}, {"stack.1", 0.1}});
  check_packs_what_it_updates<Folded>({});
  check_packs_what_it_updates<Folded>({{"", 0.0}});
  check_packs_what_it_updates<Folded>({{"", 0.0}, {"batch_norm.running", 1.0}});  // statistics alone
}

}  // namespace
}  // namespace aila
