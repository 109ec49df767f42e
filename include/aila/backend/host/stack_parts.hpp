// The parts of a stack on a host backend: their kernels by kind, and what its plan needs to know of each.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>

#include "../../network/stack.hpp"
#include "../kernel.hpp"
#include "plan.hpp"

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

/// What a plan needs to know of a part.
struct NodeFacts {
  std::uint32_t packed = 0, phases = 0, tensors = 0, tables = 0;
  bool exists = true, changes_length = false, mixes = false;
  const ParameterSpec* specs = nullptr;
};
template <class Part, class K>
consteval NodeFacts facts_of() {
  NodeFacts f;
  f.packed = static_cast<std::uint32_t>(K::packed);
  f.phases = static_cast<std::uint32_t>(phases_of<K>());
  f.tensors = static_cast<std::uint32_t>(Part::tensors);
  f.specs = Part::parameters.data();
  return f;
}
template <class Part, class Backend>
consteval NodeFacts facts_of_layer() {
  NodeFacts f = facts_of<Part, KernelFor<Part, Backend>>();
  f.tables = static_cast<std::uint32_t>(tables_of<typename Part::Layer, typename Part::In>());
  f.changes_length = changes_length<typename Part::Layer, typename Part::In>();
  return f;
}
template <class Part, class Backend>
consteval NodeFacts facts_of_integration() {
  using Of = IntegrationKernel<Part, Backend>;
  NodeFacts f = facts_of<Part, typename Of::K>();
  f.exists = !std::is_same_v<typename Of::Mixture, NoPart>;
  f.mixes = Part::mixture_weights > 0;
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

template <class Layers, class Backend>
struct StackParts;
template <class... L, class Backend>
struct StackParts<List<L...>, Backend> {
  static constexpr std::size_t depth = sizeof...(L);
  /// All cores, then all epilogues.
  using LayerParts = typename Joined<List<typename L::Core...>, List<PartOrNone<typename L::Epilogue>...>>::type;
  using Mixtures = List<typename IntegrationKernel<typename L::Integration, Backend>::Mixture...>;
  using Maps = List<typename L::Out...>;

  static constexpr std::array<NodeFacts, depth> core{facts_of_layer<typename L::Core, Backend>()...};
  static constexpr std::array<NodeFacts, depth> integration{
      facts_of_integration<typename L::Integration, Backend>()...};
  static constexpr std::array<NodeFacts, depth> epilogue{[] {
    NodeFacts f = facts_of_layer<typename L::Epilogue, Backend>();
    f.exists = !std::is_same_v<typename L::Epilogue::Layer, Identity>;
    f.changes_length = false;  // the steps of a stack are those of its cores
    if (!f.exists) f.packed = f.phases = 0;
    return f;
  }()...};
  static constexpr std::array<MapFacts, depth> map{facts_of_map<typename L::Out>()...};
  /// The first layer whose map has the positions of layer j's.
  static constexpr auto positions_of = [] {
    std::array<std::uint32_t, depth> first{};
    for (std::size_t j = 0; j < depth; ++j)
      while (map[first[j]].axes != map[j].axes) ++first[j];
    return first;
  }();
  static constexpr std::array<std::uint32_t, depth> core_input{static_cast<std::uint32_t>(L::Core::In::elements)...};
  static constexpr std::array<std::array<std::size_t, 4>, depth> first_tensor{L::first_tensor...};

  static constexpr auto layer_kinds = kinds_of(LayerParts{});
  static constexpr auto mixture_kinds = kinds_of(Mixtures{});
  static constexpr auto map_kinds = kinds_of(Maps{});
  /// The numbers of layer j, of those that Mixture serves.
  template <class Mixture>
  static constexpr std::array<typename Mixture::Numbers, depth> numbers{
      numbers_for<Mixture, typename L::Integration, Backend>()...};

  // Three folds and not one: compilers take no more than 256 operands.
  using Refusal = FirstRefusal<Refuse<FirstRefusal<KernelFor<typename L::Core, Backend>...>>,
                               Refuse<FirstRefusal<typename IntegrationKernel<typename L::Integration, Backend>::K...>>,
                               Refuse<FirstRefusal<KernelFor<typename L::Epilogue, Backend>...>>>;
  using MissingBackward =
      FirstRefusal<Refuse<FirstMissingBackward<KernelFor<typename L::Core, Backend>...>>,
                   Refuse<FirstMissingBackward<typename IntegrationKernel<typename L::Integration, Backend>::K...>>,
                   Refuse<FirstMissingBackward<KernelFor<typename L::Epilogue, Backend>...>>>;
};

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
