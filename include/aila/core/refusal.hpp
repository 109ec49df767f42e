// Refusals: why a description cannot be used, as types, so that one mistake gives one short error.
//
// A check that fails does not assert where it stands, deep inside other templates, where a compiler would print all of
// them. It names a refusal instead: a type whose say() holds the static_assert. A refused description has it as its
// member `Refusal`, a refused shape carries it through placing, and the first use of the network calls say(); the note
// beside the error names the refusal, and with it place, layer and shapes. say() is called from an enum of a class:
// after a static_assert of its own that fails, clang drops the class, and one mistake becomes many errors. Each class
// and function between the program's line and say() is one more place that compilers list, in three lines: so checks
// stand first in what a program itself names, and where that is an alias, in a default argument.
#pragma once

#include "macros_aside.hpp"

#include <type_traits>

#include "config.hpp"

namespace aila::inline v0::detail {

/// All is well.
struct NoRefusal {
  static consteval int say() { return 0; }
};

template <class T>
struct RefusalIn {
  using type = NoRefusal;
};
template <class T>
  requires requires { typename T::Refusal; }
struct RefusalIn<T> {
  using type = typename T::Refusal;
};
/// T's own refusal; NoRefusal of what has none.
template <class T>
using RefusalOf = typename RefusalIn<T>::type;

template <class T>
concept Refused = !std::is_same_v<RefusalOf<T>, NoRefusal>;

template <class Found>
struct FindRefusal {
  template <class T>
  constexpr auto operator>>(std::type_identity<T>) const {
    return FindRefusal<std::conditional_t<std::is_same_v<Found, NoRefusal>, RefusalOf<T>, Found>>{};
  }
  using type = Found;
};
/// The first refusal among several descriptions, shapes or kernels.
template <class... T>
using FirstRefusal = typename decltype((FindRefusal<NoRefusal>{} >> ... >> std::type_identity<T>{}))::type;

/// Gives a refusal the place of what it refuses.
template <class Why>
struct Refuse {
  using Refusal = Why;
};

/// Has functions compiled where a class names them, before those that call them: for an error the compiler lists all
/// that led to it, and so this class alone. In an enum of the class, as say().
template <auto... functions>
struct CompiledFirst {
  static constexpr bool here = true;
};

}  // namespace aila::inline v0::detail

#include "macros_back.hpp"
