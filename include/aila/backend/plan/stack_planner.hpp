// The plan of a stack: its nodes, layer by layer.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>
#include <utility>

#include "stack_parts.hpp"

namespace aila::inline v0::detail {

template <std::size_t Depth>
struct StackTables {
  template <std::size_t... Room>
  struct On : PlanTables<Room...> {
    std::array<std::uint32_t, Depth + 1> layer_begin{};  ///< the first node of each layer
  };
};

/// Numbers of a stack's parts: those of a layer follow one another, in the order of their tensors. A hooked stack's
/// begin stands before all layers, its end behind them.
template <bool hooked>
struct StackNumbers {
  static constexpr std::size_t core = 0, integration = 1, epilogue = 2, of_layer = 3, first = 0;
  static constexpr std::array<const char*, of_layer> names{".core", ".integrate", ".epilogue"};
};
template <>
struct StackNumbers<true> {
  static constexpr std::size_t input = 0, head = 1, inside = 2, core = 3, integration = 4, epilogue = 5, update = 6,
                               of_layer = 7, first = 1;
  static constexpr std::array<const char*, of_layer> names{".input",     ".head",     ".inside", ".core",
                                                           ".integrate", ".epilogue", ".update"};
};

/// Writes the nodes of a stack in the order of computation. Of each layer: what it pools and joins for its core
/// (DenseNet) or what a policy puts in front of it, the core, earlier maps that are pooled for the first time to its
/// positions, the integration, the epilogue, and what is done to a state.
template <class Plan, class In, class Parts, class Tables>
class StackPlanner {
  using Policy = typename Plan::Policy;
  using Sort = PlanNode::Sort;
  using Numbers = StackNumbers<Plan::hooked>;
  static constexpr std::size_t depth = Parts::depth, first_map = Parts::first_map;

 public:
  consteval explicit StackPlanner(Tables& plan) : plan_(plan), build_(plan, In::elements, features_of<In>()) {
    if constexpr (Plan::hooked) begin();
    for (std::size_t j = 0; j < depth; ++j) {
      plan_.layer_begin[j] = static_cast<std::uint32_t>(plan_.nodes);
      if (j == 0) plan_.layer_begin[0] = 0;
      if constexpr (Plan::hooked)
        enter(j);
      else if (Policy::concatenates && j >= 2)
        join(j);
      layer(j, Numbers::core, Parts::core[j], j);
      if (Parts::integration[j].exists) after(j);
      if (Parts::epilogue[j].exists) layer(j, Numbers::epilogue, Parts::epilogue[j], depth + j);
      map_[first_map + j] = last_;
      if constexpr (Plan::hooked) leave(j);
    }
    if constexpr (Plan::hooked) end();
    plan_.layer_begin[depth] = static_cast<std::uint32_t>(plan_.nodes);
    build_.end(last_);
  }

 private:
  /// Values that a mixture reads beside its own.
  struct Reads {
    std::array<std::uint32_t, depth + 2> value{}, item{};
    std::size_t count = 0;
    constexpr void add(std::uint32_t v, std::size_t its_item) {
      value[count] = v;
      item[count++] = static_cast<std::uint32_t>(its_item);
    }
  };

  constexpr PlanNode node_of(Sort sort, std::size_t j) const {
    return {.sort = sort, .layer = static_cast<std::uint32_t>(j)};
  }
  constexpr std::size_t tensor(std::size_t j, std::size_t part) const {
    return Plan::first_tensor[Numbers::first + j] + Parts::first_tensor[j][part];
  }
  constexpr std::size_t part_number(std::size_t j, std::size_t part) const {
    return Numbers::first + Numbers::of_layer * j + part;
  }

  /// Core, epilogue or head, which are entries of one list of kinds.
  constexpr void layer(std::size_t j, std::size_t part, const NodeFacts& facts, std::size_t entry) {
    last_ = build_.layer(facts, Parts::layer_kinds, entry, part_number(j, part), tensor(j, part), last_, level_,
                         node_of(Sort::layer, j));
  }

  /// Integration number `entry` of the list of all, over `own` and what else it reads: `last_` becomes what it writes.
  constexpr void mixture(std::size_t j, std::size_t entry, std::size_t part, std::size_t first_of_tensors,
                         std::uint32_t own, std::size_t own_item, const Reads& reads) {
    const std::size_t from = plan_.reads;
    plan_.add_read(own, static_cast<std::uint32_t>(own_item));
    for (std::size_t i = 0; i < reads.count; ++i) plan_.add_read(reads.value[i], reads.item[i]);
    PlanNode n = node_of(Sort::mixture, j);
    n.kind = Parts::mixture_kinds.kind[entry];
    n.slot = Parts::mixture_kinds.slot[entry];
    n.entry = static_cast<std::uint32_t>(entry);
    const NodeFacts& facts = Parts::integration[entry];
    build_.own(n, facts, part, first_of_tensors);
    last_ = n.writes = build_.add_value(facts.elements, facts.features, level_);
    plan_.add(n, from);
  }

  constexpr void after(std::size_t j) {
    const std::size_t first = Policy::reads == integrate::Reads::previous ? j - 1 : 0;
    Reads reads;
    for (std::size_t i = first; i < j; ++i) reads.add(at_positions(j, first_map + i, first_map + j), i + 1);
    mixture(j, j, part_number(j, Numbers::integration), tensor(j, Numbers::integration), last_, j + 1, reads);
  }
  /// Map i of the list at the positions of map `to`, pooled where that is not done.
  constexpr std::uint32_t at_positions(std::size_t j, std::size_t i, std::size_t to) {
    const std::uint32_t at = Parts::positions_of[to];
    if (Parts::positions_of[i] == at) return map_[i];
    if (pooled_[at][i] == 0) {
      const auto [from, value] = smallest(i, to);
      pooled_[at][i] = pool(j, from, to, value);
    }
    return pooled_[at][i];
  }
  /// The smallest of what map i was pooled to already, and of itself, that pools to the positions of map `to`: a map of
  /// that shape, and the value. Of images: windows of steps may be filled in part, and the mean of means is another
  /// then.
  constexpr std::pair<std::size_t, std::uint32_t> smallest(std::size_t i, std::size_t to) const {
    std::pair<std::size_t, std::uint32_t> found{i, map_[i]};
    if constexpr (Parts::pools_in_steps)
      for (std::size_t m = 0; m < Parts::map.size(); ++m) {
        const auto &shape = Parts::map[m], &target = Parts::map[to];
        bool fits = pooled_[Parts::positions_of[m]][i] != 0 && shape.features == Parts::map[i].features &&
                    shape.elements < Parts::map[found.first].elements && shape.axes[1] > 0;
        for (std::size_t axis = 0; axis < shape.axes.size() && fits; ++axis)
          fits = target.axes[axis] == 0 || shape.axes[axis] % target.axes[axis] == 0;
        if (fits) found = {m, pooled_[Parts::positions_of[m]][i]};
      }
    return found;
  }

  /// The maps of all earlier layers side by side, at the positions of the last.
  constexpr void join(std::size_t j) {
    const std::size_t newest = first_map + j - 1;
    const std::uint32_t positions = Parts::map[newest].elements / Parts::map[newest].features;
    std::uint32_t width = 0;
    for (std::size_t i = first_map; i <= newest; ++i) width += Parts::map[i].features;
    const std::uint32_t joined = build_.add_value(positions * width, width, level_);
    std::uint32_t column = 0;
    for (std::size_t i = newest + 1; i-- > first_map; column += Parts::map[i].features) {
      const bool pools = Parts::positions_of[i] != Parts::positions_of[newest];
      PlanNode n = node_of(Sort::place, j);
      const std::uint32_t part = pools ? pool(j, i, newest, map_[i]) : map_[i];
      n.writes = joined;
      n.column = column;
      build_.joint(n, {part});
    }
    last_ = joined;
  }

  /// A value of map i's shape at the positions of map `to`.
  constexpr std::uint32_t pool(std::size_t j, std::size_t i, std::size_t to, std::uint32_t value) {
    const std::uint32_t positions = Parts::map[to].elements / Parts::map[to].features;
    PlanNode n = node_of(Sort::pool, j);
    n.kind = Parts::map_kinds.kind[i];
    n.slot = Parts::map_kinds.kind[to];
    n.writes = build_.add_value(positions * Parts::map[i].features, Parts::map[i].features, level_);
    build_.joint(n, {value});
    return n.writes;
  }

  // Of a hooked stack. Its integrations are in lists of `depth` each: behind the cores, in front of them, inside them,
  // behind the layers; then begin and end.

  constexpr void begin() {
    if (Parts::integration[4 * depth].exists) mixture(0, 4 * depth, 0, 0, plan_.input, 0, {});
  }
  /// What stands before the core's kernel, or its second half.
  constexpr void enter(std::size_t j) {
    const std::size_t input = depth + j, inside = 2 * depth + j;
    state_ = last_;
    if (Parts::integration[input].exists) {
      const std::size_t part = part_number(j, Numbers::input), first = tensor(j, Numbers::input);
      if constexpr (Plan::Policies::carries)
        mixture(j, input, part, first, last_, 0, {});
      else if constexpr (Plan::Policies::has_before)
        over_items<typename Plan::Policies::Before>(j, j, input, part, first);
    } else if (Policy::concatenates && j >= 2) {
      join(j);
    }
    read_[j] = last_;
    if (!Parts::head[j].exists) return;
    layer(j, Numbers::head, Parts::head[j], 2 * depth + j);
    if constexpr (Plan::Policies::has_inside) {
      Reads reads;
      const auto& taken = inner_of<typename Plan::Policies::Inside, depth>[j + 1];
      for (std::size_t i = 0; i < taken.count && taken.earlier[i] < inner_count_; ++i)
        reads.add(inner_[taken.earlier[i]], taken.earlier[i] + 1);
      inner_[inner_count_++] = last_;
      if (Parts::integration[inside].exists)
        mixture(j, inside, part_number(j, Numbers::inside), tensor(j, Numbers::inside), last_, j + 1, reads);
    }
  }
  constexpr void leave(std::size_t j) {
    if constexpr (Plan::Policies::carries) {
      using Update = typename Plan::Policies::Carried::Update;
      Reads reads;
      reads.add(state_, j);
      if (Update::reads == integrate::Reads::all) reads.add(read_[j], j);
      mixture(j, 3 * depth + j, part_number(j, Numbers::update), tensor(j, Numbers::update), last_, j + 1, reads);
    }
  }
  constexpr void end() {
    const std::size_t entry = 4 * depth + 1, part = part_number(depth, 0), first = Plan::first_tensor[1 + depth];
    if (!Parts::integration[entry].exists) return;
    if constexpr (Plan::Policies::carries)
      mixture(depth - 1, entry, part, first, last_, depth, {});
    else if constexpr (Plan::Policies::has_readout)
      over_items<typename Plan::Policies::Readout>(depth - 1, depth, entry, part, first);
    else if constexpr (Plan::Policies::has_before)
      over_items<typename Plan::Policies::Before>(depth - 1, depth, entry, part, first);
  }

  /// The policy P over the items behind `layer` layers.
  template <class P>
  constexpr void over_items(std::size_t j, std::size_t layer, std::size_t entry, std::size_t part, std::size_t first) {
    const auto& items = items_of<P, depth>[layer];
    Reads reads;
    for (std::size_t i = 0; i < items.count; ++i) reads.add(item<P>(j, items.earlier[i], layer), items.earlier[i]);
    const std::uint32_t own = item<P>(j, items.newest, layer);
    mixture(j, entry, part, first, own, items.newest, reads);
  }
  /// Item number b behind `layer` layers, at the positions of the newest map. Block sums are made of those there are.
  template <class P>
  constexpr std::uint32_t item(std::size_t j, std::size_t b, std::size_t layer) {
    if (b == 0) return at_positions(j, 0, layer);
    const std::size_t first = (b - 1) * P::block, end = b * P::block < layer ? b * P::block : layer;
    std::array<Block, depth + 1>& blocks = blocks_[P::place == integrate::Place::before ? 0 : 1];
    if (blocks[b].layers != end - first) {
      const std::size_t has = blocks[b].layers;
      if (end - first == 1) {
        blocks[b].value = map_of<P>(j, first);
      } else {
        std::array<std::uint32_t, depth + 1> summand{};
        std::size_t count = 0;
        if (has > 0) summand[count++] = blocks[b].value;
        for (std::size_t i = first + has; i < end; ++i) summand[count++] = map_of<P>(j, i);
        blocks[b].value = joint(j, Sort::add, end, summand, count);
      }
      blocks[b].layers = end - first;
    }
    const std::size_t map = end;  // that of the block's newest layer, number 0 being the input's
    if (Parts::positions_of[map] == Parts::positions_of[layer]) return blocks[b].value;
    if (P::block == 1 && P::items_are == integrate::Items::maps) return at_positions(j, map, layer);
    return pool(j, map, layer, blocks[b].value);
  }
  /// What layer i (0-based) contributes to items.
  template <class P>
  constexpr std::uint32_t map_of(std::size_t j, std::size_t i) {
    if (P::items_are == integrate::Items::maps) return map_[1 + i];
    std::uint32_t& made = made_[P::items_are == integrate::Items::deltas ? 0 : 1][i];
    if (made == 0)
      made = joint(j, P::items_are == integrate::Items::deltas ? Sort::subtract : Sort::add, 1 + i,
                   std::array<std::uint32_t, 2>{map_[1 + i], read_[i]}, 2);
    return made;
  }
  /// A sum or a difference of values of map `map`'s shape.
  template <std::size_t Most>
  constexpr std::uint32_t joint(std::size_t j, Sort sort, std::size_t map, const std::array<std::uint32_t, Most>& value,
                                std::size_t count) {
    const std::size_t from = plan_.reads;
    for (std::size_t i = 0; i < count; ++i) plan_.add_read(value[i]);
    PlanNode n = node_of(sort, j);
    n.writes = build_.add_value(Parts::map[map].elements, Parts::map[map].features, level_);
    build_.joint(n, from);
    return n.writes;
  }

  Tables& plan_;
  PlanBuilder<Tables> build_;
  std::array<std::uint32_t, depth + 2> map_{};  ///< the value that is map j; of a hooked stack map 0 is the input
  /// By the first map at the positions, and map; 0, the stack's input, where it is not pooled yet.
  std::array<std::array<std::uint32_t, depth + 2>, depth + 2> pooled_{};
  std::uint32_t last_ = 0, level_ = 0;
  std::uint32_t state_ = 0;                      ///< what layer j begins with
  std::array<std::uint32_t, depth + 1> read_{};  ///< what core j reads
  std::array<std::uint32_t, depth + 1> inner_{};
  std::size_t inner_count_ = 0;
  struct Block {
    std::uint32_t value = 0;
    std::size_t layers = 0;  ///< that are in it by now
  };
  std::array<std::array<Block, depth + 1>, 2> blocks_{};        ///< of a policy before the cores, and at the end
  std::array<std::array<std::uint32_t, depth + 1>, 2> made_{};  ///< differences and sums
};

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
