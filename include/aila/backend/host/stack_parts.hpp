// The parts of a stack on a host backend: their kernels by kind, and what its plan needs to know of each.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>

#include "../../network/stack.hpp"
#include "../kernel.hpp"
#include "plan.hpp"

namespace aila::inline v0 {

namespace detail {

/// How an integration is called: by what it shares with those of other layers, or as it is.
template <class Part, class K>
struct MixtureCalls {
  struct Numbers {};
  static constexpr Numbers numbers{};
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
template <class Part, class K>
struct CallsOf {
  using type = MixtureCalls<Part, K>;
  static constexpr typename type::Numbers numbers{};
};
template <class Part, class K>
  requires std::is_same_v<typename K::SharesFor, K>
struct CallsOf<Part, K> {
  using type = typename K::Shared;
  static constexpr typename type::Numbers numbers = K::numbers;
};
template <class Part, class Backend>
struct IntegrationCalls {
  using K = KernelFor<Part, Backend>;
  using type = typename CallsOf<Part, K>::type;
  static constexpr auto numbers = CallsOf<Part, K>::numbers;
  static constexpr bool exists = true;
  static constexpr std::size_t packed = K::packed;
};
template <class Own, class Before, class Backend>
struct IntegrationCalls<Integration<integrate::None, Own, Before>, Backend> {
  using type = NoPart;
  using K = KernelDefaults<typename Backend::Scalar>;
  static constexpr bool exists = false;
  static constexpr std::size_t packed = 0;
};

/// The numbers of the integrations that are called by Calls, layer by layer.
template <class Calls, class Part, class Backend>
consteval typename Calls::Numbers numbers_or_none() {
  using Of = IntegrationCalls<Part, Backend>;
  if constexpr (std::is_same_v<typename Of::type, Calls>)
    return Of::numbers;
  else
    return {};
}

/// What a plan needs to know of a part.
struct NodeFacts {
  std::uint32_t packed = 0, phases = 0, tensors = 0, tables = 0;
  bool exists = true, changes_length = false;
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
  f.exists = true;
  return f;
}
template <class Part, class Backend>
consteval NodeFacts facts_of_integration() {
  using Of = IntegrationCalls<Part, Backend>;
  NodeFacts f = facts_of<Part, typename Of::K>();
  f.exists = Of::exists;
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
  /// Cores and epilogues by turns.
  using LayerParts = typename Joined<List<typename L::Core...>, List<PartOrNone<typename L::Epilogue>...>>::type;
  using Mixtures = List<typename IntegrationCalls<typename L::Integration, Backend>::type...>;
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
  template <class Calls>
  static constexpr std::array<typename Calls::Numbers, depth> numbers{
      numbers_or_none<Calls, typename L::Integration, Backend>()...};

  // Three folds and not one: compilers take no more than 256 operands.
  using Refusal = FirstRefusal<Refuse<FirstRefusal<KernelFor<typename L::Core, Backend>...>>,
                               Refuse<FirstRefusal<typename IntegrationCalls<typename L::Integration, Backend>::K...>>,
                               Refuse<FirstRefusal<KernelFor<typename L::Epilogue, Backend>...>>>;
  using MissingBackward =
      FirstRefusal<Refuse<FirstMissingBackward<KernelFor<typename L::Core, Backend>...>>,
                   Refuse<FirstMissingBackward<typename IntegrationCalls<typename L::Integration, Backend>::K...>>,
                   Refuse<FirstMissingBackward<KernelFor<typename L::Epilogue, Backend>...>>>;
};

}  // namespace detail

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
