#include <doctest/doctest.h>

#include <aila/learn/losses.hpp>
#include <array>
#include <cmath>
#include <cstddef>

namespace {

/// A vector type of four lanes, as plain as can be: what a loss's one body must run on besides float and double.
struct Four {
  using value_type = double;
  struct Mask {
    std::array<bool, 4> lane;
  };
  std::array<double, 4> lane{};
  Four() = default;
  explicit Four(double x) : lane{x, x, x, x} {}

  template <class F>
  static Four from(F f) {
    Four result;
    for (std::size_t i = 0; i < 4; ++i) result.lane[i] = f(i);
    return result;
  }
  template <class F>
  static Mask mask(F f) {
    return {{f(0), f(1), f(2), f(3)}};
  }
  friend Four operator+(Four a, Four b) {
    return from([&](auto i) { return a.lane[i] + b.lane[i]; });
  }
  friend Four operator-(Four a, Four b) {
    return from([&](auto i) { return a.lane[i] - b.lane[i]; });
  }
  friend Four operator*(Four a, Four b) {
    return from([&](auto i) { return a.lane[i] * b.lane[i]; });
  }
  friend Four operator/(Four a, Four b) {
    return from([&](auto i) { return a.lane[i] / b.lane[i]; });
  }
  friend Four operator-(Four a) {
    return from([&](auto i) { return -a.lane[i]; });
  }
  friend Mask operator<(Four a, Four b) {
    return mask([&](std::size_t i) { return a.lane[i] < b.lane[i]; });
  }
  friend Mask operator>(Four a, Four b) { return b < a; }
  friend Mask operator==(Four a, Four b) {
    return mask([&](std::size_t i) { return a.lane[i] == b.lane[i]; });
  }
};

}  // namespace

namespace aila::inline v0::math {
template <>
struct BatchFunctions<Four> {
  static Four exp(Four a) {
    return Four::from([&](auto i) { return math::exp(a.lane[i]); });
  }
  static Four log(Four a) {
    return Four::from([&](auto i) { return math::log(a.lane[i]); });
  }
  static Four abs(Four a) {
    return Four::from([&](auto i) { return math::abs(a.lane[i]); });
  }
  static Four max(Four a, Four b) {
    return Four::from([&](auto i) { return math::max(a.lane[i], b.lane[i]); });
  }
  static Four min(Four a, Four b) {
    return Four::from([&](auto i) { return math::min(a.lane[i], b.lane[i]); });
  }
  static Four sigmoid(Four a) {
    return Four::from([&](auto i) { return math::sigmoid(a.lane[i]); });
  }
  static Four softplus(Four a) {
    return Four::from([&](auto i) { return math::softplus(a.lane[i]); });
  }
  static Four select(Four::Mask m, Four a, Four b) {
    return Four::from([&](auto i) { return m.lane[i] ? a.lane[i] : b.lane[i]; });
  }
};
}  // namespace aila::inline v0::math

using namespace aila;

namespace {

/// Four samples in the lanes of Four against the same samples one by one, bit for bit.
template <class Out, class L, std::size_t M>
void check_lanes(const L& loss, const std::array<double, M>& target) {
  static_assert(M == L::template targets<Out>);
  std::array<Four, Out::elements> output_lanes;
  std::array<Four, Out::elements> gradient_lanes;
  std::array<Four, M> target_lanes;
  for (std::size_t i = 0; i < Out::elements; ++i)
    output_lanes[i] = Four::from([&](std::size_t s) { return std::sin(static_cast<double>(7 * i + 3 * s)) * 2; });
  for (std::size_t i = 0; i < M; ++i) target_lanes[i] = Four::from([&](std::size_t s) { return target[(i + s) % M]; });
  const Four together = loss.template operator()<Out>(output_lanes.data(), target_lanes.data(), gradient_lanes.data());
  for (std::size_t s = 0; s < 4; ++s) {
    std::array<double, Out::elements> output;
    std::array<double, Out::elements> gradient;
    std::array<double, M> own_target;
    for (std::size_t i = 0; i < Out::elements; ++i) output[i] = output_lanes[i].lane[s];
    for (std::size_t i = 0; i < M; ++i) own_target[i] = target_lanes[i].lane[s];
    const double alone = loss.template operator()<Out>(output.data(), own_target.data(), gradient.data());
    // equal up to the contraction of products and sums, which compilers choose for each body
    CHECK(std::fabs(together.lane[s] - alone) <= 1e-14);
    for (std::size_t i = 0; i < Out::elements; ++i) CHECK(std::fabs(gradient_lanes[i].lane[s] - gradient[i]) <= 1e-14);
  }
}

}  // namespace

TEST_CASE("one body serves scalars and the lanes of a vector type") {
  constexpr std::array targets{0.0, -1.0, 0.7, -0.5};
  constexpr std::array probabilities{0.0, 1.0, 1.0, 0.25};
  check_lanes<Sequence<2, 2>>(MeanSquaredError{}, targets);
  check_lanes<Sequence<2, 2>>(MeanAbsoluteError{}, targets);
  check_lanes<Sequence<2, 2>>(Huber{.delta = 0.6}, targets);
  check_lanes<Sequence<2, 2>>(Quantile{.q = 0.3}, targets);
  check_lanes<Sequence<3, 2>>(CrossEntropy{.label_smoothing = 0.1}, std::array{0.0, 1.0, 1.0});
  check_lanes<Vector<4>>(BinaryCrossEntropy{.label_smoothing = 0.1}, probabilities);
}
