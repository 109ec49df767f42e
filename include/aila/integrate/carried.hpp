// What policies share whose state runs along the depth.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/policy.hpp"

namespace aila::inline v0::integrate {

/// What a layer does to a state of `rows` rows of the layer's width: `own` is h_j, `before[0]` the state.
template <std::size_t rows = 1>
struct StateUpdate : Policy {
  static constexpr Place place = Place::carried;
  static constexpr Reads reads = Reads::previous;
  template <class Own, class Before>
  static constexpr bool accepts = Before::features(0) == rows * Own::features;
  template <class Own, class Before>
  static constexpr std::size_t width = rows * Own::features;
};

/// They have Begin, Read, Update and End, which are policies.
struct CarriedPolicy : Policy {
  static constexpr Place place = Place::carried;
  /// s_0 of N copies of the stack's input.
  template <std::size_t N>
  struct Copies : Policy {
    static constexpr const char* name = "copies";
    static constexpr Place place = Place::carried;
    template <class Own, class Before>
    static constexpr std::size_t width = N * Own::features;
    template <class Own, class Before>
    static consteval std::size_t flops() {
      return 0;
    }
    template <class Own, class Before, class V>
    static constexpr void forward(const V* own, const V* const*, Weights<ScalarOf<V>>, V* a) {
      for (std::size_t k = 0; k < N; ++k)
        for (std::size_t f = 0; f < Own::features; ++f) a[k * Own::features + f] = own[f];
    }
    template <class Own, class Before, class V, class G>
    static constexpr void backward(const V*, const V* const*, Weights<ScalarOf<V>>, const V* da, V* d_own, V* const*,
                                   G&) {
      for (std::size_t k = 0; k < N; ++k)
        for (std::size_t f = 0; f < Own::features; ++f) d_own[f] += da[k * Own::features + f];
    }
  };
  /// The sum of the N rows of a state.
  template <std::size_t N>
  struct SumOfRows : Policy {
    static constexpr const char* name = "sum_of_rows";
    static constexpr Place place = Place::carried;
    template <class Own, class Before>
    static constexpr std::size_t width = Own::features / N;
    template <class Own, class Before, class V>
    static constexpr void forward(const V* own, const V* const*, Weights<ScalarOf<V>>, V* a) {
      constexpr std::size_t d = Own::features / N;
      for (std::size_t f = 0; f < d; ++f) {
        a[f] = own[f];
        for (std::size_t k = 1; k < N; ++k) a[f] += own[k * d + f];
      }
    }
    template <class Own, class Before, class V, class G>
    static constexpr void backward(const V*, const V* const*, Weights<ScalarOf<V>>, const V* da, V* d_own, V* const*,
                                   G&) {
      constexpr std::size_t d = Own::features / N;
      for (std::size_t i = 0; i < Own::features; ++i) d_own[i] += da[i % d];
    }
  };
};

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
