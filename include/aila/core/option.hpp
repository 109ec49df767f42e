// Options by role, in any order, with defaults: Attention<Heads<4>, TiedValues> and the other order are one type.
#pragma once

#include "macros_aside.hpp"

#include <cstddef>
#include <type_traits>

#include "list.hpp"
#include "refusal.hpp"

namespace aila::inline v0 {

namespace detail {

template <class Option>
struct RoleOf {
  using type = void;
};
template <class Option>
  requires requires { typename Option::role; }
struct RoleOf<Option> {
  using type = typename Option::role;
};

template <class Role, class... Options>
inline constexpr std::size_t count_of_role =
    (std::size_t{std::is_same_v<Role, typename RoleOf<Options>::type>} + ... + 0);

/// The first option of the role, or the default.
template <class Role, class Default, class... Options>
struct Picked {
  template <class Found, class Option>
  static constexpr auto choose() {
    if constexpr (std::is_void_v<Found> && std::is_same_v<Role, typename RoleOf<Option>::type>)
      return std::type_identity<Option>{};
    else
      return std::type_identity<Found>{};
  }
  template <class Found>
  struct Search {
    template <class Option>
    constexpr auto operator>>(std::type_identity<Option>) const {
      return Search<typename decltype(choose<Found, Option>())::type>{};
    }
    using type = std::conditional_t<std::is_void_v<Found>, Default, Found>;
  };
  using type = typename decltype((Search<void>{} >> ... >> std::type_identity<Options>{}))::type;
};

template <class Role, class Roles>
inline constexpr bool role_is_in = false;
template <class Role, class... Roles>
inline constexpr bool role_is_in<Role, List<Roles...>> = (std::is_same_v<Role, Roles> || ...);

template <class Roles, class... Options>
inline constexpr bool every_option_known = (role_is_in<typename RoleOf<Options>::type, Roles> && ...);

template <class Roles, class... Options>
inline constexpr bool one_option_a_role = false;
template <class... Roles, class... Options>
inline constexpr bool one_option_a_role<List<Roles...>, Options...> = ((count_of_role<Roles, Options...> <= 1) && ...);

template <class Rule, class Roles, class... Options>
struct WrongOptions {
  static consteval int say() {
    constexpr bool known = every_option_known<Roles, Options...>;
    constexpr bool single = !known || one_option_a_role<Roles, Options...>;
    static_assert(known, "aila: this rule has no such option; see its header");
    static_assert(single, "aila: two options of one role; keep one of them");
    return 0;
  }
};

}  // namespace detail

/// The options that were given to `Rule` (which the compiler's note names).
template <class Rule, class Roles, class... Options>
struct OptionsOf {
  static constexpr bool right =
      detail::every_option_known<Roles, Options...> && detail::one_option_a_role<Roles, Options...>;
  using Refusal =
      std::conditional_t<right, detail::FirstRefusal<Options...>, detail::WrongOptions<Rule, Roles, Options...>>;

  template <class Role, class Default>
  using Pick = typename detail::Picked<Role, Default, Options...>::type;
};

}  // namespace aila::inline v0

#include "macros_back.hpp"
