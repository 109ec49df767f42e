// The mean of the squared errors.
#pragma once

#include "../core/macros_aside.hpp"

#include "loss.hpp"

namespace aila::inline v0 {

/// loss = mean (o - t)^2, slope 2 (o - t).
struct MeanSquaredError {
  static constexpr const char* name = "mean squared error";
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
          const V e = o - t;
          return LossTerm<V>{e * e, e + e};
        },
        [](V o, V t, V unit) {
          const V e = detail::difference(o, t, constant<V>(1));
          const V half = detail::difference(o, t, constant<V>(0.5) * unit);
          return LossTerm<V>{e * unit * e, constant<V>(4) * half};
        });
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
