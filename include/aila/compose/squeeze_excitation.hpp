// SqueezeExcitation: features weighed by what their means over all positions say.
#pragma once

#include "../core/macros_aside.hpp"

#include "../layer/activation.hpp"
#include "../layer/linear.hpp"
#include "../layer/readout.hpp"
#include "merge.hpp"

namespace aila::inline v0 {

namespace detail {
template <std::size_t features>
struct NoSqueezedFeatures {
  static consteval int say() {
    constexpr bool some = features > 0;
    static_assert(some, "aila: SqueezeExcitation needs at least one feature to squeeze to");
    return 0;
  }
};
}  // namespace detail

/// y = x times sigmoid(W_2 act(W_1 m + b_1) + b_2), m the mean of x over all (valid) positions, feature by feature:
/// [positions..., F] stays. linear.weight [Squeezed, F], linear.bias, linear_1.weight [F, Squeezed], linear_1.bias.
/// `Activation` is Relu, or Silu as in EfficientNet. Source: arXiv 1709.01507.
template <std::size_t Squeezed, class Activation = Relu>
struct SqueezeExcitation {
  using Refusal = std::conditional_t<(Squeezed > 0), detail::NoRefusal, detail::NoSqueezedFeatures<Squeezed>>;
  static constexpr const char* name = "squeeze_excitation";
  static constexpr bool is_composite = true;
  static constexpr bool is_chain = true;
  static constexpr Joint joint = Joint::scales;

  template <class In>
  using Plan = ChainPlan<In, MeanOverPositions, Linear<Squeezed>, Activation, Linear<In::features>, Sigmoid>;
  template <class In>
  static constexpr bool accepts = RealShape<In> && In::rank >= 2;
  template <class In>
  static consteval int expect() {
    constexpr bool positions = accepts<In>;
    static_assert(positions, "aila: SqueezeExcitation takes a map with positions; this input is none");
    return 0;
  }
  template <class In>
  using Out = In;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: SqueezeExcitation cannot stream: it needs the mean over every step");
    return 0;
  }
  template <class In>
  static consteval auto parameters() {
    return detail::joined_parameters(typename Plan<In>::Children{});
  }
  template <class In>
  static consteval std::size_t flops() {
    return detail::summed_flops(typename Plan<In>::Children{}) + In::elements;
  }
  template <class In, class F>
  static void for_each_part(const std::string& path, F&& f) {
    detail::for_each_child<typename Plan<In>::Children>(path, f);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
