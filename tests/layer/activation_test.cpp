#include <doctest/doctest.h>

#include "run.hpp"

using namespace aila;

namespace {

template <class L>
struct Element : Network<Vector<7>, L> {};
struct Weighed : Network<Sequence<2, 3>, Softmax> {};

static_assert(std::is_same_v<Placed<Gelu, Image<2, 3, 4>>::Out, Image<2, 3, 4>>);
static_assert(parameter_count<Element<Silu>> == 0 && flops<Element<Tanh>> == 7);
static_assert(!layer_accepts<Relu, Tokens<3>>() && !layer_accepts<Identity, Tokens<3>>());
static_assert(Relu::value(-2.0) == 0 && Relu::value(2.0) == 2 && Relu::slope(0.0, 0.0) == 0 &&
              Relu::slope(1e-9, 1e-9) == 1);
static_assert(Sigmoid::value(0.0) == 0.5 && Tanh::value(0.0f) == 0 && Gelu::value(0.0) == 0 && Silu::value(0.0) == 0);

const std::vector<double> points{-6.0, -1.0, -0.125, 0.0, 0.75, 1.0, 9.0};

/// Values and slopes against plain formulas in double.
template <class Scalar, class L, class Value, class Slope>
void check(L, Value value, Slope slope) {
  Run<Element<L>, Scalar> run;
  const auto y = run.forward({points.begin(), points.end()});
  const auto dx = run.backward(std::vector<Scalar>(7, Scalar(2)));
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(y[i] == doctest::Approx(value(points[i])).epsilon(precision<Scalar>));
    CHECK(dx[i] == doctest::Approx(2 * slope(points[i])).epsilon(precision<Scalar>));
  }
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
double normal_below(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}
double normal_density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979323846);
}

}  // namespace

TEST_CASE_TEMPLATE("activations and their slopes are their formulas", Scalar, float, double) {
  check<Scalar>(Identity{}, [](double x) { return x; }, [](double) { return 1.0; });
  check<Scalar>(Relu{}, [](double x) { return x > 0 ? x : 0; }, [](double x) { return x > 0 ? 1.0 : 0.0; });
  check<Scalar>(
      Gelu{}, [](double x) { return x * normal_below(x); },
      [](double x) { return normal_below(x) + x * normal_density(x); });
  check<Scalar>(
      Silu{}, [](double x) { return x * sigmoid(x); },
      [](double x) { return sigmoid(x) * (1 + x * (1 - sigmoid(x))); });
  check<Scalar>(
      Tanh{}, [](double x) { return std::tanh(x); }, [](double x) { return 1 / (std::cosh(x) * std::cosh(x)); });
  check<Scalar>(Sigmoid{}, [](double x) { return sigmoid(x); }, [](double x) { return sigmoid(x) * sigmoid(-x); });
}

TEST_CASE_TEMPLATE("softmax weighs the features of each position by themselves", Scalar, float, double) {
  Run<Weighed, Scalar> run;
  const std::vector<double> x{1, 2, 3, 0, 0, -4};
  const std::vector<double> dy{0.5, -1, 2, 1, 0, 0};
  const auto y = run.forward({x.begin(), x.end()});
  const auto dx = run.backward({dy.begin(), dy.end()});
  for (std::size_t p = 0; p < 6; p += 3) {
    const double sum = std::exp(x[p]) + std::exp(x[p + 1]) + std::exp(x[p + 2]);
    double dot = 0;
    for (std::size_t f = p; f < p + 3; ++f) dot += dy[f] * std::exp(x[f]) / sum;
    for (std::size_t f = p; f < p + 3; ++f) {
      CHECK(y[f] == doctest::Approx(std::exp(x[f]) / sum).epsilon(precision<Scalar>));
      CHECK(dx[f] == doctest::Approx(std::exp(x[f]) / sum * (dy[f] - dot)).epsilon(10 * precision<Scalar>));
    }
  }
}

TEST_CASE_TEMPLATE("softmax of large numbers does not overflow, and a constant added to all changes nothing", Scalar,
                   float, double) {
  Run<Weighed, Scalar> run;
  const auto y = run.forward({1, 2, 3, 10001, 10002, 10003});
  for (std::size_t f = 0; f < 3; ++f) CHECK(y[f] == y[f + 3]);
  CHECK(y[0] + y[1] + y[2] == doctest::Approx(1).epsilon(precision<Scalar>));
}
