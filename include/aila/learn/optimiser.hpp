// What an optimiser is, and the one loop that applies it to a range of parameters.
//
// An optimiser is an aggregate of run-time options with
//   double learning_rate;
//       the base rate; the trainer multiplies it by factors
//   static constexpr std::size_t moments;
//       arrays of state it keeps, of the parameters' layout
//   template <class Scalar> auto rule(const OptimiserStep&) const;
//       the update of one element, coefficients worked out
//   void check() const;
//       (optional) throws Error where an option is out of range
// and its rule has one body over a scalar-or-batch type V:
//   template <class V> constexpr void operator()(V& parameter, V gradient, V* state) const;
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "../contract/layer.hpp"
#include "../core/config.hpp"
#include "../core/error.hpp"
#include "../core/math.hpp"

namespace aila::inline v0 {

/// What an optimiser is told about one update of one range.
struct OptimiserStep {
  std::uint64_t number = 1;   ///< of this update, counted from 1 since the state was zeroed
  double learning_rate = 0;   ///< of this range and step, all factors applied
  bool decays = true;         ///< false for biases and norms: no weight decay
  double gradient_scale = 1;  ///< the gradients are multiplied by it first (clipping)
};

template <class O>
concept Optimiser = requires(const O& o, const OptimiserStep& step, double& parameter, double* state) {
  { o.learning_rate } -> std::convertible_to<double>;
  { O::moments } -> std::convertible_to<std::size_t>;
  o.template rule<double>(step)(parameter, 0.0, state);
};

namespace detail {

template <class O>
struct OptimiserRefused {
  static consteval int say() {
    constexpr bool optimiser = Optimiser<O>;
    static_assert(optimiser, "aila: this type is no optimiser; see learn/optimiser.hpp");
    return 0;
  }
};
template <class O>
using OptimiserRefusal = std::conditional_t<Optimiser<O>, NoRefusal, OptimiserRefused<O>>;

/// base^exponent by squaring: the same bits with every mathematical library.
constexpr double power(double base, std::uint64_t exponent) {
  double result = 1;
  for (; exponent != 0; exponent >>= 1, base *= base)
    if ((exponent & 1) != 0) result *= base;
  return result;
}

template <class V>
constexpr std::size_t lanes() {
  if constexpr (std::floating_point<V>)
    return 1;
  else
    return V::size;
}

template <class V>
constexpr V load_lanes(const ScalarOf<V>* from) {
  if constexpr (std::floating_point<V>)
    return *from;
  else
    return V::load_unaligned(from);
}

template <class V>
constexpr void store_lanes(ScalarOf<V>* to, const V& v) {
  if constexpr (std::floating_point<V>)
    *to = v;
  else
    v.store_unaligned(to);
}

}  // namespace detail

/// Updates `parameters` and the optimiser's `state` in place from `gradients`, lanes of V at a time: V is the Scalar,
/// or a SIMD batch of it (the way to vector instructions: compilers do not vectorise a square root that may set errno).
/// All ranges have the length of `parameters`, any length. Bound by memory: (3 + 2 moments) Scalars are moved per
/// parameter.
template <class V, Optimiser O>
void update(const O& optimiser, const OptimiserStep& step, std::span<ScalarOf<V>> parameters,
            std::span<const ScalarOf<V>> gradients, const std::array<ScalarOf<V>*, O::moments>& state) {
  using Scalar = ScalarOf<V>;
  constexpr std::size_t width = detail::lanes<V>();
  constexpr std::size_t moments = O::moments;
  const auto rule = optimiser.template rule<Scalar>(step);
  const V scale = V(static_cast<Scalar>(step.gradient_scale));
  const auto advance = [&](Scalar* p, const Scalar* g, const std::array<Scalar*, moments>& s) {
    V parameter = detail::load_lanes<V>(p);
    V values[moments == 0 ? 1 : moments];
    for (std::size_t m = 0; m < moments; ++m) values[m] = detail::load_lanes<V>(s[m]);
    rule(parameter, V(detail::load_lanes<V>(g) * scale), values);
    for (std::size_t m = 0; m < moments; ++m) detail::store_lanes<V>(s[m], values[m]);
    detail::store_lanes<V>(p, parameter);
  };

  const std::size_t count = parameters.size();
  std::array<Scalar*, moments> at{};
  std::size_t i = 0;
  for (; i + width <= count; i += width) {
    for (std::size_t m = 0; m < moments; ++m) at[m] = state[m] + i;
    advance(parameters.data() + i, gradients.data() + i, at);
  }
  if constexpr (width > 1) {
    if (i == count) return;
    // the rest goes through the same instructions, padded: a range's bits do not depend on where it ends
    Scalar padded[2 + moments][width] = {};
    const std::size_t rest = count - i;
    for (std::size_t k = 0; k < rest; ++k) {
      padded[0][k] = parameters[i + k];
      padded[1][k] = gradients[i + k];
      for (std::size_t m = 0; m < moments; ++m) padded[2 + m][k] = state[m][i + k];
    }
    for (std::size_t m = 0; m < moments; ++m) at[m] = padded[2 + m];
    advance(padded[0], padded[1], at);
    for (std::size_t k = 0; k < rest; ++k) {
      parameters[i + k] = padded[0][k];
      for (std::size_t m = 0; m < moments; ++m) state[m][i + k] = padded[2 + m][k];
    }
  }
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
