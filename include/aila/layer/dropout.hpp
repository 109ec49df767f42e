// Dropout: zeroes elements at random while training.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"

namespace aila::inline v0 {

namespace role {
struct Dropout;
}

namespace detail {
template <std::size_t percent>
struct NoPercentage {
  static consteval int say() {
    constexpr bool below = percent < 100;
    static_assert(below, "aila: Dropout takes a percentage from 0 to 99");
    return 0;
  }
};
}  // namespace detail

/// While training, each element is zero with probability Percent / 100 and else x / (1 - Percent / 100); otherwise y =
/// x. The draw depends on seed, step, the layer's path, the sample's place in the batch and the element: on nothing
/// else. Blocks of layers take it as an option.
template <std::size_t Percent>
struct Dropout {
  using role = role::Dropout;
  using Refusal = std::conditional_t<(Percent < 100), detail::NoRefusal, detail::NoPercentage<Percent>>;
  static constexpr const char* name = "dropout";
  static constexpr double probability = static_cast<double>(Percent < 100 ? Percent : 0) / 100;

  template <class In>
  static constexpr bool accepts = RealShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    static_assert(real, "aila: Dropout takes real features; embed tokens first");
    return 0;
  }
  template <class In>
  using Out = In;
  template <class In>
  static constexpr bool streams = true;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
