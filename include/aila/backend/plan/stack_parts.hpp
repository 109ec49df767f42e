// The parts of a stack: in lists, by kind, and what its plan needs to know of each.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>

#include "../../compose/stack.hpp"
#include "plan_parts.hpp"

namespace aila::inline v0::detail {

/// An integration that shares its code with no other layer's, called as those that do: there are no numbers.
template <class K>
struct UnsharedMixture {
  struct Numbers {};
  template <Capability C>
  using Saved = typename K::template Saved<C>;
  using S = typename K::Scalar;
  template <Capability C>
  static constexpr void bind(Numbers, Saved<C>& saved, Arena<S>& arena, std::size_t samples) {
    saved.bind(arena, samples);
  }
  static constexpr std::size_t scratch(Numbers, std::size_t samples, Capability c) { return K::scratch(samples, c); }
  static constexpr void pack(Numbers, Weights<S> w, S* to) { K::pack(w, to); }
  template <Capability C, class... T>
  static constexpr void forward(Numbers, T&&... arguments) {
    K::template forward<C>(arguments...);
  }
  template <Capability C, class... T>
  static constexpr void backward(Numbers, T&&... arguments) {
    K::template backward<C>(arguments...);
  }
};
template <class K>
concept SharesItsCode = std::is_same_v<typename K::SharesFor, K>;
template <class K>
struct MixtureOf {
  using type = UnsharedMixture<K>;
};
template <SharesItsCode K>
struct MixtureOf<K> {
  using type = typename K::Shared;
};

/// The kernel of an integration, and what the executor calls; NoPart where there is no integration.
template <class Part, class Backend>
struct IntegrationKernel {
  using K = KernelFor<Part, Backend>;
  using Mixture = typename MixtureOf<K>::type;
};
template <class Own, class Before, class Backend>
struct IntegrationKernel<Integration<integrate::None, Own, Before>, Backend> {
  using K = KernelDefaults<typename Backend::Scalar>;
  using Mixture = NoPart;
};

/// The numbers of an integration that is called by Mixture; of another, none.
template <class Mixture, class Part, class Backend>
consteval typename Mixture::Numbers numbers_for() {
  using K = typename IntegrationKernel<Part, Backend>::K;
  if constexpr (SharesItsCode<K> && std::is_same_v<typename MixtureOf<K>::type, Mixture>)
    return K::numbers;
  else
    return {};
}

template <class Part, class Backend>
consteval NodeFacts facts_of_integration() {
  using Of = IntegrationKernel<Part, Backend>;
  NodeFacts f = facts_of<Part, typename Of::K>();
  f.exists = !std::is_same_v<typename Of::Mixture, NoPart>;
  f.mixes = Part::mixture_weights > 0;
  f.is_gathered = is_gathered_mixture<typename Of::Mixture>;
  f.elements = static_cast<std::uint32_t>(Part::Out::elements);
  f.features = static_cast<std::uint32_t>(Part::Out::features);
  return f;
}
template <class Part, class Backend>
consteval NodeFacts facts_of_epilogue() {
  NodeFacts f = facts_of_layer<Part, Backend>();
  f.exists = !std::is_same_v<typename Part::Layer, Identity>;
  f.changes_length = false;  // the steps of a stack are those of its cores
  f.tables = 0;
  return f;
}

template <class Part, class Backend>
consteval NodeFacts facts_of_head() {
  NodeFacts f = facts_of_layer<Part, Backend>();
  f.exists = !std::is_same_v<typename Part::Layer, Identity>;
  return f;
}

/// The positions of a map, and its width.
struct MapFacts {
  std::array<std::uint32_t, 3> axes{};
  std::uint32_t elements = 0, features = 0;
};
template <class S>
consteval MapFacts facts_of_map() {
  MapFacts f;
  for (std::size_t axis = 0; axis + 1 < S::rank; ++axis) f.axes[axis] = static_cast<std::uint32_t>(S::extents[axis]);
  f.elements = static_cast<std::uint32_t>(S::elements);
  f.features = static_cast<std::uint32_t>(S::features);
  return f;
}

template <class Part>
using PartOrNone = std::conditional_t<std::is_same_v<typename Part::Layer, Identity>, NoPart, Part>;

/// The parts of a stack in lists: of layers all cores, then all epilogues, then what policies put before the cores that
/// they open (heads); of integrations those behind the cores and, of a hooked stack, those in front of them, inside
/// them and behind the layers, and at the stack's begin and end. Maps are those that are read by other layers.
template <class Plan, class Layers, bool hooked>
struct StackLists;
template <class Plan, class... L>
struct StackLists<Plan, List<L...>, false> {
  using Cores = List<typename L::Core...>;
  using Epilogues = List<typename L::Epilogue...>;
  using Heads = List<>;
  using Integrations = List<typename L::Integration...>;
  using Maps = List<typename L::Out...>;
};
template <class Plan, class... L>
struct StackLists<Plan, List<L...>, true> {
  using Cores = List<typename L::Core...>;
  using Epilogues = List<typename L::Epilogue...>;
  using Heads = List<typename L::Head...>;
  using Integrations = List<typename L::Integration..., typename L::Input..., typename L::Inside...,
                            typename L::Update..., typename Plan::First, typename Plan::Last>;
  using Input = At<typename Plan::Maps, 0>;
  using Maps = List<std::conditional_t<Input::is_tokens, Vector<1>, Input>, typename L::Out...>;
};

template <class Lists, class Plan, class Backend, class Cores = typename Lists::Cores,
          class Epilogues = typename Lists::Epilogues, class Heads = typename Lists::Heads,
          class Integrations = typename Lists::Integrations, class MapList = typename Lists::Maps>
struct StackPartsOf;
template <class Lists, class Plan, class Backend, class... Core, class... Epilogue, class... Head, class... Part,
          class... Map>
struct StackPartsOf<Lists, Plan, Backend, List<Core...>, List<Epilogue...>, List<Head...>, List<Part...>,
                    List<Map...>> {
  static constexpr std::size_t depth = sizeof...(Core);
  static constexpr std::size_t first_map = sizeof...(Map) - depth;  ///< of the list, that of the first layer
  using LayerParts = List<Core..., PartOrNone<Epilogue>..., PartOrNone<Head>...>;
  using Mixtures = List<typename IntegrationKernel<Part, Backend>::Mixture...>;
  using Maps = List<Map...>;
  using Folds = List<>;
  template <std::size_t J>
  using Integrated = At<List<Part...>, J>;

  static constexpr std::array<NodeFacts, depth> core{facts_of_layer<Core, Backend>()...};
  static constexpr std::array<NodeFacts, sizeof...(Part)> integration{facts_of_integration<Part, Backend>()...};
  static constexpr std::array<NodeFacts, depth> epilogue{facts_of_epilogue<Epilogue, Backend>()...};
  static constexpr std::array<NodeFacts, sizeof...(Head) + 1> head{facts_of_head<Head, Backend>()...};
  static constexpr bool takes_blocks = (takes_blocks_of<typename IntegrationKernel<Part, Backend>::K>() && ...);
  static constexpr std::array<MapFacts, sizeof...(Map)> map{facts_of_map<Map>()...};
  /// The first map that has the positions of map j.
  static constexpr auto positions_of = [] {
    std::array<std::uint32_t, sizeof...(Map)> first{};
    for (std::size_t j = 0; j < sizeof...(Map); ++j)
      while (map[first[j]].axes != map[j].axes) ++first[j];
    return first;
  }();

  static constexpr auto layer_kinds = kinds_of(LayerParts{});
  static constexpr auto mixture_kinds = kinds_of(Mixtures{});
  static constexpr auto map_kinds = kinds_of(Maps{});
  static constexpr auto fold_kinds = kinds_of(Folds{});
  /// The numbers of each integration, of those that Mixture serves.
  template <class Mixture>
  static constexpr std::array<typename Mixture::Numbers, sizeof...(Part)> numbers{
      numbers_for<Mixture, Part, Backend>()...};

  // Folds of each and not one of all: compilers take no more than 256 operands.
  using Refusal = FirstRefusal<Refuse<FirstRefusal<KernelFor<Core, Backend>...>>,
                               Refuse<FirstRefusal<typename IntegrationKernel<Part, Backend>::K...>>,
                               Refuse<FirstRefusal<KernelFor<Epilogue, Backend>...>>,
                               Refuse<FirstRefusal<KernelFor<Head, Backend>...>>>;
  using MissingBackward = FirstRefusal<Refuse<FirstMissingBackward<KernelFor<Core, Backend>...>>,
                                       Refuse<FirstMissingBackward<typename IntegrationKernel<Part, Backend>::K...>>,
                                       Refuse<FirstMissingBackward<KernelFor<Epilogue, Backend>...>>,
                                       Refuse<FirstMissingBackward<KernelFor<Head, Backend>...>>>;
};
/// Of each layer, the first tensor of each of its parts.
template <class... Layer>
consteval auto first_tensors_of(List<Layer...>) {
  constexpr std::size_t parts = std::max({Layer::Parts::size...}) + 1;
  return std::array<std::array<std::size_t, parts>, sizeof...(Layer)>{Layer::first_tensor...};
}
template <class Plan, class Backend>
struct StackParts : StackPartsOf<StackLists<Plan, typename Plan::Layers, Plan::hooked>, Plan, Backend> {
  static constexpr auto first_tensor = first_tensors_of(typename Plan::Layers{});
  /// Whether a map that was pooled is read where it is pooled further: the mean of means, which rounds otherwise.
  static constexpr bool pools_in_steps = requires { requires Backend::pools_in_steps; };
};

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
