// Answers the mathematics of bodies (core/math.hpp) for SIMD batches.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../core/math.hpp"
#include "batch_math.hpp"

namespace aila::inline v0::math {

template <class S, class A>
struct BatchFunctions<xsimd::batch<S, A>> {
  using V = xsimd::batch<S, A>;
  static V exp(const V& x) { return math::exp(x); }
  static V log(const V& x) { return math::log(x); }
  static V log1p(const V& x) { return math::log1p(x); }
  static V tanh(const V& x) { return math::tanh(x); }
  static V sqrt(const V& x) { return math::sqrt(x); }
  static V erf(const V& x) { return math::erf(x); }
  static V abs(const V& x) { return math::abs(x); }
  static V sigmoid(const V& x) { return math::sigmoid(x); }
  static V softplus(const V& x) { return math::softplus(x); }
  static V max(const V& a, const V& b) { return math::max(a, b); }
  static V min(const V& a, const V& b) { return math::min(a, b); }
  static V fma(const V& a, const V& b, const V& c) { return math::fma(a, b, c); }
  static V select(const xsimd::batch_bool<S, A>& mask, const V& a, const V& b) { return math::select(mask, a, b); }
  static S reduce_add(const V& x) { return math::reduce_add(x); }
};

}  // namespace aila::inline v0::math

#include "../../../core/macros_back.hpp"
