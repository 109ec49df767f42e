// What a composite computes, as data: nodes over numbered values. Kernels are instantiated once for each kind of part,
// and which tensors, buffers and phases a node has are numbers in constexpr arrays, however many nodes there are.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "../../core/list.hpp"

namespace aila::inline v0::detail {

/// What stands in a list of parts where there is none.
struct NoPart {};

template <class T>
inline constexpr char type_mark = 0;

/// Entries of a list of types by kind: equal types are one kind.
template <std::size_t N>
struct Kinds {
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  std::array<std::uint32_t, N + 1> kind{};     ///< of an entry; none of NoPart
  std::array<std::uint32_t, N + 1> slot{};     ///< how many of its kind come before it
  std::array<std::uint32_t, N + 1> first{};    ///< entry of a kind
  std::array<std::uint32_t, N + 1> entries{};  ///< of a kind
  std::size_t count = 0;
};
template <class... T>
consteval auto kinds_of(List<T...>) {
  Kinds<sizeof...(T)> k;
  const std::array<const char*, sizeof...(T) + 1> marks{&type_mark<T>..., nullptr};
  for (std::size_t i = 0; i < sizeof...(T); ++i) {
    if (marks[i] == &type_mark<NoPart>) {
      k.kind[i] = k.none;
      continue;
    }
    std::size_t of = 0;
    while (of < k.count && marks[k.first[of]] != marks[i]) ++of;
    if (of == k.count) k.first[k.count++] = static_cast<std::uint32_t>(i);
    k.kind[i] = static_cast<std::uint32_t>(of);
    k.slot[i] = k.entries[of]++;
  }
  return k;
}

/// f with the constant that `kind` is.
template <std::size_t Count, class F>
constexpr void with_kind(std::size_t kind, F&& f) {
  for_each_index<Count>([&](auto k) {
    if (k == kind) f(k);
  });
}

/// One map of a sample: what nodes write and read.
struct PlanValue {
  enum class Role : std::uint8_t {
    external,  ///< input or output of the composite: the caller's memory
    own,       ///< a core's output before it is integrated; prediction has one buffer for all
    sum,       ///< what an epilogue reads; prediction has one buffer for all
    map,       ///< what a layer publishes
    joined,    ///< maps side by side
    pooled,    ///< a map at the positions of later ones
    passing    ///< a map on its way into a joined one, and of no use behind
  };
  Role role = Role::map;
  std::uint32_t elements = 0, features = 0;
  std::uint32_t level = 0;     ///< of valid steps: how many parts before it changed their number
  std::uint32_t gradient = 0;  ///< number of its gradient's buffer
};

struct PlanNode {
  enum class Sort : std::uint8_t {
    layer,    ///< a placed layer: reads one value
    mixture,  ///< an integration: reads a layer's own output and the earlier maps
    pool,     ///< an average over windows: reads one map
    place     ///< a map among the columns of a joined one, which several nodes write
  };
  Sort sort = Sort::layer;
  std::uint32_t kind = 0, slot = 0;   ///< slot: number among its kind; of a pool, the kind of map it goes to
  std::uint32_t layer = 0;            ///< of the stack
  std::uint32_t reads = 0, read = 0;  ///< its values are numbers [read, read + reads) of the list of those read
  std::uint32_t writes = 0;
  std::uint32_t column = 0;            ///< of a joined map, from which it is written
  std::uint32_t part = 0, tables = 0;  ///< for Pass::part
  std::uint32_t tensor = 0, packed = 0;
  std::uint32_t first_phase = 0, last_phase = 0;
};

/// A value that a node reads, and whether no later node reads it: the way back begins there.
struct PlanRead {
  std::uint32_t value = 0;
  bool last = false;
};

/// What a plan is made of; without room it only counts.
template <std::size_t NodeCount, std::size_t ValueCount, std::size_t ReadCount>
struct PlanTables {
  static constexpr std::uint32_t input = 0;  ///< the value that the composite reads
  std::array<PlanNode, NodeCount + 1> node{};
  std::array<PlanValue, ValueCount + 1> value{};
  std::array<PlanRead, ReadCount + 1> read{};
  std::array<std::uint32_t, ValueCount + 1> gradient_size{};  ///< elements of each gradient's buffer
  std::size_t nodes = 0, values = 0, reads = 0, gradients = 0;

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

  /// The value lies outside: it is an output.
  constexpr void give_away(std::uint32_t v) {
    if (v < ValueCount) value[v].role = PlanValue::Role::external;
  }

  /// Which reads are a value's last, and the buffers of gradients: one is free for others once the node that wrote the
  /// value has gone back.
  constexpr void finish() {
    constexpr std::size_t nobody = ~std::size_t{0};
    std::array<std::size_t, ValueCount + 1> reader{};
    reader.fill(nobody);
    for (std::size_t r = 0; r < reads; ++r) reader[read[r].value] = r;
    for (std::size_t v = 0; v < values; ++v)
      if (reader[v] != nobody && value[v].role != PlanValue::Role::external) read[reader[v]].last = true;
    std::array<std::uint32_t, ValueCount + 1> free{};
    std::size_t free_count = 0;
    for (std::size_t i = nodes; i-- > 0;) {
      const PlanNode& n = node[i];
      const std::size_t end = n.read + n.reads;
      for (std::size_t r = n.read; r < end; ++r) {
        if (!read[r].last) continue;
        PlanValue& v = value[read[r].value];
        std::size_t best = free_count;
        for (std::size_t f = 0; f < free_count; ++f)
          if (best == free_count || suits_better(gradient_size[free[f]], gradient_size[free[best]], v.elements))
            best = f;
        v.gradient = best < free_count ? free[best] : static_cast<std::uint32_t>(gradients++);
        if (best < free_count) free[best] = free[--free_count];
        if (gradient_size[v.gradient] < v.elements) gradient_size[v.gradient] = v.elements;
      }
      if (value[n.writes].role != PlanValue::Role::external && n.column == 0)
        free[free_count++] = value[n.writes].gradient;
    }
  }

 private:
  /// Whether a buffer of one size suits a value better than one of another: the smallest that is large enough, or else
  /// the largest.
  static constexpr bool suits_better(std::uint32_t size, std::uint32_t other, std::uint32_t elements) {
    if ((size >= elements) != (other >= elements)) return size >= elements;
    return size >= elements ? size < other : size > other;
  }
};

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
