// Which maps a policy reads, by number, behind each layer of a stack.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <cstddef>
#include <utility>

#include "../contract/policy.hpp"
#include "../core/list.hpp"

namespace aila::inline v0::detail {

/// The items behind a layer, by number: 0 is the stack's input, b the sum of block b. `newest` is the policy's own, the
/// first `count` of `earlier` are those before it.
template <std::size_t Depth>
struct ItemNumbers {
  std::size_t newest = 0, count = 0;
  std::array<std::size_t, Depth + 1> earlier{};
};
template <class P, std::size_t Depth>
consteval ItemNumbers<Depth> items_behind(std::size_t layer) {
  ItemNumbers<Depth> of;
  of.newest = (layer + P::block - 1) / P::block;
  for (std::size_t item = P::reads_input ? 0 : 1; item < of.newest; ++item)
    if (P::takes(layer, item, Depth)) of.earlier[of.count++] = item;
  return of;
}

/// The same behind every layer.
template <class P, std::size_t Depth>
consteval auto items_behind_all() {
  std::array<ItemNumbers<Depth>, Depth + 1> all;
  for (std::size_t layer = 0; layer <= Depth; ++layer) all[layer] = items_behind<P, Depth>(layer);
  return all;
}
template <class P, std::size_t Depth>
inline constexpr auto items_of = items_behind_all<P, Depth>();

/// Of `count` maps inside the cores before, the numbers of those that a policy takes in layer `layer`.
template <class P, std::size_t Depth>
consteval ItemNumbers<Depth> inner_before(std::size_t layer, std::size_t count) {
  ItemNumbers<Depth> of;
  for (std::size_t item = 0; item < count; ++item)
    if (P::takes(layer, item, Depth)) of.earlier[of.count++] = item;
  return of;
}
/// The same of every layer, were all cores open.
template <class P, std::size_t Depth>
consteval auto inner_before_all() {
  std::array<ItemNumbers<Depth>, Depth + 1> all;
  for (std::size_t layer = 1; layer <= Depth; ++layer) all[layer] = inner_before<P, Depth>(layer, layer - 1);
  return all;
}
template <class P, std::size_t Depth>
inline constexpr auto inner_of = inner_before_all<P, Depth>();

/// Shapes of items; Maps holds those of h_0, h_1, ...
template <class P, std::size_t Layer, std::size_t Depth, class Maps>
struct ItemShapes {
  static constexpr auto numbers = items_of<P, Depth>[Layer];
  template <std::size_t... I>
  static List<At<Maps, numbers.earlier[I] == 0 ? 0 : (numbers.earlier[I] - 1) * P::block + 1>...> pick(
      std::index_sequence<I...>);
  using type = decltype(pick(std::make_index_sequence<numbers.count>{}));
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
