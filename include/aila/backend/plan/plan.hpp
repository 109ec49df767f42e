// What a composite computes, as data: nodes over numbered values. Kernels are instantiated once for each kind of part,
// and which tensors, buffers and phases a node has are numbers in constexpr arrays, however many nodes there are.
//
// A value lives from the node that writes it to the last that reads it: a node's forward, and its backward where that
// looks at what it read or wrote. Its gradient lives from the backward of the last node that read it to that of the
// node that wrote it. What is computed in place has one buffer; where buffers lie, and over which others, MemoryPlan
// decides.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "../../core/memory_plan.hpp"

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
    subtract,        ///< one map less another
    scale            ///< a map times a vector, the same at every position
  };
  Sort sort = Sort::layer;
  std::uint32_t kind = 0, slot = 0;   ///< slot: number among its kind; of a pool, the kind of map it goes to
  std::uint32_t layer = 0;            ///< of a stack
  std::uint32_t entry = 0;            ///< of a mixture, its number in the list of integrations
  std::uint32_t reads = 0, read = 0;  ///< its values are numbers [read, read + reads) of the list of those read
  std::uint32_t writes = 0;
  std::uint32_t column = 0;            ///< of a joined map, from which it is written
  std::uint32_t part = 0, tables = 0;  ///< for Pass::part
  std::uint32_t tick = 0, ticks = 1;   ///< its parts on the clock of lives, from the composite's first
  std::uint32_t tensor = 0, packed = 0;
  std::uint32_t first_phase = 0, last_phase = 0;
  std::uint32_t first_piece = 0, pieces = 0;                 ///< of the packing of its weights
  bool needs_input = false, needs_output = false;            ///< for its backward
  bool forward_in_place = false, backward_in_place = false;  ///< output over input, dx over dy
  bool is_gathered = false;                                  ///< see PlanRead
  std::uint32_t fold = none, fold_end = 0, fold_packed = 0;  ///< what prediction computes for this node and those to
                                                             ///< fold_end, packed at fold_packed
  bool is_inside_fold = false;                               ///< prediction leaves it out
};

/// A value that a node reads, and whether no later node reads it: the way back begins there.
struct PlanRead {
  std::uint32_t value = 0;
  bool last = false;
  std::uint32_t item = 0;  ///< of a stack's mixture, which item of its layers this is: 0 the input, j that of layer j
  std::uint32_t node = 0;  ///< that reads it
  // Mixtures that are gathered leave the gradient of what they read to the first of them that reads it, which backward
  // comes to last: it goes through all of them at once.
  std::uint32_t first_node = 0;  ///< of this read, that first one
  std::uint32_t next = 0;        ///< 1 + the read of the next one; 0: none
  bool gathers = false;          ///< this read is the first one's
};

/// A buffer, and the nodes that need it.
struct PlanBuffer {
  std::uint32_t elements = 0;
  std::uint32_t first = 0, last = 0;  ///< of values, in forward; of gradients backward goes from `first` down to `last`
  std::uint32_t until = PlanNode::none;  ///< the last that looks at it in backward; none: it is not kept
};
template <std::size_t Most>
struct PlanBuffers {
  std::array<PlanBuffer, Most + 1> at{};
  std::size_t count = 0;

  constexpr std::uint32_t add(PlanBuffer buffer) {
    at[count] = buffer;
    return static_cast<std::uint32_t>(count++);
  }
};

/// Lives of a composite's buffers, where `whole` are its parts on the clock. A kernel around the composite that counts
/// no parts of its own is one part: then all live as long as it.
class PlanLives {
 public:
  constexpr PlanLives(Life::Parts whole, std::size_t ticks)
      : whole_(whole), counts_(static_cast<std::size_t>(whole.count) == ticks) {}

  constexpr const Life::Parts& whole() const { return whole_; }
  constexpr Life::Parts parts(const PlanNode& n) const {
    if (!counts_) return whole_;
    return {whole_.first + static_cast<Life::Time>(n.tick), static_cast<Life::Time>(n.ticks)};
  }
  [[gnu::noinline]] constexpr Life of_value(const PlanNode* node, const PlanBuffer& value) const {
    if (!counts_) return Life::kept(whole_.first, whole_.first);
    const Life::Time first = parts(node[value.first]).first;
    return value.until == PlanNode::none ? Life::in_forward(first, parts(node[value.last]).last())
                                         : Life::kept(first, parts(node[value.until]).first);
  }
  [[gnu::noinline]] constexpr Life of_gradient(const PlanNode* node, const PlanBuffer& gradient) const {
    return Life::in_backward(parts(node[gradient.first]).last(), parts(node[gradient.last]).first);
  }

  constexpr Life of_scratch(const PlanNode& n) const {
    const Life::Parts of = parts(n);
    return Life::in_both(of.first, of.last());
  }

 private:
  Life::Parts whole_;
  bool counts_;
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
  std::size_t phases = 0, levels = 0, packed = 0, pieces = 0, tables = 0, ticks = 0;
  std::array<PlanBuffers<ValueCount>, 2> buffers{};  ///< as PlanValue::buffer
  PlanBuffers<ValueCount> gradients{};
  bool needs_input = false, needs_output = false;  ///< for backward, of the caller's memory

  static constexpr std::size_t room() { return NodeCount; }
  constexpr std::uint32_t add(PlanValue v) {
    if (values < ValueCount) value[values] = v;
    return static_cast<std::uint32_t>(values++);
  }
  constexpr void add_read(std::uint32_t v, std::uint32_t item = 0) {
    if (reads < ReadCount) read[reads] = PlanRead{.value = v, .item = item};
    ++reads;
  }
  /// The node whose reads were added since `from`.
  constexpr std::uint32_t add(PlanNode n, std::size_t from) {
    n.read = static_cast<std::uint32_t>(from);
    n.reads = static_cast<std::uint32_t>(reads - from);
    n.tick = static_cast<std::uint32_t>(ticks);
    ticks += n.ticks;
    if (nodes < NodeCount) node[nodes] = n;
    return static_cast<std::uint32_t>(nodes++);
  }
  /// The value lies outside.
  constexpr void give_away(std::uint32_t v) {
    if (v < ValueCount) value[v].is_external = true;
  }

  // Once all nodes are there, what follows from them. In steps: a compiler takes so many operations of each alone.

  /// Which reads are the last of a value, which are gathered, and what the caller is to keep.
  constexpr void look_at_reads() {
    PlanRead* const all = read.data();
    std::array<std::size_t, ValueCount + 1> last{}, last_gathered{};  // 1 + the number of a read; 0: none
    for (std::size_t i = 0; i < nodes; ++i) {
      const PlanNode& n = node[i];
      for (std::size_t r = n.read; r < n.read + n.reads; ++r) {
        const std::uint32_t v = all[r].value;
        all[r].node = all[r].first_node = static_cast<std::uint32_t>(i);
        if (n.is_gathered) {
          std::size_t& before = last_gathered[v];
          if (before > 0) {
            all[before - 1].next = static_cast<std::uint32_t>(r + 1);
            all[r].first_node = all[before - 1].first_node;
          } else {
            all[r].gathers = true;
          }
          before = r + 1;
        }
        if (n.is_gathered && !all[r].gathers) continue;  // somebody else touches the gradient, earlier in this list
        if (last[v] > 0) all[last[v] - 1].last = false;
        all[r].last = true;
        last[v] = r + 1;
        ++read_count_[v];
      }
      if (n.needs_output && n.writes == output) needs_output = true;
      for (std::size_t r = n.read; n.needs_input && r < n.read + n.reads; ++r)
        if (all[r].value == input) needs_input = true;
    }
  }

  /// The buffers of values, of a forward alone or of one that backward follows.
  constexpr void place_values(bool keeps) {
    const std::size_t form = keeps ? 1 : 0;
    PlanBuffers<ValueCount>& all = buffers[form];
    std::array<PlanBuffer, ValueCount + 1> life{};  // of each value
    std::array<bool, ValueCount + 1> is_written{};
    const PlanRead* const read_of = read.data();
    PlanBuffer* const life_of = life.data();
    for (std::size_t i = 0; i < nodes; ++i) {
      const PlanNode& n = node[i];
      const auto now = static_cast<std::uint32_t>(i);
      const std::uint32_t last = !keeps && n.fold != PlanNode::none ? n.fold_end : now;
      const bool needs = keeps && n.needs_input;
      for (std::size_t r = n.read; r < n.read + n.reads; ++r) {
        PlanBuffer& v = life_of[read_of[r].value];
        v.last = std::max(v.last, last);
        if (needs) v.until = std::min(v.until, now);
      }
      PlanBuffer& to = life_of[n.writes];
      if (!is_written[n.writes]) to.first = now;
      is_written[n.writes] = true;
      to.last = std::max(to.last, now);
      if (last > now) {  // what a fold computes is the last one's
        life_of[node[last].writes].first = now;
        is_written[node[last].writes] = true;
      }
      if (keeps && n.needs_output) to.until = std::min(to.until, now);
    }
    for (std::size_t i = 0; i < nodes; ++i) {
      const PlanNode& n = node[i];
      PlanValue& to = value[n.writes];
      if (to.is_external || to.buffer[form] != PlanValue::nowhere) continue;
      PlanBuffer& own = life[n.writes];
      own.elements = to.elements;
      const std::uint32_t from = n.reads > 0 ? read[n.read].value : 0;
      if (n.forward_in_place && may_share(n) && life[from].last == i && life[from].until == PlanNode::none) {
        to.buffer[form] = value[from].buffer[form];
        PlanBuffer& shared = all.at[to.buffer[form]];
        shared.first = std::min(shared.first, own.first);
        shared.last = own.last;
        shared.until = own.until;
      } else {
        to.buffer[form] = all.add(own);
      }
    }
  }

  /// Backward goes through the nodes from the last to the first: a gradient's buffer is needed from the last node that
  /// reads the value until the node that wrote the value has gone back. What a node adds has the gradient of the sum,
  /// which nobody changes.
  constexpr void place_gradients() {
    std::array<std::uint32_t, ValueCount + 1> users{};  // values of a buffer
    std::array<std::uint32_t, ValueCount + 1> held{};   // of a buffer, 1 + the first node that gathers it; 0: none
    const PlanRead* const read_of = read.data();
    for (std::size_t i = nodes; i-- > 0;) {
      const PlanNode& n = node[i];
      const auto now = static_cast<std::uint32_t>(i);
      const std::uint32_t up = value[n.writes].gradient;
      for (std::size_t r = n.read; n.is_gathered && up != PlanValue::nowhere && r < n.read + n.reads; ++r)
        if (held[up] == 0 || read_of[r].first_node + 1 < held[up]) held[up] = read_of[r].first_node + 1;
      for (std::size_t r = n.read; r < n.read + n.reads; ++r) {
        if (!read_of[r].last) continue;
        PlanValue& v = value[read[r].value];
        if (v.is_external) continue;
        const bool only = read_count_[read[r].value] == 1;
        const bool is_sum = n.sort == PlanNode::Sort::add;
        const bool is_over = n.backward_in_place && r == n.read && up != PlanValue::nowhere && users[up] == 1 &&
                             v.elements == value[n.writes].elements;
        v.gradient = only && (is_sum || is_over) ? up : gradients.add({.elements = v.elements, .first = now});
        if (v.gradient != PlanValue::nowhere) ++users[v.gradient];
      }
      if (up != PlanValue::nowhere && n.column == 0 && --users[up] == 0)
        gradients.at[up].last = held[up] > 0 ? std::min(now, held[up] - 1) : now;
    }
  }

 private:
  constexpr bool may_share(const PlanNode& n) const {
    const PlanValue &from = value[read[n.read].value], &to = value[n.writes];
    return (n.reads == 1 || n.sort == PlanNode::Sort::mixture) && !from.is_external && !to.is_external &&
           from.elements == to.elements;
  }

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
