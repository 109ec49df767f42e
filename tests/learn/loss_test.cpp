#include <doctest/doctest.h>

#include <aila/learn/losses.hpp>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

using namespace aila;

namespace {

static_assert(Loss<MeanSquaredError, Sequence<5, 3>> && Loss<MeanAbsoluteError, Vector<1>>);
static_assert(Loss<Huber, Image<2, 2, 3>> && Loss<Quantile, Vector<2>> && Loss<BinaryCrossEntropy, Vector<1>>);
static_assert(Loss<CrossEntropy, Vector<2>> && Loss<CrossEntropy, Sequence<5, 3>>);
static_assert(!Loss<CrossEntropy, Vector<1>> && !Loss<MeanSquaredError, Tokens<4>> && !Loss<CrossEntropy, Tokens<4>>);
static_assert(MeanSquaredError::targets<Sequence<5, 3>> == 15 && BinaryCrossEntropy::targets<Vector<4>> == 4);
static_assert(CrossEntropy::targets<Vector<10>> == 1 && CrossEntropy::targets<Sequence<5, 3>> == 5);

struct NoLoss {
  template <class Out>
  static constexpr bool accepts = true;
};
static_assert(!Loss<NoLoss, Vector<2>>);

consteval double constant_loss() {
  const double o[2]{1, 2};
  const double t[2]{0, 4};
  double slopes[2]{};
  return MeanSquaredError{}.operator()<Vector<2>>(o, t, slopes) + slopes[1];
}
static_assert(constant_loss() == 2.5 - 2);

using Four1 = std::array<double, 4>;
constexpr Four1 outputs{0.2, -1.3, 0.7, 2.5};
constexpr Four1 regression_targets{0.0, -1.0, 0.7, -0.5};
constexpr Four1 binary_targets{0.0, 1.0, 1.0, 0.25};

template <class Out, class L, std::size_t N, std::size_t M>
void check_values(const L& loss, const std::array<double, N>& output, const std::array<double, M>& target, double value,
                  const std::array<double, N>& slopes) {
  static_assert(N == Out::elements && M == L::template targets<Out>);
  std::array<double, N> gradient;
  gradient.fill(std::numeric_limits<double>::quiet_NaN());
  const double found = loss.template operator()<Out>(output.data(), target.data(), gradient.data());
  CHECK(found == doctest::Approx(value).epsilon(1e-13));
  for (std::size_t i = 0; i < N; ++i) CHECK(std::fabs(gradient[i] - slopes[i]) <= 1e-14);
  CHECK(loss.template operator()<Out, double>(output.data(), target.data(), nullptr) == found);
}

/// Analytic gradient against central differences, away from kinks.
template <class Out, class L, std::size_t N, std::size_t M>
void check_slopes(const L& loss, std::array<double, N> output, const std::array<double, M>& target) {
  static_assert(N == Out::elements && M == L::template targets<Out>);
  std::array<double, N> gradient{};
  loss.template operator()<Out>(output.data(), target.data(), gradient.data());
  for (std::size_t i = 0; i < N; ++i) {
    constexpr double h = 1e-5;
    const double middle = output[i];
    output[i] = middle + h;
    const double up = loss.template operator()<Out, double>(output.data(), target.data(), nullptr);
    output[i] = middle - h;
    const double down = loss.template operator()<Out, double>(output.data(), target.data(), nullptr);
    output[i] = middle;
    CHECK(std::fabs((up - down) / (2 * h) - gradient[i]) <= 1e-9);
  }
}

}  // namespace

// The figures were computed by PyTorch 2.15 in float64.
TEST_CASE("regression losses give the figures of PyTorch") {
  using Out = Vector<4>;
  check_values<Out>(MeanSquaredError{}, outputs, regression_targets, 2.2825, Four1{0.1, -0.15, 0, 1.5});
  check_values<Out>(MeanAbsoluteError{}, outputs, regression_targets, 0.875, Four1{0.25, -0.25, 0, 0.25});
  check_values<Out>(Huber{}, outputs, regression_targets, 0.64125, Four1{0.05, -0.075, 0, 0.25});
  check_values<Out>(Huber{.delta = 0.25}, outputs, regression_targets, 0.195625, Four1{0.05, -0.0625, 0, 0.0625});
}

TEST_CASE("the quantile loss weighs errors below the target by q and errors above it by 1 - q") {
  // errors t - o: -0.2, 0.3, 0, -3
  check_values<Vector<4>>(Quantile{.q = 0.9}, outputs, regression_targets, (0.1 * 0.2 + 0.9 * 0.3 + 0.1 * 3) / 4,
                          Four1{0.025, -0.225, 0, 0.025});
}

TEST_CASE("the quantile loss is least at the quantile of the target") {
  const Quantile loss{.q = 0.8};
  double best = std::numeric_limits<double>::infinity();
  double at = -1;
  for (double o = 0; o <= 10; o += 0.25) {
    double sum = 0;
    for (double t = 0.5; t < 10; t += 1) sum += loss.operator()<Vector<1>, double>(&o, &t, nullptr);
    if (sum < best - 1e-12) {
      best = sum;
      at = o;
    }
  }
  CHECK(at == 7.5);
}

TEST_CASE("cross-entropy gives the figures of PyTorch, one target a sample or a position") {
  check_values<Vector<4>>(CrossEntropy{}, outputs, std::array{2.0}, 2.053035116669836,
                          Four1{0.077845038313034715, 0.01736957586554809, -0.87165522951483321, 0.77644061533625042});
  check_values<Vector<4>>(
      CrossEntropy{.label_smoothing = 0.1}, outputs, std::array{2.0}, 2.070535116669836,
      Four1{0.052845038313034713, -0.0076304241344519116, -0.79665522951483325, 0.75144061533625039});
  check_values<Sequence<2, 4>>(
      CrossEntropy{}, std::array{0.2, -1.3, 0.7, 2.5, 1.0, 0.0, -0.5, 3.0}, std::array{3.0, 0.0}, 1.224021157621715,
      std::array{0.038922519156517357, 0.0086847879327740449, 0.064172385242583369, -0.11177969233187479,
                 -0.44432112005750124, 0.02048311523829828, 0.012423637398454949, 0.411414367420748});
}

TEST_CASE("binary cross-entropy gives the figures of PyTorch") {
  check_values<Vector<4>>(BinaryCrossEntropy{}, outputs, binary_targets, 1.1740557765981479,
                          Four1{0.13745849932811949, -0.19645874576063965, -0.08295305695795846, 0.16853545499468914});
  check_values<Vector<4>>(BinaryCrossEntropy{.label_smoothing = 0.2}, outputs, binary_targets, 1.1228057765981481,
                          Four1{0.11245849932811949, -0.17145874576063966, -0.057953056957958465, 0.15603545499468913});
}

TEST_CASE("central differences confirm the gradient of every loss") {
  const Four1 target{0.1, -0.7, 0.4, 2.9};
  check_slopes<Vector<4>>(MeanSquaredError{}, outputs, target);
  check_slopes<Vector<4>>(MeanAbsoluteError{}, outputs, target);
  check_slopes<Vector<4>>(Huber{.delta = 0.35}, outputs, target);
  check_slopes<Vector<4>>(Quantile{.q = 0.2}, outputs, target);
  check_slopes<Vector<4>>(CrossEntropy{.label_smoothing = 0.05}, outputs, std::array{3.0});
  check_slopes<Sequence<2, 2>>(CrossEntropy{}, outputs, std::array{1.0, 0.0});
  check_slopes<Sequence<2, 2>>(BinaryCrossEntropy{.label_smoothing = 0.05}, outputs, binary_targets);
}

TEST_CASE_TEMPLATE("logits of any size keep a finite loss, and a sure right answer its tiny one", Scalar, float,
                   double) {
  const Scalar big[3]{Scalar(1e4), Scalar(-1e4), Scalar(0)};
  const Scalar first = 0;
  const Scalar second = 1;
  Scalar gradient[3];
  CHECK(CrossEntropy{}.operator()<Vector<3>>(big, &first, gradient) == 0);
  CHECK(CrossEntropy{}.operator()<Vector<3>>(big, &second, gradient) == doctest::Approx(2e4));
  CHECK(gradient[0] == 1);
  CHECK(gradient[1] == -1);
  const Scalar shifted[2]{Scalar(1000), Scalar(980)};  // log(1 + e^-20) is below one unit of 1000 in both types
  CHECK(CrossEntropy{}.operator()<Vector<2>, Scalar>(shifted, &second, nullptr) == doctest::Approx(20));

  const Scalar yes[3]{Scalar(1), Scalar(0), Scalar(0)};
  CHECK(std::isfinite(BinaryCrossEntropy{}.operator()<Vector<3>>(big, yes, gradient)));
  const Scalar sure = 20;
  CHECK(BinaryCrossEntropy{}.operator()<Vector<1>>(&sure, &second, gradient) == doctest::Approx(2.0611536e-9));
  const Scalar unsure = -20;
  CHECK(BinaryCrossEntropy{}.operator()<Vector<1>>(&unsure, &second, gradient) == doctest::Approx(20));
}

TEST_CASE("outputs that are not numbers give a loss that is not a number") {
  const double o[2]{std::nan(""), 1};
  const double t[2]{1, 1};
  double slopes[2];
  CHECK(std::isnan(MeanSquaredError{}.operator()<Vector<2>>(o, t, slopes)));
  CHECK(std::isnan(MeanAbsoluteError{}.operator()<Vector<2>>(o, t, slopes)));
  CHECK(std::isnan(Huber{}.operator()<Vector<2>>(o, t, slopes)));
  CHECK(std::isnan(Quantile{}.operator()<Vector<2>>(o, t, slopes)));
  CHECK(std::isnan(CrossEntropy{}.operator()<Vector<2>>(o, t, slopes)));
  CHECK(std::isnan(BinaryCrossEntropy{}.operator()<Vector<2>>(o, t, slopes)));
}

TEST_CASE("a class index that is no class gives a loss that is not a number") {
  for (const double wrong : {-1.0, 4.0, 1.5})
    CHECK(std::isnan(CrossEntropy{}.operator()<Vector<4>, double>(outputs.data(), &wrong, nullptr)));
}

TEST_CASE("targets that break a loss's rule are named by their sample") {
  const std::vector<float> classes{0, 3, 1};
  CHECK_NOTHROW((check_targets<CrossEntropy, Vector<4>>(std::span(classes), 3)));
  CHECK_THROWS_WITH_AS((check_targets<CrossEntropy, Vector<3>>(std::span(classes), 3)),
                       "targets of sample 1: expected each to be a class index, a whole number from 0 to the number of "
                       "classes - 1",
                       Error);
  CHECK_THROWS_WITH_AS((check_targets<MeanSquaredError, Vector<2>>(std::span(classes), 3)),
                       "targets: expected 6 numbers (3 samples of 2), found 3", Error);
  const std::vector<float> half{0, 0.5F};
  CHECK_THROWS_AS((check_targets<CrossEntropy, Vector<4>>(std::span(half), 2)), Error);
  CHECK_NOTHROW((check_targets<BinaryCrossEntropy, Vector<1>>(std::span(half), 2)));
  const std::vector<double> outside{0.5, 1.01};
  CHECK_THROWS_AS((check_targets<BinaryCrossEntropy, Vector<1>>(std::span(outside), 2)), Error);
  const std::vector<double> infinite{0.5, std::numeric_limits<double>::infinity()};
  CHECK_THROWS_AS((check_targets<Huber, Vector<1>>(std::span(infinite), 2)), Error);
  const std::vector<double> missing{0.5, std::nan("")};
  CHECK_THROWS_AS((check_targets<BinaryCrossEntropy, Vector<1>>(std::span(missing), 2)), Error);
}

TEST_CASE("options of a loss that are out of range are refused") {
  CHECK_NOTHROW(Huber{.delta = 0.1}.check());
  CHECK_THROWS_WITH_AS(Huber{.delta = 0}.check(), "Huber: delta must be above 0, it is 0.000000", Error);
  CHECK_NOTHROW(Quantile{.q = 0.99}.check());
  CHECK_THROWS_AS(Quantile{.q = 1}.check(), Error);
  CHECK_NOTHROW(CrossEntropy{}.check());
  CHECK_THROWS_AS(CrossEntropy{.label_smoothing = 1}.check(), Error);
  CHECK_THROWS_AS(BinaryCrossEntropy{.label_smoothing = -0.1}.check(), Error);
}
