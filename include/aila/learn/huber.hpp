// Squared errors where they are small, absolute errors where they are large.
#pragma once

#include "../core/macros_aside.hpp"

#include "loss.hpp"

namespace aila::inline v0 {

/// e = o - t: loss = mean of e^2 / 2 where |e| <= delta, delta (|e| - delta / 2) beyond; slope = e clamped to +-delta.
/// Source: Huber, "Robust Estimation of a Location Parameter", 1964. As PyTorch's HuberLoss.
struct Huber {
  static constexpr const char* name = "Huber";
  template <class Out>
  static constexpr bool accepts = RealShape<Out>;
  template <class Out>
  static constexpr std::size_t targets = Out::elements;
  static constexpr const char* target_rule = "a finite number";
  template <class Out, class Scalar>
  static constexpr bool fits(const Scalar* target) {
    return all_finite<Out>(target);
  }

  double delta = 1;  ///< where the square ends, in units of the output; above 0

  void check() const {
    if (!(delta > 0)) throw_error("Huber: delta must be above 0, it is ", delta);
  }

  template <class Out, class V>
  constexpr V operator()(const V* output, const V* target, V* gradient) const {
    const V d = constant<V>(delta);
    return mean_over_elements<Out>(
        output, target, gradient,
        [d](V o, V t) {
          const V e = o - t;
          const V clamped = math::max(-d, math::min(d, e));
          // with c = clamped: c (e - c / 2) is e^2 / 2 inside and delta (|e| - delta / 2) outside
          return LossTerm<V>{clamped * (e - constant<V>(0.5) * clamped), math::select(e == e, clamped, e)};
        },
        [d](V o, V t, V unit) {
          const V half = constant<V>(0.5);
          const V e = detail::difference(o, t, constant<V>(1));
          const V size = math::abs(detail::difference(o, t, half));  // |e| / 2
          const V linear = d * (unit + unit) * (size - constant<V>(0.25) * d);
          const V outside = math::select(size < constant<V>(math::detail::infinity), linear, size);
          const V inside = e * (half * unit) * e;
          const V edge = d * unit;
          const V part = constant<V>(2) * detail::difference(o, t, half * unit);
          return LossTerm<V>{math::select(size > half * d, outside, inside), math::max(math::min(part, edge), -edge)};
        });
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
