#include <doctest/doctest.h>

#include <aila/backend/cpu/simd/cpu.hpp>
#include <array>

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

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// f(values, results) of one value a lane after the other; `x` and `results` have a number for each lane.
template <class Scalar, class F>
std::vector<Scalar> in_lanes(const std::vector<Scalar>& x, F f) {
  using Lane = Lanes<backend::CpuOn<simd::DefaultArch, Scalar>>;
  std::vector<Scalar> results;
  for (const Scalar number : x) {
    alignas(64) Scalar lanes[Lane::count];
    for (std::size_t i = 0; i < Lane::count; ++i) lanes[i] = x[i % x.size()];
    lanes[Lane::count - 1] = number;
    Lane::store(lanes, f(Lane::load(lanes)));
    results.push_back(lanes[Lane::count - 1]);
  }
  return results;
}

/// Values and slopes at the ends of the numbers: at -infinity and all below -2000, at +infinity and all above 2000.
template <class Scalar, class L>
void check_ends(const double (&values)[2], const double (&slopes)[2]) {
  const auto far = static_cast<double>(std::numeric_limits<Scalar>::max());
  for (const double size : {2000.0, 1e30, far, infinite}) {
    const auto x = static_cast<Scalar>(size);
    const std::vector<Scalar> points{-x, x, 0, -x, x, Scalar(std::nan("")), 1};
    Run<Element<L>, Scalar> run;
    const auto y = run.forward(points);
    const auto dx = run.backward(std::vector<Scalar>(7, Scalar(1)));
    const auto lane_y = in_lanes(points, [](auto v) { return L::value(v); });
    const auto lane_dx = in_lanes(points, [](auto v) { return L::slope(v, L::value(v)); });
    for (const auto& found : {y, lane_y}) {
      CHECK(found[0] == static_cast<Scalar>(values[0] == -infinite ? -size : values[0]));
      CHECK(found[1] == static_cast<Scalar>(values[1] == infinite ? size : values[1]));
      CHECK(std::isnan(found[5]));
    }
    for (const auto& found : {dx, lane_dx}) {
      CHECK(found[0] == static_cast<Scalar>(slopes[0]));
      CHECK(found[1] == static_cast<Scalar>(slopes[1]));
    }
  }
}

/// The softmax of three features and its gradient, in every lane of a vector, each NaN where it is not written.
template <class Scalar>
std::array<std::vector<Scalar>, 2> lane_softmax(const std::vector<Scalar>& x, const std::vector<Scalar>& dy) {
  using Lane = Lanes<backend::CpuOn<simd::DefaultArch, Scalar>>;
  using V = typename Lane::V;
  const V features[3]{V(x[0]), V(x[1]), V(x[2])}, given[3]{V(dy[0]), V(dy[1]), V(dy[2])};
  V y[3], dx[3]{V(Scalar(0)), V(Scalar(0)), V(Scalar(0))};
  int none = 0;
  Softmax::forward<Vector<3>>(features, Weights<Scalar>(nullptr, nullptr), y);
  Softmax::backward<Vector<3>>(features, Weights<Scalar>(nullptr, nullptr), given, dx, none);
  std::array<std::vector<Scalar>, 2> found;
  for (std::size_t i = 0; i < 3; ++i) {
    alignas(64) Scalar lanes[Lane::count];
    Lane::store(lanes, y[i]);
    found[0].push_back(lanes[Lane::count - 1]);
    Lane::store(lanes, dx[i]);
    found[1].push_back(lanes[Lane::count - 1]);
  }
  return found;
}

/// Weights and gradients of two positions, on the reference and in lanes.
template <class Scalar>
void check_softmax(const std::vector<Scalar>& x, const std::vector<Scalar>& dy, const std::vector<Scalar>& y,
                   const std::vector<Scalar>& dx) {
  Run<Weighed, Scalar> run;
  std::vector<Scalar> both = x, both_dy = dy;
  both.insert(both.end(), x.begin(), x.end());
  both_dy.insert(both_dy.end(), dy.begin(), dy.end());
  const auto found_y = run.forward(both);
  const auto found_dx = run.backward(both_dy);
  const auto lanes = lane_softmax<Scalar>(x, dy);
  for (std::size_t i = 0; i < 3; ++i) {
    for (const Scalar found : {found_y[i], found_y[i + 3], lanes[0][i]})
      CHECK(std::abs(found - y[i]) <= std::numeric_limits<Scalar>::epsilon());
    for (const Scalar found : {found_dx[i], found_dx[i + 3], lanes[1][i]})
      CHECK(std::abs(found - dx[i]) <= 4 * std::numeric_limits<Scalar>::epsilon());
  }
}

}  // namespace

TEST_CASE_TEMPLATE("activations and their slopes are their limits at infinity", Scalar, float, double) {
  check_ends<Scalar, Identity>({-infinite, infinite}, {1, 1});
  check_ends<Scalar, Relu>({0, infinite}, {0, 1});
  check_ends<Scalar, Gelu>({0, infinite}, {0, 1});
  check_ends<Scalar, Silu>({0, infinite}, {0, 1});
  check_ends<Scalar, Tanh>({-1, 1}, {0, 0});
  check_ends<Scalar, Sigmoid>({0, 1}, {0, 0});
}

TEST_CASE_TEMPLATE("a feature at -infinity has no share of a softmax and no slope", Scalar, float, double) {
  const auto low = static_cast<Scalar>(-infinite), half = Scalar(0.5);
  check_softmax<Scalar>({low, 0, 0}, {8, 1, 3}, {0, half, half}, {0, -half, half});
  check_softmax<Scalar>({low, low, 4}, {1, 2, 3}, {0, 0, 1}, {0, 0, 0});
}

TEST_CASE_TEMPLATE("equal features share a softmax equally, infinite ones too", Scalar, float, double) {
  const auto high = static_cast<Scalar>(infinite), most = std::numeric_limits<Scalar>::max(), half = Scalar(0.5);
  const Scalar third = Scalar(1) / 3, no = static_cast<Scalar>(std::nan(""));
  check_softmax<Scalar>({high, 0, high}, {1, 5, 3}, {half, 0, half}, {-half, 0, half});
  check_softmax<Scalar>({-high, -high, -high}, {1, 2, 3}, {third, third, third}, {-third, 0, third});
  check_softmax<Scalar>({most, -most, 0}, {1, 2, 3}, {1, 0, 0}, {0, 0, 0});
  check_softmax<Scalar>({-high, high, most}, {1, 2, 3}, {0, 1, 0}, {0, 0, 0});
  for (const auto& x : {std::vector<Scalar>{0, no, -high}, {no, high, high}, {high, high, no}}) {
    const auto found = lane_softmax<Scalar>(x, {1, 2, 3});
    for (const Scalar share : found[0]) CHECK(std::isnan(share));
  }
}
