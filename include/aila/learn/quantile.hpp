// The pinball loss, whose least expected value is at a quantile.
#pragma once

#include "../core/macros_aside.hpp"

#include "loss.hpp"

namespace aila::inline v0 {

/// e = t - o: loss = mean max(q e, (q - 1) e); the output that minimises it is the q-quantile of the target.
/// The slope is -q under the target, 1 - q above it, 0 where they are equal. Source: Koenker and Bassett, "Regression
/// Quantiles", 1978.
struct Quantile {
  static constexpr const char* name = "quantile";
  template <class Out>
  static constexpr bool accepts = RealShape<Out>;
  template <class Out>
  static constexpr std::size_t targets = Out::elements;
  static constexpr const char* target_rule = "a finite number";
  template <class Out, class Scalar>
  static constexpr bool fits(const Scalar* target) {
    return all_finite<Out>(target);
  }

  double q = 0.5;  ///< between 0 and 1, both excluded

  void check() const {
    if (!(q > 0 && q < 1)) throw_error("Quantile: q must lie between 0 and 1, it is ", q);
  }

  template <class Out, class V>
  constexpr V operator()(const V* output, const V* target, V* gradient) const {
    const V under = constant<V>(q);
    const V above = constant<V>(q - 1);
    return mean_over_elements<Out>(
        output, target, gradient,
        [under, above](V o, V t) {
          const V zero = constant<V>(0);
          const V e = t - o;
          const V slope = math::select(e > zero, -under, math::select(e < zero, -above, zero));
          return LossTerm<V>{-slope * e, slope};
        },
        [under, above](V o, V t, V unit) {
          const V zero = constant<V>(0);
          const V half = detail::difference(t, o, constant<V>(0.5));
          const V falling = math::select(half < zero, -above, half + zero);  // 0, or what is no number
          const V slope = math::select(half > zero, -under, falling);
          // a q whose share vanishes in V is still above 0: an infinite error stays infinite
          return LossTerm<V>{math::select(detail::is_finite(half), -slope * (unit + unit) * half, math::abs(half)),
                             slope * unit};
        });
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
