// Whole networks run by the compiler: forward and backward on the reference backend are constant expressions.
#include <doctest/doctest.h>

#include <aila/backend/reference.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <aila/network/workspace.hpp>
#include <array>

using namespace aila;

namespace {

template <class Policy>
struct Forecaster : Network<Sequence<3, 2>, Stack<Policy, Repeat<3, Lstm<4>>>, LastStep, Linear<2>> {};
struct Line : Network<Vector<2>, Linear<2>, Relu, Linear<1>> {};

/// Element e of tensor t is ((7 e + 3 t) mod 11 - 5) / 16.
template <class Net, class Scalar>
constexpr AlignedArray<Scalar> made_parameters() {
  using Placed = PlacedNetwork<Net>;
  AlignedArray<Scalar> p(parameter_layout<Placed>.size + 2 * alignment_elements);
  for (std::size_t t = 0; t < Placed::tensors; ++t)
    for (std::size_t e = 0; e < Placed::parameters[t].size(); ++e)
      p.data()[parameter_layout<Placed>.offset[t] + e] = (Scalar((7 * e + 3 * t) % 11) - Scalar(5)) / Scalar(16);
  return p;
}

template <class Scalar>
using Pair = std::array<Scalar, 2>;

template <class Policy, class Scalar>
constexpr Pair<Scalar> predicted() {
  using Net = Forecaster<Policy>;
  Workspace<Net, backend::Reference<Scalar>, Capability::predict> workspace(1);
  const auto parameters = made_parameters<Net, Scalar>();
  const Scalar x[6] = {Scalar(1), Scalar(-0.5), Scalar(0.25), Scalar(2), Scalar(-1), Scalar(0.75)};
  workspace.forward(Pass{}, parameters.data(), nullptr, x);
  return {workspace.output()[0], workspace.output()[1]};
}

template <class Scalar>
constexpr bool near(Pair<Scalar> found, Pair<double> expected, double tolerance) {
  for (std::size_t i = 0; i < 2; ++i) {
    const double difference = static_cast<double>(found[i]) - expected[i];
    if (!(difference < tolerance && -difference < tolerance)) return false;
  }
  return true;
}

// Evaluated in double by a program that shares nothing with this library.
constexpr Pair<double> with_attention{0.097812836434950284, -0.0034625429017871717};
constexpr Pair<double> with_linear{0.17643812320075714, -0.10925302667277539};

static_assert(near(predicted<integrate::Attention<>, double>(), with_attention, 1e-14));
static_assert(near(predicted<integrate::Attention<>, float>(), with_attention, 1e-6));
static_assert(near(predicted<integrate::Linear<Heads<2>>, double>(), with_linear, 1e-14));
static_assert(near(predicted<integrate::Linear<Heads<2>>, float>(), with_linear, 1e-6));
static_assert(!near(predicted<integrate::Residual, double>(), with_linear, 1e-3),
              "another policy gives something else");

/// d output / d input of Line, x = (1, 2), by the library.
constexpr Pair<double> slopes() {
  Workspace<Line, backend::Reference<double>, Capability::train> workspace(1);
  const auto parameters = made_parameters<Line, double>();
  workspace.input()[0] = 1;
  workspace.input()[1] = 2;
  workspace.forward(Pass{}, parameters.data(), nullptr, workspace.input());
  workspace.output_gradient()[0] = 1;
  workspace.backward(Pass{}, parameters.data(), nullptr, nullptr, true);
  return {workspace.input_gradient()[0], workspace.input_gradient()[1]};
}
// In sixteenths: W_1 is (-5, 2; -2, 5), b_1 (-2, 5), W_2 (1, -3). Unit 0 sums to -3 and passes nothing, unit 1 to 13:
// what comes down is -3 times the second row of W_1.
static_assert(slopes() == Pair<double>{6.0 / 256, -15.0 / 256});

}  // namespace

TEST_CASE_TEMPLATE("the program computes what the compiler computed", Scalar, float, double) {
  constexpr auto attention = predicted<integrate::Attention<>, Scalar>();
  constexpr auto linear = predicted<integrate::Linear<Heads<2>>, Scalar>();
  const double tolerance = sizeof(Scalar) == sizeof(double) ? 1e-14 : 1e-6;
  CHECK(near(predicted<integrate::Attention<>, Scalar>(), {attention[0], attention[1]}, tolerance));
  CHECK(near(predicted<integrate::Linear<Heads<2>>, Scalar>(), {linear[0], linear[1]}, tolerance));
}
