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
//
// A policy attaches `after` the cores, as above, or where it says, see Place: then forward's a is what the place gives,
// and nothing is added to it. Own and Before are
//   before, readout   the newest item, and the items before it, oldest first (see Items)
//   inside            the map between the two halves of core j, and those of earlier cores; the policy itself is
//                     Inside<Opened>, where Opened says which columns hold keys and values
//   carried           of Begin: the stack's input, and none; of Read and End: the state, and none; of Update: h_j, and
//                     the state before it. These four are policies
// One that gives more or fewer features than Own's has
//   template <class Own, class Before> static constexpr std::size_t width;
// one that differs from layer to layer has
//   template <std::size_t layer, std::size_t depth> using AtLayer = ...; the policy behind `layer` of `depth` layers
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

/// Where a policy attaches to its stack. Of layer j: core j reads x_j and gives y_j, the layer publishes h_j; h_0 is
/// the stack's input. Without a policy there, x_{j+1} = h_j, and the stack gives h_L.
enum class Place {
  after,    ///< h_j = epilogue(y_j + a_j), a_j of y_j and h_1, ..., h_{j-1}
  before,   ///< x_{j+1} = a_j of the items up to layer j; behind the last layer, what the stack gives
  carried,  ///< s_0 = begin(h_0), x_j = read(s_{j-1}), s_j = update(h_j, s_{j-1}), and the stack gives end(s_L)
  inside,   ///< within core j, of what is inside the cores before it
  readout   ///< the stack gives a_L of the items up to the last layer
};

/// What the items of a policy are that attaches before the cores or at the readout. With `block` B > 1 an item is the
/// sum of B layers', the newest of those that there are.
enum class Items {
  maps,    ///< h_j
  deltas,  ///< h_j - x_j, what a core added that keeps a residual sum of its own
  sums     ///< x_j + h_j, the residual sum of a core that keeps none
};

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
  static constexpr Place place = Place::after;
  static constexpr Items items_are = Items::maps;
  static constexpr std::size_t block = 1;        ///< layers of an item
  static constexpr bool reads_input = true;      ///< h_0 is an item, number 0; the others count from 1
  static constexpr bool signed_weights = false;  ///< mixture weights may be negative, and need not sum to 1
  /// Whether a policy before the cores attaches behind this layer, 1 to depth; where not, the next core reads h_j. 0 is
  /// in front of the first core, where h_0 is all there is: for cores that are to read more than one map.
  static consteval bool attaches(std::size_t layer, [[maybe_unused]] std::size_t depth) { return layer > 0; }
  /// Whether it takes an item older than the newest there.
  static consteval bool takes([[maybe_unused]] std::size_t layer, [[maybe_unused]] std::size_t item,
                              [[maybe_unused]] std::size_t depth) {
    return true;
  }
  /// Features of what it gives.
  template <class Own, class Before>
  static constexpr std::size_t width = Own::features;
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
  static constexpr std::size_t mixture_weights = heads * items;          ///< at one position
  static constexpr bool adds_own = P::place == integrate::Place::after;  ///< y_j + a, not a alone
  using Out = WithFeatures<OwnShape, P::template width<Own, Before>>;
  static constexpr std::size_t flops = Own::positions * P::template flops<Own, Before>();
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
