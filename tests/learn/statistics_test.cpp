// The running statistics of batch normalisation while a network is trained: which steps move them, and which do not.
#include <doctest/doctest.h>

#include <aila/backend/reference.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <aila/learn/fit.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "../says.hpp"

namespace aila {
namespace {

using Reference = backend::Reference<float>;

template <class In>
Samples<In> samples(std::size_t count) {
  Samples<In> s;
  for (std::size_t i = 0; i < count; ++i) {
    float sum = 0;
    for (std::size_t e = 0; e < In::elements; ++e) {
      s.inputs.push_back(static_cast<float>(std::sin(1.3 * static_cast<double>(In::elements * i + e) + 0.5)) + 2);
      sum += s.inputs.back();
    }
    s.targets.push_back(sum / static_cast<float>(In::elements));
  }
  return s;
}
std::vector<std::size_t> first(std::size_t count) {
  std::vector<std::size_t> indices(count);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}
template <class M>
std::vector<float> values(const M& model, const std::string& name) {
  const auto all = model.parameter(name);
  return {all.begin(), all.end()};
}

struct OfVectors : Network<Vector<4>, Linear<5>, BatchNorm<>, Tanh, Linear<1>> {};
struct OfSteps : Network<Sequence<3, 4>, BatchNorm<>, MeanOverPositions, Linear<1>> {};
struct HeldNorm : Network<Vector<4>, Linear<5>, Frozen<BatchNorm<>>, Tanh, Linear<1>> {};

TEST_CASE("a step of one vector trains the weights, and leaves the statistics as they are") {
  Model<OfVectors, Reference> model{Seed{3}};
  Model<HeldNorm, Reference> held{Seed{3}};
  const auto data = samples<Vector<4>>(33);
  Inline alone;
  Trainer trainer(model, MeanSquaredError{}, Sgd{.learning_rate = 0.1}, {.batch = 32}, alone);
  REQUIRE(trainer.step(data, first(32)).finite);
  const auto mean = values(model, "batch_norm.running_mean"), variance = values(model, "batch_norm.running_var");
  CHECK(mean[0] != 0);
  for (const char* name : {"linear.weight", "linear.bias", "batch_norm.weight", "batch_norm.bias",
                           "batch_norm.running_mean", "batch_norm.running_var", "linear_1.weight", "linear_1.bias"}) {
    const auto now = values(model, name);
    held.edit([&](std::span<float> all) {
      for (const ParameterInfo& p : parameter_table<HeldNorm>())
        if (p.name == name) std::copy(now.begin(), now.end(), all.begin() + static_cast<std::ptrdiff_t>(p.offset));
    });
  }
  // The step is that of a network whose normalisation is frozen, but that weight and bias are trained.
  Trainer frozen(held, MeanSquaredError{}, Sgd{.learning_rate = 0.1}, {.batch = 32}, alone);
  const std::vector<std::size_t> last{32};
  const auto scale = values(model, "batch_norm.weight");
  CHECK(trainer.step(data, last).loss == frozen.step(data, last).loss);
  for (const char* name : {"linear.weight", "linear.bias", "linear_1.weight", "linear_1.bias"})
    CHECK(values(model, name) == values(held, name));
  CHECK(values(model, "batch_norm.weight") != scale);
  CHECK(values(model, "batch_norm.running_mean") == mean);
  CHECK(values(model, "batch_norm.running_var") == variance);
}

TEST_CASE("a step whose lengths leave one value of each feature leaves the statistics, and one of two moves them") {
  Model<OfSteps, Reference> model{Seed{3}};
  auto data = samples<Sequence<3, 4>>(2);
  data.lengths = {1, 2};
  Inline alone;
  Trainer trainer(model, MeanSquaredError{}, Sgd{}, {.batch = 1},
                  alone);  // a sample has 3 positions: no reason to refuse
  REQUIRE(trainer.step(data, std::vector<std::size_t>{0}).finite);
  CHECK(values(model, "batch_norm.running_mean") == std::vector<float>(4, 0));
  CHECK(values(model, "batch_norm.running_var") == std::vector<float>(4, 1));
  REQUIRE(trainer.step(data, std::vector<std::size_t>{1}).finite);
  for (std::size_t f = 0; f < 4; ++f) {
    const double a = data.inputs[12 + f], b = data.inputs[16 + f];
    CHECK(values(model, "batch_norm.running_mean")[f] == doctest::Approx(0.1 * (a + b) / 2));
    CHECK(values(model, "batch_norm.running_var")[f] == doctest::Approx(0.9 + 0.1 * (a - b) * (a - b) / 2));
  }
}

TEST_CASE("two equal values have the variance 0, which is a statistic as any other") {
  Model<OfVectors, Reference> model{Seed{3}};
  auto data = samples<Vector<4>>(1);
  data.inputs.insert(data.inputs.end(), data.inputs.begin(), data.inputs.begin() + 4);
  data.targets.push_back(0);
  Inline alone;
  Trainer trainer(model, MeanSquaredError{}, Sgd{.learning_rate = 0}, {.batch = 2}, alone);
  for (int step = 0; step < 3; ++step) REQUIRE(trainer.step(data, first(2)).finite);
  for (const float v : values(model, "batch_norm.running_var")) CHECK(v == doctest::Approx(0.9 * 0.9 * 0.9));
}

TEST_CASE("an odd last batch of one does not part evaluation from training") {
  const auto data = samples<Vector<4>>(33);
  Model<OfVectors, Reference> model{Seed{3}};
  fit(model, data, MeanSquaredError{}, Adam{.learning_rate = 0.01}, {.epochs = 200, .batch = 32});
  // The statistics are those of the data under the weights of the end, but for what the last steps have moved these.
  const auto w = values(model, "linear.weight"), b = values(model, "linear.bias");
  for (std::size_t f = 0; f < 5; ++f) {
    double sum = 0, squares = 0;
    for (std::size_t n = 0; n < 33; ++n) {
      double x = b[f];
      for (std::size_t i = 0; i < 4; ++i) x += double(w[f * 4 + i]) * double(data.inputs[n * 4 + i]);
      sum += x;
      squares += x * x;
    }
    const double variance = (squares - sum * sum / 33) / 32;
    CHECK(values(model, "batch_norm.running_mean")[f] == doctest::Approx(sum / 33).epsilon(0.1));
    CHECK(values(model, "batch_norm.running_var")[f] == doctest::Approx(variance).epsilon(0.2));
  }
}

TEST_CASE("batches that can be of one vector alone are refused where a normalisation would learn from them") {
  const auto data = samples<Vector<4>>(33);
  Model<OfVectors, Reference> model{Seed{3}};
  const char* sentence =
      "trainer: expected batches of at least 2 samples, for the statistics of batch_norm have no variance in one of 1; "
      "a part rate of 0 freezes them";
  CHECK(says([&] { fit(model, data, {.epochs = 1, .batch = 1}); }, sentence));
  CHECK(says([&] { fit(model, samples<Vector<4>>(1), {.epochs = 1}); }, sentence));
  CHECK_NOTHROW(fit(model, data, {.epochs = 1, .batch = 1, .part_rates = {{"batch_norm", 0}}}));
  Model<HeldNorm, Reference> held{Seed{3}};
  CHECK_NOTHROW(fit(held, data, {.epochs = 1, .batch = 1}));
}

TEST_CASE("a step that would make a statistic infinite is not taken, and the message names it") {
  Model<OfVectors, Reference> model{Seed{3}};
  auto data = samples<Vector<4>>(32);
  for (std::size_t i = 0; i < 4; ++i) data.inputs[i] = 1e20F;  // its square is no float
  Inline alone;
  Trainer trainer(model, MeanSquaredError{}, Sgd{}, {.batch = 32}, alone);
  const std::vector<float> before(model.parameters().begin(), model.parameters().end());
  CHECK(!trainer.step(data, first(32)).finite);
  CHECK(std::equal(before.begin(), before.end(), model.parameters().begin()));
  CHECK(trainer.first_non_finite(data, first(32)) == "the change of batch_norm.running_var");
}

template <class L>
using Bare = L;
template <template <class> class Wrap>
struct Net : Network<Sequence<3, 4>, Linear<4>, Wrap<Chain<Linear<4>, BatchNorm<>, Tanh, Dropout<20>>>,
                     Stack<integrate::Linear<>, Linear<4>, Wrap<Linear<4>>, Epilogue<Wrap<BatchNorm<>>>>, BatchNorm<>,
                     Flatten, Linear<1>> {};
using Free = Net<Bare>;
using Held = Net<Frozen>;

template <class N, class Rule>
Model<N, Reference> trained(std::vector<PartRate> rates, const Rule& rule, double& norm) {
  Model<N, Reference> model{Seed{5}};
  const auto data = samples<Sequence<3, 4>>(19);
  Inline alone;
  Trainer trainer(model, MeanSquaredError{}, rule, {.batch = 19, .part_rates = std::move(rates)}, alone);
  for (int step = 0; step < 3; ++step) norm = trainer.step(data, first(19)).gradient_norm;
  return model;
}

TEST_CASE("a part rate of 0 trains as Frozen does, bit for bit: parameters and statistics") {
  double norm = 0, held_norm = 0;
  const AdamW rule{.learning_rate = 0.01};
  const std::vector<PartRate> rates{
      {"chain", 0}, {"stack.1.core", 0}, {"stack.0.epilogue", 0}, {"stack.1.epilogue", 0}};
  const auto by_rate = trained<Free>(rates, rule, norm);
  const auto held = trained<Held>({}, rule, held_norm);
  const Model<Free, Reference> start{Seed{5}};
  CHECK(norm == doctest::Approx(held_norm).epsilon(1e-6));
  for (const ParameterInfo& p : parameter_table<Free>()) {
    CAPTURE(p.name);
    CHECK(values(by_rate, p.name) == values(held, p.name));
    const bool frozen = std::ranges::any_of(rates, [&](const PartRate& r) { return p.name.starts_with(r.prefix); });
    CHECK((values(by_rate, p.name) == values(start, p.name)) == frozen);
  }
}

TEST_CASE("statistics may be trained alone, or stay while the layer's weight and bias are trained") {
  double norm = 0;
  const Sgd rule{.learning_rate = 0.01};
  const Model<Free, Reference> start{Seed{5}};
  const auto changed = [&](const std::vector<PartRate>& rates) {
    const auto model = trained<Free>(rates, rule, norm);
    std::string names;
    for (const ParameterInfo& p : parameter_table<Free>())
      if (values(model, p.name) != values(start, p.name)) names += p.name + " ";
    return names;
  };
  CHECK(changed({{"", 0}, {"batch_norm.running", 1}}) == "batch_norm.running_mean batch_norm.running_var ");
  CHECK(norm == 0);
  CHECK(changed({{"", 0}}) == "");  // as of a network that is Frozen altogether
  CHECK(changed({{"linear", 1}, {"", 0}, {"linear_1", 1}}) == "linear_1.weight linear_1.bias ");
  CHECK(changed({{"", 0}, {"batch_norm", 0.5}, {"batch_norm.running", 0}}) == "batch_norm.weight batch_norm.bias ");
  // One of the two is enough: a mean without its variance is no statistic of a batch.
  CHECK(changed({{"", 0}, {"batch_norm", 1}, {"batch_norm.running_var", 0}}) == "batch_norm.weight batch_norm.bias ");
  // Other rates are nothing to statistics.
  CHECK(values(trained<Free>({{"batch_norm", 0.5}}, Sgd{.learning_rate = 0}, norm), "batch_norm.running_var") ==
        values(trained<Free>({}, Sgd{.learning_rate = 0}, norm), "batch_norm.running_var"));
}

TEST_CASE("what a part rate of 0 holds has no gradient, as inside Frozen") {
  Model<Free, Reference> model{Seed{5}};
  const auto data = samples<Sequence<3, 4>>(19);
  Inline alone;
  Trainer trainer(model, MeanSquaredError{}, Sgd{}, {.batch = 19, .part_rates = {{"chain", 0}, {"linear_1", 0}}},
                  alone);
  const double norm = trainer.step(data, first(19)).gradient_norm;
  double squares = 0;
  for (const ParameterInfo& p : parameter_table<Free>())
    for (std::size_t e = p.offset; e < p.offset + p.size; ++e) {
      const double g = trainer.gradient()[e];
      if (p.name.starts_with("chain") || p.name.starts_with("linear_1")) CHECK(g == 0);
      if (p.kind == ParameterKind::trainable) squares += g * g;
    }
  CHECK(norm > 0);
  CHECK(std::sqrt(squares) == doctest::Approx(norm).epsilon(1e-6));
}

TEST_CASE("part rates that cannot be meant are refused") {
  double norm = 0;
  const auto with = [&](std::vector<PartRate> rates) { trained<Free>(std::move(rates), Sgd{}, norm); };
  const char* sentence = "part_rates: expected a finite factor of at least 0 for \"linear\", found ";
  for (const double factor : {-0.5, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    CHECK(says([&] { with({{"linear", factor}}); }, sentence));
}

}  // namespace
}  // namespace aila
