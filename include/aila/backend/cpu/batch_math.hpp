// Mathematics on batches under the names of core/math.hpp, so that one body serves a scalar and a batch of them.
//
// Parameter lists equal xsimd's and are more constrained, hence unqualified calls find these and are not ambiguous.
#pragma once

#include <concepts>

#include "shuffle.hpp"

namespace aila::inline v0::simd {

/// `value`, or x where x is a NaN: xsimd's functions do not promise to keep one.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> keep_nan(const xsimd::batch<Scalar, Arch>& x,
                                                                  const xsimd::batch<Scalar, Arch>& value) noexcept {
  return xsimd::select(x == x, value, x);
}

/// x kept within +-bound, and 0 where it is a NaN: beyond, xsimd may turn a number into an integer that cannot hold it
/// (double on SSE2). The functions of such an x are those of the bound.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> within(const xsimd::batch<Scalar, Arch>& x,
                                                                Scalar bound) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  if constexpr (std::is_same_v<Scalar, double>)
    return xsimd::select(x == x, xsimd::max(B(-bound), xsimd::min(B(bound), x)), B(Scalar(0)));
  else
    return x;
}

/// tanh for gates, NaN where x is. float: x + x^3 P(x^2) for |x| < 0.625, a fit of least relative error, and
/// 1 - 2 / (e^|2x| + 1) beyond: within 1.2 units in the last place, since a stack of layers adds such errors up.
/// double: xsimd's.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> tanh_gate(const xsimd::batch<Scalar, Arch>& x) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  if constexpr (std::is_same_v<Scalar, float>) {
    const B size = xsimd::abs(x);
    const B t = x * x;
    B p = fmadd(t, B(-5.70498692604e-03F), B(2.06390871573e-02F));
    p = fmadd(p, t, B(-5.37397150482e-02F));
    p = fmadd(p, t, B(1.33314421976e-01F));
    p = fmadd(p, t, B(-3.33332819420e-01F));
    const B near = fmadd(p * t, x, x);
    const B far = B(1.0F) - B(2.0F) / (xsimd::exp(size + size) + B(1.0F));
    return simd::keep_nan(x, xsimd::select(size < B(0.625F), near, xsimd::select(x < B(0.0F), -far, far)));
  } else {
    return simd::keep_nan(x, xsimd::tanh(simd::within(x, Scalar(1000))));
  }
}

/// Sigmoid for gates, 1 / (1 + e^-x): float within 1e-7 absolute.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> sigmoid_gate(const xsimd::batch<Scalar, Arch>& x) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  return B(Scalar(1)) / (B(Scalar(1)) + keep_nan(x, xsimd::exp(-simd::within(x, Scalar(1000)))));
}

}  // namespace aila::inline v0::simd

namespace aila::inline v0::math {

template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> exp(const xsimd::batch<T, A>& x) noexcept {
  return simd::keep_nan(x, xsimd::exp(simd::within(x, T(1000))));
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> log(const xsimd::batch<T, A>& x) noexcept {
  return simd::keep_nan(x, xsimd::log(x));
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> log1p(const xsimd::batch<T, A>& x) noexcept {
  return simd::keep_nan(x, xsimd::log1p(x));
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> erf(const xsimd::batch<T, A>& x) noexcept {
  return simd::keep_nan(x, xsimd::erf(simd::within(x, T(100))));
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> sqrt(const xsimd::batch<T, A>& x) noexcept {
  return xsimd::sqrt(x);
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> abs(const xsimd::batch<T, A>& x) noexcept {
  return xsimd::abs(x);
}
/// A NaN in the first place stays, one in the second may be passed over, as with scalars.
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> max(const xsimd::batch<T, A>& a,
                                                     const xsimd::batch<T, A>& b) noexcept {
  return xsimd::max(b, a);  // the second operand is what x86 returns for a NaN in either
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> min(const xsimd::batch<T, A>& a,
                                                     const xsimd::batch<T, A>& b) noexcept {
  return xsimd::min(b, a);
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> fma(const xsimd::batch<T, A>& a, const xsimd::batch<T, A>& b,
                                                     const xsimd::batch<T, A>& c) noexcept {
  return simd::fmadd(a, b, c);
}
/// a where the mask holds, else b.
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> select(const xsimd::batch_bool<T, A>& mask,
                                                        const xsimd::batch<T, A>& a,
                                                        const xsimd::batch<T, A>& b) noexcept {
  return xsimd::select(mask, a, b);
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline T reduce_add(const xsimd::batch<T, A>& x) noexcept {
  return simd::reduce_add(x);
}

/// tanh, at most 1. float: error 2e-7 of the value, by a rational function; double: xsimd's. A NaN stays one.
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> tanh(const xsimd::batch<T, A>& x) noexcept {
  if constexpr (std::is_same_v<T, float>) {
    using B = xsimd::batch<T, A>;
    return xsimd::max(B(-1.0F), xsimd::min(B(1.0F), simd::tanh_gate(x)));
  } else {
    return simd::keep_nan(x, xsimd::tanh(simd::within(x, T(1000))));
  }
}

/// 1 / (1 + exp(-x)), to a small relative error for negative x too.
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> sigmoid(const xsimd::batch<T, A>& x) noexcept {
  using B = xsimd::batch<T, A>;
  return B(T(1)) / (B(T(1)) + exp(-x));
}

/// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)).
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> softplus(const xsimd::batch<T, A>& x) noexcept {
  using B = xsimd::batch<T, A>;
  return xsimd::max(B(T(0)), x) + log1p(exp(-xsimd::abs(x)));
}

}  // namespace aila::inline v0::math
