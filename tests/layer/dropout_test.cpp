#include <doctest/doctest.h>

#include "run.hpp"

using namespace aila;

namespace {

struct Thinned : Network<Vector<1001>, Dropout<25>> {};
struct Unchanged : Network<Vector<1001>, Dropout<0>> {};
struct Twice : Network<Vector<1001>, Dropout<50>, Dropout<50>> {};
struct Inner : Network<Vector<9>, Chain<Dropout<50>>> {};
struct FrozenInner : Network<Vector<9>, Frozen<Chain<Dropout<50>>>> {};

static_assert(parameter_count<Thinned> == 0);
static_assert(Dropout<25>::probability == 0.25);
static_assert(!layer_accepts<Dropout<10>, Tokens<4>>());

template <class Net, class Scalar>
std::vector<Scalar> train(const std::vector<Scalar>& x, Seed seed, std::uint64_t step, std::uint64_t first = 0) {
  Run<Net, Scalar> run(x.size() / NetworkInput<Net>::elements);
  run.pass.training = true;
  run.pass.seed = seed;
  run.pass.step = step;
  run.pass.first_sample = first;
  return run.forward(x);
}

}  // namespace

TEST_CASE_TEMPLATE("dropout does nothing when predicting", Scalar, float, double) {
  Run<Thinned, Scalar> run;
  const auto x = numbers<Scalar>(1001);
  CHECK(run.forward(x) == x);
  CHECK(run.backward(x) == x);
}

TEST_CASE_TEMPLATE("dropout zeroes its share of the elements and scales the others", Scalar, float, double) {
  constexpr std::size_t samples = 40, n = samples * 1001;
  const auto x = std::vector<Scalar>(n, Scalar(3));
  const auto y = train<Thinned>(x, {7}, 1);
  std::size_t zeros = 0, fours = 0;
  for (Scalar v : y) {
    zeros += v == 0 ? 1 : 0;
    fours += std::abs(v - 4) < 4 * precision<Scalar> ? 1 : 0;
  }
  CHECK(zeros + fours == n);
  const double deviation = std::sqrt(0.25 * 0.75 * n);
  CHECK(std::abs(static_cast<double>(zeros) - 0.25 * n) < 4 * deviation);
}

TEST_CASE_TEMPLATE("the gradient passes where the element passed", Scalar, float, double) {
  Run<Thinned, Scalar> run(2);
  run.pass.training = true;
  run.pass.seed = {11};
  const auto ones = std::vector<Scalar>(2002, Scalar(1));
  const auto y = run.forward(ones);
  CHECK(run.backward(ones) == y);
  CHECK(std::count(y.begin(), y.end(), Scalar(0)) > 0);
}

TEST_CASE("dropout of nothing keeps every bit while training") {
  const auto x = numbers<float>(1001);
  CHECK(train<Unchanged>(x, {1}, 0) == x);
}

TEST_CASE("the mask depends on seed, step and sample") {
  const auto x = std::vector<double>(1001, 1.0);
  const auto y = train<Thinned>(x, {7}, 3);
  CHECK(train<Thinned>(x, {7}, 3) == y);
  CHECK(train<Thinned>(x, {8}, 3) != y);
  CHECK(train<Thinned>(x, {7}, 4) != y);
  CHECK(train<Thinned>(x, {7}, 3, 1) != y);
}

TEST_CASE("the mask is the same for float and double") {
  const auto narrow = train<Thinned>(std::vector<float>(1001, 1.0f), {7}, 3);
  const auto wide = train<Thinned>(std::vector<double>(1001, 1.0), {7}, 3);
  for (std::size_t i = 0; i < 1001; ++i) CHECK((narrow[i] == 0) == (wide[i] == 0));
}

TEST_CASE("the mask of a sample does not depend on how a batch is grouped") {
  constexpr std::size_t width = 1001;
  const auto x = numbers<double>(7 * width);
  const auto whole = train<Thinned>(x, {5}, 2);
  for (std::size_t first = 0; first < 7;) {
    const std::size_t count = first == 0 ? 3 : 2;  // groups of 3, 2 and 2
    const std::vector<double> group(x.begin() + static_cast<std::ptrdiff_t>(first * width),
                                    x.begin() + static_cast<std::ptrdiff_t>((first + count) * width));
    const auto y = train<Thinned>(group, {5}, 2, first);
    CHECK(std::equal(y.begin(), y.end(), whole.begin() + static_cast<std::ptrdiff_t>(first * width)));
    first += count;
  }
}

TEST_CASE("two dropout layers of one network draw different masks") {
  const auto y = train<Twice>(std::vector<double>(1001, 1.0), {7}, 3);
  const auto kept = std::count(y.begin(), y.end(), 4.0);
  CHECK(kept + std::count(y.begin(), y.end(), 0.0) == 1001);
  CHECK(kept > 180);  // a quarter; one mask twice would keep a half
  CHECK(kept < 320);
}

TEST_CASE("Frozen leaves the mask of the layers inside it as it is") {
  const auto x = numbers<double>(9);
  CHECK(train<FrozenInner>(x, {7}, 3) == train<Inner>(x, {7}, 3));
  CHECK(train<FrozenInner>(x, {7}, 3) != x);
}
