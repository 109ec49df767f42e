// The error function of a register, and the hyperbolic tangent in double.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "batch_exp.hpp"

namespace aila::inline v0::simd {

/// y >= 0 with the sign of x, be that a zero.
template <class B>
[[gnu::always_inline]] inline B with_sign_of(const B& x, const B& y) noexcept {
  return y ^ (x & B(typename B::value_type(-0.0)));
}

/// The error function, NaN where x is; coefficients of Boost.SIMD and xsimd. float: x P(x^2) for |x| < 2/3, beyond
/// 1 - e^(-x^2) Q(|x| / (1 + |x|) - 0.4). double: quotients of polynomials, of x^2 for |x| < 0.65, beyond times
/// e^(-x^2). Registers of small numbers do without the exponential.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> erf(const xsimd::batch<Scalar, Arch>& x) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  const B one(Scalar(1));
  // From 10 on it is 1, and a bound keeps infinity out of what follows.
  const B size = simd::min(xsimd::abs(x), B(Scalar(10)));
  const B square = size * size;
  if constexpr (std::is_same_v<Scalar, float>) {
    const auto near = size < B(2.0F / 3.0F);
    const B inner = x * simd::polynomial(square, 1.12837911F, -0.376125276F, 0.112821832F, -0.0267801061F,
                                         0.00501329312F, -0.000609520532F);
    if (xsimd::all(near)) return inner;
    const B z = size / (one + size) - B(0.4F);
    const B q = simd::polynomial(z, 0.539284408F, -1.13703561F, 0.160370469F, 0.384356916F, 0.142050847F, 0.156276464F,
                                 -1.36451399F, 3.26076579F, -6.40948725F, 6.70290899F, -2.62829995F);
    return xsimd::select(near, inner, with_sign_of(x, B(simd::fmadd(-simd::exp(B(-square)), q, one))));
  } else {
    const auto near = size < B(0.65), middle = size < B(2.2);
    const B inner = x * (simd::polynomial(square, 1.12837916709551, 0.135894887627278, 0.0403259488531795,
                                          0.00120339380863079, 6.49254556481904e-05) /
                         simd::polynomial(square, 1.0, 0.453767041780003, 0.0869936222615386, 0.00849717371168693,
                                          0.000364915280629351));
    if (xsimd::all(near)) return inner;
    const B e = -simd::exp(B(-square));
    const B q = simd::polynomial(size, 0.999999992049799, 1.33154163936765, 0.878115804155882, 0.331899559578213,
                                 0.0714193832506776, 0.00706940843763253) /
                simd::polynomial(size, 1.0, 2.45992070144246, 2.65383972869776, 1.61876655543871, 0.594651311286482,
                                 0.126579413030178, 0.0125304936549413);
    B outer = simd::fmadd(e, q, one);
    if (!xsimd::all(middle)) {
      const B far = simd::polynomial(size, 0.99992114009714, 1.62356584489367, 1.26739901455873, 0.581528574177741,
                                     0.157289620742839, 0.0225716982919218) /
                    simd::polynomial(size, 1.0, 2.75143870676376, 3.37367334657285, 2.38574194785344, 1.05074004614827,
                                     0.278788439273629, 0.0400072964526861);
      outer = xsimd::select(middle, outer, simd::fmadd(e, far, one));
    }
    return xsimd::select(near, inner, with_sign_of(x, outer));
  }
}

/// tanh in double, NaN where x is: x + x^3 P(x^2) / Q(x^2) for |x| < 0.625 (coefficients of Cephes' tanh.c), beyond
/// 1 - 2 / (e^|2x| + 1).
template <class Arch>
[[gnu::always_inline]] inline xsimd::batch<double, Arch> tanh(const xsimd::batch<double, Arch>& x) noexcept {
  using B = xsimd::batch<double, Arch>;
  const B size = xsimd::abs(x);
  const auto near = size < B(0.625);
  const B t = size * size;
  const B p = simd::polynomial(t, -1614.6876844170845, -99.28772310019185, -0.9643991794250523);
  const B q = simd::fmadd(t, simd::fmadd(t, t + B(112.81167849163293), B(2235.4883906010045)), B(4844.063053251255));
  const B inner = simd::fmadd(t * p / q, size, size);
  if (xsimd::all(near)) return with_sign_of(x, inner);
  const B outer = B(1.0) - B(2.0) / (B(1.0) + simd::exp(B(size + size)));
  return with_sign_of(x, B(xsimd::select(near, inner, outer)));
}

}  // namespace aila::inline v0::simd

#include "../../../core/macros_back.hpp"
