// Adam, and AdamW, whose weight decay does not pass through the moments.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "optimiser.hpp"

namespace aila::inline v0 {

/// The update of one element under Adam (decay) and AdamW (shrink); the bias corrections are folded into coefficients.
template <class Scalar>
struct AdamRule {
  Scalar gain1;  ///< 1 - beta1
  Scalar beta2;
  Scalar gain2;  ///< 1 - beta2
  Scalar root;   ///< 1 / sqrt(1 - beta2^t)
  Scalar epsilon;
  Scalar step_size;  ///< learning_rate / (1 - beta1^t)
  Scalar decay;      ///< L2: added to the gradient, times the parameter
  Scalar shrink;     ///< decoupled: the parameter is multiplied by it first

  template <class V>
  constexpr void operator()(V& parameter, V gradient, V* state) const {
    gradient = gradient + V(decay) * parameter;
    const V mean = state[0] + V(gain1) * (gradient - state[0]);
    const V square = V(beta2) * state[1] + V(gain2) * gradient * gradient;
    state[0] = mean;
    state[1] = square;
    parameter = V(shrink) * parameter - V(step_size) * mean / (math::sqrt(square) * V(root) + V(epsilon));
  }
};

namespace detail {

template <class Scalar, class Options>
constexpr AdamRule<Scalar> adam_rule(const Options& o, const OptimiserStep& step, double decay, double shrink) {
  const double correction1 = 1 - power(o.beta1, step.number);
  const double correction2 = 1 - power(o.beta2, step.number);
  return {.gain1 = static_cast<Scalar>(1 - o.beta1),
          .beta2 = static_cast<Scalar>(o.beta2),
          .gain2 = static_cast<Scalar>(1 - o.beta2),
          .root = static_cast<Scalar>(1 / math::sqrt(correction2)),
          .epsilon = static_cast<Scalar>(o.epsilon),
          .step_size = static_cast<Scalar>(step.learning_rate / correction1),
          .decay = static_cast<Scalar>(decay),
          .shrink = static_cast<Scalar>(shrink)};
}

template <class Options>
void check_adam(const char* who, const Options& o) {
  const auto demand = [&](bool holds, const char* rule, double found) {
    if (!holds) throw_error(who, ": ", rule, ", it is ", found);
  };
  demand(o.learning_rate >= 0, "learning_rate must not be negative", o.learning_rate);
  demand(o.beta1 >= 0 && o.beta1 < 1, "beta1 must be at least 0 and less than 1", o.beta1);
  demand(o.beta2 >= 0 && o.beta2 < 1, "beta2 must be at least 0 and less than 1", o.beta2);
  demand(o.epsilon > 0, "epsilon must be above 0", o.epsilon);
  demand(o.weight_decay >= 0, "weight_decay must not be negative", o.weight_decay);
}

}  // namespace detail

/// g' = g + weight_decay p;  m = beta1 m + (1 - beta1) g';  v = beta2 v + (1 - beta2) g'^2;
/// p = p - learning_rate m^ / (sqrt(v^) + epsilon), m^ = m / (1 - beta1^t), v^ = v / (1 - beta2^t).
/// Source: arXiv 1412.6980. As PyTorch's Adam.
struct Adam {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;    ///< above 0
  double weight_decay = 0;  ///< added to the gradient (L2)

  static constexpr std::size_t moments = 2;

  void check() const { detail::check_adam("Adam", *this); }

  template <class Scalar>
  constexpr AdamRule<Scalar> rule(const OptimiserStep& step) const {
    return detail::adam_rule<Scalar>(*this, step, step.decays ? weight_decay : 0.0, 1.0);
  }
};

/// Adam of the bare gradient after p = p (1 - learning_rate weight_decay). Source: arXiv 1711.05101. As PyTorch's
/// AdamW.
struct AdamW {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;       ///< above 0
  double weight_decay = 1e-2;  ///< decoupled

  static constexpr std::size_t moments = 2;

  void check() const { detail::check_adam("AdamW", *this); }

  template <class Scalar>
  constexpr AdamRule<Scalar> rule(const OptimiserStep& step) const {
    return detail::adam_rule<Scalar>(*this, step, 0.0, step.decays ? 1 - step.learning_rate * weight_decay : 1.0);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
