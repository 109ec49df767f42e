// expect 1: aila: this layer does not accept the output of the layer before it
// expect 2: aila: this layer does not accept the output of the layer before it
// expect 3: Halve: an even number of features, please
// expect 4: aila: parameters() must give an array: std::array{parameter(...), ...}
// expect 5: aila: parameters() must be consteval: tensors are known at compile time
#include <aila/compose/network.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>

// Layers of a user: two that state what they accept, and one that says why.
struct OfFour {
  template <class In>
  static constexpr bool accepts = In::features == 4;
  template <class In>
  using Out = In;
  template <class V>
  static constexpr V value(V x) {
    return x + x;
  }
  template <class V>
  static constexpr V slope(V, V) {
    return V(aila::ScalarOf<V>(2));
  }
};
struct OfVectors {
  template <aila::VectorShape In>
  using Out = In;
};
struct Halve {
  template <class In>
  static constexpr bool accepts = In::features % 2 == 0;
  template <class In>
  static consteval int expect() {
    static_assert(accepts<In>, "Halve: an even number of features, please");
    return 0;
  }
  template <class In>
  using Out = aila::WithFeatures<In, In::features / 2>;
  static constexpr bool position_wise = true;
  template <class In, class V>
  static constexpr void forward(const V* x, aila::Weights<aila::ScalarOf<V>>, V* y) {
    for (std::size_t f = 0; f < In::features / 2; ++f) y[f] = x[2 * f] + x[2 * f + 1];
  }
  template <class In, class V, class G>
  static constexpr void backward(const V*, aila::Weights<aila::ScalarOf<V>>, const V* dy, V* dx, G&) {
    for (std::size_t f = 0; f < In::features; ++f) dx[f] += dy[f / 2];
  }
};

// Layers whose tensors are no table, or none that the compiler knows.
struct Lone {
  template <class In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return aila::parameter("gain", {In::features}, aila::init::ones());
  }
  static constexpr bool position_wise = true;
  template <class In, class V>
  static constexpr void forward(const V* x, aila::Weights<aila::ScalarOf<V>> w, V* y) {
    for (std::size_t f = 0; f < In::features; ++f) y[f] = x[f] * V(w[0][f]);
  }
};
struct Late : Lone {
  template <class In>
  static auto parameters() {
    return std::array{aila::parameter("gain", {In::features}, aila::init::ones())};
  }
};

using namespace aila;
#if defined(MUST_FAIL_1)
struct Net : Network<Sequence<12, 1>, Stack<integrate::None, Lstm<8>, OfFour>, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_2)
struct Net : Network<Sequence<12, 1>, OfVectors, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_3)
struct Net : Network<Sequence<12, 1>, Lstm<7>, Halve, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_4)
struct Net : Network<Sequence<12, 1>, Lone, LastStep, Linear<1>> {};
#elif defined(MUST_FAIL_5)
struct Net : Network<Sequence<12, 1>, Late, LastStep, Linear<1>> {};
#else
struct Net : Network<Sequence<12, 4>, OfFour, Halve, LastStep, Linear<1>> {};
#endif

#include "every_use.hpp"
