// Answers the mathematics of bodies (core/math.hpp) for the registers of bodies.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../core/math.hpp"
#include "batch_math.hpp"
#include "value.hpp"

namespace aila::inline v0::math {

template <class S, class A>
struct BatchFunctions<simd::Value<S, A>> {
  using V = simd::Value<S, A>;
  static V exp(const V& x) { return V(math::exp(x.lanes)); }
  static V log(const V& x) { return V(math::log(x.lanes)); }
  static V log1p(const V& x) { return V(math::log1p(x.lanes)); }
  static V tanh(const V& x) { return V(math::tanh(x.lanes)); }
  static V sqrt(const V& x) { return V(math::sqrt(x.lanes)); }
  static V erf(const V& x) { return V(math::erf(x.lanes)); }
  static V abs(const V& x) { return V(math::abs(x.lanes)); }
  static V sigmoid(const V& x) { return V(math::sigmoid(x.lanes)); }
  static V softplus(const V& x) { return V(math::softplus(x.lanes)); }
  static V max(const V& a, const V& b) { return V(math::max(a.lanes, b.lanes)); }
  static V min(const V& a, const V& b) { return V(math::min(a.lanes, b.lanes)); }
  static V fma(const V& a, const V& b, const V& c) { return V(math::fma(a.lanes, b.lanes, c.lanes)); }
  static V select(const simd::Mask<S, A>& mask, const V& a, const V& b) {
    return V(math::select(mask.lanes, a.lanes, b.lanes));
  }
  static S reduce_add(const V& x) { return math::reduce_add(x.lanes); }
};

}  // namespace aila::inline v0::math

#include "../../../core/macros_back.hpp"
