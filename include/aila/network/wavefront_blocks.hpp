// The first layers of a network on a block of steps: what the workers of a WavefrontPredictor compute by turns.
//
// Layer j at step t needs its own step t - 1 and layers before j at step t. So layer j's block b, layer j + 1's block
// b - 1 and so on can be computed at the same time, by whoever is free: the time of n layers on b blocks by two workers
// is half the work, and the first and the last task, which one worker does alone. Maps are those of the whole sequence,
// in the workspace of a prediction: nobody waits for memory. Only what recurrent layers carry from block to block is
// kept apart.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "../backend/plan/chain.hpp"
#include "../backend/plan/stack.hpp"
#include "one_step.hpp"
#include "workspace.hpp"

namespace aila::inline v0::detail {

/// Whether a placed layer gives a row for each of so many steps, in one go, from the step's own row and what the layer
/// carries.
template <class P, class Backend, std::size_t steps>
consteval bool goes_step_by_step() {
  if constexpr (requires { typename StepOf<typename P::In>::type; } && SequenceShape<typename P::Out>) {
    using Step = Placed<typename P::Layer, typename StepOf<typename P::In>::type>;
    if constexpr (P::In::positions == steps && P::Out::positions == steps && phases_of<KernelFor<P, Backend>>() == 0 &&
                  std::is_same_v<typename StreamRefusalOf<P>::type, NoRefusal>)
      return !Refused<KernelFor<Step, Backend>> && takes_blocks_of<KernelFor<Step, Backend>>() &&
             same_parts<P, Step, Backend>() && same_weights<P, Step, Backend>();
  }
  return false;
}

/// The parts of a network, which is a chain, and which of them can go block by block: the units of the wavefront are
/// those parts, and each layer of a part that is a stack.
template <class Net, class Backend>
struct WavefrontPlan {
  using Kernel = KernelFor<PlacedNetwork<Net>, Backend>;
  using S = typename Backend::Scalar;
  using In = NetworkInput<Net>;

  /// Whether the whole network's kernel is the library's own: a chain, whose nodes are its parts.
  static constexpr bool has_parts = is_plan_kernel<Kernel>;
  template <class K, bool own>
  struct PartsOf {
    using type = List<>;
  };
  template <class K>
  struct PartsOf<K, true> {
    using type = typename K::LayerParts;
  };
  using Children = typename PartsOf<Kernel, has_parts>::type;
  static constexpr std::size_t steps = In::positions, size = Children::size;

  template <std::size_t I>
  using Part = At<Children, I>;
  /// A template, for a network that is refused has neither plan nor parts.
  template <std::size_t I>
  static constexpr const PlanNode& node_of() {
    return Kernel::plan.node[I];
  }
  template <std::size_t I>
  using Step = Placed<typename Part<I>::Layer, typename StepOf<typename Part<I>::In>::type>;
  template <std::size_t I>
  using StepKernel = KernelFor<Step<I>, Backend>;

  template <std::size_t I>
  static constexpr bool goes_by_blocks =
      goes_step_by_step<Part<I>, Backend, steps>() && node_of<I>().fold == PlanNode::none;
  static consteval std::size_t count_parts() {
    std::size_t count = 0;
    if constexpr (steps >= 2) for_each_index<size>([&](auto i) { count += count == i && goes_by_blocks<i> ? 1U : 0U; });
    return count;
  }
  static constexpr std::size_t parts = count_parts();

  template <std::size_t I>
  static constexpr bool is_stack = is_stack_kernel<StepKernel<I>> && is_stack_kernel<KernelFor<Part<I>, Backend>>;
  template <std::size_t I>
  static constexpr std::size_t units_of = [] {
    if constexpr (is_stack<I>)
      return StepKernel<I>::Parts::depth;
    else
      return std::size_t{1};
  }();
  static constexpr auto first_unit = [] {
    std::array<std::size_t, parts + 1> first{};
    for_each_index<parts>([&](auto i) { first[i + 1] = first[i] + units_of<i>; });
    return first;
  }();
  static constexpr std::size_t units = first_unit[parts];

  /// Operations of each unit in one step.
  static constexpr auto unit_flops = [] {
    std::array<std::size_t, units + 1> flops{};
    for_each_index<parts>([&](auto i) {
      if constexpr (is_stack<i>) {
        for_each_index<units_of<i>>([&](auto j) {
          using Layer = At<typename Step<i>::Layer::template Plan<typename Step<i>::In>::Layers, j>;
          flops[first_unit[i] + j] = Layer::flops;
        });
      } else {
        flops[first_unit[i]] = Step<i>::flops;
      }
    });
    return flops;
  }();

  /// Units that are computed together: one with an eighth of the largest one's operations takes no longer than to hand
  /// it over. They are those from begin[i] to begin[i + 1].
  struct Stages {
    std::size_t count = 0;
    std::array<std::size_t, units + 1> begin{};
  };
  static constexpr Stages stages = [] {
    Stages s;
    std::size_t most = 0, here = 0, left = 0;
    for (const std::size_t f : unit_flops) {
      most = std::max(most, f);
      left += f;
    }
    for (std::size_t u = 0; u < units; here += unit_flops[u], left -= unit_flops[u], ++u)
      if (u == 0 || (8 * here >= most && 8 * left >= most)) {
        s.begin[s.count++] = u;
        here = 0;
      }
    s.begin[s.count] = units;
    return s;
  }();

  /// Blocks of nearly equal size: short, so that the second worker soon begins and the first soon ends, but of a
  /// register's lanes where the sequence is long. One of a single step would be computed as a stream's, by other sums.
  static constexpr std::size_t blocks =
      std::max<std::size_t>(1, std::min(steps / 2, steps >= 64 ? (steps + 15) / 16 : std::size_t{4}));
  static constexpr std::size_t most_block = (steps + blocks - 1) / blocks;
  static constexpr std::size_t first_step(std::size_t block) { return block * steps / blocks; }

  /// One block of one stage, and the order in which they are handed out: those that need nothing of one another lie
  /// side by side, and what a task needs is behind it.
  struct Task {
    std::size_t stage = 0, block = 0;
    constexpr void next() noexcept {
      if (stage + 1 < stages.count && block > 0) {
        ++stage;
        --block;
      } else {
        const std::size_t sum = stage + block + 1;
        stage = sum < blocks ? 0 : sum - (blocks - 1);
        block = sum - stage;
      }
    }
  };
  static constexpr std::size_t tasks = stages.count * blocks;
};

/// What recurrent layers carry, and the work on one block.
template <class Net, class Backend>
class WavefrontBlocks {
 public:
  using Plan = WavefrontPlan<Net, KernelsOf<Backend>>;
  using Kernel = typename Plan::Kernel;
  using S = typename Backend::Scalar;
  using Whole = Workspace<Net, Backend, Capability::predict>;
  using Element = typename Whole::Element;

  explicit WavefrontBlocks(std::size_t workers) : saved_(1), memory_(bind(Arena<S>())) {
    bind(Arena<S>(memory_.data()));
    saved_.reserve(workers);
    while (saved_.size() < workers) saved_.emplace_back(saved_[0]);
  }
  WavefrontBlocks(const WavefrontBlocks&) = delete;
  WavefrontBlocks& operator=(const WavefrontBlocks&) = delete;

  /// The next block is the first of a sequence.
  void reset() noexcept { queue_.clear(memory_.size(), memory_.data()); }

  /// Scalars of scratch that run needs.
  static constexpr std::size_t scratch() {
    std::size_t most = 0;
    for_each_index<Plan::parts>([&](auto i) {
      most = std::max(most, Plan::template StepKernel<i>::scratch(Plan::most_block, Capability::stream));
    });
    return most;
  }

  /// Units [begin, end) on the steps from pass.step on, pass.samples of them, by one of the workers. `x` is the whole
  /// sequence.
  void run(std::size_t worker, const Pass& pass, Weights<S> w, const S* packed, const Element* x, Whole& whole,
           S* scratch, std::size_t begin, std::size_t end) noexcept {
    for_each_index<Plan::parts>([&](auto i) {
      constexpr std::size_t first = Plan::first_unit[i], last = Plan::first_unit[i + 1];
      if (end <= first || begin >= last) return;
      using StepKernel = typename Plan::template StepKernel<i>;
      using Step = typename Plan::template Step<i>;
      const std::size_t row = pass.step;
      S* const y = map<i>(whole) + row * Step::Out::elements;
      const auto* const from = [&] {
        if constexpr (i == 0)
          return x + row * Step::In::elements;
        else
          return static_cast<const S*>(map<i - 1>(whole) + row * Step::In::elements);
      }();
      constexpr const PlanNode& node = Plan::template node_of<i>();
      const Pass here = pass.part(node.part, node.tables);
      const Weights<S> weights = w.from(node.tensor);
      const S* const own_packed = packed + node.packed;
      if constexpr (Plan::template is_stack<i>) {
        auto& saved = element<i>(saved_[worker].parts);
        point_to_rows<StepKernel>(saved_of<i>(whole), row, saved);
        constexpr const auto& layer_begin = StepKernel::plan.layer_begin;
        StepKernel::template forward_nodes<Capability::stream>(here, weights, own_packed, from, y, saved, scratch,
                                                               layer_begin[begin > first ? begin - first : 0],
                                                               layer_begin[std::min(end, last) - first]);
      } else {
        StepKernel::template forward<Capability::stream>(here, weights, own_packed, from, y,
                                                         element<i>(saved_[0].parts), scratch);
      }
    });
  }

 private:
  template <std::size_t I>
  static auto& saved_of(Whole& whole) noexcept {
    constexpr const PlanNode& node = Kernel::plan.node[I];
    return element<node.kind>(whole.saved().layers)[node.slot];
  }
  template <std::size_t I>
  static S* map(Whole& whole) noexcept {
    constexpr std::uint32_t value = Kernel::plan.node[I].writes;
    return value == Kernel::plan.output ? whole.output() : whole.saved().value[value];
  }
  /// Of a block of steps, the maps lie in those of the whole sequence.
  template <class StepKernel, class Full, class Block>
  static void point_to_rows(const Full& full, std::size_t row, Block& block) noexcept {
    for (std::size_t v = 0; v < StepKernel::values; ++v)
      if (full.value[v] != nullptr) block.value[v] = full.value[v] + row * StepKernel::plan.value[v].elements;
  }

  template <class Indices>
  struct SavedTuples;
  template <std::size_t... I>
  struct SavedTuples<std::index_sequence<I...>> {
    using type = Tuple<typename Plan::template StepKernel<I>::template Saved<Capability::stream>...>;
  };

  std::size_t bind(Arena<S> arena) {
    for_each_index<Plan::parts>([&](auto i) { element<i>(saved_[0].parts).bind(arena, Plan::most_block); });
    return arena.used();
  }

  /// Of each worker, since the maps of a stack begin at its block; what layers carry is in the same memory for all.
  struct alignas(64) Saved {
    typename SavedTuples<std::make_index_sequence<Plan::parts>>::type parts{};
  };
  std::vector<Saved> saved_;
  ArrayOn<S, Backend> memory_;
  [[no_unique_address]] typename Backend::Queue queue_;
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
