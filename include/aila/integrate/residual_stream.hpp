// What runs beside the cores as one stream, and how a layer adds to it: ReZero, Highway.
#pragma once

#include "../core/macros_aside.hpp"

#include "../core/math.hpp"
#include "carried.hpp"
#include "controls.hpp"
#include "vectors.hpp"

namespace aila::inline v0::integrate {

/// What a layer does to the stream, which is the state's first row and what core j reads.
template <std::size_t rows = 1>
struct StreamUpdate : StateUpdate<rows> {
  template <class Own, class Before>
  static consteval int expect() {
    constexpr bool keeps = StateUpdate<rows>::template accepts<Own, Before>;
    static_assert(keeps, "aila: a residual stream needs cores that keep the width of the stack's input");
    return 0;
  }
};

/// s_0 = h_0, core j reads s_{j-1}, s_j = Update(h_j, s_{j-1}), and the stack gives s_L.
struct ResidualStream : CarriedPolicy {
  using Begin = NoConnection;
  using Read = NoConnection;
  using End = NoConnection;
};

/// s_j = s_{j-1} + alpha_j h_j: cores keep no sum of their own. Tensor weight [1] = alpha_j, zero at first, where the
/// stack is the identity; ones are ResNet. Sources: ReZero, arXiv 2003.04887; SkipInit, arXiv 2002.10444.
struct ReZero : ResidualStream {
  static constexpr const char* name = "rezero";
  struct Update : StreamUpdate<> {
    static constexpr const char* name = "rezero_update";
    template <class Own, class Before>
    static consteval auto parameters() {
      return std::array{parameter("weight", {1}, init::zeros()).without_decay()};
    }
    template <class Own, class Before, class V>
    static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a) {
      for (std::size_t f = 0; f < Own::features; ++f) a[f] = before[0][f] + V(w[0][0]) * own[f];
    }
    template <class Own, class Before, class V, class G>
    static constexpr void backward(const V* own, const V* const*, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                   V* const* d_before, G& g) {
      V slope(ScalarOf<V>(0));
      for (std::size_t f = 0; f < Own::features; ++f) {
        d_before[0][f] += da[f];
        d_own[f] += V(w[0][0]) * da[f];
        slope += own[f] * da[f];
      }
      g.add(0, 0, slope);
    }
  };
};

/// s_j = T h_j + (1 - T) s_{j-1} feature by feature, T = sigma(W_T s_{j-1} + b_T). Tensors: weight [d, d], bias [d],
/// -2 at first (the paper takes -1 to -3), where the stack is almost the identity. Source: arXiv 1505.00387.
struct Highway : ResidualStream {
  static constexpr const char* name = "highway";
  struct Update : StreamUpdate<> {
    static constexpr const char* name = "highway_update";
    template <class Own, class Before>
    static consteval auto parameters() {
      constexpr std::size_t d = Own::features;
      return std::array{parameter("weight", {d, d}, init::torch_uniform(d)),
                        parameter("bias", {d}, init::constant(-2)).without_decay()};
    }
    template <class Own, class Before>
    static consteval std::size_t flops() {
      return Own::features * (2 * Own::features + 8);
    }
    template <class Own, class Before>
    static constexpr std::size_t scratch = 2 * Own::features;

    template <class Own, class V>
    static constexpr void open(const V* x, Weights<ScalarOf<V>> w, V* gate) {
      product<V>(w[0], Own::features, Own::features, x, gate);
      for (std::size_t f = 0; f < Own::features; ++f) gate[f] = math::sigmoid(gate[f] + V(w[1][f]));
    }
    template <class Own, class Before, class V>
    static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a, V* gate) {
      const V* const x = before[0];
      open<Own>(x, w, gate);
      for (std::size_t f = 0; f < Own::features; ++f) a[f] = x[f] + gate[f] * (own[f] - x[f]);
    }
    template <class Own, class Before, class V, class G>
    static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                   V* const* d_before, G& g, V* gate) {
      const V* const x = before[0];
      const V one(ScalarOf<V>(1));
      V* const d_gate = gate + Own::features;
      open<Own>(x, w, gate);
      for (std::size_t f = 0; f < Own::features; ++f) {
        d_own[f] += gate[f] * da[f];
        d_before[0][f] += (one - gate[f]) * da[f];
        d_gate[f] = da[f] * (own[f] - x[f]) * gate[f] * (one - gate[f]);
        g.add(1, f, d_gate[f]);
      }
      product_backward<V>(w[0], Own::features, Own::features, x, d_gate, d_before[0], g, 0);
    }
  };
};

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
