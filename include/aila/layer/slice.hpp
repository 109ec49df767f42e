// Slice: some of a map's features.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "../contract/layer.hpp"

namespace aila::inline v0 {

namespace detail {
template <std::size_t count>
struct EmptySlice {
  static consteval int say() {
    constexpr bool some = count > 0;
    static_assert(some, "aila: Slice needs at least one feature");
    return 0;
  }
};
}  // namespace detail

/// y[p, f] = x[p, First + f]: [positions..., F] -> [positions..., Count]. No parameters.
template <std::size_t First, std::size_t Count>
struct Slice {
  static constexpr const char* name = "slice";
  using Refusal = std::conditional_t<(Count > 0), detail::NoRefusal, detail::EmptySlice<Count>>;
  static constexpr std::size_t first = First, count = Count;
  static std::string options() { return std::to_string(First) + " to " + std::to_string(First + Count - 1); }

  template <class In>
  static constexpr bool accepts = RealShape<In> && First + Count <= In::features;
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    constexpr bool inside = !real || accepts<In>;
    static_assert(real, "aila: Slice takes real features; embed tokens first");
    static_assert(inside, "aila: Slice ends behind the last feature of its input");
    return 0;
  }
  template <class In>
  using Out = WithFeatures<In, Count>;
  template <class In>
  static constexpr bool streams = true;
  template <class In>
  static consteval std::size_t flops() {
    return 0;
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
