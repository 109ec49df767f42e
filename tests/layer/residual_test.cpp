#include <doctest/doctest.h>

#include "run.hpp"

using namespace aila;

namespace {

struct Bare : Network<Sequence<2, 3>, Chain<Linear<4>, Tanh, Linear<3>>> {};
struct Added : Network<Sequence<2, 3>, Residual<Linear<4>, Tanh, Linear<3>>> {};
struct One : Network<Vector<2>, Residual<Linear<2>>> {};
struct Between : Network<Vector<2>, Linear<3>, Residual<Residual<Linear<3>>>, Linear<1>> {};

static_assert(std::is_same_v<NetworkOutput<Added>, Sequence<2, 3>>);
static_assert(flops<Added> == flops<Bare> + 6, "one addition an element");
static_assert(parameter_count<Added> == parameter_count<Bare>);
static_assert(layer_accepts<Residual<Linear<4>>, Vector<4>>() && !layer_accepts<Residual<Linear<4>>, Vector<3>>());
static_assert(!layer_accepts<Residual<Identity>, Tokens<3>>(), "tokens cannot be added");

}  // namespace

TEST_CASE_TEMPLATE("Residual adds its input to the layers inside it, forward and backward", Scalar, float, double) {
  Run<Bare, Scalar> bare(2);
  Run<Added, Scalar> added(2);
  bare.set_all();
  added.set_all();
  const auto x = numbers<Scalar>(12), dy = numbers<Scalar>(12, 1);
  const auto y = added.forward(x), inside = bare.forward(x);
  const auto dx = added.backward(dy), dx_inside = bare.backward(dy);
  for (std::size_t i = 0; i < 12; ++i) {
    CHECK(y[i] == x[i] + inside[i]);
    CHECK(dx[i] == doctest::Approx(dy[i] + dx_inside[i]).epsilon(precision<Scalar>));
  }
  CHECK(std::equal(added.all_gradients().begin(), added.all_gradients().end(), bare.all_gradients().begin()));
}

TEST_CASE_TEMPLATE("Residual around one layer is I + W", Scalar, float, double) {
  Run<One, Scalar> run;
  run.set("residual.linear.weight", {1, 2, 3, 4});
  run.set("residual.linear.bias", {10, 20});
  CHECK(run.forward({5, 6}) == std::vector<Scalar>{5 + 17 + 10, 6 + 39 + 20});
  CHECK(run.backward({1, 2}) == std::vector<Scalar>{1 + 7, 2 + 10});
  CHECK(run.gradient("residual.linear.weight") == std::vector<Scalar>{5, 6, 10, 12});
  CHECK(run.gradient("residual.linear.bias") == std::vector<Scalar>{1, 2});
}

TEST_CASE("Residual inside Residual between other layers is x + (x + W x + b)") {
  Run<Between, double> run;
  run.set_all();
  run.set("linear.weight", {1, 0, 0, 1, 1, 1});
  run.set("linear.bias", {0, 0, 0});
  run.set("residual.residual.linear.weight", {1, 0, 0, 0, 2, 0, 0, 0, 3});
  run.set("residual.residual.linear.bias", {0.5, 0.25, 0.125});
  run.set("linear_1.weight", {1, 1, 1});
  run.set("linear_1.bias", {0});
  CHECK(run.forward({1, 2})[0] == 2 * (1 + 2 + 3) + (1.5 + 4.25 + 9.125));
  CHECK(run.backward({1}) == std::vector<double>{3.0 + 5, 4.0 + 5});
}
