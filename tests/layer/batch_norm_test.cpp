#include <doctest/doctest.h>

#include <aila/core/thread_pool.hpp>
#include <aila/learn/trainer.hpp>
#include <cmath>
#include <numeric>

#include "gradients.hpp"
#include "run.hpp"

namespace aila {
namespace {

TEST_CASE_TEMPLATE("BatchNorm has right gradients by the batch's and by running statistics", Backend, ReferenceDouble,
                   CpuDouble) {
  using Odd = Image<2, 3, 5>;
  CHECK(wrong_gradient<BatchNorm<>, Odd, Backend>() == "");
  CHECK(wrong_gradient<BatchNorm<>, Odd, Backend>({.training = true}) == "");
  CHECK(wrong_gradient<BatchNorm<Epsilon<1000>>, Vector<17>, Backend>({.samples = 6, .training = true}) == "");
  CHECK(wrong_gradient<Chain<BatchNorm<>, Tanh, MeanOverPositions>, Sequence<5, 3>, Backend>(
            {.samples = 4, .lengths = true, .training = true}) == "");
  CHECK(wrong_gradient<Frozen<BatchNorm<>>, Odd, Backend>({.training = true}) == "");
  CHECK(wrong_gradient<BatchNorm<>, Vector<17>, Backend>({.samples = 1, .training = true}) == "");  // by running ones
}

TEST_CASE("layers around BatchNorm work in the right phases") {
  using Backend = ReferenceDouble;  // composites are the same code on every backend of the host
  using In = Sequence<4, 3>;
  const GradientCheckOptions training{.samples = 9, .training = true};
  CHECK(wrong_gradient<Chain<Linear<5>, Tanh, BatchNorm<>, Linear<3>, Tanh, BatchNorm<>>, In, Backend>(training) == "");
  CHECK(wrong_gradient<Residual<BatchNorm<>, Linear<3>, Tanh, BatchNorm<>>, In, Backend>(training) == "");
  CHECK(wrong_gradient<Concat<Linear<2>, Tanh, BatchNorm<>>, In, Backend>(training) == "");
  using Core = Chain<Linear<4>, Tanh, BatchNorm<>>;
  CHECK(wrong_gradient<Stack<integrate::Residual, Core, Core, Lstm<4>>, In, Backend>(training) == "");
  CHECK(wrong_gradient<Stack<integrate::DenseNet, Core, Core, Core, Epilogue<BatchNorm<>>>, In, Backend>(training) ==
        "");
  CHECK(wrong_gradient<Stack<integrate::Linear<>, Core, Core, Core, Epilogue<Chain<BatchNorm<>, Tanh>>>, In, Backend>(
            training) == "");
  CHECK(wrong_gradient<Stack<integrate::Attention<>, Stack<integrate::Residual, Core, Core>, Core>, In, Backend>(
            training) == "");
}

TEST_CASE_TEMPLATE("SqueezeExcitation and Concat have right gradients", Backend, ReferenceDouble, CpuDouble) {
  CHECK(wrong_gradient<SqueezeExcitation<2>, Image<2, 3, 5>, Backend>() == "");
  CHECK(wrong_gradient<SqueezeExcitation<3, Silu>, Sequence<5, 17>, Backend>({.lengths = true}) == "");
  CHECK(wrong_gradient<Concat<Linear<3>, Tanh>, Image<2, 2, 5>, Backend>() == "");
}

TEST_CASE("BatchNorm normalises by the batch while training and by running statistics otherwise") {
  struct Net : Network<Sequence<2, 1>, BatchNorm<>> {};
  Run<Net, double> run(2);
  run.set("batch_norm.weight", {2});
  run.set("batch_norm.bias", {1});
  run.set("batch_norm.running_mean", {3});
  run.set("batch_norm.running_var", {4});
  const std::vector<double> x{1, 2, 3, 6};  // mean 3, variance 3.5
  run.pass.training = true;
  const double deviation = std::sqrt(3.5 + 1e-5);
  const auto trained = run.forward(x);
  for (std::size_t i = 0; i < 4; ++i) CHECK(trained[i] == doctest::Approx((x[i] - 3) / deviation * 2 + 1));
  run.pass.training = false;
  const auto y = run.forward(x);
  for (std::size_t i = 0; i < 4; ++i) CHECK(y[i] == doctest::Approx((x[i] - 3) / std::sqrt(4 + 1e-5) * 2 + 1));
}

TEST_CASE("a batch of one value of each feature is normalised by the running statistics, forward and backward") {
  struct Net : Network<Vector<3>, Linear<2>, BatchNorm<>> {};
  Run<Net, double> run;
  run.set_all();
  run.set("batch_norm.running_var", {4, 0.25});
  run.pass.collects = true;
  const std::vector<double> x{1, 2, 3}, dy{1, -2};
  const auto y = run.forward(x);
  const auto dx = run.backward(dy);
  const std::vector<double> gradients(run.all_gradients().begin(), run.all_gradients().end());
  run.pass.training = true;
  CHECK(run.forward(x) == y);
  CHECK(run.backward(dy) == dx);
  CHECK(std::equal(gradients.begin(), gradients.end(), run.all_gradients().begin()));
  for (const char* statistic : {"batch_norm.running_mean", "batch_norm.running_var"})
    CHECK(run.gradient(statistic) == std::vector<double>{0, 0});
}

struct Classifier : Network<Sequence<3, 2>, Linear<5>, BatchNorm<>, Tanh, Linear<4>, BatchNorm<StatisticsRate<250>>,
                            Flatten, Linear<1>> {};

Samples<Sequence<3, 2>> samples(std::size_t count) {
  Samples<Sequence<3, 2>> s;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t e = 0; e < 6; ++e)
      s.inputs.push_back(static_cast<float>(std::sin(1.3 * static_cast<double>(6 * i + e) + 0.5)));
    s.targets.push_back(s.inputs[6 * i] * s.inputs[6 * i + 5]);
  }
  return s;
}

template <class Backend>
std::vector<double> trained(std::size_t threads, std::size_t batch) {
  using S = typename Backend::Scalar;
  Model<Classifier, Backend> model{Seed{3}};
  const auto data = samples(batch);
  Samples<Sequence<3, 2>, S> converted{
      {data.inputs.begin(), data.inputs.end()}, {data.targets.begin(), data.targets.end()}, {}, {}};
  ThreadPool pool(threads);
  Trainer<Classifier, MeanSquaredError, Adam, Backend> trainer(model, {}, {}, {.batch = batch}, pool);
  std::vector<std::size_t> indices(batch);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  for (int step = 0; step < 3; ++step) REQUIRE(trainer.step(converted, indices).finite);
  return {model.parameters().begin(), model.parameters().end()};
}

TEST_CASE("a step with BatchNorm gives the same bits for any number of threads") {
  const auto one = trained<backend::Cpu>(1, 37);
  CHECK(trained<backend::Cpu>(2, 37) == one);
  CHECK(trained<backend::Cpu>(5, 37) == one);
}

TEST_CASE("the groups of a batch meet: statistics are those of the whole batch") {
  const auto double_cpu = trained<CpuDouble>(2, 37);
  // By hand: one group of everything, on the reference backend.
  Model<Classifier, ReferenceDouble> model{Seed{3}};
  using Space = Workspace<Classifier, ReferenceDouble, Capability::train>;
  Space space(37);
  const auto data = samples(37);
  std::vector<double> first(model.parameters().begin(), model.parameters().end());
  std::vector<double> gradients(Space::layout.size + 16);
  std::copy(data.inputs.begin(), data.inputs.end(), space.input());
  Pass pass;
  pass.samples = 37;
  pass.training = pass.collects = true;
  space.forward(pass, first.data(), model.packed(), space.input());
  for (std::size_t i = 0; i < 37; ++i)
    space.output_gradient()[i] = 2 * (space.output()[i] - static_cast<double>(data.targets[i])) / 37;
  space.backward(pass, first.data(), model.packed(), gradients.data());

  Model<Classifier, CpuDouble> stepped{Seed{3}};
  Samples<Sequence<3, 2>, double> converted{
      {data.inputs.begin(), data.inputs.end()}, {data.targets.begin(), data.targets.end()}, {}, {}};
  Inline executor;
  Trainer<Classifier, MeanSquaredError, Sgd, CpuDouble> trainer(stepped, {}, {.learning_rate = 0.1}, {.batch = 37},
                                                                executor);
  std::vector<std::size_t> indices(37);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  REQUIRE(trainer.step(converted, indices).finite);
  for (const auto& p : parameter_table<Classifier>())
    for (std::size_t e = p.offset; e < p.offset + p.size; ++e) {
      const double change = p.kind == ParameterKind::buffer ? gradients[e] : -0.1 * gradients[e];
      CHECK(stepped.parameters()[e] == doctest::Approx(first[e] + change).epsilon(1e-9));
    }
  CHECK(stepped.parameter("batch_norm.running_mean")[0] != 0);
  CHECK(double_cpu.size() == first.size());
}

}  // namespace
}  // namespace aila
