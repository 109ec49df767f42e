// The scalar functions, at run time and in constant expressions, against the standard library.
#include <doctest/doctest.h>

#include <aila/core/math.hpp>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace math = aila::math;
namespace series = aila::math::detail;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Distance from the exact value in units in the last place of Scalar; 0 for equal infinities and for two NaN.
template <class Scalar> double ulps(Scalar found, long double exact) {
  const auto nearest = static_cast<Scalar>(exact);
  if (std::isnan(found) || std::isnan(nearest)) return std::isnan(found) && std::isnan(nearest) ? 0 : inf;
  if (std::isinf(found) || std::isinf(nearest)) return found == nearest ? 0 : inf;
  const Scalar size = std::fabs(nearest);
  const long double unit =
      static_cast<long double>(std::nextafter(size, std::numeric_limits<Scalar>::infinity())) - size;
  return static_cast<double>(std::fabs(static_cast<long double>(found) - exact) / unit);
}

/// The largest error over a range swept evenly, with its ends.
template <class Function, class Exact> double worst(Function function, Exact exact, double from, double to) {
  double worst = 0;
  constexpr int steps = 20'000;
  for (int i = 0; i <= steps; ++i) {
    const double x = from + (to - from) * i / steps;
    worst = std::fmax(worst, ulps(function(x), exact(static_cast<long double>(x))));
  }
  return worst;
}

long double exact_exp(long double x) {
  return std::exp(x);
}
long double exact_log(long double x) {
  return std::log(x);
}
long double exact_log1p(long double x) {
  return std::log1p(x);
}
long double exact_tanh(long double x) {
  return std::tanh(x);
}
long double exact_erf(long double x) {
  return std::erf(x);
}
long double exact_sigmoid(long double x) {
  return 1 / (1 + std::exp(-x));
}
long double exact_softplus(long double x) {
  return std::fmax(x, 0.0L) + std::log1p(std::exp(-std::fabs(x)));
}

/// The function's values at -6, -5.75, ... 6 (or from 1/4 on), computed by the compiler.
constexpr int places = 49;
template <class Scalar, class Function> consteval std::array<Scalar, places> table(Function function, Scalar first) {
  std::array<Scalar, places> values{};
  for (int i = 0; i < places; ++i) {
    values[static_cast<std::size_t>(i)] = function(first + static_cast<Scalar>(i) / 4);
  }
  return values;
}
template <class Scalar, class Exact>
double worst_in(const std::array<Scalar, places>& values, Exact exact, Scalar first) {
  double worst = 0;
  for (int i = 0; i < places; ++i) {
    const Scalar x = first + static_cast<Scalar>(i) / 4;
    worst = std::fmax(worst, ulps(values[static_cast<std::size_t>(i)], exact(static_cast<long double>(x))));
  }
  return worst;
}

/// A weak but long source of numbers, independent of the library's.
struct Congruential {
  std::uint64_t state = 1;
  std::uint64_t next() { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 11; }
  double between(double a, double b) { return a + (b - a) * static_cast<double>(next()) * 0x1p-53; }
};

}  // namespace

static_assert(math::exp(0.0) == 1 && math::exp(0.0f) == 1);
static_assert(math::abs(math::exp(1.0) - 2.718281828459045) < 1e-15 && math::exp(1.0f) == 2.7182817f);
static_assert(math::exp(710.0) == inf && math::exp(-750.0) == 0);
static_assert(math::exp(89.0f) == std::numeric_limits<float>::infinity() && math::exp(-110.0f) == 0);
static_assert(math::exp(inf) == inf && math::exp(-inf) == 0);
static_assert(math::log(1.0) == 0 && math::log(0.0) == -inf && math::log(inf) == inf);
static_assert(math::log(-1.0) != math::log(-1.0) && math::exp(not_a_number) != math::exp(not_a_number));
static_assert(math::log1p(-1.0) == -inf && math::log1p(-2.0) != math::log1p(-2.0));
static_assert(math::tanh(0.0) == 0 && math::tanh(50.0) == 1 && math::tanh(-inf) == -1);
static_assert(math::erf(0.0) == 0 && math::erf(10.0) == 1 && math::erf(-10.0f) == -1);
static_assert(math::sqrt(4.0) == 2 && math::sqrt(2.0) == 1.4142135623730951 && math::sqrt(2.0f) == 1.4142135f);
static_assert(math::sqrt(inf) == inf && math::sqrt(0.0) == 0 && math::sqrt(-1.0) != math::sqrt(-1.0));
static_assert(math::sigmoid(0.0) == 0.5 && math::sigmoid(1000.0) == 1 && math::sigmoid(-1000.0) == 0);
static_assert(math::softplus(1000.0) == 1000 && math::softplus(-1000.0f) == 0);
static_assert(math::abs(-2.5) == 2.5 && math::abs(3.0f) == 3 && math::abs(-inf) == inf);
static_assert(std::bit_cast<std::uint64_t>(math::abs(-0.0)) == 0);
static_assert(math::max(1.0, 2.0) == 2 && math::max(2.0f, 1.0f) == 2 && math::min(1.0, 2.0) == 1);
static_assert(math::max(not_a_number, 0.0) != math::max(not_a_number, 0.0) && math::max(0.0, not_a_number) == 0);
static_assert(math::min(not_a_number, 0.0) != math::min(not_a_number, 0.0) && math::min(0.0, not_a_number) == 0);
static_assert(math::select(true, 1.0, 2.0) == 1 && math::select(false, 1.0f, 2.0f) == 2);
static_assert(math::reduce_add(3.5) == 3.5);
static_assert(math::fma(0x1.0000001p0, 0x1.0000001p0, -1.0) == 0x1.00000008p-27);
static_assert(math::fma(0.1, 10.0, -1.0) == 0x1p-54);  // 0.1 is a little more than a tenth
static_assert(math::fma(0.0, 5.0, 2.0) == 2 && math::fma(1e300, 1e-300, 1.0) == 2 && math::fma(3.0f, 4.0f, 5.0f) == 17);
static_assert(std::is_same_v<decltype(math::exp(1.0f)), float> &&
              std::is_same_v<decltype(math::fma(1.0, 1.0, 1.0)), double>);

// a body for scalars and batches alike, outside the library's namespace, in constant expressions and at run time
namespace {
template <class Value> constexpr Value gaussian_gate(Value x) {
  using aila::math::erf, aila::math::exp, aila::math::fma;
  return fma(exp(-x * x), x, erf(x));
}
}  // namespace
static_assert(gaussian_gate(0.0) == 0 && gaussian_gate(1.0f) > 1.2f && gaussian_gate(1.0f) < 1.22f);

template <class T>
concept TakenByExp = requires(T x) { math::exp(x); };
static_assert(TakenByExp<float> && TakenByExp<double> && !TakenByExp<int>);

TEST_CASE("the series for constant expressions are within two units in the last place") {
  CHECK(worst(series::exp, exact_exp, -1, 1) <= 1.0);
  CHECK(worst(series::exp, exact_exp, -746, 709.78) <= 1.5);
  CHECK(worst(series::log, exact_log, 0x1p-20, 2) <= 1.0);
  CHECK(worst(series::log, exact_log, 0, 1e-307) <= 1.0);
  CHECK(worst(series::log, exact_log, 1, 1e308) <= 1.0);
  CHECK(worst(series::log1p, exact_log1p, -1, 1) <= 1.5);
  CHECK(worst(series::log1p, exact_log1p, -1e-9, 1e-9) <= 1.0);
  CHECK(worst(series::log1p, exact_log1p, 1, 1e17) <= 1.5);
  CHECK(worst(series::tanh, exact_tanh, -1, 1) <= 2.2);
  CHECK(worst(series::tanh, exact_tanh, -1e-7, 1e-7) <= 2.0);
  CHECK(worst(series::tanh, exact_tanh, -22, 22) <= 2.2);
  CHECK(worst(series::erf, exact_erf, -1, 1) <= 2.0);
  CHECK(worst(series::erf, exact_erf, 1, 2) <= 1.5);
  CHECK(worst(series::erf, exact_erf, -7, -2) <= 1.0);
}

TEST_CASE_TEMPLATE("the compiler's values agree with the standard library's", Scalar, float, double) {
  constexpr Scalar left = -6;
  constexpr Scalar right = Scalar(0.25);
  const double bound = std::is_same_v<Scalar, float> ? 0.51 : 2.0;
  static constexpr auto exps = table<Scalar>([](Scalar x) { return math::exp(x); }, left);
  static constexpr auto logs = table<Scalar>([](Scalar x) { return math::log(x); }, right);
  static constexpr auto log1ps = table<Scalar>([](Scalar x) { return math::log1p(x); }, right);
  static constexpr auto tanhs = table<Scalar>([](Scalar x) { return math::tanh(x); }, left);
  static constexpr auto erfs = table<Scalar>([](Scalar x) { return math::erf(x); }, left);
  static constexpr auto roots = table<Scalar>([](Scalar x) { return math::sqrt(x); }, right);
  static constexpr auto sigmoids = table<Scalar>([](Scalar x) { return math::sigmoid(x); }, left);
  static constexpr auto softpluses = table<Scalar>([](Scalar x) { return math::softplus(x); }, left);
  CHECK(worst_in(exps, exact_exp, left) <= bound);
  CHECK(worst_in(logs, exact_log, right) <= bound);
  CHECK(worst_in(log1ps, exact_log1p, right) <= bound);
  CHECK(worst_in(tanhs, exact_tanh, left) <= bound);
  CHECK(worst_in(erfs, exact_erf, left) <= bound);
  CHECK(worst_in(sigmoids, exact_sigmoid, left) <= 3.0);
  CHECK(worst_in(softpluses, exact_softplus, left) <= 3.0);
  for (int i = 0; i < places; ++i) {
    CHECK(roots[static_cast<std::size_t>(i)] == std::sqrt(right + static_cast<Scalar>(i) / 4));
  }
}

TEST_CASE_TEMPLATE("at run time the functions are the standard library's", Scalar, float, double) {
  for (int i = -400; i <= 400; ++i) {
    const Scalar x = static_cast<Scalar>(i) / 16;
    CHECK(math::exp(x) == std::exp(x));
    CHECK(math::tanh(x) == std::tanh(x));
    CHECK(math::erf(x) == std::erf(x));
    CHECK(math::abs(x) == std::fabs(x));
    const Scalar positive = std::exp(x);
    CHECK(math::log(positive) == std::log(positive));
    CHECK(math::log1p(positive) == std::log1p(positive));
    CHECK(math::sqrt(positive) == std::sqrt(positive));
    CHECK(math::fma(x, x, -positive) == std::fma(x, x, -positive));
  }
}

TEST_CASE_TEMPLATE("one body by using-declarations gives the same in constant expressions and at run time", Scalar,
                   float, double) {
  constexpr Scalar by_compiler = gaussian_gate(Scalar(0.75));
  const volatile Scalar x = Scalar(0.75);
  CHECK(gaussian_gate<Scalar>(x) == doctest::Approx(by_compiler).epsilon(1e-6));
}

TEST_CASE_TEMPLATE("sigmoid and softplus keep their relative accuracy on both sides", Scalar, float, double) {
  const int reach = std::is_same_v<Scalar, float> ? 80 : 700;
  for (int i = -reach * 4; i <= reach * 4; ++i) {
    const Scalar x = static_cast<Scalar>(i) / 4;
    CHECK(ulps(math::sigmoid(x), exact_sigmoid(x)) <= 4.0);
    CHECK(ulps(math::softplus(x), exact_softplus(x)) <= 4.0);
  }
}

TEST_CASE("the series for sqrt rounds correctly") {
  Congruential numbers;
  for (int i = 0; i < 20'000; ++i) {
    // any positive finite bits, subnormal ones included
    const double x = std::bit_cast<double>(numbers.next() * 0x3ffu % 0x7ff0000000000000u);
    REQUIRE(series::sqrt(x) == std::sqrt(x));
    const auto single = static_cast<float>(numbers.between(0, 1e6));
    REQUIRE(static_cast<float>(series::sqrt(single)) == std::sqrt(single));
  }
}

TEST_CASE("the constant-expression fma rounds once, in particular where the sum cancels") {
  Congruential numbers;
  int rounded_twice_differs = 0;
  for (int i = 0; i < 60'000; ++i) {
    const double a = std::ldexp(numbers.between(-2, 2), static_cast<int>(numbers.next() % 61) - 30);
    const double b = numbers.between(-2, 2);
    const double product = a * b;
    const double c = i % 3 == 0   ? -product
                     : i % 3 == 1 ? -product * (1 + std::ldexp(numbers.between(-1, 1), -45))
                                  : std::ldexp(numbers.between(-1, 1), static_cast<int>(numbers.next() % 161) - 80);
    const double once = std::fma(a, b, c);
    REQUIRE(series::fma(a, b, c) == once);
    const volatile double separate = product;  // keeps the compiler from fusing
    rounded_twice_differs += separate + c != once ? 1 : 0;
    const auto fa = static_cast<float>(a), fb = static_cast<float>(b), fc = static_cast<float>(c);
    REQUIRE(series::fma(fa, fb, fc) == std::fma(fa, fb, fc));
  }
  CHECK(rounded_twice_differs > 1000);
}
