// Logarithms of a register.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <limits>

#include "batch_exp.hpp"

namespace aila::inline v0::simd {

/// f of x = 2^k (1 + f) between sqrt(1/2) and sqrt(2) for normal x > 0, and k.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> split(const xsimd::batch<Scalar, Arch>& x,
                                                               xsimd::batch<Scalar, Arch>& k) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  using Bits = BitsOf<Scalar, Arch>;
  using Format = FloatFormat<Scalar>;
  using Word = typename Format::Bits;
  constexpr Word one = Word{Format::bias} << Format::fraction_bits, fraction = (Word{1} << Format::fraction_bits) - 1;
  constexpr Word root = std::is_same_v<Scalar, float> ? Word{0x3f3504f3} : static_cast<Word>(0x3fe6a09e00000000);
  const Bits bits = std::bit_cast<Bits>(x) + Bits(one - root);
  // Behind the bits of 2^fraction_bits an exponent is the whole number that it counts as.
  constexpr auto unit = static_cast<Scalar>(Word{1} << Format::fraction_bits);
  k = std::bit_cast<B>((bits >> Format::fraction_bits) | Bits(std::bit_cast<Word>(unit))) -
      B(unit + Scalar(Format::bias));
  return std::bit_cast<B>((bits & Bits(fraction)) + Bits(root)) - B(Scalar(1));
}

/// log(2^k (1 + f)) + corrections, as FDLIBM's e_log.c and e_logf.c with their coefficients: with s = f / (2 + f) and
/// R = s^2 P(s^2), log(1 + f) = f - (f^2 / 2 - s (f^2 / 2 + R)).
template <class S, class Arch, std::same_as<xsimd::batch<S, Arch>>... Corrections>
[[gnu::always_inline]] inline xsimd::batch<S, Arch> log_of(const xsimd::batch<S, Arch>& k,
                                                           const xsimd::batch<S, Arch>& f,
                                                           const Corrections&... corrections) noexcept {
  using B = xsimd::batch<S, Arch>;
  const B s = f / (B(S(2)) + f);
  const B z = s * s, w = z * z;
  B odd, even;
  if constexpr (std::is_same_v<S, float>) {
    odd = simd::polynomial(w, 0.666666627F, 0.284987867F);
    even = simd::polynomial(w, 0.400009722F, 0.242790788F);
  } else {
    odd = simd::polynomial(w, 0.6666666666666735, 0.2857142874366239, 0.1818357216161805, 0.14798198605116586);
    even = simd::polynomial(w, 0.3999999999940942, 0.22222198432149784, 0.15313837699209373);
  }
  const B rest = simd::fmadd(w, even, z * odd);
  const B half = B(S(0.5)) * f, low(log2_low<S>);
  const B tail = simd::fmadd(half, f, rest);
  B sum;
  if constexpr (sizeof...(Corrections) > 0)
    sum = simd::fmadd(s, tail, simd::fmadd(k, low, corrections...));
  else if constexpr (is_avx512<Arch>)  // of two products one is rounded by itself; which one, trained weights depend on
    sum = simd::fmadd(k, low, s * tail);
  else
    sum = simd::fmadd(s, tail, k * low);
  return simd::fmadd(k, B(log2_high<S>), simd::fmadd(B(-half), f, sum) + f);
}

/// log x; -infinity of 0, NaN of negative numbers and where x is.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> log(const xsimd::batch<Scalar, Arch>& x) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
  const auto denormal = x < B(std::numeric_limits<Scalar>::min());
  constexpr int lift = std::is_same_v<Scalar, float> ? 23 : 54;
  constexpr auto factor = static_cast<Scalar>(std::uint64_t{1} << lift);
  B k;
  const B f = simd::split(B(xsimd::select(denormal, x * B(factor), x)), k);
  k = xsimd::select(denormal, k - B(Scalar(lift)), k);
  B y = log_of(k, f);
  y = xsimd::select(x == B(infinity), x, y);
  y = xsimd::select(x == B(Scalar(0)), B(-infinity), y);
  return xsimd::select(x >= B(Scalar(0)), y, B(std::numeric_limits<Scalar>::quiet_NaN()));
}

/// log(1 + x); -infinity of -1, NaN below and where x is. What 1 + x was rounded by is brought in at first order.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> log1p(const xsimd::batch<Scalar, Arch>& x) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
  const B one(Scalar(1)), u = x + one;
  B k;
  const B f = simd::split(u, k);
  const B lost = xsimd::select(k >= B(Scalar(2)), one - (u - x), x - (u - one)) / u;
  B y = log_of(k, f, lost);
  y = xsimd::select(x == B(infinity), x, y);
  y = xsimd::select(u == B(Scalar(0)), B(-infinity), y);
  return xsimd::select(u >= B(Scalar(0)), y, B(std::numeric_limits<Scalar>::quiet_NaN()));
}

}  // namespace aila::inline v0::simd

#include "../../../core/macros_back.hpp"
