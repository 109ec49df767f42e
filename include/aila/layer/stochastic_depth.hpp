// StochasticDepth: leaves whole samples out at random while training, where a residual branch ends.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "../contract/layer.hpp"

namespace aila::inline v0 {

namespace detail {
template <std::size_t part, std::size_t whole>
struct NoDepthShare {
  static consteval int say() {
    constexpr bool below = part < whole;
    static_assert(below, "aila: StochasticDepth takes a percentage from 0 to 99, or a part smaller than its whole");
    return 0;
  }
};
}  // namespace detail

/// While training, y = 0 for all of a sample with probability p = Part / Of and else x / (1 - p); otherwise y = x.
/// `StochasticDepth<20>` is 20 %, `StochasticDepth<3, 80>` is 3 of 80. Stands last in a `Residual`; it is mode "row" of
/// torchvision.ops.StochasticDepth. The draw depends on seed, step, the layer's path and the sample's place in the
/// batch alone. Source: arXiv 1603.09382.
template <std::size_t Part, std::size_t Of = 100>
struct StochasticDepth {
  using Refusal = std::conditional_t<(Part < Of), detail::NoRefusal, detail::NoDepthShare<Part, Of>>;
  static constexpr const char* name = "stochastic_depth";
  static constexpr double probability = Part < Of ? static_cast<double>(Part) / static_cast<double>(Of) : 0;
  static std::string options() {
    return std::to_string(Part) + (Of == 100 ? std::string(" %") : " of " + std::to_string(Of));
  }

  template <class In>
  static constexpr bool accepts = RealShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    static_assert(real, "aila: StochasticDepth takes real features; embed tokens first");
    return 0;
  }
  template <class In>
  using Out = In;
  template <class In>
  static constexpr bool streams = true;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
