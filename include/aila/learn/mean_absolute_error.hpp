// The mean of the absolute errors.
#pragma once

#include "../core/macros_aside.hpp"

#include "loss.hpp"

namespace aila::inline v0 {

/// loss = mean |o - t|, slope sign(o - t); the slope where they are equal is 0.
struct MeanAbsoluteError {
  static constexpr const char* name = "mean absolute error";
  template <class Out>
  static constexpr bool accepts = RealShape<Out>;
  template <class Out>
  static constexpr std::size_t targets = Out::elements;
  static constexpr const char* target_rule = "a finite number";
  template <class Out, class Scalar>
  static constexpr bool fits(const Scalar* target) {
    return all_finite<Out>(target);
  }

  template <class Out, class V>
  constexpr V operator()(const V* output, const V* target, V* gradient) const {
    return mean_over_elements<Out>(
        output, target, gradient,
        [](V o, V t) {
          const V zero = constant<V>(0);
          const V e = o - t;
          const V falling = math::select(e < zero, constant<V>(-1), zero);
          return LossTerm<V>{math::abs(e), math::select(e > zero, constant<V>(1), falling)};
        },
        [](V o, V t, V unit) {
          const V zero = constant<V>(0);
          const V e = detail::difference(o, t, unit);
          const V falling = math::select(e < zero, -unit, e + zero);  // 0, or what is no number
          return LossTerm<V>{math::abs(e), math::select(e > zero, unit, falling)};
        });
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
