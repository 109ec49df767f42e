#include <doctest/doctest.h>

#include "on_backend.hpp"
#include "run.hpp"

using namespace aila;

namespace {

template <std::size_t T, std::size_t F, std::size_t U>
struct Net : Network<Sequence<T, F>, Gru<U>> {};

static_assert(std::is_same_v<NetworkOutput<Net<5, 2, 3>>, Sequence<5, 3>>);
static_assert(parameter_count<Net<5, 2, 3>> == 3 * 3 * (2 + 3 + 2));
static_assert(flops<Net<5, 2, 3>> == 5 * 3 * (6 * 5 + 15));
static_assert(!layer_accepts<Gru<2>, Vector<4>>() && !layer_accepts<Gru<2>, Tokens<4>>());

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

}  // namespace

TEST_CASE_TEMPLATE("a GRU computes its formula, gates in the order r, z, n", Scalar, float, double) {
  Run<Net<2, 1, 1>, Scalar> run;
  run.set("gru.weight_ih", {Scalar(0.5), Scalar(-0.25), Scalar(1)});
  run.set("gru.weight_hh", {Scalar(0.75), Scalar(0.5), Scalar(-1)});
  run.set("gru.bias_ih", {Scalar(0.1), Scalar(-0.2), Scalar(0.3)});
  run.set("gru.bias_hh", {Scalar(0.4), Scalar(0.05), Scalar(-0.15)});
  const auto y = run.forward({Scalar(0.8), Scalar(-1.2)});

  const double z1 = sigmoid(-0.25 * 0.8 - 0.15), r1 = sigmoid(0.5 * 0.8 + 0.5);
  const double h1 = (1 - z1) * std::tanh(0.8 + 0.3 - 0.15 * r1);
  const double z2 = sigmoid(0.25 * 1.2 - 0.15 + 0.5 * h1), r2 = sigmoid(-0.5 * 1.2 + 0.5 + 0.75 * h1);
  const double h2 = (1 - z2) * std::tanh(-1.2 + 0.3 + r2 * (-0.15 - h1)) + z2 * h1;
  CHECK(y[0] == doctest::Approx(h1).epsilon(precision<Scalar>));
  CHECK(y[1] == doctest::Approx(h2).epsilon(precision<Scalar>));
}

TEST_CASE("the GRU on the CPU agrees with the plain loops for 1 to 9 samples") {
  for (std::size_t n = 1; n <= 9; ++n) {
    INFO(n);
    CHECK(cpu_error<Net<5, 3, 7>>(n) <= 1);
    std::vector<std::int32_t> lengths;
    for (std::size_t s = 0; s < n; ++s) lengths.push_back(static_cast<std::int32_t>((7 * s + n) % 6));
    CHECK(cpu_error<Net<5, 3, 7>>(n, lengths) <= 1);
  }
}

TEST_CASE("the GRU on the CPU agrees for sizes of one, for wide layers, long sequences and many samples") {
  CHECK(cpu_error<Net<1, 1, 1>>(2) <= 1);
  CHECK(cpu_error<Net<3, 17, 83>>(3, {3, 1, 2}) <= 1);
  CHECK(cpu_error<Net<130, 2, 16>>(2, {130, 77}) <= 1);
  CHECK(cpu_error<Net<4, 5, 33>>(70) <= 1);
}
