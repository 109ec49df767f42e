// What a composite computes, as data: nodes over numbered values. Kernels are instantiated once for each kind of part,
// and which tensors, buffers and phases a node has are numbers in constexpr arrays, however many nodes there are.
//
// A value lives from the node that writes it to the last that reads it: a node's forward, and its backward where that
// looks at what it read or wrote. Of values that are not alive at a time one buffer may hold all, and gradients are
// treated likewise.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace aila::inline v0::detail {

/// One map of a sample: what nodes write and read.
struct PlanValue {
  static constexpr std::uint32_t nowhere = ~std::uint32_t{0};
  std::uint32_t elements = 0, features = 0;
  std::uint32_t level = 0;                                ///< of valid steps: 0 are those of the composite's input
  bool is_external = false;                               ///< input or output of the composite: the caller's memory
  std::array<std::uint32_t, 2> buffer{nowhere, nowhere};  ///< of a forward alone; of one that backward follows
  std::uint32_t gradient = nowhere;                       ///< buffer of its gradient; nowhere: the caller's
};

struct PlanNode {
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  enum class Sort : std::uint8_t {
    layer,           ///< a placed layer: reads one value
    mixture,         ///< an integration: reads a layer's own output and the earlier maps
    pool,            ///< an average over windows: reads one map
    place,           ///< a map among the columns of a joined one, which several nodes write
    place_reversed,  ///< the same, the valid steps from the last to the first
    reverse,         ///< the valid steps from the last to the first
    add,             ///< the sum of maps
    scale            ///< a map times a vector, the same at every position
  };
  Sort sort = Sort::layer;
  std::uint32_t kind = 0, slot = 0;   ///< slot: number among its kind; of a pool, the kind of map it goes to
  std::uint32_t layer = 0;            ///< of a stack
  std::uint32_t reads = 0, read = 0;  ///< its values are numbers [read, read + reads) of the list of those read
  std::uint32_t writes = 0;
  std::uint32_t column = 0;            ///< of a joined map, from which it is written
  std::uint32_t part = 0, tables = 0;  ///< for Pass::part
  std::uint32_t tensor = 0, packed = 0;
  std::uint32_t first_phase = 0, last_phase = 0;
  std::uint32_t first_piece = 0, pieces = 0;                 ///< of the packing of its weights
  bool needs_input = false, needs_output = false;            ///< for its backward
  bool forward_in_place = false, backward_in_place = false;  ///< output over input, dx over dy
  std::uint32_t fold = none, fold_end = 0, fold_packed = 0;  ///< what prediction computes for this node and those to
                                                             ///< fold_end, packed at fold_packed
  bool is_inside_fold = false;                               ///< prediction leaves it out
};

/// A value that a node reads, and whether no later node reads it: the way back begins there.
struct PlanRead {
  std::uint32_t value = 0;
  bool last = false;
};

/// Buffers that values take and give back.
template <std::size_t Most>
struct PlanBuffers {
  std::array<std::uint32_t, Most + 1> size{};  ///< elements of each
  std::array<bool, Most + 1> is_kept{};        ///< from forward to backward
  std::size_t count = 0;

  /// One for so many elements: of the free ones the smallest that is large enough, else the largest, else a new one.
  constexpr std::uint32_t take(std::uint32_t elements) {
    std::size_t best = free_count_;
    for (std::size_t f = 0; f < free_count_; ++f)
      if (best == free_count_ || suits_better(size[free_[f]], size[free_[best]], elements)) best = f;
    if (best == free_count_) return take_new(elements);
    const std::uint32_t buffer = free_[best];
    free_[best] = free_[--free_count_];
    if (size[buffer] < elements) size[buffer] = elements;
    return buffer;
  }
  constexpr std::uint32_t take_new(std::uint32_t elements) {
    size[count] = elements;
    return static_cast<std::uint32_t>(count++);
  }
  constexpr void give_back(std::uint32_t buffer) { free_[free_count_++] = buffer; }

 private:
  static constexpr bool suits_better(std::uint32_t one, std::uint32_t other, std::uint32_t elements) {
    if ((one >= elements) != (other >= elements)) return one >= elements;
    return one >= elements ? one < other : one > other;
  }
  std::array<std::uint32_t, Most + 1> free_{};
  std::size_t free_count_ = 0;
};

/// What a plan is made of; without room it only counts.
template <std::size_t NodeCount, std::size_t ValueCount, std::size_t ReadCount>
struct PlanTables {
  static constexpr std::uint32_t input = 0;  ///< the value that the composite reads
  std::array<PlanNode, NodeCount + 1> node{};
  std::array<PlanValue, ValueCount + 1> value{};
  std::array<PlanRead, ReadCount + 1> read{};
  std::size_t nodes = 0, values = 0, reads = 0;
  std::uint32_t output = 0;
  std::size_t phases = 0, levels = 0, packed = 0, pieces = 0, tables = 0;
  std::array<PlanBuffers<ValueCount>, 2> buffers{};  ///< as PlanValue::buffer
  PlanBuffers<ValueCount> gradients{};
  bool needs_input = false, needs_output = false;  ///< for backward, of the caller's memory

  static constexpr std::size_t room() { return NodeCount; }
  constexpr std::uint32_t add(PlanValue v) {
    if (values < ValueCount) value[values] = v;
    return static_cast<std::uint32_t>(values++);
  }
  constexpr void add_read(std::uint32_t v) {
    if (reads < ReadCount) read[reads].value = v;
    ++reads;
  }
  /// The node whose reads were added since `from`.
  constexpr std::uint32_t add(PlanNode n, std::size_t from) {
    n.read = static_cast<std::uint32_t>(from);
    n.reads = static_cast<std::uint32_t>(reads - from);
    if (nodes < NodeCount) node[nodes] = n;
    return static_cast<std::uint32_t>(nodes++);
  }
  /// The value lies outside.
  constexpr void give_away(std::uint32_t v) {
    if (v < ValueCount) value[v].is_external = true;
  }

  // Once all nodes are there, what follows from them. In steps: a compiler takes so many operations of each alone.

  /// Which reads are the last of a value, and what the caller is to keep.
  constexpr void look_at_reads() {
    PlanRead* const all = read.data();
    for (std::size_t r = 0; r < reads; ++r) {
      const std::uint32_t v = all[r].value;
      std::size_t& last = last_read_[v];
      if (last > 0) all[last - 1].last = false;
      all[r].last = true;
      last = r + 1;
      ++read_count_[v];
    }
    for (std::size_t i = 0; i < nodes; ++i) {
      const PlanNode& n = node[i];
      if (n.needs_output && n.writes == output) needs_output = true;
      for (std::size_t r = n.read; n.needs_input && r < n.read + n.reads; ++r)
        if (all[r].value == input) needs_input = true;
    }
  }

  /// Where values lie, of a forward alone or of one that backward follows.
  constexpr void place_values(bool keeps) {
    PlanBuffers<ValueCount>& all = buffers[keeps ? 1 : 0];
    const std::size_t form = keeps ? 1 : 0;
    std::array<std::size_t, ValueCount + 1> end{};  // the last node that needs it
    std::array<bool, ValueCount + 1> is_kept{};
    const PlanRead* const read_of = read.data();
    std::size_t* const end_of = end.data();
    bool* const kept_of = is_kept.data();
    for (std::size_t i = 0; i < nodes; ++i) {
      const PlanNode& n = node[i];
      const std::size_t until = !keeps && n.fold != PlanNode::none ? n.fold_end : i;
      const bool needs = keeps && n.needs_input;
      for (std::size_t r = n.read; r < n.read + n.reads; ++r) {
        const std::uint32_t v = read_of[r].value;
        end_of[v] = std::max(end_of[v], until);
        if (needs) kept_of[v] = true;
      }
      end[n.writes] = std::max(end[n.writes], i);
      if (keeps && n.needs_output) is_kept[n.writes] = true;
    }
    // Values by the node where they end: the first of each, and the one behind a value.
    std::array<std::size_t, NodeCount + 1> first{};
    std::array<std::size_t, ValueCount + 1> behind{};
    first.fill(nobody);
    for (std::size_t v = 0; v < values; ++v) {
      behind[v] = first[end[v]];
      first[end[v]] = v;
    }
    for (std::size_t i = 0; i < nodes; ++i) {
      const PlanNode& n = node[i];
      PlanValue& to = value[n.writes];
      std::size_t moved = nobody;  // the value whose buffer is the output's now
      if (!to.is_external && to.buffer[form] == PlanValue::nowhere) {
        const std::uint32_t from = n.reads > 0 ? read[n.read].value : 0;
        if (n.forward_in_place && may_share(n) && end[from] == i && !is_kept[from]) {
          to.buffer[form] = value[from].buffer[form];
          moved = from;
        } else {
          to.buffer[form] = is_kept[n.writes] ? all.take_new(to.elements) : all.take(to.elements);
        }
        if (is_kept[n.writes]) all.is_kept[to.buffer[form]] = true;
      }
      for (std::size_t v = first[i]; v != nobody; v = behind[v])
        if (!value[v].is_external && !is_kept[v] && v != moved) all.give_back(value[v].buffer[form]);
    }
  }

  /// Backward goes through the nodes from the last to the first: a gradient's buffer is taken by the last node that
  /// reads the value, and is free for others when the node that wrote the value has gone back. What a node adds has the
  /// gradient of the sum, which nobody changes.
  constexpr void place_gradients() {
    std::array<std::uint32_t, ValueCount + 1> users{};  // values of a buffer
    const PlanRead* const read_of = read.data();
    for (std::size_t i = nodes; i-- > 0;) {
      const PlanNode& n = node[i];
      const std::uint32_t up = value[n.writes].gradient;
      for (std::size_t r = n.read; r < n.read + n.reads; ++r) {
        if (!read_of[r].last) continue;
        PlanValue& v = value[read[r].value];
        if (v.is_external) continue;
        const bool only = read_count_[read[r].value] == 1;
        const bool is_sum = n.sort == PlanNode::Sort::add;
        const bool is_over = n.backward_in_place && r == n.read && up != PlanValue::nowhere && users[up] == 1 &&
                             v.elements == value[n.writes].elements;
        v.gradient = only && (is_sum || is_over) ? up : gradients.take(v.elements);
        if (v.gradient != PlanValue::nowhere) ++users[v.gradient];
      }
      if (up != PlanValue::nowhere && n.column == 0 && --users[up] == 0) gradients.give_back(up);
    }
  }

 private:
  static constexpr std::size_t nobody = ~std::size_t{0};

  constexpr bool may_share(const PlanNode& n) const {
    const PlanValue &from = value[read[n.read].value], &to = value[n.writes];
    return (n.reads == 1 || n.sort == PlanNode::Sort::mixture) && !from.is_external && !to.is_external &&
           from.elements == to.elements;
  }

  std::array<std::size_t, ValueCount + 1> last_read_{};  // 1 + its number; 0: none
  std::array<std::uint32_t, ValueCount + 1> read_count_{};
};

/// The nodes that are parts of a composite, by their numbers.
constexpr bool is_part(const PlanNode& n) {
  return n.sort == PlanNode::Sort::layer || n.sort == PlanNode::Sort::mixture;
}
template <class Tables>
consteval std::size_t count_parts(const Tables& plan) {
  std::size_t parts = 0;
  for (std::size_t i = 0; i < plan.nodes; ++i) parts += is_part(plan.node[i]) ? 1U : 0U;
  return parts;
}
template <std::size_t Count, class Tables>
consteval auto nodes_by_part(const Tables& plan) {
  std::array<std::size_t, Count> order{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < plan.nodes; ++i) {
    if (!is_part(plan.node[i])) continue;
    std::size_t at = count++;
    for (; at > 0 && plan.node[order[at - 1]].part > plan.node[i].part; --at) order[at] = order[at - 1];
    order[at] = i;
  }
  return order;
}

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
