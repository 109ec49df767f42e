// What a loss is: the contract, the library's own and a user's, and what losses share.
//
// A loss is a small aggregate of options with one body over a scalar-or-batch type V (float, double, or a SIMD batch
// whose lanes are samples):
//   template <class Out> static constexpr bool accepts;             which output shapes it takes
//   template <class Out> static constexpr std::size_t targets;      how many target numbers a sample has
//   template <class Out, class V>
//   constexpr V operator()(const V* output, const V* target, V* gradient) const;
// It gives the loss of one sample, the mean over its elements or positions, and writes d loss / d output to
// gradient[0 .. Out::elements) unless gradient is null. The weight of a sample is applied by the trainer. It has no
// array of the output's size: threads with little stack train too, and gradient is room for one. As it needs them:
//   template <class Out, class Scalar> static constexpr bool fits(const Scalar* target);   one sample's targets are
//   right static constexpr const char* target_rule;                       what they must be, for the message void
//   check() const;                                             throws Error where an option is out of range
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>

#include "../core/config.hpp"
#include "../core/error.hpp"
#include "../core/math.hpp"
#include "../core/shape.hpp"
#include "../layer/concepts.hpp"

namespace aila::inline v0 {

/// L can be taken of outputs of shape Out.
template <class L, class Out>
concept Loss =
    RealShape<Out> && L::template accepts<Out> && requires(const L& loss, const double* read, double* write) {
      { L::template targets<Out> } -> std::convertible_to<std::size_t>;
      { loss.template operator()<Out>(read, read, write) } -> std::same_as<double>;
    };

/// A run-time option as a V.
template <class V>
AILA_HOST_DEVICE constexpr V constant(double x) {
  return V(static_cast<ScalarOf<V>>(x));
}

/// Loss of one element and its slope d loss / d output.
template <class V>
struct LossTerm {
  V loss;
  V slope;
};

/// The mean over a sample's elements of `term(output, target) -> LossTerm<V>`: the whole body of an element-wise loss.
template <class Out, class V, class Term>
AILA_HOST_DEVICE constexpr V mean_over_elements(const V* output, const V* target, V* gradient, Term&& term) {
  const V scale = constant<V>(1.0 / static_cast<double>(Out::elements));
  V sum = constant<V>(0);
  for (std::size_t i = 0; i < Out::elements; ++i) {
    const LossTerm<V> t = term(output[i], target[i]);
    sum = sum + t.loss;
    if (gradient != nullptr) gradient[i] = t.slope * scale;
  }
  return sum * scale;
}

/// Whether a sample's targets of a regression are finite numbers.
template <class Out, class Scalar>
constexpr bool all_finite(const Scalar* target) {
  for (std::size_t i = 0; i < Out::elements; ++i)
    if (!(target[i] - target[i] == Scalar(0))) return false;
  return true;
}

/// Throws Error, naming the first sample, where a number of targets is wrong or a target breaks the loss's rule.
template <class L, class Out, class Scalar>
void check_targets(std::span<const Scalar> targets, std::size_t samples) {
  constexpr std::size_t each = L::template targets<Out>;
  if (targets.size() != samples * each)
    throw Error("targets: expected " + std::to_string(samples * each) + " numbers (" + std::to_string(samples) +
                " samples of " + std::to_string(each) + "), found " + std::to_string(targets.size()));
  if constexpr (requires { L::template fits<Out>(targets.data()); }) {
    for (std::size_t s = 0; s < samples; ++s)
      if (!L::template fits<Out>(targets.data() + s * each))
        throw Error("targets of sample " + std::to_string(s) + ": expected each to be " + L::target_rule);
  }
}

}  // namespace aila::inline v0
