// The value residual: self-attention whose values are mixed with those of the first layer.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/policy.hpp"

namespace aila::inline v0::integrate {

/// Inside core j > 1, V'_j = l_1 V_1 + l_2 V_j; queries and keys stay. Tensor weight [2] = (l_1, l_2), one half each at
/// first. (0, 1) is the plain stack; (1, 0) is SVFormer. Cores that open: SelfAttention, TransformerBlock. Source:
/// arXiv 2410.17897.
struct ValueResidual : Policy {
  static constexpr const char* name = "value_residual";
  static constexpr Place place = Place::inside;
  static consteval bool takes(std::size_t, std::size_t item, std::size_t) { return item == 0; }

  /// Of what is inside a core, numbers [Open::value, Open::value + Open::width) are its values.
  template <class Open>
  struct Inside : Policy {
    static constexpr const char* name = "value_residual";
    static constexpr Place place = Place::inside;
    using MixesValuesOf = Open;
    template <class Own, class Before>
    static consteval auto parameters() {
      return std::array{parameter("weight", {2}, init::constant(0.5)).without_decay()};
    }
    template <class Own, class Before>
    static consteval std::size_t flops() {
      return 3 * Open::width;
    }
    static constexpr bool is_value(std::size_t f) { return f >= Open::value && f < Open::value + Open::width; }
    template <class Own, class Before, class V>
    static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a) {
      for (std::size_t f = 0; f < Own::features; ++f)
        a[f] = is_value(f) ? V(w[0][0]) * before[0][f] + V(w[0][1]) * own[f] : own[f];
    }
    template <class Own, class Before, class V, class G>
    static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                   V* const* d_before, G& g) {
      V first(ScalarOf<V>(0)), self(ScalarOf<V>(0));
      for (std::size_t f = 0; f < Own::features; ++f) {
        if (!is_value(f)) {
          d_own[f] += da[f];
          continue;
        }
        d_before[0][f] += V(w[0][0]) * da[f];
        d_own[f] += V(w[0][1]) * da[f];
        first += before[0][f] * da[f];
        self += own[f] * da[f];
      }
      g.add(0, 0, first);
      g.add(0, 1, self);
    }
  };
};

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
