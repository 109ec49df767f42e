// Several policies at different places of one stack.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/policy.hpp"
#include "controls.hpp"

namespace aila::inline v0 {

namespace detail {

template <class... P>
struct TogetherRefused {
  static constexpr std::size_t at(integrate::Place place) { return ((P::place == place ? 1U : 0U) + ... + 0U); }
  static constexpr bool well_formed = [] {
    using enum integrate::Place;
    for (const auto place : {after, before, carried, inside, readout})
      if (at(place) > 1) return false;
    const std::size_t joins = ((P::concatenates ? 1U : 0U) + ...);
    return joins + at(before) + at(carried) <= 1 && at(carried) + at(readout) <= 1;
  }();
  static consteval int say() {
    constexpr bool one = well_formed;
    static_assert(one, "aila: Together has two policies for what a core reads, or for what the stack gives");
    return 0;
  }
};
template <std::size_t count>
struct TogetherNeedsPolicies {
  static consteval int say() {
    constexpr bool policies = count == ~std::size_t{0};
    static_assert(policies, "aila: Together takes policies, integrate::...; one of these is none");
    return 0;
  }
};

/// The policy of P that attaches at a place; None where none does.
template <integrate::Place place, class P>
struct PolicyAt {
  using type = std::conditional_t<P::place == place, P, integrate::None>;
};

}  // namespace detail

namespace integrate {

/// Several policies in one stack, each at a place of its own: `Together<Linear<>, ElmoMix>`. Where one attaches before
/// the cores and another is the readout, the readout says what the stack gives.
template <class... P>
struct Together : Policy {
  static constexpr const char* name = "together";
  static constexpr Place place = Place::after;
  using Policies = List<P...>;
  using Refusal = aila::detail::TogetherNeedsPolicies<sizeof...(P)>;
};
template <class... P>
  requires(sizeof...(P) > 0 && (std::derived_from<P, Policy> && ...))
struct Together<P...> : Policy {
  static constexpr const char* name = "together";
  using Policies = List<P...>;
  using Refusal = std::conditional_t<aila::detail::TogetherRefused<P...>::well_formed, aila::detail::FirstRefusal<P...>,
                                     aila::detail::TogetherRefused<P...>>;
};

}  // namespace integrate

namespace detail {
template <integrate::Place place, class... P>
  requires(std::derived_from<P, integrate::Policy> && ...)
struct PolicyAt<place, integrate::Together<P...>> {
  template <class First, class... Rest>
  static consteval auto pick() {
    if constexpr (First::place == place && !std::is_same_v<First, integrate::None>)
      return std::type_identity<First>{};
    else if constexpr (sizeof...(Rest) > 0)
      return pick<Rest...>();
    else
      return std::type_identity<integrate::None>{};
  }
  using type = typename decltype(pick<P...>())::type;
};
}  // namespace detail

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
