// Scalar mathematics that also runs in constant expressions, on every compiler.
#pragma once

#include "macros_aside.hpp"

#include <cmath>
#include <concepts>

#include "config.hpp"
#include "math_series.hpp"

/// The functions a layer, policy or loss is written in. At run time they forward to the standard library (errors and
/// special values are its own, nothing throws); in constant expressions they are within about 2 units in the last
/// place, sqrt and fma exactly rounded. They take float and double only, so that the same names can be overloaded for
/// batches of a vector unit. Outside namespace aila name them `math::exp(x)` or by `using aila::math::exp;`: a
/// using-directive meets C's ::exp(double).
namespace aila::inline v0::math {

namespace detail {

/// std::is_constant_evaluated, which device code may not call without a compiler option.
constexpr bool is_constant() noexcept {
  return __builtin_is_constant_evaluated();
}

/// The value as Scalar; beyond its range infinity, since a constant expression may not overflow.
template <std::floating_point Scalar> constexpr Scalar round_to(double x) {
  // from half a unit above the largest float on
  if (sizeof(Scalar) == sizeof(float) && magnitude(x) >= 0x1.ffffffp+127) x = x > 0 ? infinity : -infinity;
  return static_cast<Scalar>(x);
}

}  // namespace detail

/// e^x.
template <std::floating_point Scalar> constexpr Scalar exp(Scalar x) {
  if (detail::is_constant()) return detail::round_to<Scalar>(detail::exp(static_cast<double>(x)));
  return std::exp(x);
}

/// The natural logarithm.
template <std::floating_point Scalar> constexpr Scalar log(Scalar x) {
  if (detail::is_constant()) return static_cast<Scalar>(detail::log(static_cast<double>(x)));
  return std::log(x);
}

/// log(1 + x), accurate near 0.
template <std::floating_point Scalar> constexpr Scalar log1p(Scalar x) {
  if (detail::is_constant()) return static_cast<Scalar>(detail::log1p(static_cast<double>(x)));
  return std::log1p(x);
}

template <std::floating_point Scalar> constexpr Scalar tanh(Scalar x) {
  if (detail::is_constant()) return static_cast<Scalar>(detail::tanh(static_cast<double>(x)));
  return std::tanh(x);
}

/// The square root, rounded correctly everywhere: the same bits in constant expressions and at run time.
template <std::floating_point Scalar> constexpr Scalar sqrt(Scalar x) {
  if (detail::is_constant()) return static_cast<Scalar>(detail::sqrt(static_cast<double>(x)));
  return std::sqrt(x);
}

/// The error function 2/sqrt(pi) * integral of exp(-t^2) for t from 0 to x.
template <std::floating_point Scalar> constexpr Scalar erf(Scalar x) {
  if (detail::is_constant()) return static_cast<Scalar>(detail::erf(static_cast<double>(x)));
  return std::erf(x);
}

template <std::floating_point Scalar> constexpr Scalar abs(Scalar x) {
  if (detail::is_constant()) return static_cast<Scalar>(detail::magnitude(static_cast<double>(x)));
  return std::fabs(x);
}

/// The larger of two. A NaN in the first place stays, one in the second is passed over.
template <std::floating_point Scalar> constexpr Scalar max(Scalar a, Scalar b) {
  return a < b ? b : a;
}

/// The smaller of two. A NaN in the first place stays, one in the second is passed over.
template <std::floating_point Scalar> constexpr Scalar min(Scalar a, Scalar b) {
  return b < a ? b : a;
}

/// a * b + c with one rounding. Exact by definition, hence the same bits everywhere; without FMA instructions it is a
/// slow call.
template <std::floating_point Scalar> constexpr Scalar fma(Scalar a, Scalar b, Scalar c) {
  if (detail::is_constant()) return detail::fma(a, b, c);
  return std::fma(a, b, c);
}

/// condition ? a : b; element by element where the arguments are batches.
template <std::floating_point Scalar> constexpr Scalar select(bool condition, Scalar a, Scalar b) {
  return condition ? a : b;
}

/// The sum of a batch's elements; a scalar is a batch of one.
template <std::floating_point Scalar> constexpr Scalar reduce_add(Scalar x) {
  return x;
}

/// 1 / (1 + e^-x). Both sides keep their relative accuracy, so that log(sigmoid(x)) may be taken.
template <std::floating_point Scalar> constexpr Scalar sigmoid(Scalar x) {
  const Scalar e = math::exp(-math::abs(x));
  return (x < 0 ? e : Scalar(1)) / (Scalar(1) + e);
}

/// log(1 + e^x) without overflow: max(x, 0) + log1p(e^-|x|).
template <std::floating_point Scalar> constexpr Scalar softplus(Scalar x) {
  return math::max(x, Scalar(0)) + math::log1p(math::exp(-math::abs(x)));
}

/// How a batch type computes: a SIMD backend specialises it with static members of the names above. Bodies of layers,
/// policies and losses call math::exp(x); for a batch the call is answered here, whatever the order of includes.
template <class V> struct BatchFunctions;

template <class V>
concept Batch = requires { sizeof(BatchFunctions<V>); };

template <Batch V> constexpr V exp(V x) {
  return BatchFunctions<V>::exp(x);
}
template <Batch V> constexpr V log(V x) {
  return BatchFunctions<V>::log(x);
}
template <Batch V> constexpr V log1p(V x) {
  return BatchFunctions<V>::log1p(x);
}
template <Batch V> constexpr V tanh(V x) {
  return BatchFunctions<V>::tanh(x);
}
template <Batch V> constexpr V sqrt(V x) {
  return BatchFunctions<V>::sqrt(x);
}
template <Batch V> constexpr V erf(V x) {
  return BatchFunctions<V>::erf(x);
}
template <Batch V> constexpr V abs(V x) {
  return BatchFunctions<V>::abs(x);
}
template <Batch V> constexpr V sigmoid(V x) {
  return BatchFunctions<V>::sigmoid(x);
}
template <Batch V> constexpr V softplus(V x) {
  return BatchFunctions<V>::softplus(x);
}
template <Batch V> constexpr V max(V a, V b) {
  return BatchFunctions<V>::max(a, b);
}
template <Batch V> constexpr V min(V a, V b) {
  return BatchFunctions<V>::min(a, b);
}
template <Batch V> constexpr V fma(V a, V b, V c) {
  return BatchFunctions<V>::fma(a, b, c);
}
template <class Mask, Batch V> constexpr V select(Mask mask, V a, V b) {
  return BatchFunctions<V>::select(mask, a, b);
}
template <Batch V> constexpr auto reduce_add(V x) {
  return BatchFunctions<V>::reduce_add(x);
}

}  // namespace aila::inline v0::math

#include "macros_back.hpp"
