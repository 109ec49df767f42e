// Placing: a pack of layers meets an input shape; every layer is bound to its own input, in a fold without recursion.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>
#include <type_traits>

#include "../contract/layer.hpp"
#include "../core/list.hpp"
#include "../layer/activation.hpp"

namespace aila::inline v0 {

/// N times the layers, inside a Chain, a Stack, a Network or another Repeat. It is written out before layers are
/// placed.
template <std::size_t N, class... Layers>
struct Repeat {};

namespace detail {

template <class Layers>
struct ExpandedList;

template <std::size_t count, std::size_t layers>
struct RepeatOfNothing {
  static consteval int say() {
    constexpr bool some = count > 0;
    constexpr bool layer = layers > 0;
    static_assert(some, "aila: Repeat needs a count of at least one");
    static_assert(layer, "aila: Repeat needs at least one layer");
    return 0;
  }
};
template <std::size_t layers>
struct ChainOfNothing {
  static consteval int say() {
    constexpr bool layer = layers > 0;
    static_assert(layer, "aila: a chain, a Residual or a network needs at least one layer");
    return 0;
  }
};

/// Where a layer was refused, placing goes on with this layer and its shape, and asks nothing more.
template <class Why>
struct RefusedLayer {
  using Refusal = Why;
  template <class In>
  using Out = RefusedShape<Why>;
};

template <class L>
struct Expanded {
  using type = List<L>;
};
template <std::size_t N, class... Layers>
struct Expanded<Repeat<N, Layers...>> {
  using type = List<RefusedLayer<RepeatOfNothing<N, sizeof...(Layers)>>>;
};
template <std::size_t N, class... Layers>
  requires(N > 0 && sizeof...(Layers) > 0)
struct Expanded<Repeat<N, Layers...>> {
  using Once = typename ExpandedList<List<Layers...>>::type;
  template <std::size_t... I>
  static List<At<Once, I % Once::size>...> expand(std::index_sequence<I...>);
  using type = decltype(expand(std::make_index_sequence<N * Once::size>{}));
};

template <class... Done>
struct Expanding {
  template <class L>
  constexpr auto operator>>(std::type_identity<L>) const {
    return expanding(List<Done...>{}, typename Expanded<L>::type{});
  }
  template <class... A, class... B>
  static constexpr Expanding<A..., B...> expanding(List<A...>, List<B...>) {
    return {};
  }
  using type = List<Done...>;
};

template <class... Layers>
struct ExpandedList<List<Layers...>> {
  using type = typename decltype((Expanding<>{} >> ... >> std::type_identity<Layers>{}))::type;
};

/// Whether L maps a shape of any kind.
template <class L>
concept AnyLayer =
    MapsShape<L, Vector<1>> || MapsShape<L, Sequence<1, 1>> || MapsShape<L, Image<1, 1, 1>> || MapsShape<L, Tokens<1>>;

/// Layer number Index does not take the shape In.
template <std::size_t Index, class Layer, class In>
struct LayerRefused {
  static consteval int say() {
    if constexpr (requires { Layer::template expect<In>(); }) {
      return Layer::template expect<In>();
    } else {
      constexpr bool layer = AnyLayer<Layer> || MapsShape<Layer, In>;
      constexpr bool accepts = !layer || layer_accepts<Layer, In>();
      static_assert(layer, "aila: this type is no layer: it has no template <class In> using Out");
      static_assert(accepts, "aila: this layer does not accept the output of the layer before it");
      return 0;
    }
  }
};

template <std::size_t Index, class Layer, class In>
consteval auto place_layer() {
  if constexpr (Refused<Layer>)
    return std::type_identity<Placed<RefusedLayer<RefusalOf<Layer>>, In>>{};
  else if constexpr (!layer_accepts<Layer, In>())
    return std::type_identity<Placed<RefusedLayer<LayerRefused<Index, Layer, In>>, In>>{};
  else if constexpr (!gives_parameters<decltype(table_of_layer<Layer, In>())>)
    return std::type_identity<Placed<RefusedLayer<TableRefused<decltype(table_of_layer<Layer, In>())>>, In>>{};
  else
    return std::type_identity<Placed<Layer, In>>{};
}
/// The layer placed on In, or a RefusedLayer.
template <std::size_t Index, class Layer, class In>
using PlacedOrRefused = typename decltype(place_layer<Index, Layer, In>())::type;

template <std::size_t Index, class In, class Done>
struct Placing {
  using Out = In;
  using Children = Done;
};

template <std::size_t Index, class In, class Done, class Layer>
constexpr auto operator>>(Placing<Index, In, Done> placing, std::type_identity<Layer>) {
  if constexpr (Refused<In>) {
    return placing;
  } else {
    using Child = PlacedOrRefused<Index, Layer, In>;
    return Placing<Index + 1, typename Child::Out, Append<Done, Child>>{};
  }
}

template <class In, class Layers>
struct PlaceAll;
template <class In, class... Layers>
struct PlaceAll<In, List<Layers...>> {
  using type = decltype((Placing<0, In, List<>>{} >> ... >> std::type_identity<Layers>{}));
};

/// The tensors of several parts one after the other.
template <class... Part>
consteval auto joined_parameters(List<Part...>) {
  std::array<ParameterSpec, (Part::tensors + ... + 0)> table{};
  [[maybe_unused]] std::size_t next = 0;
  (
      [&] {
        for (const auto& spec : Part::parameters) table[next++] = spec;
      }(),
      ...);
  return table;
}
template <class... Part>
consteval std::size_t summed_flops(List<Part...>) {
  return (Part::flops + ... + 0);
}

/// first[i] is the number of the first tensor of part i.
template <class... Part>
consteval auto first_tensors(List<Part...>) {
  std::array<std::size_t, sizeof...(Part) + 1> first{};
  std::size_t i = 0;
  ((first[i + 1] = first[i] + Part::tensors, ++i), ...);
  return first;
}

}  // namespace detail

/// A pack of layers with every Repeat written out.
template <class... Layers>
using ExpandedLayers = typename detail::ExpandedList<List<Layers...>>::type;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
