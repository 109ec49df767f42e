// 2^x for a softmax, whose exponents are never positive.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <bit>
#include <cstdint>

#include "simd.hpp"

namespace aila::inline v0::cpu {

inline constexpr double log2_of_e = 1.44269504088896340736;

/// 2^x for x <= 0, within 2 units in the last place, 0 below 2^-126; NaN where x is. Half the work of a general e^x,
/// which is what attention over long sequences would wait for.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> power_of_two(const xsimd::batch<Scalar, Arch>& x) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  if constexpr (std::is_same_v<Scalar, float>) {
    // 1.5 2^23 + 127: the last bits of the sum are the nearest integer n of x, as an exponent; x = n + f, and a fit of
    // least relative error gives 2^f.
    const B shifted = x + B(12583039.0F);
    const B f = x - (shifted - B(12583039.0F));
    B p = simd::fmadd(f, B(1.32647273e-03F), B(9.67151299e-03F));
    p = simd::fmadd(p, f, B(5.55073358e-02F));
    p = simd::fmadd(p, f, B(2.40222424e-01F));
    p = simd::fmadd(p, f, B(6.93147004e-01F));
    p = simd::fmadd(p, f, B(1.0F));
    const B power = std::bit_cast<B>(std::bit_cast<xsimd::batch<std::int32_t, Arch>>(shifted) << 23);
    return xsimd::select(x < B(-126.0F), B(0.0F), p * power);
  } else {
    return math::exp(x * B(0.693147180559945309417));
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
