// What a loss is: the contract, the library's own and a user's, and what losses share.
//
// A loss is a small aggregate of options with one body over a scalar-or-batch type V (float, double, or a SIMD batch
// whose lanes are samples):
//   template <class Out> static constexpr bool accepts;             which output shapes it takes
//   template <class Out> static constexpr std::size_t targets;      how many target numbers a sample has
//   template <class Out, class V>
//   constexpr V operator()(const V* output, const V* target, V* gradient) const;
// It gives the loss of one sample, the mean over its elements or positions, and writes d loss / d output to
// gradient[0 .. Out::elements) unless gradient is null. The weight of a sample is applied by the trainer. A loss has no
// array of the output's size: threads with little stack train too, and gradient is room for one. Where outputs
// are a sequence and a sample has a length, the trainer takes the mean over its valid steps: it asks for the loss of
// one step, Sequence<1, F>. A loss that takes no such outputs, or has not equally many targets for each step, sees
// zeros for outputs and targets of padded steps.
//
// As it needs them:
//   template <class Out, class Scalar> static constexpr bool fits(const Scalar* target);
//       whether one sample's targets are right
//   static constexpr const char* target_rule;
//       what they must be, for the message
//   void check() const;
//       throws Error where an option is out of range
#pragma once

#include "../core/macros_aside.hpp"

#include <concepts>
#include <cstddef>
#include <span>
#include <string>

#include "../contract/layer.hpp"
#include "../core/config.hpp"
#include "../core/error.hpp"
#include "../core/math.hpp"
#include "../core/shape.hpp"

namespace aila::inline v0 {

/// L can be taken of outputs of shape Out.
template <class L, class Out>
concept Loss =
    RealShape<Out> && L::template accepts<Out> && requires(const L& loss, const double* read, double* write) {
      { L::template targets<Out> } -> std::convertible_to<std::size_t>;
      { loss.template operator()<Out>(read, read, write) } -> std::same_as<double>;
    };

namespace detail {
/// Whether outputs have steps, and targets equally many numbers for each.
template <class L, class Out>
inline constexpr bool has_targets_of_steps = [] {
  if constexpr (SequenceShape<Out> && Loss<L, Out>) return L::template targets<Out> % Out::positions == 0;
  return false;
}();
/// Whether the loss can be taken of each step by itself.
template <class L, class Out>
inline constexpr bool goes_by_steps = [] {
  if constexpr (has_targets_of_steps<L, Out>) {
    using Step = Sequence<1, Out::features>;
    if constexpr (Loss<L, Step>) return L::template targets<Step> * Out::positions == L::template targets<Out>;
  }
  return false;
}();
}  // namespace detail

/// A run-time option as a V.
template <class V>
constexpr V constant(double x) {
  return V(static_cast<ScalarOf<V>>(x));
}

/// Loss of one element and its slope d loss / d output.
template <class V>
struct LossTerm {
  V loss;
  V slope;
};

namespace detail {

/// Where x is a finite number, for math::select.
template <class V>
constexpr auto is_finite(V x) {
  return math::abs(x) < constant<V>(math::detail::infinity);
}

/// Whether every lane is a finite number; false also where V cannot tell.
template <class V>
constexpr bool all_lanes_finite(V x) {
  if constexpr (std::floating_point<V>)
    return detail::is_finite(x);
  else if constexpr (requires { math::BatchFunctions<V>::reduce_add(x); })
    return math::reduce_add(math::select(detail::is_finite(x), constant<V>(0), constant<V>(1))) == 0;
  else
    return false;
}

/// The power of two u with 1/2 < count u <= 1: sums of `count` numbers in units of 1/u stay within their range.
constexpr double unit_of(std::size_t count) {
  double unit = 1;
  while (static_cast<double>(count) * unit > 1) unit /= 2;
  return unit;
}

/// (a - b) unit, for a power of two of at most 1/2 without overflow; 0 where both are equal, infinities too.
template <class V>
constexpr V difference(V a, V b, V unit) {
  return math::select(a == b, constant<V>(0), a * unit - b * unit);
}

}  // namespace detail

/// The mean over a sample's elements of `term(output, target) -> LossTerm<V>`: the whole body of an element-wise loss.
///
/// `in_units(output, target, unit) -> LossTerm<V>` is the same times `unit`, a power of two of at most 1. It is asked
/// only where the sum of the terms is no finite number, and gives the limit there, without overflow on the way.
template <class Out, class V, class Term, class InUnits>
constexpr V mean_over_elements(const V* output, const V* target, V* gradient, Term&& term, InUnits&& in_units) {
  const V scale = constant<V>(1.0 / static_cast<double>(Out::elements));
  V sum = constant<V>(0);
  for (std::size_t i = 0; i < Out::elements; ++i) {
    const LossTerm<V> t = term(output[i], target[i]);
    sum = sum + t.loss;
    if (gradient != nullptr) gradient[i] = t.slope * scale;
  }
  const V mean = sum * scale;
  if (detail::all_lanes_finite(mean)) return mean;

  constexpr double unit = detail::unit_of(Out::elements);
  const V whole = constant<V>(static_cast<double>(Out::elements) * unit);
  sum = constant<V>(0);
  for (std::size_t i = 0; i < Out::elements; ++i) {
    const LossTerm<V> t = in_units(output[i], target[i], constant<V>(unit));
    sum = sum + t.loss;
    if (gradient == nullptr) continue;
    const V slope = math::select(detail::is_finite(gradient[i]), gradient[i], t.slope / whole);
    const V limit = math::select(t.slope == t.slope, slope, t.slope);  // a NaN stays one
    gradient[i] = math::select(detail::is_finite(mean), gradient[i], limit);
  }
  return math::select(detail::is_finite(mean), mean, sum / whole);
}

/// The same for terms that are finite wherever the loss is.
template <class Out, class V, class Term>
constexpr V mean_over_elements(const V* output, const V* target, V* gradient, Term&& term) {
  return mean_over_elements<Out>(output, target, gradient, term, [&term](V o, V t, V unit) {
    const LossTerm<V> whole = term(o, t);
    return LossTerm<V>{whole.loss * unit, whole.slope * unit};
  });
}

/// Whether a sample's targets of a regression are finite numbers.
template <class Out, class Scalar>
constexpr bool all_finite(const Scalar* target) {
  for (std::size_t i = 0; i < Out::elements; ++i)
    if (!(target[i] - target[i] == Scalar(0))) return false;
  return true;
}

/// Throws Error, naming the first sample, where a number of targets is wrong or a target breaks the loss's rule. Of
/// outputs that are sequences the targets of the first valid_steps(sample) steps are looked at.
template <class L, class Out, class Scalar, class ValidSteps>
void check_targets(std::span<const Scalar> targets, std::size_t samples, ValidSteps&& valid_steps) {
  constexpr std::size_t each = L::template targets<Out>;
  if (targets.size() != samples * each)
    throw_error("targets: expected ", samples * each, " numbers (", samples, " samples of ", each, "), found ",
                targets.size());
  if constexpr (requires { L::template fits<Out>(targets.data()); }) {
    const auto fit = [&](std::size_t s) {
      const Scalar* const target = targets.data() + s * each;
      if constexpr (detail::goes_by_steps<L, Out>) {
        using Step = Sequence<1, Out::features>;
        const std::size_t steps = valid_steps(s);
        bool all = true;
        for (std::size_t t = 0; t < steps; ++t)
          all = all && L::template fits<Step>(target + t * L::template targets<Step>);
        return all;
      } else {
        return L::template fits<Out>(target);
      }
    };
    for (std::size_t s = 0; s < samples; ++s)
      if (!fit(s)) throw_error("targets of sample ", s, ": expected each to be ", L::target_rule);
  }
}
template <class L, class Out, class Scalar>
void check_targets(std::span<const Scalar> targets, std::size_t samples) {
  check_targets<L, Out>(targets, samples, [](std::size_t) { return Out::positions; });
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
