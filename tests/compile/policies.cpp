// expect 1: aila: the heads of linear integration must divide the layer's width
// expect 2: aila: the heads of attention must divide the layer's width
// expect 3: aila: attention needs one width in all earlier layers
// expect 4: aila: a residual connection adds maps of equal width; these differ
// expect 5: aila: Heads needs at least one head
// expect 6: aila: KeyWidth needs at least one feature
// expect 7: aila: this policy does not accept the shapes that meet in this layer
// expect 8: aila: this policy does not accept the shapes that meet in this layer
// expect 9: aila: this policy does not say that it takes maps of other widths than the layer's own
// expect 10: aila: a policy's forward and backward are templates of Own, Before and V
// expect 11: aila: parameters() must give an array: std::array{parameter(...), ...}
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <vector>
using namespace aila;

// A policy that refuses shapes without a sentence of its own.
struct Halves : integrate::Policy {
  template <class Own, class Before>
  static constexpr bool accepts = Own::features % 2 == 0;
  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const*, Weights<ScalarOf<V>>, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = own[f];
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V*, const V* const*, Weights<ScalarOf<V>>, const V* da, V* d_own, V* const*,
                                 G&) {
    for (std::size_t f = 0; f < Own::features; ++f) d_own[f] += da[f];
  }
};

// One that says nothing of widths.
struct Newest : integrate::Policy {
  template <class Own, class Before, class V>
  static constexpr void forward(const V*, const V* const* before, Weights<ScalarOf<V>>, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = before[Before::count - 1][f];
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V*, const V* const*, Weights<ScalarOf<V>>, const V* da, V*, V* const* d_before,
                                 G&) {
    for (std::size_t f = 0; f < Own::features; ++f) d_before[Before::count - 1][f] += da[f];
  }
};
struct Oldest : integrate::Policy {
  template <class Own, class V>
  static constexpr void forward(const V*, const V* const* before, Weights<ScalarOf<V>>, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = before[0][f];
  }
};
struct Weighed : Newest {
  template <class Own, class Before>
  static auto parameters() {
    return std::vector{parameter("weight", {Before::count}, init::ones())};
  }
};

template <class Policy, class... Cores>
using Stacked = Network<Sequence<12, 1>, Stack<Policy, Cores...>, LastStep, Linear<1>>;

#if defined(MUST_FAIL_1)
struct Net : Stacked<integrate::Linear<Heads<3>>, Repeat<4, Lstm<8>>> {};
#elif defined(MUST_FAIL_2)
struct Net : Stacked<integrate::Attention<Heads<3>>, Repeat<4, Lstm<8>>> {};
#elif defined(MUST_FAIL_3)
struct Net : Stacked<integrate::Attention<>, Lstm<8>, Lstm<6>, Lstm<8>> {};
#elif defined(MUST_FAIL_4)
struct Net : Stacked<integrate::Residual, Lstm<8>, Lstm<6>> {};
#elif defined(MUST_FAIL_5)
struct Net : Stacked<integrate::Linear<Heads<0>>, Repeat<4, Lstm<8>>> {};
#elif defined(MUST_FAIL_6)
struct Net : Stacked<integrate::Attention<KeyWidth<0>>, Repeat<4, Lstm<8>>> {};
#elif defined(MUST_FAIL_7)
struct Net : Stacked<Halves, Repeat<2, Lstm<7>>> {};
#elif defined(MUST_FAIL_8)
struct Net : Stacked<Halves, Lstm<6>, Lstm<4>, Lstm<7>> {};
#elif defined(MUST_FAIL_9)
struct Net : Stacked<Newest, Lstm<6>, Lstm<5>> {};
#elif defined(MUST_FAIL_10)
struct Net : Stacked<Oldest, Repeat<2, Lstm<5>>> {};
#elif defined(MUST_FAIL_11)
struct Net : Stacked<Weighed, Repeat<2, Lstm<5>>> {};
#else
struct Net : Stacked<Halves, Lstm<8>, Chain<Stack<Newest, Repeat<2, Lstm<6>>>, Linear<8>>> {};
#endif

#include "every_use.hpp"
