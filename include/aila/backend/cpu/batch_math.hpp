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

/// tanh for gates. float: x P(x^2) / Q(x^2), fitted to |x| <= 8.5, where tanh rounds to 1, for least relative error
/// (1.2e-8 before rounding); rounding may leave it one unit above 1. double: xsimd's.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> tanh_gate(const xsimd::batch<Scalar, Arch>& x) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  if constexpr (std::is_same_v<Scalar, float>) {
    const B z = xsimd::max(B(-8.5F), xsimd::min(B(8.5F), x));  // the second operand is what x86 returns for a NaN
    const B t = z * z;
    B p = fmadd(t, B(1.43455044566e-8F), B(2.13036467362e-5F));
    B q = fmadd(t, B(8.17555244344e-7F), B(3.35401949119e-4F));
    p = fmadd(p, t, B(3.53715098765e-3F));
    q = fmadd(q, t, B(2.60345810191e-2F));
    p = fmadd(p, t, B(0.134158604309F));
    q = fmadd(q, t, B(0.46749183818F));
    p = fmadd(p, t, B(1.0F));
    q = fmadd(q, t, B(1.0F));
    return z * p / q;
  } else {
    return simd::keep_nan(x, xsimd::tanh(x));
  }
}

/// Sigmoid for gates: absolute error 1e-7; float takes it from tanh, 0.5 tanh(x / 2) + 0.5, without an exponential.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> sigmoid_gate(const xsimd::batch<Scalar, Arch>& x) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  const B half = B(Scalar(0.5));
  if constexpr (std::is_same_v<Scalar, float>) {
    return fmadd(tanh_gate(x * half), half, half);
  } else {
    return B(Scalar(1)) / (B(Scalar(1)) + keep_nan(x, xsimd::exp(-x)));
  }
}

}  // namespace aila::inline v0::simd

namespace aila::inline v0::math {

template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> exp(const xsimd::batch<T, A>& x) noexcept {
  return simd::keep_nan(x, xsimd::exp(x));
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
  return simd::keep_nan(x, xsimd::erf(x));
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
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> max(const xsimd::batch<T, A>& a,
                                                     const xsimd::batch<T, A>& b) noexcept {
  return xsimd::max(a, b);
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> min(const xsimd::batch<T, A>& a,
                                                     const xsimd::batch<T, A>& b) noexcept {
  return xsimd::min(a, b);
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
    return simd::keep_nan(x, xsimd::tanh(x));
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
