// e^x of a register, and what the other functions are made of. Nothing here is left to xsimd but single operations that
// mean the same in every release, so the bits depend on the architecture alone.
//
// Where a product is rounded before it is added, it is the addend of an fmadd or goes through a select: the compiler
// may fuse no other. A NaN goes through sums and products, and compares false: it stays by itself.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <bit>
#include <concepts>
#include <limits>

#include "batch.hpp"

namespace aila::inline v0::simd {

/// c0 + x (c1 + x (c2 + ...)), a fused multiply-add each.
template <class B>
[[gnu::always_inline]] inline B polynomial(const B& /*x*/, typename B::value_type c0) noexcept {
  return B(c0);
}
template <class B, std::same_as<typename B::value_type>... C>
[[gnu::always_inline]] inline B polynomial(const B& x, typename B::value_type c0, C... rest) noexcept {
  return simd::fmadd(x, simd::polynomial(x, rest...), B(c0));
}

/// How a Scalar is put together: its bits as a number, those behind the point, and what the exponent of 1 counts as.
template <class Scalar>
struct FloatFormat;
template <>
struct FloatFormat<float> {
  using Bits = std::uint32_t;
  static constexpr int fraction_bits = 23, bias = 127;
};
template <>
struct FloatFormat<double> {
  using Bits = std::uint64_t;
  static constexpr int fraction_bits = 52, bias = 1023;
};
template <class Scalar, class Arch>
using BitsOf = xsimd::batch<typename FloatFormat<Scalar>::Bits, Arch>;

/// log 2 in two parts: whole numbers up to an exponent times the first are exact.
template <class Scalar>
inline constexpr Scalar log2_high = std::is_same_v<Scalar, float> ? Scalar(0.693359375) : Scalar(0x1.62e42feep-1);
template <class Scalar>
inline constexpr Scalar log2_low =
    std::is_same_v<Scalar, float> ? Scalar(-0x1.bd0106p-13) : Scalar(0x1.a39ef35793c76p-33);

/// 2^n for whole n from -bias to bias; n = -bias gives 0.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> whole_power_of_two(
    const xsimd::batch<Scalar, Arch>& n) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  using Format = FloatFormat<Scalar>;
  // The last bits of n + 1.5 2^fraction_bits + bias are n + bias.
  constexpr auto shift = static_cast<Scalar>((std::uint64_t{3} << (Format::fraction_bits - 1)) + Format::bias);
  return std::bit_cast<B>(std::bit_cast<BitsOf<Scalar, Arch>>(n + B(shift)) << Format::fraction_bits);
}

/// e^x: 0 up to -88.376 (double -708.396), infinity from 88.376 (709.783) on, NaN where x is. With x = n log 2 + r it
/// is 2^n e^r; error 1 unit in the last place. float: e^r by a polynomial of degree 6 (coefficients of Boost.SIMD and
/// xsimd). double: e^r = 1 + r + r c / (2 - c), c = r - r^2 P(r^2), as FDLIBM's e_exp.c with its coefficients.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> exp(const xsimd::batch<Scalar, Arch>& x) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  const B n = xsimd::nearbyint(x * B(Scalar(1.44269504088896340736)));
  const B high = simd::fmadd(n, B(-log2_high<Scalar>), x);
  const B r = simd::fmadd(n, B(-log2_low<Scalar>), high);
  B power;
  Scalar least, most;
  if constexpr (std::is_same_v<Scalar, float>) {
    least = -88.3762626647949F;
    most = 88.3762626647949F;
    const B p = simd::polynomial(r, 0.5F, 0.166662768F, 0.0416654013F, 0.00839556288F, 0.00139977958F);
    power = simd::fmadd(p, r * r, r) + B(1.0F);
  } else {
    least = -708.3964185322641;
    most = 709.782712893384;
    const B t = r * r;
    const B p = simd::polynomial(t, -0.16666666666666602, 0.0027777777777015593, -6.613756321437934e-05,
                                 1.6533902205465252e-06, -4.1381367970572385e-08);
    const B c = simd::fmadd(t, p, r);
    // -(n log2_low - r c / (2 - c)) behind the point of `high`
    power = B(1.0) - (simd::fmadd(n, B(log2_low<Scalar>), r * c / (c - B(2.0))) - high);
  }
  power = xsimd::select(x <= B(least), B(Scalar(0)), power * whole_power_of_two(n));
  return xsimd::select(x >= B(most), B(std::numeric_limits<Scalar>::infinity()), power);
}

}  // namespace aila::inline v0::simd

#include "../../../core/macros_back.hpp"
