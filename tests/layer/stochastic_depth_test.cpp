#include <doctest/doctest.h>

#include "run.hpp"

using namespace aila;

namespace {

struct Thinned : Network<Vector<5>, StochasticDepth<25>> {};
struct Twice : Network<Vector<1>, StochasticDepth<50>, StochasticDepth<50>> {};
struct Branch : Network<Vector<5>, Residual<StochasticDepth<25>>> {};

static_assert(parameter_count<Thinned> == 0 && StochasticDepth<25>::probability == 0.25);
static_assert(StochasticDepth<1, 80>::probability == 0.0125 && StochasticDepth<0, 80>::probability == 0);
static_assert(!layer_accepts<StochasticDepth<10>, Tokens<4>>());

template <class Net, class Scalar = double>
std::vector<Scalar> train(std::size_t samples, std::uint64_t step = 0, std::uint64_t first = 0) {
  Run<Net, Scalar> run(samples);
  run.pass.training = true;
  run.pass.seed = {7};
  run.pass.step = step;
  run.pass.first_sample = first;
  return run.forward(std::vector<Scalar>(samples * NetworkInput<Net>::elements, Scalar(3)));
}

}  // namespace

TEST_CASE_TEMPLATE("stochastic depth does nothing when predicting", Scalar, float, double) {
  Run<Thinned, Scalar> run(4);
  const auto x = numbers<Scalar>(20);
  CHECK(run.forward(x) == x);
  CHECK(run.backward(x) == x);
}

TEST_CASE_TEMPLATE("stochastic depth leaves out its share of the samples, whole, and scales the others", Scalar, float,
                   double) {
  constexpr std::size_t samples = 4000;
  const auto y = train<Thinned, Scalar>(samples);
  double dropped = 0;
  for (std::size_t n = 0; n < samples; ++n) {
    const bool zero = y[5 * n] == 0;
    dropped += zero ? 1 : 0;
    for (std::size_t f = 0; f < 5; ++f) CHECK(y[5 * n + f] == doctest::Approx(zero ? 0 : 4).epsilon(precision<Scalar>));
  }
  CHECK(std::abs(dropped - 0.25 * samples) < 4 * std::sqrt(0.25 * 0.75 * samples));
}

TEST_CASE("the gradient passes where the sample passed") {
  Run<Thinned, double> run(40);
  run.pass.training = true;
  const std::vector<double> ones(200, 1.0);
  const auto y = run.forward(ones);
  CHECK(run.backward(ones) == y);
  CHECK(std::count(y.begin(), y.end(), 0.0) > 0);
}

TEST_CASE("what is left out depends on seed, step, layer and the sample's place alone") {
  const auto y = train<Thinned>(60);
  CHECK(train<Thinned>(60) == y);
  CHECK(train<Thinned>(60, 1) != y);
  const auto rest = train<Thinned>(20, 0, 40);
  CHECK(std::equal(rest.begin(), rest.end(), y.begin() + 200));
  const auto twice = train<Twice>(400);
  const auto kept = std::count(twice.begin(), twice.end(), 12.0);
  CHECK(kept > 60);  // a quarter; one draw twice would keep a half
  CHECK(kept < 140);
}

TEST_CASE("a residual branch that is left out leaves its input") {
  for (const double v : train<Branch>(60)) CHECK((v == 3 || v == 7));
}
