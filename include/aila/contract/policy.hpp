// What a policy is: how a layer of a stack integrates the layers before it. The contract, the library's own and a
// user's.
//
// A policy is an empty struct that derives from integrate::Policy and hides what it changes. `Own` is the shape of the
// core's own output y_j, `Before` the list of the earlier maps it reads (SameShapes or Shapes), each pooled to Own's
// positions. Its body is written once for one position, over a scalar-or-batch type V:
//   template <class Own, class Before, class V>
//   static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a);
//   template <class Own, class Before, class V, class G>
//   static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da,
//                                  V* d_own, V* const* d_before, G& g);
// forward writes a_j; the stack publishes epilogue(y_j + a_j). backward adds to d_own, d_before[i] and `g.add(tensor,
// element, value)`. A policy with mixture weights tells how many, and computes them [heads, items] at one
// position; those of a head sum to 1:
//   template <class Own, class Before> static constexpr std::size_t heads, items;
//   template <class Own, class Before, class V>
//   static constexpr void mixture(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* weights);
// What grows with the maps has no place on the stack. A policy that says
//   template <class Own, class Before> static constexpr std::size_t scratch = n;
// may take n values of memory as one more parameter, the last of any of the three: V* scratch. They begin as anything
// and are forgotten after the call.
// A policy that says nothing takes earlier maps as wide as the layer's own output, and no others: it may read
// before[i][f] for f < Own::features. One that takes others, or not all shapes, has
//   template <class Own, class Before> static constexpr bool accepts;    and, to say why not,
//   template <class Own, class Before> static consteval int expect();    which static_asserts a sentence
// Without backward a policy predicts only. Before::count maps are read, Before::features(i) is the width of the i-th;
// tests/user/policy_test.cpp has an example.
#pragma once

#include "../core/macros_aside.hpp"

#include <concepts>
#include <cstddef>

#include "../core/parameter.hpp"
#include "../core/shapes.hpp"
#include "layer.hpp"

namespace aila::inline v0 {
namespace integrate {

/// Which earlier maps a policy reads after the core.
enum class Reads { nothing, previous, all };

/// What a policy accepts that says nothing of it: whether the earlier maps have the width of the layer's output.
struct EqualWidths {
  bool hold = true;
  constexpr operator bool() const { return hold; }
  template <class Own, class Before>
  static consteval EqualWidths of() {
    if constexpr (Before::count > 0) return {Before::same_width && Before::features(0) == Own::features};
    return {};
  }
};

/// The defaults: reads all earlier maps, has no parameters, and leaves the core's input alone.
struct Policy {
  static constexpr const char* name = "policy";
  static constexpr Reads reads = Reads::all;
  static constexpr bool concatenates = false;  ///< the core reads h_{j-1}, ..., h_1 side by side (DenseNet)
  template <class Own, class Before>
  static constexpr EqualWidths accepts = EqualWidths::of<Own, Before>();
  template <class Own, class Before>
  static consteval auto parameters() {
    return NoParameters{};
  }
  template <class Own, class Before>
  static constexpr std::size_t heads = 0;
  template <class Own, class Before>
  static constexpr std::size_t items = 0;
  /// Forward floating-point operations at one position.
  template <class Own, class Before>
  static consteval std::size_t flops() {
    return (1 + Before::count) * Own::features;
  }
};

/// What stands for a policy whose options are refused.
template <class Why>
struct RefusedPolicy : Policy {
  using Refusal = Why;
};

/// P, or where its options are refused, their refusal.
template <class Options, class P>
using PolicyOfOptions =
    std::conditional_t<aila::detail::Refused<Options>, RefusedPolicy<aila::detail::RefusalOf<Options>>, P>;

}  // namespace integrate

template <class P>
concept AnyPolicy = std::derived_from<P, integrate::Policy>;

namespace detail {
/// Values of memory that a policy's body asks for.
template <class P, class Own, class Before>
consteval std::size_t policy_scratch() {
  if constexpr (requires { P::template scratch<Own, Before>; })
    return P::template scratch<Own, Before>;
  else
    return 0;
}
template <class P, class Own, class Before>
struct TableOfPolicy {
  static constexpr auto get() { return P::template parameters<Own, Before>(); }
};
}  // namespace detail

/// A policy bound to the shapes that meet in one layer of a stack.
template <class P, class OwnShape, class BeforeShapes>
struct Integration {
  using Policy = P;
  using Own = OwnShape;
  using Before = BeforeShapes;
  static constexpr auto parameters = detail::parameters_of<detail::TableOfPolicy<P, Own, Before>>();
  static constexpr std::size_t tensors = parameters.size();
  static constexpr std::size_t heads = P::template heads<Own, Before>;
  static constexpr std::size_t items = P::template items<Own, Before>;
  static constexpr std::size_t mixture_weights = heads * items;  ///< at one position
  static constexpr std::size_t flops = Own::positions * P::template flops<Own, Before>();
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
