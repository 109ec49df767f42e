#include <doctest/doctest.h>

#include "on_backend.hpp"
#include "run.hpp"

using namespace aila;

namespace {

template <class L, class In = Sequence<3, 2>>
struct Net : Network<In, L> {};

static_assert(parameter_count<Net<LearnedPositions>> == 6 && parameter_count<Net<SinusoidalPositions>> == 0);
static_assert(parameter_count<Net<ClassToken>> == 2);
static_assert(std::is_same_v<NetworkOutput<Net<ClassToken>>, Sequence<4, 2>>);
static_assert(std::is_same_v<NetworkOutput<Net<FirstStep>>, Vector<2>>);
static_assert(ClassToken::length<Sequence<3, 2>>(0) == 1 && ClassToken::length<Sequence<3, 2>>(3) == 4);
static_assert(!layer_accepts<LearnedPositions, Vector<4>>() && !layer_accepts<SinusoidalPositions, Tokens<4>>());
static_assert(!layer_accepts<ClassToken, Vector<4>>() && !layer_accepts<FirstStep, Image<2, 2, 2>>());

/// The sum of the table of 2 steps of 4 features, made by the compiler: 0 1 0 1, sin 1, cos 1, sin 0.01, cos 0.01.
constexpr double table_sum() {
  using In = Sequence<2, 4>;
  const double x[8]{};
  double y[8]{}, sum = 0;
  NothingSaved none;
  Pass pass;
  SinusoidalPositionsKernel<In, backend::Reference<double>>::forward<Capability::predict>(pass, {nullptr, nullptr},
                                                                                          nullptr, x, y, none, nullptr);
  for (const double v : y) sum += v;
  return sum;
}
static_assert(table_sum() > 4.39172 && table_sum() < 4.39173);

}  // namespace

TEST_CASE_TEMPLATE("sinusoidal positions add their formula, at long distances too", Scalar, float, double) {
  constexpr std::size_t steps = 700, features = 7;  // an odd number: a sine without its cosine
  Run<Net<SinusoidalPositions, Sequence<steps, features>>, Scalar> run(2);
  const auto x = numbers<Scalar>(2 * steps * features);
  const auto y = run.forward(x);
  double worst = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t t = i / features % steps, f = i % features;
    const double angle = static_cast<double>(t) * std::pow(10000.0, -static_cast<double>(f / 2 * 2) / features);
    const double expected = static_cast<double>(x[i]) + (f % 2 == 0 ? std::sin(angle) : std::cos(angle));
    worst = std::max(worst, std::abs(static_cast<double>(y[i]) - expected));
  }
  CHECK(worst < (sizeof(Scalar) == 4 ? 3e-7 : 1e-12));
  CHECK(run.backward(x) == x);
}

TEST_CASE_TEMPLATE("learned positions add their table to every sample, and sum its gradients", Scalar, float, double) {
  Run<Net<LearnedPositions>, Scalar> run(2);
  run.set("learned_positions.position", {1, 2, 3, 4, 5, 6});
  CHECK(run.forward({0, 0, 0, 0, 0, 0, 10, 20, 30, 40, 50, 60}) ==
        std::vector<Scalar>{1, 2, 3, 4, 5, 6, 11, 22, 33, 44, 55, 66});
  const std::vector<Scalar> dy{1, 2, 3, 4, 5, 6, 10, 10, 10, 10, 10, 10};
  CHECK(run.backward(dy) == dy);
  CHECK(run.gradient("learned_positions.position") == std::vector<Scalar>{11, 12, 13, 14, 15, 16});
}

TEST_CASE("a class token comes before the first step, and FirstStep reads it") {
  Run<Net<ClassToken>, double> token(2);
  token.set("class_token.token", {7, 8});
  CHECK(token.forward({1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}) ==
        std::vector<double>{7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16});
  CHECK(token.backward({1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 0, 0, 0, 0, 0, 9}) ==
        std::vector<double>{3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 9});
  CHECK(token.gradient("class_token.token") == std::vector<double>{11, 22});

  Run<Net<FirstStep>, double> first(2);
  CHECK(first.forward({1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16}) == std::vector<double>{1, 2, 11, 12});
  CHECK(first.backward({1, 2, 3, 4}) == std::vector<double>{1, 2, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0});
}
