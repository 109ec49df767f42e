// Bidirectional: a recurrent layer that reads a sequence from both ends.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "placing.hpp"

namespace aila::inline v0 {

/// [steps, F] -> [steps, 2 U]: L's features at every step, and behind them those of a second L, of weights of its own,
/// that reads the steps from the last (valid) one to the first. As `bidirectional=True` in PyTorch. Tensors:
/// "forward." and "backward." before those of L (PyTorch: weight_ih_l0 and weight_ih_l0_reverse). Steps beyond a
/// sample's length give what L gives there in the first half, and 0 in the second.
template <class L>
struct Bidirectional {
  using Inner = L;
  using Refusal = detail::RefusalOf<L>;
  static constexpr const char* name = "bidirectional";
  static constexpr bool is_composite = true;
  static constexpr bool is_bidirectional = true;

  template <class In>
  using InnerOut = typename detail::PlacedOrRefused<0, L, In>::Out;
  template <class In>
  static constexpr bool accepts = [] {
    using Result = InnerOut<In>;
    if constexpr (detail::Refused<Result>) return true;
    if constexpr (SequenceShape<In> && SequenceShape<Result>) return In::positions == Result::positions;
    return false;
  }();
  template <class In>
  static consteval int expect() {
    constexpr bool keeps = accepts<In>;
    static_assert(keeps, "aila: Bidirectional takes a layer that keeps the steps of a sequence, as Lstm does");
    return 0;
  }

  template <class In, class Result>
  struct Joined {
    using type = WithFeatures<In, 2 * Result::features>;
  };
  template <class In, detail::Refused Result>
  struct Joined<In, Result> {
    using type = Result;
  };
  /// Where L is refused, the refusal is L's.
  template <class In>
  using Out = typename Joined<In, InnerOut<In>>::type;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: Bidirectional cannot stream: it reads a sequence from its end, too");
    return 0;
  }
  template <class In>
  using Children = List<Placed<L, In>, Placed<L, In>>;
  template <class In>
  static consteval auto parameters() {
    return detail::joined_parameters(Children<In>{});
  }
  template <class In>
  static consteval std::size_t flops() {
    return detail::summed_flops(Children<In>{});
  }

  template <class In, class F>
  static void for_each_part(const std::string& path, F&& f) {
    const std::string before = path.empty() ? path : path + ".";
    f.template operator()<Placed<L, In>>(before + "forward");
    f.template operator()<Placed<L, In>>(before + "backward");
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
