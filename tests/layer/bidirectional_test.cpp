#include <doctest/doctest.h>

#include "on_backend.hpp"
#include "run.hpp"

using namespace aila;

namespace {

struct One : Network<Sequence<4, 2>, Gru<3>> {};
struct Both : Network<Sequence<4, 2>, Bidirectional<Gru<3>>> {};
struct Frosted : Network<Sequence<4, 2>, Frozen<Bidirectional<Gru<3>>>> {};
struct Wide : Network<Sequence<21, 5>, Bidirectional<Lstm<9>>, Bidirectional<Gru<18>>> {};

static_assert(std::is_same_v<NetworkOutput<Both>, Sequence<4, 6>>);
static_assert(parameter_count<Both> == 2 * parameter_count<One> && flops<Both> == 2 * flops<One>);
static_assert(!layer_accepts<Bidirectional<LastStep>, Sequence<4, 2>>(), "it gives back no steps");
static_assert(!layer_accepts<Bidirectional<Linear<3>>, Vector<4>>());

template <class S>
std::vector<S> reversed(const std::vector<S>& x, std::size_t width, std::size_t steps) {
  auto y = x;
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t f = 0; f < width; ++f) y[t * width + f] = x[(steps - 1 - t) * width + f];
  return y;
}

const char* const tensors[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};

}  // namespace

TEST_CASE("both directions are the layer over the steps, and over the valid steps from the last to the first") {
  for (const std::int32_t length : {4, 3, 1}) {
    INFO(length);
    Run<Both, double> both;
    both.pass.lengths = &length;
    both.set_all();
    Run<One, double> ahead, back;
    ahead.pass.lengths = back.pass.lengths = &length;
    for (std::size_t t = 0; t < 4; ++t) {  // the weights of set_all, by tensor's number
      std::vector<double> first(18), second(18);
      first.resize(t == 0 ? 18 : t == 1 ? 27 : 9);
      second.resize(first.size());
      for (std::size_t e = 0; e < first.size(); ++e) {
        first[e] = 0.5 * std::sin(1.7 * static_cast<double>(e) + 0.9 * static_cast<double>(t) + 0.3);
        second[e] = 0.5 * std::sin(1.7 * static_cast<double>(e) + 0.9 * static_cast<double>(t + 4) + 0.3);
      }
      ahead.set(std::string("gru.") + tensors[t], first);
      back.set(std::string("gru.") + tensors[t], second);
    }
    const auto steps = static_cast<std::size_t>(length);
    const auto x = numbers<double>(8), dy = numbers<double>(24, 1);
    const auto y = both.forward(x), y_ahead = ahead.forward(x), y_back = back.forward(reversed(x, 2, steps));
    std::vector<double> expected, dy_ahead, dy_back;
    const auto turned = reversed(y_back, 3, steps);
    for (std::size_t t = 0; t < 4; ++t)
      for (std::size_t f = 0; f < 6; ++f) {
        expected.push_back(f < 3 ? y_ahead[3 * t + f] : turned[3 * t + f - 3]);
        (f < 3 ? dy_ahead : dy_back).push_back(dy[6 * t + f]);
      }
    CHECK(y == expected);

    const auto dx = both.backward(dy), dx_ahead = ahead.backward(dy_ahead);
    const auto dx_back = reversed(back.backward(reversed(dy_back, 3, steps)), 2, steps);
    for (std::size_t i = 0; i < 8; ++i) CHECK(dx[i] == doctest::Approx(dx_ahead[i] + dx_back[i]).epsilon(1e-14));
    for (const char* tensor : tensors) {
      CHECK(both.gradient(std::string("bidirectional.forward.") + tensor) ==
            ahead.gradient(std::string("gru.") + tensor));
      CHECK(both.gradient(std::string("bidirectional.backward.") + tensor) ==
            back.gradient(std::string("gru.") + tensor));
    }
  }
}

TEST_CASE("both directions on the CPU agree with the plain loops") {
  CHECK(cpu_error<Wide>(3) <= 1);
  CHECK(cpu_error<Wide>(4, {21, 0, 5, 20}) <= 1);
}

TEST_CASE("Frozen holds both directions, under the same names") {
  const auto &free = parameter_table<Both>(), &frozen = parameter_table<Frosted>();
  REQUIRE(free.size() == frozen.size());
  for (std::size_t i = 0; i < free.size(); ++i) {
    CHECK(frozen[i].name == free[i].name);
    CHECK(frozen[i].kind == ParameterKind::frozen);
  }
}
