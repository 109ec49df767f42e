// Stochastic gradient descent, with momentum if asked for.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "optimiser.hpp"

namespace aila::inline v0 {

/// The update of one element under Sgd.
template <class Scalar>
struct SgdRule {
  Scalar learning_rate;
  Scalar momentum;
  Scalar weight_decay;
  bool nesterov;

  template <class V>
  constexpr void operator()(V& parameter, V gradient, V* state) const {
    gradient = gradient + V(weight_decay) * parameter;
    state[0] = V(momentum) * state[0] + gradient;
    const V direction = nesterov ? V(gradient + V(momentum) * state[0]) : state[0];
    parameter = parameter - V(learning_rate) * direction;
  }
};

/// g' = g + weight_decay p;  v = momentum v + g';  p = p - learning_rate (nesterov ? g' + momentum v : v).
/// As PyTorch's SGD without dampening. One moment array, also where momentum is 0.
struct Sgd {
  double learning_rate = 1e-2;
  double momentum = 0;  ///< at least 0, less than 1
  bool nesterov = false;
  double weight_decay = 0;  ///< added to the gradient (L2)

  static constexpr std::size_t moments = 1;

  void check() const {
    if (!(learning_rate >= 0)) throw_error("Sgd: learning_rate must not be negative, it is ", learning_rate);
    if (!(momentum >= 0 && momentum < 1))
      throw_error("Sgd: momentum must be at least 0 and less than 1, it is ", momentum);
    if (!(weight_decay >= 0)) throw_error("Sgd: weight_decay must not be negative, it is ", weight_decay);
    if (nesterov && momentum == 0) throw_error("Sgd: nesterov needs a momentum above 0, it is 0");
  }

  template <class Scalar>
  constexpr SgdRule<Scalar> rule(const OptimiserStep& step) const {
    return {.learning_rate = static_cast<Scalar>(step.learning_rate),
            .momentum = static_cast<Scalar>(momentum),
            .weight_decay = static_cast<Scalar>(step.decays ? weight_decay : 0.0),
            .nesterov = nesterov};
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
