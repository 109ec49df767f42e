// Bodies that choose by ?: where lanes differ. They must be refused whatever instructions there are, also where the
// comparison of a register is an integer to the compiler: on AVX-512 one side would be taken for all lanes.
#include <aila/aila.hpp>

using namespace aila;

struct Leak {
  template <class In>
  using Out = In;
  template <class V>
  static constexpr V value(V x) {
#if defined(MUST_FAIL_1)
    return x > V(0) ? x : x * V(0.125F);
#else
    return math::select(x > V(0), x, x * V(0.125F));
#endif
  }
  template <class V>
  static constexpr V slope(V x, V) {
#if defined(MUST_FAIL_2)
    return x > V(0) ? V(1) : V(0.125F);
#else
    return math::select(x > V(0), V(1), V(0.125F));
#endif
  }
};
struct Rows : Leak {
  static constexpr bool position_wise = true;
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>>, V* y) {
    for (std::size_t f = 0; f < In::features; ++f) {
#if defined(MUST_FAIL_3)
      y[f] = x[f] > V(0) ? x[f] : V(0);
#else
      y[f] = math::select(x[f] > V(0), x[f], V(0));
#endif
    }
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>>, const V* dy, V* dx, G&) {
    for (std::size_t f = 0; f < In::features; ++f) {
#if defined(MUST_FAIL_4)
      if (x[f] > V(0)) dx[f] += dy[f];
#else
      dx[f] += math::select(x[f] > V(0), dy[f], V(0));
#endif
    }
  }
  template <class V>
  static constexpr V value(V) = delete;
};
struct Newest : integrate::Policy {
  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>>, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) {
#if defined(MUST_FAIL_5)
      a[f] = own[f] > V(0) ? before[0][f] : V(0);
#else
      a[f] = math::select(own[f] > V(0), before[0][f], V(0));
#endif
    }
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V* own, const V* const*, Weights<ScalarOf<V>>, const V* da, V*,
                                 V* const* d_before, G&) {
    for (std::size_t f = 0; f < Own::features; ++f) d_before[0][f] += math::select(own[f] > V(0), da[f], V(0));
  }
};
struct Hinge {
  template <class Out>
  static constexpr bool accepts = VectorShape<Out>;
  template <class Out>
  static constexpr std::size_t targets = Out::elements;
  template <class Out, class V>
  constexpr V operator()(const V* output, const V* target, V* gradient) const {
    return mean_over_elements<Out>(output, target, gradient, [](V o, V t) {
      const V off = o - t;
#if defined(MUST_FAIL_6)
      return LossTerm<V>{off > V(0) ? off : V(0), V(1)};
#else
      return LossTerm<V>{math::select(off > V(0), off, V(0)), math::select(off > V(0), V(1), V(0))};
#endif
    });
  }
};
struct Net : Network<Sequence<4, 3>, Stack<Newest, Linear<5>, Linear<5>>, Leak, Rows, LastStep> {};

float every_body(const Samples<Sequence<4, 3>>& samples) {
  Model<Net> model;
  fit(model, samples, Hinge{}, Sgd{});
  Predictor predict{model};
  return predict(std::array<float, 12>{})[0];
}
