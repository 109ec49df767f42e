// The controls: no connection, the sum of ResNet, the concatenation of DenseNet.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/policy.hpp"
#include "../core/config.hpp"

namespace aila::inline v0::integrate {

/// a_j = 0: a plain stack with the same epilogue. Its short name is None, except behind X11, which has a macro of that
/// name.
struct NoConnection : Policy {
  static constexpr const char* name = "none";
  static constexpr Reads reads = Reads::nothing;
  template <class Own, class Before>
  static consteval std::size_t flops() {
    return 0;
  }
};
using None = NoConnection;

/// a_j = h_{j-1}, equal widths. Source: arXiv 1512.03385.
struct Residual : Policy {
  static constexpr const char* name = "residual";
  static constexpr Reads reads = Reads::previous;
  template <class Own, class Before>
  static constexpr bool accepts = Before::features(0) == Own::features;
  template <class Own, class Before>
  static consteval int expect() {
    constexpr bool equal = accepts<Own, Before>;
    static_assert(equal, "aila: a residual connection adds maps of equal width; these differ");
    return 0;
  }
  template <class Own, class Before>
  static consteval std::size_t flops() {
    return Own::features;
  }

  template <class Own, class Before, class V>
  static constexpr void forward(const V*, const V* const* before, Weights<ScalarOf<V>>, V* a) {
    for (std::size_t f = 0; f < Own::features; ++f) a[f] = before[0][f];
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V*, const V* const*, Weights<ScalarOf<V>>, const V* da, V*, V* const* d_before,
                                 G&) {
    for (std::size_t f = 0; f < Own::features; ++f) d_before[0][f] += da[f];
  }
};

/// The core reads the concatenation h_{j-1}, ..., h_1; a_j = 0. The stack's input h_0 is not part of it, as it is in
/// the published DenseNet (arXiv 1608.06993): the other policies integrate h_1, ..., h_{j-1} too, and are compared with
/// it.
struct DenseNet : Policy {
  static constexpr const char* name = "densenet";
  static constexpr Reads reads = Reads::nothing;
  static constexpr bool concatenates = true;
  template <class Own, class Before>
  static consteval std::size_t flops() {
    return 0;
  }
};

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
