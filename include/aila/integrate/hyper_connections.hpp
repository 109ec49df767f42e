// Hyper-connections: several residual streams along the depth.
#pragma once

#include "../core/macros_aside.hpp"

#include "carried.hpp"

namespace aila::inline v0::integrate {

/// Static hyper-connections: a state S of N rows of the layer's width, all the stack's input at first.
///   x_j = sum_k Am_k S_k,     S'_m = sum_k Ar_{k,m} S_k + B_m h_j,     the stack gives the sum of the rows
/// Tensors: Am [N] (input.weight), which begins as the row (j - 1) mod N; Ar [N, N], the unit matrix, and B [N], ones
/// (update.matrix, update.weight). So every row begins as ResNet's state. Source: arXiv 2409.19606.
template <std::size_t N>
struct HyperConnections : CarriedPolicy {
  static constexpr const char* name = "hyper_connections";
  using Begin = Copies<N>;
  using End = SumOfRows<N>;

  template <std::size_t Row>
  struct ReadOf : Policy {
    static constexpr const char* name = "hyper_read";
    static constexpr Place place = Place::carried;
    template <class Own, class Before>
    static constexpr std::size_t width = Own::features / N;
    template <class Own, class Before>
    static consteval auto parameters() {
      return std::array{parameter("weight", {N}, init::unit(Row)).without_decay()};
    }
    template <class Own, class Before>
    static consteval std::size_t flops() {
      return 2 * Own::features;
    }
    template <class Own, class Before, class V>
    static constexpr void forward(const V* own, const V* const*, Weights<ScalarOf<V>> w, V* a) {
      constexpr std::size_t d = Own::features / N;
      for (std::size_t f = 0; f < d; ++f) {
        a[f] = V(w[0][0]) * own[f];
        for (std::size_t k = 1; k < N; ++k) a[f] += V(w[0][k]) * own[k * d + f];
      }
    }
    template <class Own, class Before, class V, class G>
    static constexpr void backward(const V* own, const V* const*, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                   V* const*, G& g) {
      constexpr std::size_t d = Own::features / N;
      for (std::size_t k = 0; k < N; ++k) {
        V slope(ScalarOf<V>(0));
        for (std::size_t f = 0; f < d; ++f) {
          d_own[k * d + f] += V(w[0][k]) * da[f];
          slope += own[k * d + f] * da[f];
        }
        g.add(0, k, slope);
      }
    }
  };
  struct Read : Policy {
    template <std::size_t layer, std::size_t depth>
    using AtLayer = ReadOf<(layer - 1) % N>;
  };

  struct Update : StateUpdate<N> {
    static constexpr const char* name = "hyper_update";
    template <class Own, class Before>
    static consteval int expect() {
      constexpr bool keeps = StateUpdate<N>::template accepts<Own, Before>;
      static_assert(keeps, "aila: hyper-connections need cores that keep the width of the stack's input");
      return 0;
    }
    template <class Own, class Before>
    static consteval auto parameters() {
      return std::array{parameter("matrix", {N, N}, init::diagonal(1)).without_decay(),
                        parameter("weight", {N}, init::ones()).without_decay()};
    }
    template <class Own, class Before>
    static consteval std::size_t flops() {
      return 2 * N * (N + 1) * Own::features;
    }
    template <class Own, class Before, class V>
    static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a) {
      constexpr std::size_t d = Own::features;
      for (std::size_t m = 0; m < N; ++m)
        for (std::size_t f = 0; f < d; ++f) {
          V sum = V(w[1][m]) * own[f];
          for (std::size_t k = 0; k < N; ++k) sum += V(w[0][k * N + m]) * before[0][k * d + f];
          a[m * d + f] = sum;
        }
    }
    template <class Own, class Before, class V, class G>
    static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                   V* const* d_before, G& g) {
      constexpr std::size_t d = Own::features;
      for (std::size_t m = 0; m < N; ++m) {
        V slope(ScalarOf<V>(0));
        for (std::size_t f = 0; f < d; ++f) {
          d_own[f] += V(w[1][m]) * da[m * d + f];
          slope += own[f] * da[m * d + f];
        }
        g.add(1, m, slope);
        for (std::size_t k = 0; k < N; ++k) {
          V product(ScalarOf<V>(0));
          for (std::size_t f = 0; f < d; ++f) {
            d_before[0][k * d + f] += V(w[0][k * N + m]) * da[m * d + f];
            product += before[0][k * d + f] * da[m * d + f];
          }
          g.add(0, k * N + m, product);
        }
      }
    }
  };
};

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
