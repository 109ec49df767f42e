// Linear: one affine map at every position.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"
#include "../core/option.hpp"
#include "initial.hpp"

namespace aila::inline v0 {

namespace detail {
template <std::size_t features>
struct NoFeatures {
  static consteval int say() {
    constexpr bool some = features > 0;
    static_assert(some, "aila: Linear needs at least one output feature");
    return 0;
  }
};
}  // namespace detail

/// y = W x + b at every position: [positions..., F] -> [positions..., Features], weight [Features, F], bias [Features].
/// First weights and biases: options `Initial<...>` and `InitialBias<...>`, by default uniform in +-1/sqrt(F), as in
/// PyTorch.
template <std::size_t Features, class... Options>
struct Linear {
  static constexpr const char* name = "linear";
  using Choice = OptionsOf<Linear, List<role::Initial, role::InitialBias>, Options...>;
  using Refusal = std::conditional_t<(Features > 0), detail::RefusalOf<Choice>, detail::NoFeatures<Features>>;
  using Start = typename Choice::template Pick<role::Initial, Initial<init::TorchUniform>>;
  using BiasStart = typename Choice::template Pick<role::InitialBias, InitialBias<init::TorchUniform>>;

  template <class In>
  static constexpr bool accepts = RealShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    static_assert(real, "aila: Linear takes real features; embed tokens first");
    return 0;
  }
  template <class In>
  using Out = WithFeatures<In, Features>;
  template <class In>
  static constexpr bool streams = true;

  template <class In>
  static consteval auto parameters() {
    constexpr std::size_t fan_in = In::features;
    return std::array{parameter("weight", {Features, fan_in}, Start::make(fan_in, Features)),
                      parameter("bias", {Features}, BiasStart::make(fan_in, Features)).without_decay()};
  }
  template <class In>
  static consteval std::size_t flops() {
    return In::positions * Features * (2 * In::features + 1);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
