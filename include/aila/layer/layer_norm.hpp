// LayerNorm, and ReLU followed by it: the default epilogue of a stack's layer.
#pragma once

#include "../core/macros_aside.hpp"

#include "../core/config.hpp"
#include "../core/math.hpp"
#include "activation.hpp"

namespace aila::inline v0 {

namespace detail {

/// y = (x - mean) / sqrt(variance + 1e-5) * weight + bias over the features of a position, after `Before` element by
/// element (Identity or Relu). The variance is the biased one, as in PyTorch.
template <class Before>
struct Norm {
  static constexpr bool position_wise = true;
  static constexpr double epsilon = 1e-5;
  using First = Before;

  template <class In>
  static constexpr bool accepts = RealShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    static_assert(real, "aila: LayerNorm takes real features; embed tokens first");
    return 0;
  }
  template <class In>
  using Out = In;
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("weight", {In::features}, init::ones()).without_decay(),
                      parameter("bias", {In::features}, init::zeros()).without_decay()};
  }
  template <class In>
  static consteval std::size_t flops() {
    return 8 * In::elements;
  }

  /// Of r = Before(x): its mean, and 1 / sqrt(variance + epsilon). What is normalised is computed again where it is
  /// read: features may be many, and have no place on the stack.
  template <class V>
  struct Moments {
    V mean, inverse;
    constexpr V normalised(const V& x) const { return (Before::value(x) - mean) * inverse; }
  };
  template <class In, class V>
  static constexpr Moments<V> moments(const V* x) {
    using S = ScalarOf<V>;
    const V share(S(1) / S(In::features));
    V mean(S(0));
    for (std::size_t i = 0; i < In::features; ++i) mean += Before::value(x[i]);
    mean = mean * share;
    V variance(S(0));
    for (std::size_t i = 0; i < In::features; ++i) {
      const V centred = Before::value(x[i]) - mean;
      variance += centred * centred;
    }
    return {mean, V(S(1)) / math::sqrt(variance * share + V(S(epsilon)))};
  }

  template <class In, class V>
  static constexpr void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    const Moments<V> of = moments<In>(x);
    for (std::size_t i = 0; i < In::features; ++i) y[i] = of.normalised(x[i]) * V(w[0][i]) + V(w[1][i]);
  }

  template <class In, class V, class G>
  static constexpr void backward(const V* x, Weights<ScalarOf<V>> w, const V* dy, V* dx, G& g) {
    using S = ScalarOf<V>;
    const Moments<V> of = moments<In>(x);
    V mean(S(0));
    V projection(S(0));
    for (std::size_t i = 0; i < In::features; ++i) {
      const V normalised = of.normalised(x[i]);
      g.add(0, i, dy[i] * normalised);
      g.add(1, i, dy[i]);
      const V d = dy[i] * V(w[0][i]);
      mean += d;
      projection += d * normalised;
    }
    const V share(S(1) / S(In::features));
    for (std::size_t i = 0; i < In::features; ++i) {
      const V d = of.inverse * (dy[i] * V(w[0][i]) - share * (mean + of.normalised(x[i]) * projection));
      const V r = Before::value(x[i]);
      dx[i] += d * Before::slope(x[i], r);
    }
  }
};

}  // namespace detail

/// y = (x - mean) / sqrt(variance + 1e-5) * weight + bias over the features of a position. Source: arXiv 1607.06450.
struct LayerNorm : detail::Norm<Identity> {
  static constexpr const char* name = "layer_norm";
};

/// LayerNorm(max(x, 0)): the epilogue of equations (3) and (6) of arXiv 2503.22742.
struct ReluLayerNorm : detail::Norm<Relu> {
  static constexpr const char* name = "relu_layer_norm";
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
