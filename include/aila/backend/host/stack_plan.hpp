// The plan of a stack: which values its nodes read and write, layer by layer.
#pragma once

#include "../../core/macros_aside.hpp"

#include "stack_parts.hpp"

namespace aila::inline v0::detail {

/// Where a layer has its nodes; `none` for what it has not.
struct LayerNodes {
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  std::uint32_t begin = 0, core = 0, mixture = none, epilogue = none;
};

template <class Parts>
inline constexpr auto packed_offsets = [] {
  std::array<std::size_t, 3 * Parts::depth + 1> offset{};
  for (std::size_t j = 0; j < Parts::depth; ++j) {
    offset[3 * j + 1] = offset[3 * j] + round_up(Parts::core[j].packed, alignment_elements);
    offset[3 * j + 2] = offset[3 * j + 1] + round_up(Parts::integration[j].packed, alignment_elements);
    offset[3 * j + 3] = offset[3 * j + 2] + round_up(Parts::epilogue[j].packed, alignment_elements);
  }
  return offset;
}();

template <std::size_t Depth, std::size_t NodeCount, std::size_t ValueCount, std::size_t ReadCount>
struct StackTables : PlanTables<NodeCount, ValueCount, ReadCount> {
  std::array<LayerNodes, Depth + 1> layer{};
  std::uint32_t output = 0;
  std::size_t phases = 0;
};

/// Writes the nodes of a stack in the order of computation. Of each layer: what it pools and joins for its core
/// (DenseNet), the core, earlier maps that are pooled for the first time to its positions, the integration, the
/// epilogue.
template <class Plan, class Backend, class Tables>
class StackPlanner {
  using Parts = StackParts<typename Plan::Layers, Backend>;
  using Policy = typename Plan::Policy;
  using Role = PlanValue::Role;
  using Sort = PlanNode::Sort;
  static constexpr std::size_t depth = Parts::depth;

 public:
  consteval explicit StackPlanner(Tables& plan) : plan_(plan) {
    last_ = plan_.add(PlanValue{.role = Role::external});  // the stack's input
    for (std::size_t j = 0; j < depth; ++j) {
      LayerNodes& nodes = plan_.layer[j];
      nodes.begin = static_cast<std::uint32_t>(plan_.nodes);
      const NodeFacts &core = Parts::core[j], &epilogue = Parts::epilogue[j];
      const bool integrates = Parts::integration[j].exists;
      if (Policy::concatenates && j >= 2) join(j);
      nodes.core = layer(j, 0, core, j, integrates ? Role::own : epilogue.exists ? Role::sum : Role::map);
      tables_ += core.tables;
      if (integrates) nodes.mixture = mixture(j, epilogue.exists ? Role::sum : Role::map);
      if (epilogue.exists) nodes.epilogue = layer(j, 2, epilogue, depth + j, Role::map);
      map_[j] = last_;
    }
    plan_.layer[depth].begin = static_cast<std::uint32_t>(plan_.nodes);
    plan_.output = last_;
    plan_.phases = phase_;
    plan_.give_away(last_);
  }

 private:
  constexpr PlanNode node_of(Sort sort, std::size_t j, std::uint32_t part = 0) const {
    PlanNode n{.sort = sort, .layer = static_cast<std::uint32_t>(j), .part = 3 * static_cast<std::uint32_t>(j) + part};
    n.tensor = static_cast<std::uint32_t>(Plan::first_tensor[j] + Parts::first_tensor[j][part]);
    n.packed = static_cast<std::uint32_t>(packed_offsets<Parts>[3 * j + part]);
    n.first_phase = n.last_phase = phase_;
    return n;
  }
  constexpr std::uint32_t add_value(Role role, std::uint32_t elements, std::uint32_t features) {
    return plan_.add(PlanValue{.role = role, .elements = elements, .features = features, .level = level_});
  }

  /// Core or epilogue, which are entries of one list of kinds.
  constexpr std::uint32_t layer(std::size_t j, std::uint32_t part, const NodeFacts& facts, std::size_t entry,
                                Role role) {
    const std::size_t from = plan_.reads;
    plan_.add_read(last_);
    PlanNode n = node_of(Sort::layer, j, part);
    n.kind = Parts::layer_kinds.kind[entry];
    n.slot = Parts::layer_kinds.slot[entry];
    n.tables = part == 0 ? tables_ : 0;
    n.last_phase = phase_ += facts.phases;
    if (facts.changes_length) ++level_;
    last_ = n.writes = add_value(role, Parts::map[j].elements, Parts::map[j].features);
    return plan_.add(n, from);
  }

  constexpr std::uint32_t mixture(std::size_t j, Role role) {
    const std::size_t first = Policy::reads == integrate::Reads::previous ? j - 1 : 0;
    const std::uint32_t at = Parts::positions_of[j];
    for (std::size_t i = first; i < j; ++i)
      if (Parts::positions_of[i] != at && pooled_[at][i] == 0) pooled_[at][i] = pool(j, i, j, Role::pooled);
    const std::size_t from = plan_.reads;
    plan_.add_read(last_);
    for (std::size_t i = first; i < j; ++i) plan_.add_read(Parts::positions_of[i] == at ? map_[i] : pooled_[at][i]);
    PlanNode n = node_of(Sort::mixture, j, 1);
    n.kind = Parts::mixture_kinds.kind[j];
    n.slot = Parts::mixture_kinds.slot[j];
    last_ = n.writes = add_value(role, Parts::map[j].elements, Parts::map[j].features);
    return plan_.add(n, from);
  }

  /// All earlier maps side by side, at the positions of the last.
  constexpr void join(std::size_t j) {
    const std::uint32_t positions = Parts::map[j - 1].elements / Parts::map[j - 1].features;
    const std::uint32_t joined = add_value(Role::joined, Parts::core_input[j], Parts::core_input[j] / positions);
    std::uint32_t column = 0;
    for (std::size_t i = j; i-- > 0; column += Parts::map[i].features) {
      const bool pools = Parts::positions_of[i] != Parts::positions_of[j - 1];
      const std::uint32_t part = pools ? pool(j, i, j - 1, Role::passing) : map_[i];
      const std::size_t from = plan_.reads;
      plan_.add_read(part);
      PlanNode n = node_of(Sort::place, j);
      n.kind = Parts::map_kinds.kind[i];
      n.writes = joined;
      n.column = column;
      plan_.add(n, from);
    }
    last_ = joined;
  }

  /// Map i at the positions of map `to`.
  constexpr std::uint32_t pool(std::size_t j, std::size_t i, std::size_t to, Role role) {
    const std::uint32_t positions = Parts::map[to].elements / Parts::map[to].features;
    const std::size_t from = plan_.reads;
    plan_.add_read(map_[i]);
    PlanNode n = node_of(Sort::pool, j);
    n.kind = Parts::map_kinds.kind[i];
    n.slot = Parts::map_kinds.kind[to];
    n.writes = add_value(role, positions * Parts::map[i].features, Parts::map[i].features);
    plan_.add(n, from);
    return n.writes;
  }

  Tables& plan_;
  std::array<std::uint32_t, depth + 1> map_{};  ///< the value that is map j
  /// By the first layer at the positions, and map; 0, the stack's input, where it is not pooled yet.
  std::array<std::array<std::uint32_t, depth + 1>, depth + 1> pooled_{};
  std::uint32_t last_ = 0, level_ = 0, tables_ = 0, phase_ = 0;
};

template <class Plan, class Backend, std::size_t... Room>
consteval auto planned_stack() {
  StackTables<Plan::depth, Room...> plan;
  StackPlanner<Plan, Backend, decltype(plan)>{plan};
  return plan;
}
template <class Plan, class Backend>
inline constexpr auto counted_stack = planned_stack<Plan, Backend, 0, 0, 0>();
template <class Plan, class Backend>
inline constexpr auto unfinished_stack =
    planned_stack<Plan, Backend, counted_stack<Plan, Backend>.nodes, counted_stack<Plan, Backend>.values,
                  counted_stack<Plan, Backend>.reads>();
template <class Plan, class Backend>
inline constexpr auto stack_plan = [] {
  auto plan = unfinished_stack<Plan, Backend>;
  plan.finish();
  return plan;
}();

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
