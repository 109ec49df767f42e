#include <doctest/doctest.h>

#include "run.hpp"

using namespace aila;

namespace {

struct Small : Network<Sequence<3, 2>, Lstm<2>> {};
struct Single : Network<Sequence<2, 1>, Lstm<1>> {};
struct Long : Network<Sequence<5, 2>, Lstm<3>> {};
struct Short : Network<Sequence<2, 2>, Lstm<3>> {};

static_assert(std::is_same_v<NetworkOutput<Long>, Sequence<5, 3>>);
static_assert(parameter_count<Small> == 8 * 2 + 8 * 2 + 8);
static_assert(flops<Small> == 3 * 2 * (8 * 4 + 13), "eight a weight pair, bias and cell a unit");
static_assert(!layer_accepts<Lstm<2>, Vector<4>>() && !layer_accepts<Lstm<2>, Tokens<4>>());
static_assert(!layer_accepts<Lstm<2>, Image<2, 2, 2>>());

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

const std::vector<double> weight_ih{0.5,   -0.25, 1,     0.75, -0.5, 0.25,   0.125, -1,
                                    0.375, 0.5,   -0.75, 1,    0.25, -0.125, 0.625, -0.5};
const std::vector<double> weight_hh{0.25, 0.5,  -0.75, 0.125, 1,     -0.25, 0.5,    0.375,
                                    -0.5, 0.75, 0.25,  -1,    0.125, 0.5,   -0.375, 0.25};
const std::vector<double> bias{0.1, -0.2, 0.3, 0.4, -0.5, 0.05, 0.15, -0.25};
const std::vector<double> x{1, -0.5, 0.25, 2, -1, 0.75};

/// The formula in the docstring of Lstm, a step at a time: gates are rows i, f, g, o of two units each.
std::vector<double> expected_outputs() {
  std::vector<double> y;
  double h[2] = {0, 0}, c[2] = {0, 0};
  for (std::size_t t = 0; t < 3; ++t) {
    double sums[8];
    for (std::size_t k = 0; k < 8; ++k)
      sums[k] = bias[k] + weight_ih[2 * k] * x[2 * t] + weight_ih[2 * k + 1] * x[2 * t + 1] + weight_hh[2 * k] * h[0] +
                weight_hh[2 * k + 1] * h[1];
    for (std::size_t u = 0; u < 2; ++u) {
      c[u] = sigmoid(sums[2 + u]) * c[u] + sigmoid(sums[u]) * std::tanh(sums[4 + u]);
      h[u] = sigmoid(sums[6 + u]) * std::tanh(c[u]);
    }
    y.insert(y.end(), h, h + 2);
  }
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE("an LSTM computes its formula, gates in the order i, f, g, o", Scalar, float, double) {
  Run<Small, Scalar> run;
  run.set("lstm.weight_ih", {weight_ih.begin(), weight_ih.end()});
  run.set("lstm.weight_hh", {weight_hh.begin(), weight_hh.end()});
  run.set("lstm.bias", {bias.begin(), bias.end()});
  const auto y = run.forward({x.begin(), x.end()});
  const auto expected = expected_outputs();
  for (std::size_t i = 0; i < 6; ++i) CHECK(y[i] == doctest::Approx(expected[i]).epsilon(precision<Scalar>));
}

TEST_CASE("the gradients of one unit over two steps are the chain rule by hand") {
  Run<Single, double> run;
  run.set("lstm.weight_ih", {0.5, -0.25, 1, 0.75});
  run.set("lstm.weight_hh", {0.25, 0.5, -0.75, 0.125});
  run.set("lstm.bias", {0.1, -0.2, 0.3, 0.4});
  const double x1 = 0.8, x2 = -1.2;
  const auto y = run.forward({x1, x2});

  const double i1 = sigmoid(0.1 + 0.5 * x1), g1 = std::tanh(0.3 + x1), o1 = sigmoid(0.4 + 0.75 * x1);
  const double c1 = i1 * g1, h1 = o1 * std::tanh(c1);
  const double i2 = sigmoid(0.1 + 0.5 * x2 + 0.25 * h1), f2 = sigmoid(-0.2 - 0.25 * x2 + 0.5 * h1);
  const double g2 = std::tanh(0.3 + x2 - 0.75 * h1), o2 = sigmoid(0.4 + 0.75 * x2 + 0.125 * h1);
  const double c2 = f2 * c1 + i2 * g2, h2 = o2 * std::tanh(c2);
  CHECK(y[0] == doctest::Approx(h1).epsilon(1e-14));
  CHECK(y[1] == doctest::Approx(h2).epsilon(1e-14));

  const auto dx = run.backward({0, 1});  // of h2 alone
  const auto slope = [](double squashed) { return 1 - squashed * squashed; };
  const double dc2 = o2 * slope(std::tanh(c2));
  const double di2 = dc2 * g2 * i2 * (1 - i2), df2 = dc2 * c1 * f2 * (1 - f2), dg2 = dc2 * i2 * slope(g2);
  const double do2 = std::tanh(c2) * o2 * (1 - o2);
  const double dh1 = 0.25 * di2 + 0.5 * df2 - 0.75 * dg2 + 0.125 * do2;
  const double dc1 = dc2 * f2 + dh1 * o1 * slope(std::tanh(c1));
  const double di1 = dc1 * g1 * i1 * (1 - i1), dg1 = dc1 * i1 * slope(g1), do1 = dh1 * std::tanh(c1) * o1 * (1 - o1);
  const auto check = [](const std::vector<double>& found, const std::vector<double>& expected) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) CHECK(found[k] == doctest::Approx(expected[k]).epsilon(1e-13));
  };
  check(run.gradient("lstm.bias"), {di1 + di2, df2, dg1 + dg2, do1 + do2});
  check(run.gradient("lstm.weight_ih"), {di1 * x1 + di2 * x2, df2 * x2, dg1 * x1 + dg2 * x2, do1 * x1 + do2 * x2});
  check(run.gradient("lstm.weight_hh"), {di2 * h1, df2 * h1, dg2 * h1, do2 * h1});
  check(dx, {0.5 * di1 + dg1 + 0.75 * do1, 0.5 * di2 - 0.25 * df2 + dg2 + 0.75 * do2});
}

TEST_CASE_TEMPLATE("padding behind a sample's length changes no bit, whatever it holds", Scalar, float, double) {
  Run<Long, Scalar> padded(3);
  Run<Short, Scalar> unpadded;
  padded.set_all();
  unpadded.set_all();
  const std::vector<std::int32_t> lengths{2, 0, 5};
  padded.pass.lengths = lengths.data();

  const auto valid = numbers<Scalar>(4), dy = numbers<Scalar>(6, 1);
  std::vector<Scalar> x(30, std::numeric_limits<Scalar>::quiet_NaN()), padded_dy(45, Scalar(0));
  std::copy(valid.begin(), valid.end(), x.begin());
  std::fill(x.begin() + 20, x.end(), Scalar(0.5));
  std::copy(dy.begin(), dy.end(), padded_dy.begin());

  const auto y = padded.forward(x);
  const auto expected = unpadded.forward(valid);
  CHECK(std::equal(expected.begin(), expected.end(), y.begin()));
  CHECK(std::all_of(y.begin() + 6, y.begin() + 30, [](Scalar v) { return v == 0; }));
  CHECK(std::all_of(y.begin() + 30, y.end(), [](Scalar v) { return v != 0; }));

  const auto dx = padded.backward(padded_dy);
  const auto expected_dx = unpadded.backward(dy);
  CHECK(std::equal(expected_dx.begin(), expected_dx.end(), dx.begin()));
  CHECK(std::all_of(dx.begin() + 4, dx.end(), [](Scalar v) { return v == 0; }));
  for (const char* name : {"lstm.weight_ih", "lstm.weight_hh", "lstm.bias"})
    CHECK(padded.gradient(name) == unpadded.gradient(name));
}

TEST_CASE("a gradient that arrives at padding goes nowhere") {
  Run<Long, double> run;
  run.set_all();
  const std::int32_t two = 2;
  run.pass.lengths = &two;
  run.forward(numbers<double>(10));
  std::vector<double> dy(15, 0.0);
  std::fill(dy.begin() + 6, dy.end(), 1.0);
  for (double d : run.backward(dy)) CHECK(d == 0);
  for (double d : run.all_gradients()) CHECK(d == 0);
}
