// expect 1: aila: V is not one number; write math::exp(x) for std::exp(x)
// expect 2: aila: V is not one number; write math::exp(x) for std::exp(x)
// expect 3: aila: V is not one number; write math::exp(x) for std::exp(x)
// expect 4: aila: V is not one number; write math::exp(x) for std::exp(x)
// expect 5: aila: V is not one number; write math::exp(x) for std::exp(x)
// expect 6: aila: V is not one number; write math::exp(x) for std::exp(x)
// expect 7: aila: g.add takes three arguments: g.add(tensor, element, value)
// expect 8: aila: g.add takes three arguments: g.add(tensor, element, value)
// expect 9: aila: a > b is not one bool; write math::select(a > b, x, y)
// expect 10: aila: a > b is not one bool; write math::select(a > b, x, y)
#include <aila/aila.hpp>
#include <algorithm>
#include <cmath>

// Bodies that take V for a number: of an element-wise layer, a layer, a policy and a loss, on the way forward and back.
namespace mine {

using namespace aila;

struct Bump {
  template <class In>
  using Out = In;
  template <class V>
  static constexpr V value(V x) {
#if defined(MUST_FAIL_1)
    return x / (V(1) + std::exp(x));
#elif defined(MUST_FAIL_9)
    return x > V(0) ? x : V(0);
#else
    return x / (1 + math::exp(x));
#endif
  }
  template <class V>
  static constexpr V slope(V x, V y) {
#if defined(MUST_FAIL_2)
    return x - y * std::pow(x, 2);
#else
    return x - y * x * x;
#endif
  }
};

struct Gain {
  static constexpr bool position_wise = true;
  template <class In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("gain", {In::features}, init::ones())};
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    for (std::size_t f = 0; f < In::features; ++f) {
#if defined(MUST_FAIL_3)
      y[f] = std::tanh(V(w[0][f]) * x[f]);
#else
      y[f] = w[0][f] * x[f];
#endif
    }
  }
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    for (std::size_t f = 0; f < In::features; ++f) {
#if defined(MUST_FAIL_4)
      dx[f] += V(w[0][f]) * std::abs(dy[f]);
#else
      dx[f] += w[0][f] * dy[f];
#endif
#if defined(MUST_FAIL_7)
      g.add(f, x[f] * dy[f]);
#else
      g.add(0, f, x[f] * dy[f]);
#endif
    }
  }
};

struct Newest : integrate::Policy {
  template <class Own, class Before>
  static consteval auto parameters() {
    return std::array{parameter("gain", {Own::features}, init::ones())};
  }
  template <class Own, class Before, class V>
  static constexpr void forward(const V*, const V* const* before, Weights<ScalarOf<V>> w, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) {
#if defined(MUST_FAIL_5)
      a[f] = std::sqrt(before[Before::count - 1][f]) * V(w[0][f]);
#else
      a[f] = before[Before::count - 1][f] * V(w[0][f]);
#endif
    }
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V*, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V*,
                                 V* const* d_before, G& g) {
    for (std::size_t f = 0; f < Own::features; ++f) {
      d_before[Before::count - 1][f] += V(w[0][f]) * da[f];
#if defined(MUST_FAIL_8)
      g.add(0, da[f] * before[Before::count - 1][f]);
#else
      g.add(0, f, da[f] * before[Before::count - 1][f]);
#endif
    }
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
#if defined(MUST_FAIL_6)
      return LossTerm<V>{std::log1p(o - t), V(1)};
#elif defined(MUST_FAIL_10)
      return LossTerm<V>{std::max(o - t, V(0)), V(1)};
#else
      return LossTerm<V>{math::max(o - t, V(0)), math::select((o > t) && !(o < 0), V(1), V(0))};
#endif
    });
  }
};

struct Net : Network<Sequence<12, 4>, Bump, Stack<Newest, Repeat<3, Lstm<4>>>, Gain, LastStep> {};

}  // namespace mine

double every_body(const aila::Samples<aila::Sequence<12, 4>>& samples) {
  aila::Model<mine::Net> model;
  aila::fit(model, samples, mine::Hinge{}, {.validation = samples, .epochs = 1});
  aila::Predictor predict{model};
  return aila::evaluate(model, samples, mine::Hinge{}) + static_cast<double>(predict(samples.inputs)[0]);
}
