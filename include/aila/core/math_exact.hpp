// The bits of a double, and the functions that IEEE 754 rounds correctly, for constant expressions.
#pragma once

#include "macros_aside.hpp"

#include <cstdint>
#include <limits>

#include "config.hpp"

namespace aila::inline v0::math::detail {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// __builtin_bit_cast, not std::bit_cast: device code may not call a constexpr host function without a compiler option.
constexpr std::uint64_t to_bits(double x) {
  return __builtin_bit_cast(std::uint64_t, x);
}
constexpr double from_bits(std::uint64_t x) {
  return __builtin_bit_cast(double, x);
}

constexpr double magnitude(double x) {
  return from_bits(to_bits(x) & ~(std::uint64_t{1} << 63));
}

/// 2^exponent for a normal result, -1022 <= exponent <= 1023.
constexpr double power_of_two(int exponent) {
  return from_bits(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

/// A positive finite x as fraction * 2^exponent, 1 <= fraction < 2.
struct Split {
  double fraction;
  int exponent;
};
constexpr Split split(double x) {
  const bool subnormal = x < 0x1p-1022;
  const std::uint64_t bits = to_bits(subnormal ? x * 0x1p54 : x);
  const std::uint64_t one = std::uint64_t{1023} << 52;
  return {from_bits((bits & ~(std::uint64_t{0x7ff} << 52)) | one),
          static_cast<int>(bits >> 52) - 1023 - (subnormal ? 54 : 0)};
}

/// Correctly rounded, one binary digit of the root after the other.
constexpr double sqrt(double x) {
  if (x != x || x == 0 || x == infinity) return x;
  if (x < 0) return not_a_number;
  const Split parts = split(x);
  const bool odd = (parts.exponent & 1) != 0;
  const auto digits = static_cast<std::uint64_t>(parts.fraction * (odd ? 0x1p53 : 0x1p52));
  std::uint64_t root = 0;
  std::uint64_t rest = 0;
  for (int pair = 26; pair >= -27; --pair) {  // two digits of x a step; behind the point they are zeros
    rest = (rest << 2) | (pair >= 0 ? (digits >> (2 * pair)) & 3 : 0);
    const std::uint64_t trial = (root << 2) | 1;
    const bool fits = rest >= trial;
    if (fits) rest -= trial;
    root = (root << 1) | (fits ? 1 : 0);
  }
  // 54 digits: the last one rounds; a root is never half way between two doubles
  const double rounded = static_cast<double>((root >> 1) + (root & 1)) * 0x1p-52;
  return rounded * power_of_two((parts.exponent - (odd ? 1 : 0)) / 2);
}

/// a + b rounded to double, and what the rounding lost.
struct Sum {
  double value;
  double error;
};
constexpr Sum exact_sum(double a, double b) {
  const double value = a + b;
  const double from_b = value - a;
  return {value, (a - (value - from_b)) + (b - from_b)};
}

/// a + b rounded to odd: where inexact, to the neighbour whose last bit is 1, so that a second rounding does no harm.
constexpr double odd_sum(double a, double b) {
  const Sum sum = exact_sum(a, b);
  const std::uint64_t bits = to_bits(sum.value);
  if (sum.error == 0 || (bits & 1) != 0) return sum.value;
  return from_bits((sum.error > 0) == (sum.value > 0) ? bits + 1 : bits - 1);
}

/// a * b + c rounded once (Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", 2008). Where the
/// product leaves 2^-900..2^900 or an operand 2^990, the product is rounded as well.
constexpr double fma(double a, double b, double c) {
  const double product = a * b;
  const bool safe = magnitude(product) > 0x1p-900 && magnitude(product) < 0x1p900 && magnitude(a) < 0x1p990 &&
                    magnitude(b) < 0x1p990 && magnitude(c) < 0x1p990;
  if (!safe) return product + c;
  const auto upper = [](double x) { return from_bits((to_bits(x) + 0x4000000) & ~std::uint64_t{0x7ffffff}); };
  const double ah = upper(a), al = a - ah, bh = upper(b), bl = b - bh;  // 26 bits each: their products are exact
  const double lost = ((ah * bh - product) + ah * bl + al * bh) + al * bl;
  const Sum low = exact_sum(c, lost);
  const Sum high = exact_sum(product, low.value);
  return high.value + odd_sum(low.error, high.error);
}
constexpr float fma(float a, float b, float c) {
  return static_cast<float>(odd_sum(static_cast<double>(a) * static_cast<double>(b), static_cast<double>(c)));
}

}  // namespace aila::inline v0::math::detail

#include "macros_back.hpp"
