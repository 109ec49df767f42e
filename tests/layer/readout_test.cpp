#include <doctest/doctest.h>

#include "run.hpp"

using namespace aila;

namespace {

template <class L, class In = Sequence<3, 2>>
struct Read : Network<In, L> {};

static_assert(std::is_same_v<NetworkOutput<Read<Flatten>>, Vector<6>>);
static_assert(std::is_same_v<NetworkOutput<Read<LastStep>>, Vector<2>>);
static_assert(std::is_same_v<NetworkOutput<Read<MeanOverPositions, Image<2, 3, 4>>>, Vector<4>>);
static_assert(flops<Read<Flatten>> == 0 && flops<Read<LastStep>> == 0 && flops<Read<MeanOverPositions>> == 6);
static_assert(!layer_accepts<LastStep, Vector<4>>() && !layer_accepts<LastStep, Image<2, 2, 1>>());
static_assert(!layer_accepts<MeanOverPositions, Vector<4>>() && !layer_accepts<Flatten, Tokens<4>>());

/// Six samples of 3 steps and 2 features; their lengths are all, 3, 1, 2, none and more than there are.
template <class Scalar>
std::vector<Scalar> six_samples() {
  std::vector<Scalar> x;
  for (int i = 0; i < 36; ++i) x.push_back(static_cast<Scalar>(i));
  return x;
}
const std::vector<std::int32_t> lengths{3, 3, 1, 2, 0, 9};

}  // namespace

TEST_CASE_TEMPLATE("Flatten keeps the order of the elements, and their gradients", Scalar, float, double) {
  Run<Read<Flatten>, Scalar> run(6);
  const auto x = six_samples<Scalar>();
  CHECK(run.forward(x) == x);
  CHECK(run.backward(x) == x);
}

TEST_CASE_TEMPLATE("LastStep gives the last step where no lengths are given", Scalar, float, double) {
  Run<Read<LastStep>, Scalar> run(2);
  CHECK(run.forward({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) == std::vector<Scalar>{4, 5, 10, 11});
  CHECK(run.backward({1, 2, 3, 4}) == std::vector<Scalar>{0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 4});
}

TEST_CASE_TEMPLATE("LastStep gives the last valid step of each sample, and the first of an empty one", Scalar, float,
                   double) {
  Run<Read<LastStep>, Scalar> run(6);
  run.pass.lengths = lengths.data();
  CHECK(run.forward(six_samples<Scalar>()) == std::vector<Scalar>{4, 5, 10, 11, 12, 13, 20, 21, 24, 25, 34, 35});
  const auto dx = run.backward(std::vector<Scalar>(12, Scalar(1)));
  const std::vector<std::size_t> rows{2, 5, 6, 10, 12, 17};
  for (std::size_t row = 0; row < 18; ++row) {
    const bool read = std::count(rows.begin(), rows.end(), row) > 0;
    CHECK(dx[2 * row] == Scalar(read ? 1 : 0));
    CHECK(dx[2 * row + 1] == Scalar(read ? 1 : 0));
  }
}

TEST_CASE_TEMPLATE("MeanOverPositions is the mean of the valid steps, zero where there are none", Scalar, float,
                   double) {
  Run<Read<MeanOverPositions>, Scalar> run(6);
  run.pass.lengths = lengths.data();
  const auto y = run.forward(six_samples<Scalar>());
  const std::vector<double> expected{2, 3, 8, 9, 12, 13, 19, 20, 0, 0, 32, 33};
  for (std::size_t i = 0; i < 12; ++i) CHECK(y[i] == doctest::Approx(expected[i]).epsilon(precision<Scalar>));

  const auto dx = run.backward(std::vector<Scalar>(12, Scalar(6)));
  const std::vector<double> share{2, 2, 2, 2, 2, 2, 6, 0, 0, 3, 3, 0, 0, 0, 0, 2, 2, 2};
  for (std::size_t i = 0; i < 36; ++i) CHECK(dx[i] == doctest::Approx(share[i / 2]).epsilon(precision<Scalar>));
}

TEST_CASE("the mean over an image is over all of it: lengths belong to sequences") {
  Run<Read<MeanOverPositions, Image<2, 2, 1>>, double> run;
  const std::int32_t one = 1;
  run.pass.lengths = &one;
  CHECK(run.forward({1, 2, 3, 6}) == std::vector<double>{3});
  CHECK(run.backward({4}) == std::vector<double>{1, 1, 1, 1});
}

TEST_CASE("a negative length counts as none") {
  Run<Read<MeanOverPositions>, double> run;
  const std::int32_t negative = -2;
  run.pass.lengths = &negative;
  CHECK(run.forward({1, 2, 3, 4, 5, 6}) == std::vector<double>{0, 0});
}
