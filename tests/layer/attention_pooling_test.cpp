#include <doctest/doctest.h>

#include "on_backend.hpp"
#include "run.hpp"

using namespace aila;

namespace {

template <std::size_t T, std::size_t F, std::size_t Width>
struct Net : Network<Sequence<T, F>, AttentionPooling<Width>> {};
struct Texts : Network<Sequence<4, 3>, Gru<2>, AttentionPooling<5>, Linear<2>> {};

static_assert(std::is_same_v<NetworkOutput<Net<4, 3, 5>>, Vector<3>>);
static_assert(parameter_count<Net<4, 3, 5>> == 5 * 3 + 5 + 5);
static_assert(flops<Net<4, 3, 5>> == 4 * (5 * (2 * 3 + 4) + 4 + 2 * 3));
static_assert(!layer_accepts<AttentionPooling<5>, Vector<3>>() && !layer_accepts<AttentionPooling<5>, Tokens<3>>());

/// The weights of a forward of Texts, found by their path, as a tool finds them.
template <class Backend>
std::vector<typename Backend::Scalar> weights_of(const std::vector<std::int32_t>& lengths) {
  using S = typename Backend::Scalar;
  using Space = Workspace<Texts, Backend, Capability::predict>;
  Space space(lengths.size(), Retain::all);
  constexpr std::size_t margin = 2 * alignment_elements;
  AlignedArray<S> parameters(Space::layout.size + margin), packed(Space::Kernel::packed + margin);
  for (std::size_t i = 0; i < Space::layout.size; ++i)
    parameters.data()[i] = static_cast<S>(std::sin(static_cast<double>(i)));
  Space::Kernel::pack(Weights<S>(parameters.data(), Space::layout.offset.data()), packed.data());
  const auto x = waves<S>(lengths.size() * 12);
  Pass pass;
  pass.samples = lengths.size();
  pass.lengths = lengths.data();
  space.forward(pass, parameters.data(), packed.data(), x.data());
  std::vector<S> found;
  Space::Kernel::template for_each_map<Capability::predict>(
      pass.samples, space.saved(), space.output(), "", [&](const std::string& path, const S* map, std::size_t count) {
        if (path == "attention_pooling.weights") found.assign(map, map + count);
      });
  return found;
}

}  // namespace

TEST_CASE_TEMPLATE("equal scores give the mean of the valid steps", Scalar, float, double) {
  Run<Net<3, 2, 4>, Scalar> run(2);  // all weights are zero
  const std::int32_t lengths[] = {3, 2};
  run.pass.lengths = lengths;
  const auto y = run.forward({1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 70, 70});
  const double expected[] = {3, 4, 20, 30};
  for (std::size_t i = 0; i < 4; ++i) CHECK(y[i] == doctest::Approx(expected[i]).epsilon(precision<Scalar>));
}

TEST_CASE("a step of a high score outweighs the others") {
  Run<Net<3, 1, 1>, double> run;
  run.set("attention_pooling.weight", {10});
  run.set("attention_pooling.bias", {-15});
  run.set("attention_pooling.score", {20});
  CHECK(run.forward({1, 2, 0.5})[0] == doctest::Approx(2).epsilon(1e-12));
}

TEST_CASE_TEMPLATE("the weights are there to be read: they sum to 1 over the valid steps, and are 0 behind them",
                   Backend, ReferenceDouble, CpuFloat) {
  const std::vector<std::int32_t> lengths{4, 2, 0};
  const auto weights = weights_of<Backend>(lengths);
  REQUIRE(weights.size() == 12);
  for (std::size_t n = 0; n < 3; ++n) {
    double sum = 0;
    for (std::size_t t = 0; t < 4; ++t) {
      const auto weight = static_cast<double>(weights[4 * n + t]);
      CHECK((weight > 0) == (static_cast<std::int32_t>(t) < lengths[n]));
      sum += weight;
    }
    CHECK(sum == doctest::Approx(lengths[n] > 0 ? 1 : 0));
  }
}

TEST_CASE("attention pooling on the CPU agrees with the plain loops") {
  CHECK(cpu_error<Net<1, 1, 1>>(1) <= 1);
  CHECK(cpu_error<Net<19, 7, 33>>(2) <= 1);
  CHECK(cpu_error<Net<40, 16, 8>>(4, {40, 17, 0, 1}) <= 1);
}
