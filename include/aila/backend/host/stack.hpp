// Stacks on the host: the parts of a stack by kind, and its nodes, layer by layer.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>
#include <string>
#include <vector>

#include "../../compose/stack.hpp"
#include "plan_kernel.hpp"

namespace aila::inline v0 {

namespace detail {

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
  using Folds = List<>;
  template <std::size_t J>
  using Integrated = At<List<typename L::Integration...>, J>;

  static constexpr std::array<NodeFacts, depth> core{facts_of_layer<typename L::Core, Backend>()...};
  static constexpr std::array<NodeFacts, depth> integration{
      facts_of_integration<typename L::Integration, Backend>()...};
  static constexpr std::array<NodeFacts, depth> epilogue{facts_of_epilogue<typename L::Epilogue, Backend>()...};
  static constexpr bool takes_blocks =
      (takes_blocks_of<typename IntegrationKernel<typename L::Integration, Backend>::K>() && ...);
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
  static constexpr auto fold_kinds = kinds_of(Folds{});
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

template <std::size_t Depth>
struct StackTables {
  template <std::size_t... Room>
  struct On : PlanTables<Room...> {
    std::array<std::uint32_t, Depth + 1> layer_begin{};  ///< the first node of each layer
  };
};

/// Writes the nodes of a stack in the order of computation. Of each layer: what it pools and joins for its core
/// (DenseNet), the core, earlier maps that are pooled for the first time to its positions, the integration, the
/// epilogue. Parts 3 j, 3 j + 1 and 3 j + 2 are core, integration and epilogue of layer j.
template <class Plan, class In, class Parts, class Tables>
class StackPlanner {
  using Policy = typename Plan::Policy;
  using Sort = PlanNode::Sort;
  static constexpr std::size_t depth = Parts::depth;

 public:
  consteval explicit StackPlanner(Tables& plan) : plan_(plan), build_(plan, In::elements, features_of<In>()) {
    for (std::size_t j = 0; j < depth; ++j) {
      plan_.layer_begin[j] = static_cast<std::uint32_t>(plan_.nodes);
      if (Policy::concatenates && j >= 2) join(j);
      layer(j, 0, Parts::core[j], j);
      if (Parts::integration[j].exists) mixture(j);
      if (Parts::epilogue[j].exists) layer(j, 2, Parts::epilogue[j], depth + j);
      map_[j] = last_;
    }
    plan_.layer_begin[depth] = static_cast<std::uint32_t>(plan_.nodes);
    build_.end(last_);
  }

 private:
  constexpr PlanNode node_of(Sort sort, std::size_t j) const {
    return {.sort = sort, .layer = static_cast<std::uint32_t>(j)};
  }
  constexpr std::size_t tensor(std::size_t j, std::size_t part) const {
    return Plan::first_tensor[j] + Parts::first_tensor[j][part];
  }

  /// Core or epilogue, which are entries of one list of kinds.
  constexpr void layer(std::size_t j, std::size_t part, const NodeFacts& facts, std::size_t entry) {
    last_ = build_.layer(facts, Parts::layer_kinds, entry, 3 * j + part, tensor(j, part), last_, level_,
                         node_of(Sort::layer, j));
  }

  constexpr void mixture(std::size_t j) {
    const std::size_t first = Policy::reads == integrate::Reads::previous ? j - 1 : 0;
    const std::uint32_t at = Parts::positions_of[j];
    for (std::size_t i = first; i < j; ++i)
      if (Parts::positions_of[i] != at && pooled_[at][i] == 0) pooled_[at][i] = pool(j, i, j);
    const std::size_t from = plan_.reads;
    plan_.add_read(last_);
    for (std::size_t i = first; i < j; ++i) plan_.add_read(Parts::positions_of[i] == at ? map_[i] : pooled_[at][i]);
    PlanNode n = node_of(Sort::mixture, j);
    n.kind = Parts::mixture_kinds.kind[j];
    n.slot = Parts::mixture_kinds.slot[j];
    build_.own(n, Parts::integration[j], 3 * j + 1, tensor(j, 1));
    last_ = n.writes = build_.add_value(Parts::map[j].elements, Parts::map[j].features, level_);
    plan_.add(n, from);
  }

  /// All earlier maps side by side, at the positions of the last.
  constexpr void join(std::size_t j) {
    const std::uint32_t positions = Parts::map[j - 1].elements / Parts::map[j - 1].features;
    const std::uint32_t joined = build_.add_value(Parts::core_input[j], Parts::core_input[j] / positions, level_);
    std::uint32_t column = 0;
    for (std::size_t i = j; i-- > 0; column += Parts::map[i].features) {
      const bool pools = Parts::positions_of[i] != Parts::positions_of[j - 1];
      PlanNode n = node_of(Sort::place, j);
      const std::uint32_t part = pools ? pool(j, i, j - 1) : map_[i];
      n.writes = joined;
      n.column = column;
      build_.joint(n, {part});
    }
    last_ = joined;
  }

  /// Map i at the positions of map `to`.
  constexpr std::uint32_t pool(std::size_t j, std::size_t i, std::size_t to) {
    const std::uint32_t positions = Parts::map[to].elements / Parts::map[to].features;
    PlanNode n = node_of(Sort::pool, j);
    n.kind = Parts::map_kinds.kind[i];
    n.slot = Parts::map_kinds.kind[to];
    n.writes = build_.add_value(positions * Parts::map[i].features, Parts::map[i].features, level_);
    build_.joint(n, {map_[i]});
    return n.writes;
  }

  Tables& plan_;
  PlanBuilder<Tables> build_;
  std::array<std::uint32_t, depth + 1> map_{};  ///< the value that is map j
  /// By the first layer at the positions, and map; 0, the stack's input, where it is not pooled yet.
  std::array<std::array<std::uint32_t, depth + 1>, depth + 1> pooled_{};
  std::uint32_t last_ = 0, level_ = 0;
};

template <class L, class In, class BackendType>
struct StackComposite {
  static constexpr const char* name = "host stack";
  using Backend = BackendType;
  using Input = In;
  using Plan = typename L::template Plan<In>;
  using Parts = StackParts<typename Plan::Layers, Backend>;
  static constexpr std::size_t depth = Plan::depth;
  template <std::size_t... Room>
  using Tables = typename StackTables<depth>::template On<Room...>;

  static std::vector<std::string> part_paths(const std::string& path) {
    std::vector<std::string> paths;
    paths.reserve(3 * depth);
    for (std::size_t part = 0; part < 3 * depth; ++part)
      paths.push_back((path.empty() ? std::string() : path + ".") + std::to_string(part / 3) +
                      (part % 3 == 0   ? ".core"
                       : part % 3 == 1 ? ".integrate"
                                       : ".epilogue"));
    return paths;
  }

  template <class Tables>
  static consteval void plan_into(Tables& plan) {
    StackPlanner<Plan, In, Parts, Tables>{plan};
  }
};

}  // namespace detail

/// Whether this is the kernel of a stack, whose layers can be called one by one.
template <class K>
inline constexpr bool is_stack_kernel = false;
template <class L, class In, class Backend>
inline constexpr bool is_stack_kernel<PlanKernel<detail::StackComposite<L, In, Backend>>> = true;

template <class L, class In, HostBackend Backend>
  requires(L::is_stack)
PlanKernel<detail::StackComposite<L, In, Backend>> select_kernel(rank::Layer, Placed<L, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
