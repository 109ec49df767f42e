// Elementary functions from + - * / and integer arithmetic alone, for constant expressions; math.hpp is their public
// face.
#pragma once

#include "macros_aside.hpp"

#include "config.hpp"
#include "math_exact.hpp"

/// All of these compute in double, within about 2 units in the last place; callers round to float. They serve compilers
/// that refuse the standard functions in constant expressions (clang, nvcc) and are never reached at run time, so they
/// favour brevity.
namespace aila::inline v0::math::detail {

// ln 2 in two parts: the first has 40 bits, so that its product with any binary exponent is exact.
inline constexpr double ln2_high = 0x1.62e42fefa2p-1;
inline constexpr double ln2_low = 0x1.9ef35793c7673p-41;

/// x = exponent * ln 2 + a small rest; `expm1` is e^rest - 1. Wants |x| < 1000.
struct Reduced {
  double expm1;
  int exponent;
};
constexpr Reduced reduce_exp(double x) {
  const int k = static_cast<int>(x * 0x1.71547652b82fep+0 + (x < 0 ? -0.5 : 0.5));
  const double high = x - k * ln2_high;
  const double low = k * ln2_low;
  const double rest = high - low;
  const double tail = (high - rest) - low;
  double series = 1;
  for (int n = 15; n >= 3; --n) series = 1 + rest * series / n;
  return {rest + (0.5 * rest * rest * series + tail), k};
}

constexpr double exp(double x) {
  if (x != x) return x;
  if (x > 0x1.62e42fefa39efp+9) return infinity;
  if (x < -745.2) return 0;
  const Reduced r = reduce_exp(x);
  const double fraction = 1 + r.expm1;
  if (r.exponent < -1000) return fraction * power_of_two(r.exponent + 200) * power_of_two(-200);
  if (r.exponent > 1000) return fraction * power_of_two(r.exponent - 200) * power_of_two(200);
  return fraction * power_of_two(r.exponent);
}

/// log(1 + f) for 1/sqrt(2) <= 1 + f <= sqrt(2), from atanh: with s = f / (2 + f), log(1 + f) = 2 s + 2 s^3 / 3 + ...
/// 2 s is written f - f^2 / 2 + s f^2 / 2, so that its rounding error is small against f.
constexpr double log_near_one(double f, double plus = 0) {
  const double s = f / (2 + f);
  const double z = s * s;
  double series = 0;
  for (int n = 25; n >= 3; n -= 2) series = z * (series + 2.0 / n);
  const double half = 0.5 * f * f;
  return f - (half - (s * (half + series) + plus));
}

constexpr double log(double x) {
  if (x != x || x == infinity) return x;
  if (x == 0) return -infinity;
  if (x < 0) return not_a_number;
  Split parts = split(x);
  if (parts.fraction > 0x1.6a09e667f3bcdp+0) parts = {0.5 * parts.fraction, parts.exponent + 1};
  return parts.exponent * ln2_high + log_near_one(parts.fraction - 1, parts.exponent * ln2_low);
}

constexpr double log1p(double x) {
  if (x != x || x == infinity || magnitude(x) < 0x1p-54) return x;
  if (x > -0.25 && x < 0.375) return log_near_one(x);
  const double sum = 1 + x;
  if (sum <= 0) return log(sum);
  const double lost = x > 1 ? 1 - (sum - x) : x - (sum - 1);  // what rounding the sum dropped
  return log(sum) + lost / sum;
}

/// tanh x = e / (e + 2) with e = exp(2 x) - 1.
constexpr double tanh(double x) {
  const double size = magnitude(x);
  if (x != x || size < 0x1p-28) return x;
  if (size > 20) return x < 0 ? -1 : 1;
  const Reduced r = reduce_exp(2 * size);
  const double e = r.expm1 * power_of_two(r.exponent) + (power_of_two(r.exponent) - 1);
  return x < 0 ? -e / (e + 2) : e / (e + 2);
}

/// Below 1 the Maclaurin series, below 2 the Taylor series about 1.5 (from y'' = -2 x y'), beyond the continued
/// fraction of 1 - erf.
constexpr double erf(double x) {
  const double size = magnitude(x);
  if (x != x || x == 0) return x;
  double y = 1;
  if (size < 1) {
    double series = 0;
    for (int n = 20; n >= 1; --n) series = -x * x / n * (series + 1.0 / (2 * n + 1));
    return 0x1.20dd750429b6dp+0 * (x + x * series);
  }
  if (size < 2) {
    const double h = size - 1.5;
    double before = 0x1.e723726b824a9p-4;  // coefficients of h^n and h^(n+1)
    double now = -1.5 * before;
    double power = h;
    double sum = 0;
    for (int n = 1; n < 40; ++n) {
      sum += before * power;
      power *= h;
      const double next = -(3.0 * (n + 1) * now + 2.0 * n * before) / ((n + 2) * (n + 1));
      before = now;
      now = next;
    }
    y = 0x1.eea5557137aep-1 + sum;
  } else if (size < 6) {
    double fraction = size;
    for (int n = 80; n >= 1; --n) fraction = size + 0.5 * n / fraction;
    y = 1 - 0x1.20dd750429b6dp-1 * exp(-size * size) / fraction;
  }
  return x < 0 ? -y : y;
}

}  // namespace aila::inline v0::math::detail

#include "macros_back.hpp"
