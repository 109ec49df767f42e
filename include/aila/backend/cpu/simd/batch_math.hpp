// Mathematics on batches under the names of core/math.hpp, so that one body serves a scalar and a batch of them.
//
// Parameter lists equal xsimd's and are more constrained, hence unqualified calls find these and are not ambiguous.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <concepts>

#include "batch_erf.hpp"
#include "batch_log.hpp"
#include "shuffle.hpp"

namespace aila::inline v0::simd {

/// tanh for gates, NaN where x is. float: x + x^3 P(x^2) for |x| < 0.625, a fit of least relative error, and
/// 1 - 2 / (e^|2x| + 1) beyond: within 1.2 units in the last place, since a stack of layers adds such errors up.
/// double: simd::tanh.
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
    const B far = B(1.0F) - B(2.0F) / (simd::exp(B(size + size)) + B(1.0F));
    return xsimd::select(size < B(0.625F), near, xsimd::select(x < B(0.0F), -far, far));
  } else {
    return simd::tanh(x);
  }
}

/// Sigmoid for gates, 1 / (1 + e^-x): float within 1e-7 absolute.
template <class Scalar, class Arch>
[[gnu::always_inline]] inline xsimd::batch<Scalar, Arch> sigmoid_gate(const xsimd::batch<Scalar, Arch>& x) noexcept {
  using B = xsimd::batch<Scalar, Arch>;
  return B(Scalar(1)) / (B(Scalar(1)) + simd::exp(B(-x)));
}

}  // namespace aila::inline v0::simd

namespace aila::inline v0::math {

template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> exp(const xsimd::batch<T, A>& x) noexcept {
  return simd::exp(x);
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> log(const xsimd::batch<T, A>& x) noexcept {
  return simd::log(x);
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> log1p(const xsimd::batch<T, A>& x) noexcept {
  return simd::log1p(x);
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> erf(const xsimd::batch<T, A>& x) noexcept {
  return simd::erf(x);
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
/// A NaN in the first place stays, one in the second is passed over, as with scalars.
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> max(const xsimd::batch<T, A>& a,
                                                     const xsimd::batch<T, A>& b) noexcept {
  return simd::max(a, b);
}
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> min(const xsimd::batch<T, A>& a,
                                                     const xsimd::batch<T, A>& b) noexcept {
  return simd::min(a, b);
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

/// tanh, at most 1. float: error 2e-7 of the value, by a rational function; double: simd::tanh. NaN where x is.
template <class T, class A>
  requires std::floating_point<T>
[[gnu::always_inline]] inline xsimd::batch<T, A> tanh(const xsimd::batch<T, A>& x) noexcept {
  if constexpr (std::is_same_v<T, float>) {
    using B = xsimd::batch<T, A>;
    return simd::max(simd::min(simd::tanh_gate(x), B(1.0F)), B(-1.0F));
  } else {
    return simd::tanh(x);
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
  return simd::max(x, B(T(0))) + log1p(exp(-xsimd::abs(x)));
}

}  // namespace aila::inline v0::math

#include "../../../core/macros_back.hpp"
