// The parts of a composite on a backend: their kernels by kind, what its plan needs to know of each, and how the
// plan is put together.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>
#include <type_traits>

#include "../../layer/activation.hpp"
#include "../kernel.hpp"
#include "plan.hpp"

namespace aila::inline v0::detail {

/// What stands in a list of parts where there is none.
struct NoPart {};

/// The number of the first of these types that is T. By types and not by addresses of what each has: with g++'s
/// sanitizers those are no constants.
template <class T, class... All>
consteval std::size_t first_like(List<All...>) {
  constexpr std::array<bool, sizeof...(All) + 1> same{std::is_same_v<T, All>..., true};
  std::size_t i = 0;
  while (!same[i]) ++i;
  return i;
}

/// Entries of a list of types by kind: equal types are one kind.
template <std::size_t N>
struct Kinds {
  static constexpr std::uint32_t none = PlanNode::none;
  std::array<std::uint32_t, N + 1> kind{};     ///< of an entry; none of NoPart
  std::array<std::uint32_t, N + 1> slot{};     ///< how many of its kind come before it
  std::array<std::uint32_t, N + 1> first{};    ///< entry of a kind
  std::array<std::uint32_t, N + 1> entries{};  ///< of a kind
  std::size_t count = 0;
};
template <class... T>
consteval auto kinds_of(List<T...>) {
  Kinds<sizeof...(T)> k;
  const std::array<std::size_t, sizeof...(T) + 1> first{first_like<T>(List<T...>{})..., 0};
  const std::array<bool, sizeof...(T) + 1> is_none{std::is_same_v<T, NoPart>..., true};
  for (std::size_t i = 0; i < sizeof...(T); ++i) {
    if (is_none[i]) {
      k.kind[i] = k.none;
      continue;
    }
    if (first[i] == i) {
      k.kind[i] = static_cast<std::uint32_t>(k.count);
      k.first[k.count++] = static_cast<std::uint32_t>(i);
    }
    k.kind[i] = k.kind[first[i]];
    k.slot[i] = k.entries[k.kind[i]]++;
  }
  return k;
}

/// f with the constant that `kind` is.
template <std::size_t Count, class F>
constexpr void with_kind(std::size_t kind, F&& f) {
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    static_cast<void>(((K == kind && (f(std::integral_constant<std::size_t, K>{}), true)) || ...));
  }(std::make_index_sequence<Count>{});
}

/// A part, the batch normalisation behind it and what is applied to the result, an element-wise layer or Identity: in
/// prediction the part's kernel computes all of it.
template <class PartType, class NormType, class AfterType>
struct Fold {
  using Part = PartType;
  using Norm = NormType;
  using After = AfterType;
};
template <class T>
inline constexpr std::size_t parts_of_fold = 0;
template <class Part, class Norm, class After>
inline constexpr std::size_t parts_of_fold<Fold<Part, Norm, After>> = std::is_same_v<After, Identity> ? 2 : 3;

/// What a plan needs to know of a part.
struct NodeFacts {
  std::uint32_t packed = 0, pieces = 0, phases = 0, tensors = 0, tables = 0, elements = 0, features = 0, ticks = 1;
  bool exists = true, changes_length = false, mixes = false, is_gathered = false;
  bool needs_input = true, needs_output = true, forward_in_place = false, backward_in_place = false;
  const ParameterSpec* specs = nullptr;
};
template <class Part, class K>
consteval NodeFacts facts_of() {
  NodeFacts f;
  f.packed = static_cast<std::uint32_t>(K::packed);
  f.pieces = static_cast<std::uint32_t>(pack_pieces_of<K>());
  f.phases = static_cast<std::uint32_t>(phases_of<K>());
  f.ticks = static_cast<std::uint32_t>(ticks_of<K>());
  f.tensors = static_cast<std::uint32_t>(Part::tensors);
  f.specs = Part::parameters.data();
  f.needs_input = backward_needs_of<K>().input;
  f.needs_output = backward_needs_of<K>().output;
  f.forward_in_place = in_place_of<K>().forward;
  f.backward_in_place = in_place_of<K>().backward;
  return f;
}
template <class Part, class Backend>
consteval NodeFacts facts_of_layer() {
  NodeFacts f = facts_of<Part, KernelFor<Part, Backend>>();
  f.tables = static_cast<std::uint32_t>(tables_of<typename Part::Layer, typename Part::In>());
  f.changes_length = changes_length<typename Part::Layer, typename Part::In>();
  f.elements = static_cast<std::uint32_t>(Part::Out::elements);
  f.features = static_cast<std::uint32_t>(Part::Out::features);
  return f;
}

/// The width of a map's rows; 1 of tokens.
template <class S>
consteval std::uint32_t features_of() {
  if constexpr (S::is_tokens)
    return 1;
  else
    return static_cast<std::uint32_t>(S::features);
}

/// The parts of a composite of layers alone.
template <class Children, class Backend, class FoldsOfChildren = List<>>
struct LayersAlone;
template <class... Child, class Backend, class FoldsOfChildren>
struct LayersAlone<List<Child...>, Backend, FoldsOfChildren> {
  using LayerParts = List<Child...>;
  using Mixtures = List<>;
  using Maps = List<>;
  using Folds = FoldsOfChildren;
  static constexpr std::array<NodeFacts, sizeof...(Child) + 1> layer{facts_of_layer<Child, Backend>()...};
  static constexpr auto layer_kinds = kinds_of(LayerParts{});
  static constexpr auto mixture_kinds = kinds_of(Mixtures{});
  static constexpr auto map_kinds = kinds_of(Maps{});
  static constexpr auto fold_kinds = kinds_of(Folds{});
  using Refusal = FirstRefusal<KernelFor<Child, Backend>...>;
  using MissingBackward = FirstMissingBackward<KernelFor<Child, Backend>...>;
};

/// Adds nodes to a plan, and keeps count of what they have in all.
template <class Tables>
class PlanBuilder {
 public:
  constexpr PlanBuilder(Tables& plan, std::uint32_t elements, std::uint32_t features) : plan_(plan) {
    plan_.add(PlanValue{.elements = elements, .features = features, .is_external = true});
  }

  constexpr std::uint32_t add_value(std::uint32_t elements, std::uint32_t features, std::uint32_t level) {
    return plan_.add(PlanValue{.elements = elements, .features = features, .level = level});
  }

  /// A placed layer, entry number `entry` of the kinds, part number `part` of the composite. Gives the value it writes;
  /// `level` becomes that one's.
  template <class Kinds>
  constexpr std::uint32_t layer(const NodeFacts& facts, const Kinds& kinds, std::size_t entry, std::size_t part,
                                std::size_t tensor, std::uint32_t reads, std::uint32_t& level, PlanNode n = {}) {
    n.sort = PlanNode::Sort::layer;
    n.kind = kinds.kind[entry];
    n.slot = kinds.slot[entry];
    if (facts.changes_length) level = static_cast<std::uint32_t>(++plan_.levels);
    n.tables = static_cast<std::uint32_t>(plan_.tables);
    n.writes = add_value(facts.elements, facts.features, level);
    own(n, facts, part, tensor);
    plan_.tables += facts.tables;
    add(n, {reads});
    return n.writes;
  }
  /// What a part of its own weights has: its memory, phases and pieces.
  constexpr void own(PlanNode& n, const NodeFacts& facts, std::size_t part, std::size_t tensor) {
    n.part = static_cast<std::uint32_t>(part);
    n.tensor = static_cast<std::uint32_t>(tensor);
    n.packed = static_cast<std::uint32_t>(take_packed(facts.packed));
    n.first_phase = static_cast<std::uint32_t>(plan_.phases);
    n.last_phase = static_cast<std::uint32_t>(plan_.phases += facts.phases);
    n.first_piece = static_cast<std::uint32_t>(plan_.pieces);
    n.pieces = facts.pieces;
    n.ticks = facts.ticks;
    plan_.pieces += facts.pieces;
    n.needs_input = facts.needs_input;
    n.needs_output = facts.needs_output;
    n.forward_in_place = facts.forward_in_place;
    n.backward_in_place = facts.backward_in_place;
    n.is_gathered = facts.is_gathered;
  }
  constexpr std::size_t take_packed(std::size_t count) {
    const std::size_t at = plan_.packed;
    plan_.packed += round_up(count, alignment_elements);
    return at;
  }

  /// A node without weights.
  template <std::size_t Reads>
  constexpr void joint(PlanNode n, const std::uint32_t (&reads)[Reads]) {
    n.first_phase = n.last_phase = static_cast<std::uint32_t>(plan_.phases);
    n.first_piece = static_cast<std::uint32_t>(plan_.pieces);
    add(n, reads);
  }
  /// The same, of values that it was told to read since number `from`.
  constexpr void joint(PlanNode n, std::size_t from) {
    n.first_phase = n.last_phase = static_cast<std::uint32_t>(plan_.phases);
    n.first_piece = static_cast<std::uint32_t>(plan_.pieces);
    plan_.add(n, from);
  }
  template <std::size_t Reads>
  constexpr void add(const PlanNode& n, const std::uint32_t (&reads)[Reads]) {
    const std::size_t from = plan_.reads;
    for (const std::uint32_t v : reads) plan_.add_read(v);
    plan_.add(n, from);
  }
  constexpr void end(std::uint32_t output) {
    plan_.output = output;
    plan_.give_away(output);
  }

 private:
  Tables& plan_;
};

/// The finished plan of a composite, which writes its nodes into tables by plan_into: first to count them.
template <class Composite>
struct PlanOf {
  template <std::size_t... Room>
  static consteval auto written() {
    typename Composite::template Tables<Room...> plan;
    Composite::plan_into(plan);
    return plan;
  }
  static constexpr auto counted = written<0, 0, 0>();
  static constexpr auto unfinished = written<counted.nodes, counted.values, counted.reads>();
  static constexpr auto looked_at = [] {
    auto plan = unfinished;
    plan.look_at_reads();
    return plan;
  }();
  static constexpr auto predicting = [] {
    auto plan = looked_at;
    plan.place_values(false);
    return plan;
  }();
  static constexpr auto training = [] {
    auto plan = predicting;
    plan.place_values(true);
    return plan;
  }();
  static constexpr auto value = [] {
    auto plan = training;
    plan.place_gradients();
    return plan;
  }();
};

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
