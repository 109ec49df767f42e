#include <doctest/doctest.h>

#include "run.hpp"

using namespace aila;

namespace {

template <class L>
struct Normalised : Network<Sequence<2, 5>, L> {};

static_assert(parameter_count<Normalised<LayerNorm>> == 10);
static_assert(parameter_layout<PlacedNetwork<Normalised<LayerNorm>>>.decaying_end == 0,
              "weights of a norm do not decay");
static_assert(PlacedNetwork<Normalised<LayerNorm>>::parameters[0].initial == init::ones());
static_assert(PlacedNetwork<Normalised<LayerNorm>>::parameters[1].initial == init::zeros());

const std::vector<double> x{0.5, -1, 2, 0.25, 3, -4, -5, 1, 2, 0.125};
const std::vector<double> dy{1, -0.5, 0.25, 2, -1, 0.75, 1.5, -2, 0.5, 1};
const std::vector<double> weight{1, 2, -0.5, 0.25, 1.5};
const std::vector<double> bias{0.5, 0, -1, 2, 0.125};

struct Expected {
  std::vector<double> y = std::vector<double>(10), dx = y, d_weight = std::vector<double>(5), d_bias = d_weight;
};

/// The formula of the layer and its derivative, written with the matrix of derivatives of one row.
Expected expect(bool relu) {
  Expected e;
  for (std::size_t p = 0; p < 10; p += 5) {
    double r[5], n[5], mean = 0, variance = 0;
    for (std::size_t f = 0; f < 5; ++f) mean += r[f] = relu && x[p + f] < 0 ? 0 : x[p + f];
    mean /= 5;
    for (double v : r) variance += (v - mean) * (v - mean) / 5;
    const double deviation = std::sqrt(variance + 1e-5);
    for (std::size_t f = 0; f < 5; ++f) {
      n[f] = (r[f] - mean) / deviation;
      e.y[p + f] = n[f] * weight[f] + bias[f];
      e.d_weight[f] += dy[p + f] * n[f];
      e.d_bias[f] += dy[p + f];
    }
    for (std::size_t f = 0; f < 5; ++f)
      for (std::size_t k = 0; k < 5; ++k) {  // d n[k] / d r[f]
        const double slope = ((k == f ? 1.0 : 0.0) - 0.2 - n[k] * n[f] / 5) / deviation;
        if (!relu || x[p + f] > 0) e.dx[p + f] += dy[p + k] * weight[k] * slope;
      }
  }
  return e;
}

template <class Scalar>
void check(const std::vector<Scalar>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(10 * precision<Scalar>));
}

template <class L, class Scalar>
void check(bool relu) {
  const std::string name = L::name;
  Run<Normalised<L>, Scalar> run;
  run.set(name + ".weight", {weight.begin(), weight.end()});
  run.set(name + ".bias", {bias.begin(), bias.end()});
  const Expected expected = expect(relu);
  check(run.forward({x.begin(), x.end()}), expected.y);
  check(run.backward({dy.begin(), dy.end()}), expected.dx);
  check(run.gradient(name + ".weight"), expected.d_weight);
  check(run.gradient(name + ".bias"), expected.d_bias);
}

}  // namespace

TEST_CASE_TEMPLATE("LayerNorm and its gradients are the formula, position by position", Scalar, float, double) {
  check<LayerNorm, Scalar>(false);
}

TEST_CASE_TEMPLATE("ReluLayerNorm normalises what ReLU leaves", Scalar, float, double) {
  check<ReluLayerNorm, Scalar>(true);
}

TEST_CASE_TEMPLATE("equal features are normalised to the bias, without division by zero", Scalar, float, double) {
  Run<Normalised<LayerNorm>, Scalar> run;
  run.set("layer_norm.weight", std::vector<Scalar>(5, Scalar(3)));
  run.set("layer_norm.bias", {1, 2, 3, 4, 5});
  const auto y = run.forward(std::vector<Scalar>(10, Scalar(0.5)));
  for (std::size_t f = 0; f < 10; ++f) CHECK(y[f] == Scalar(f % 5 + 1));
  for (Scalar d : run.backward(std::vector<Scalar>(10, Scalar(1)))) CHECK(std::abs(d) < 1e-3);
}
