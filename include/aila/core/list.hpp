// Lists of types, and a struct that holds one value of each type of a list.
#pragma once

#include "macros_aside.hpp"

#include <cstddef>
#include <type_traits>
#include <utility>

#include "config.hpp"

namespace aila::inline v0 {

template <class... T>
struct List {
  static constexpr std::size_t size = sizeof...(T);
};

namespace detail {

template <std::size_t I, class T>
struct IndexedType {
  using type = T;
};
template <class Indices, class... T>
struct IndexedTypes;
template <std::size_t... I, class... T>
struct IndexedTypes<std::index_sequence<I...>, T...> : IndexedType<I, T>... {};

template <std::size_t I, class T>
IndexedType<I, T> indexed(const IndexedType<I, T>&);  // overload resolution finds the base: no recursion over the list

template <class L>
struct ListIndex;
template <class... T>
struct ListIndex<List<T...>> {
  using type = IndexedTypes<std::index_sequence_for<T...>, T...>;
};

template <class A, class B>
struct Joined;
template <class... A, class... B>
struct Joined<List<A...>, List<B...>> {
  using type = List<A..., B...>;
};

}  // namespace detail

template <class L, std::size_t I>
using At = typename decltype(detail::indexed<I>(std::declval<typename detail::ListIndex<L>::type>()))::type;

template <class L, class... T>
using Append = typename detail::Joined<L, List<T...>>::type;

template <class L>
using Last = At<L, L::size - 1>;

/// Calls f with std::integral_constant<std::size_t, 0>, ..., <N - 1>: a loop whose index is a constant.
template <std::size_t N, class F>
constexpr void for_each_index(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f(std::integral_constant<std::size_t, I>{}), ...);
  }(std::make_index_sequence<N>{});
}

/// One value of every type of a list, reached by index; an aggregate of bases, cheaper to compile than std::tuple.
template <std::size_t I, class T>
struct TupleElement {
  T value{};
};
template <class Indices, class... T>
struct TupleOf;
template <std::size_t... I, class... T>
struct TupleOf<std::index_sequence<I...>, T...> : TupleElement<I, T>... {};
template <class... T>
using Tuple = TupleOf<std::index_sequence_for<T...>, T...>;

template <std::size_t I, class T>
constexpr T& element(TupleElement<I, T>& s) noexcept {
  return s.value;
}
template <std::size_t I, class T>
constexpr const T& element(const TupleElement<I, T>& s) noexcept {
  return s.value;
}

}  // namespace aila::inline v0

#include "macros_back.hpp"
