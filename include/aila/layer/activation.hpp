// Element-wise activations, and softmax over the features of a position.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"
#include "../core/arena.hpp"
#include "../core/config.hpp"
#include "../core/math.hpp"

namespace aila::inline v0 {

namespace role {
struct Activation;
}

/// What the element-wise layers share: the shape stays, there are no parameters. Blocks take one as an option.
struct ElementWise {
  using role = role::Activation;
  template <class In>
  static constexpr bool accepts = RealShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    static_assert(real, "aila: an activation takes real features; embed tokens first");
    return 0;
  }
  template <class In>
  using Out = In;
};

/// y = x. Also the epilogue of a bare stack: `Epilogue<Identity>`.
struct Identity : ElementWise {
  static constexpr const char* name = "identity";
  static constexpr BackwardNeeds slope_needs{.input = false, .output = false};
  template <class V>
  static constexpr V value(V x) {
    return x;
  }
  template <class V>
  static constexpr V slope(V, V) {
    return V(ScalarOf<V>(1));
  }
};

/// y = max(x, 0); the slope at 0 is 0.
struct Relu : ElementWise {
  static constexpr const char* name = "relu";
  static constexpr BackwardNeeds slope_needs{.input = false};
  template <class V>
  static constexpr V value(V x) {
    return math::max(x, V(ScalarOf<V>(0)));
  }
  template <class V>
  static constexpr V slope(V, V y) {
    return math::select(y > V(ScalarOf<V>(0)), V(ScalarOf<V>(1)), V(ScalarOf<V>(0)));
  }
};

/// y = x Phi(x), Phi the normal distribution function (exact form, by erf). Source: arXiv 1606.08415.
struct Gelu : ElementWise {
  static constexpr const char* name = "gelu";
  static constexpr BackwardNeeds slope_needs{.output = false};
  static constexpr double far = 1000;  ///< Phi is 0 or 1 and its slope 0 from there on: infinity does not meet a 0
  template <class V>
  static constexpr V phi(V x) {
    using S = ScalarOf<V>;
    return V(S(0.5)) * (V(S(1)) + math::erf(x * V(S(0.70710678118654752440))));
  }
  template <class V>
  static constexpr V value(V x) {
    const V low = math::max(x, V(ScalarOf<V>(-far)));
    return low * phi(math::min(low, V(ScalarOf<V>(far))));
  }
  template <class V>
  static constexpr V slope(V x, V) {
    using S = ScalarOf<V>;
    x = math::min(math::max(x, V(S(-far))), V(S(far)));
    return phi(x) + x * V(S(0.39894228040143267794)) * math::exp(V(S(-0.5)) * x * x);
  }
};

/// y = x sigmoid(x), also called swish.
struct Silu : ElementWise {
  static constexpr const char* name = "silu";
  static constexpr double far = 1000;  ///< the sigmoid is 0 or 1 from there on: infinity does not meet a 0
  template <class V>
  static constexpr V value(V x) {
    return math::max(x, V(ScalarOf<V>(-far))) * math::sigmoid(x);
  }
  template <class V>
  static constexpr V slope(V x, V y) {
    const V s = math::sigmoid(x);
    return s + math::min(y, V(ScalarOf<V>(far))) * (V(ScalarOf<V>(1)) - s);
  }
};

struct Tanh : ElementWise {
  static constexpr const char* name = "tanh";
  static constexpr BackwardNeeds slope_needs{.input = false};
  template <class V>
  static constexpr V value(V x) {
    return math::tanh(x);
  }
  template <class V>
  static constexpr V slope(V, V y) {
    return V(ScalarOf<V>(1)) - y * y;
  }
};

/// y = 1 / (1 + exp(-x)).
struct Sigmoid : ElementWise {
  static constexpr const char* name = "sigmoid";
  static constexpr BackwardNeeds slope_needs{.input = false};
  template <class V>
  static constexpr V value(V x) {
    return math::sigmoid(x);
  }
  template <class V>
  static constexpr V slope(V, V y) {
    return y * (V(ScalarOf<V>(1)) - y);
  }
};

/// y_i = exp(x_i) / sum_k exp(x_k) over the features of a position; the largest is subtracted first, so none overflows.
/// A feature at -infinity gets 0; of several at +infinity, or where all are at -infinity, the equal ones get the same.
struct Softmax : ElementWise {
  static constexpr const char* name = "softmax";
  static constexpr bool position_wise = true;
  template <class In>
  static consteval std::size_t flops() {
    return 4 * In::elements;
  }
  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>>, V* y) {
    V largest = x[0];
    for (std::size_t i = 1; i < In::features; ++i) largest = math::max(largest, x[i]);
    V sum(ScalarOf<V>(0));
    for (std::size_t i = 0; i < In::features; ++i) {
      const V below = math::select(x[i] == largest, V(ScalarOf<V>(0)), x[i] - largest);
      sum += y[i] = math::exp(below);
    }
    for (std::size_t i = 0; i < In::features; ++i) y[i] = y[i] / sum;
  }
  template <class In>
  static constexpr std::size_t scratch = In::features;
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G&, V* y) {
    forward<In>(x, w, y);
    V dot(ScalarOf<V>(0));
    for (std::size_t i = 0; i < In::features; ++i) dot += y[i] * dy[i];
    for (std::size_t i = 0; i < In::features; ++i) dx[i] += y[i] * (dy[i] - dot);
  }
  /// The same by hand, which takes the scratch memory itself.
  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    backward<In>(x, w, dy, dx, g, AlignedArray<V>(scratch<In>).data());
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
