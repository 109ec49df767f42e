// Predictions of a few long sequences on a GPU: the first layers of a network go block by block of steps.
//
// A recurrent layer takes a fraction of a microsecond for each step, one after the other, on as many multiprocessors as
// there are samples; the others have nothing to do, and the layer behind waits for the last step. But that layer's
// first steps need the first steps alone. So the sequence is cut into blocks: layer j's block b, layer j + 1's block
// b - 1 and so on are computed at the same time, each block by a queue of its own, with the kernels of a stream; only a
// recurrent layer's block waits for the same layer's block before (Relay). n layers of T steps in B blocks take
// (n + B - 1) T / B steps' time in place of n T. Where LastStep follows, what comes behind the last recurrent layer is
// computed for the last step of each sample alone. Outputs agree with those of the whole sequence to rounding: products
// and norms may have other tiles.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "../../backend/cuda/memory.hpp"
#include "../../backend/cuda/recurrent.hpp"
#include "../../backend/cuda/relay.hpp"
#include "../../backend/cuda/step_blocks.hpp"
#include "../../core/no_memory.hpp"
#include "../../layer/readout.hpp"
#include "../wavefront_blocks.hpp"

namespace aila::inline v0 {

namespace cuda {

/// Recurrent layers inside a kernel of a stream, and whether something there carries a state that it does not hand on.
struct RelayCount {
  std::size_t layers = 0;
  bool blocked = false;
};
template <class Kernel>
consteval RelayCount count_relays() {
  if constexpr (requires { Kernel::relays; }) {
    return {1, !Kernel::relays};
  } else if constexpr (requires { typename Kernel::LayerParts; }) {  // of parts, frozen or not
    RelayCount all;
    for (std::size_t i = 0; i < Kernel::nodes; ++i)
      if (Kernel::plan.node[i].sort == Kernel::Sort::layer)
        aila::detail::with_kind<Kernel::layer_kinds>(Kernel::plan.node[i].kind, [&](auto k) {
          const RelayCount one = count_relays<typename Kernel::template LayerKernel<k>>();
          all.layers += one.layers;
          all.blocked = all.blocked || one.blocked;
        });
    return all;
  } else {
    return {0, !carries_nothing<Kernel>()};
  }
}

/// Of a kernel of parts, the node behind the last one with a recurrent layer.
template <class Kernel>
consteval std::size_t behind_relays() {
  std::size_t behind = 0;
  if constexpr (is_plan_kernel<Kernel>)
    for (std::size_t i = 0; i < Kernel::nodes; ++i)
      if (Kernel::plan.node[i].sort == Kernel::Sort::layer)
        aila::detail::with_kind<Kernel::layer_kinds>(Kernel::plan.node[i].kind, [&](auto k) {
          if (count_relays<typename Kernel::template LayerKernel<k>>().layers > 0) behind = i + 1;
        });
  return behind;
}
/// The values that nodes from `begin` on read of those before.
template <class Kernel>
consteval auto values_read_from(std::size_t begin) {
  std::array<bool, Kernel::values + 1> read{};
  for (std::size_t i = begin; i < Kernel::nodes; ++i)
    for (std::size_t r = 0; r < Kernel::plan.node[i].reads; ++r)
      read[Kernel::plan.read[Kernel::plan.node[i].read + r].value] = true;
  for (std::size_t i = begin; i < Kernel::nodes; ++i) read[Kernel::plan.node[i].writes] = false;
  return read;
}

/// How a network's steps are cut.
template <class Net, class Kernels>
struct WavefrontCut {
  using Plan = aila::detail::WavefrontPlan<Net, Kernels>;
  static constexpr std::size_t steps = Plan::steps;
  static constexpr RelayCount relays = [] {
    RelayCount all;
    if constexpr (steps >= 32)
      for_each_index<Plan::parts>([&](auto i) {
        const RelayCount one = count_relays<typename Plan::template StepKernel<i>>();
        all.layers += one.layers;
        all.blocked = all.blocked || one.blocked;
      });
    return all;
  }();
  /// What a block costs beside its steps is the time of about 64 (64 samples, four layers, one H200): the sum is least
  /// for the root of (n - 1) T / 64 blocks.
  static constexpr std::size_t blocks = [] {
    std::size_t count = 1;
    if (relays.layers < 2 || relays.layers > Relay::most_layers || relays.blocked) return count;
    while (count < 8 && (2 * count + 1) * (2 * count + 1) * 64 <= 4 * (relays.layers - 1) * steps) ++count;
    return count;
  }();
  static constexpr std::size_t most_steps = (steps + blocks - 1) / blocks;
  static constexpr std::size_t first_step(std::size_t block) { return first_step_of(block, steps, blocks); }
};

}  // namespace cuda

namespace detail {

/// Of a network whose recurrent layers hand on their state from block to block. Its first parts, `Plan::parts` of them,
/// go block by block; the others have the whole sequence.
template <class Net, class Backend>
  requires(CudaBackend<KernelsOf<Backend>> && cuda::WavefrontCut<Net, KernelsOf<Backend>>::blocks > 1)
class WavefrontForward<Net, Backend> {
  using Cut = cuda::WavefrontCut<Net, KernelsOf<Backend>>;
  using Plan = typename Cut::Plan;
  using Kernel = typename Plan::Kernel;
  using In = NetworkInput<Net>;
  using Element = ElementOf<In, float>;
  static constexpr std::size_t in_blocks = Plan::parts, last = in_blocks - 1, blocks = Cut::blocks;
  template <std::size_t I>
  using StepKernel = typename Plan::template StepKernel<I>;
  template <std::size_t I>
  using Step = typename Plan::template Step<I>;
  using LastKernel = StepKernel<last>;

  static consteval bool ends_in_last_step() {
    if constexpr (in_blocks < Plan::size)
      return std::is_same_v<typename Plan::template Part<in_blocks>::Layer, LastStep>;
    else
      return false;
  }
  /// Whether LastStep is what follows; and whether the last part has nodes that need not be computed for other steps.
  static constexpr bool last_step_alone = ends_in_last_step();
  static constexpr std::size_t tail = cuda::behind_relays<LastKernel>();
  static consteval auto find_tail_reads() {
    if constexpr (is_plan_kernel<LastKernel>)
      return cuda::values_read_from<LastKernel>(tail);
    else
      return std::array<bool, 1>{};
  }
  static constexpr auto tail_reads = find_tail_reads();
  static consteval bool find_tail() {
    if constexpr (is_plan_kernel<LastKernel>) {
      std::size_t count = 0;
      for (const bool is_read : tail_reads) count += is_read ? 1U : 0U;
      return last_step_alone && tail > 0 && tail < LastKernel::nodes && count <= cuda::LastRows::most &&
             !tail_reads[LastKernel::plan.output] && !(Step<last>::In::is_tokens && tail_reads[LastKernel::plan.input]);
    } else {
      return false;
    }
  }
  static constexpr bool has_tail = find_tail();

 public:
  static constexpr bool possible = true;
  /// Parts that are done by forward.
  static constexpr std::size_t parts = in_blocks + (last_step_alone ? 1 : 0);

  /// Whether it serves so many samples: more than the device has multiprocessors leave none idle. Takes memory when it
  /// is first asked for so few, unless that is more than a quarter of the device's, or is not free: then it serves
  /// none.
  bool serves(const Pass& pass, std::size_t capacity) {
    if (pass.training || pass.samples > cuda::multiprocessors) return false;
    if (!std::exchange(was_asked_, true)) take_memory(std::min(capacity, cuda::multiprocessors));
    return memory_.size() > 0;
  }

  /// The map of the last of the parts at `y`, of x [samples, steps].
  void forward(const Pass& pass, Weights<float> w, const float* packed, const Element* x, float* y) {
    const cuda::Queue& queue = *static_cast<const cuda::Queue*>(pass.queue);
    for (const Block& block : blocks_) queue.before(block.queue);
    for (std::size_t b = 0; b < blocks; ++b) {
      Block& block = blocks_[b];
      const std::size_t first = Cut::first_step(b), steps = Cut::first_step(b + 1) - first;
      const cuda::BlockOfSteps of{pass.samples, Cut::steps, first, steps};
      Pass now = pass;
      now.samples = pass.samples * steps;
      now.queue = &block.queue;
      if (pass.lengths != nullptr) {
        cuda::take_lengths<>(now, of, pass.lengths, block.lengths, block.valid);
        now.lengths = block.valid;
      }
      cuda::StepCopies<In::elements / Cut::steps>::take(now, of, reinterpret_cast<const float*>(x),
                                                        reinterpret_cast<float*>(block.x));
      block.relay.samples = pass.samples;
      block.relay.lengths = pass.lengths == nullptr ? nullptr : block.lengths;
      block.relay.begin();
      block.queue.relay = &block.relay;
      for_each_index<in_blocks>([&](auto i) {
        constexpr const PlanNode& node = Plan::template node_of<i>();
        const auto* const from = [&] {
          if constexpr (i == 0)
            return static_cast<const Element*>(block.x);
          else
            return static_cast<const float*>(block.map[i - 1]);
        }();
        const Pass here = now.part(node.part, node.tables);
        auto& saved = element<i>(block.saved);
        if constexpr (i == last && has_tail)
          StepKernel<i>::template forward_nodes<Capability::stream>(here, w.from(node.tensor), packed + node.packed,
                                                                    from, block.map[i], saved, block.scratch, 0, tail);
        else
          StepKernel<i>::template forward<Capability::stream>(here, w.from(node.tensor), packed + node.packed, from,
                                                              block.map[i], saved, block.scratch);
      });
      if constexpr (!last_step_alone) cuda::StepCopies<Step<last>::Out::elements>::put(now, of, block.map[last], y);
    }
    for (const Block& block : blocks_) block.queue.before(queue);
    if constexpr (last_step_alone) finish(pass, w, packed, y);
  }

 private:
  /// What is behind the blocks' last recurrent layers, of the last steps alone.
  void finish(const Pass& pass, Weights<float> w, const float* packed, float* y) {
    Block& first = blocks_[0];
    cuda::LastRows rows{.samples = pass.samples,
                        .steps = Cut::steps,
                        .blocks = blocks,
                        .lengths = pass.lengths,
                        .distance = static_cast<std::size_t>(first.relay.distance)};
    if constexpr (has_tail) {
      using Kernel = StepKernel<last>;
      constexpr auto& node = Plan::template node_of<last>();
      auto& from = element<last>(first.saved);
      const float* x = nullptr;
      for (std::size_t v = 0; v < Kernel::values; ++v) {
        if (!tail_reads[v]) continue;
        const std::size_t features = Kernel::plan.value[v].elements;
        if (v == Kernel::plan.input) {
          if constexpr (last > 0)
            rows.add(first.map[last - 1], features, tail_input_);
          else if constexpr (!In::is_tokens)
            rows.add(first.x, features, tail_input_);
          x = tail_input_;
        } else {
          rows.add(from.value[v], features, tail_->value[v]);
        }
      }
      cuda::take_last_rows<>(pass, rows);
      Pass here = pass.part(node.part, node.tables);
      here.lengths = nullptr;
      Kernel::template forward_nodes<Capability::stream>(here, w.from(node.tensor), packed + node.packed, x, y, *tail_,
                                                         first.scratch, tail, Kernel::nodes);
    } else {
      rows.add(first.map[last], Step<last>::Out::elements, y);
      cuda::take_last_rows<>(pass, rows);
    }
  }

  template <class Indices>
  struct SavedTuple;
  template <std::size_t... I>
  struct SavedTuple<std::index_sequence<I...>> {
    using type = Tuple<typename StepKernel<I>::template Saved<Capability::stream>...>;
  };
  struct Block {
    cuda::Queue queue;
    cuda::Relay relay;
    Element* x = nullptr;
    std::int32_t *lengths = nullptr, *valid = nullptr;
    std::array<float*, in_blocks> map{};
    float* scratch = nullptr;
    typename SavedTuple<std::make_index_sequence<in_blocks>>::type saved{};

    void bind(Arena<float>& arena, std::size_t samples) {
      static_assert(sizeof(Element) == sizeof(float) && sizeof(std::int32_t) == sizeof(float));
      const std::size_t rows = samples * Cut::most_steps;
      x = reinterpret_cast<Element*>(arena.take(rows * (In::elements / Cut::steps)));
      lengths = reinterpret_cast<std::int32_t*>(arena.take(samples));
      valid = reinterpret_cast<std::int32_t*>(arena.take(rows));
      std::size_t most = 0;
      for_each_index<in_blocks>([&](auto i) {
        map[i] = arena.take(rows * Step<i>::Out::elements);
        element<i>(saved).bind(arena, rows);
        most = std::max(most, StepKernel<i>::scratch(rows, Capability::stream));
      });
      scratch = arena.take(most);
    }
  };

  void take_memory(std::size_t samples) {
    Arena<float> counting;
    blocks_[0].bind(counting, samples);
    const std::size_t each = round_up(counting.used(), 64);
    Arena<float> of_tail;
    if constexpr (has_tail) bind_tail(of_tail, samples);
    const std::size_t needed = blocks * each + of_tail.used();
    std::size_t free = 0, all = 0;
    cuda::check(cudaMemGetInfo(&free, &all), "cudaMemGetInfo");
    if (needed > all / 4 / sizeof(float) || needed > free / sizeof(float)) return;
    where_there_is_room([&] { memory_ = cuda::Array<float>(needed); }, [] {});
    if (memory_.size() == 0) return;
    if constexpr (has_tail) {
      Arena<float> arena(memory_.data() + blocks * each);
      bind_tail(arena, samples);
    }
    for (std::size_t b = 0; b < blocks; ++b) {
      Arena<float> arena(memory_.data() + b * each);
      blocks_[b].bind(arena, samples);
      blocks_[b].relay.distance = static_cast<std::ptrdiff_t>(each);
      blocks_[b].relay.before = b == 0 ? nullptr : &blocks_[b - 1].relay;
    }
  }

  void bind_tail(Arena<float>& arena, std::size_t samples) {
    tail_input_ = arena.take(samples * Step<last>::In::elements);
    tail_->bind(arena, samples);
  }

  bool was_asked_ = false;
  cuda::Array<float> memory_;
  std::array<Block, blocks> blocks_;
  Held<typename LastKernel::template Saved<Capability::stream>> tail_;
  float* tail_input_ = nullptr;
};

}  // namespace detail

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
