// WavefrontPredictor: one sample by several threads, layers against steps.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "../core/thread_pool.hpp"
#include "predictor.hpp"
#include "wavefront_blocks.hpp"

namespace aila::inline v0 {

namespace detail {
template <class Net, class Backend>
struct NothingForWavefront {
  static consteval int say() {
    using Plan = WavefrontPlan<Net, KernelsOf<Backend>>;
    if constexpr (!Plan::has_parts && !Refused<typename Plan::Kernel>) {
      return StepsOfFusedNetwork<Net, KernelsOf<Backend>>::say();
    } else {
      constexpr bool shares = Plan::units >= 2 || Refused<typename Plan::Kernel>;
      static_assert(shares, "aila: a wavefront needs two steps, and two first layers that go step by step; see Stream");
      return 0;
    }
  }
};
}  // namespace detail

/// Predicts like a Predictor, with the same numbers, and shares a sample among threads: one computes a layer of a block
/// of steps while another one computes the layer behind it of the block before. For networks whose first layers go step
/// by step (Lstm, Gru, Linear, ... and stacks of them of any policy); what stands behind them, a readout or a
/// bidirectional layer, is computed by one thread alone. Of one sample of some hundred steps, two threads take little
/// more than half the time of one.
///
/// Owns its threads, state and workspace; the model stays const and must outlive it. A call allocates nothing, takes no
/// lock and never throws. Threads that found no work for some tens of microseconds sleep: a call wakes them by a system
/// call, and does their work itself as long as they do not come. Where the system puts a thread aside in the midst of a
/// call, the others wait for it, after some spinning by giving their time away: one thread (a Predictor) has the better
/// worst case.
template <class Net, ComputeBackend Backend = backend::Cpu>
  requires HostBackend<KernelsOf<Backend>>
class WavefrontPredictor
    : public detail::PredictsOne<WavefrontPredictor<Net, Backend>, typename detail::BoundNetwork<Net>::In,
                                 typename detail::BoundNetwork<Net>::Out, typename Backend::Scalar> {
  using Blocks = detail::WavefrontBlocks<Net, Backend>;
  using Plan = typename Blocks::Plan;
  enum { checked = detail::NothingForWavefront<Net, Backend>::say() };

 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename ModelType::In;
  using Out = typename ModelType::Out;
  using Element = ElementOf<In, Scalar>;

  static constexpr bool never_throws = shares_memory<Backend>;

  /// Throws Error where threads is 0 or cannot be started. More threads than layers are not started.
  explicit WavefrontPredictor(const ModelType& model, std::size_t threads = 2)
      : model_(&model),
        pool_(std::min(threads, std::max<std::size_t>(1, Plan::stages.count))),
        blocks_(pool_.size()),
        scratch_(pool_.size() * scratch_size) {}

  /// Another model of the same network from the next call on; nothing is copied.
  void use(const ModelType& model) noexcept { model_ = &model; }

 private:
  friend class detail::PredictsOne<WavefrontPredictor, In, Out, Scalar>;

  /// Steps of a stage that are done, on a cache line of their own.
  struct alignas(64) Progress {
    std::atomic<std::size_t> steps{0};
  };
  static constexpr std::size_t scratch_size = round_up(Blocks::scratch() + alignment_elements, alignment_elements);
  static constexpr int spins_before_yield = 4000;

  std::span<const Scalar, Out::elements> one(const Element* x, const std::int32_t* length) noexcept(never_throws) {
    x = workspace_.take_input(x, 1);
    if (length != nullptr)
      workspace_.queue().run([&] {
        for (std::size_t t = 0; t < Plan::steps; ++t) valid_.data()[t] = static_cast<std::int64_t>(t) < *length ? 1 : 0;
      });
    const std::int32_t* const length_of_all = workspace_.take_lengths(length, 1);
    blocks_.reset();
    const auto refs = model_->table_refs();
    Pass pass;
    pass.tables = refs.data();
    const auto call = [&](std::size_t index, std::size_t) noexcept {
      [[maybe_unused]] const typename KernelsOf<Backend>::FloatMode mode;
      if (pool_.size() == 1)
        go_through(pass, x, length_of_all);
      else
        share(index, pass, x, length_of_all);
    };
    for (Progress& p : progress_) p.steps.store(0, std::memory_order_relaxed);
    next_task_.store(0, std::memory_order_relaxed);
    workspace_.queue().run([&] { pool_.run(pool_.size(), call); });
    return std::span<const Scalar, Out::elements>(workspace_.host_output(1), Out::elements);
  }

  /// All tasks, stage after stage: the weights of one stay in the cache.
  void go_through(Pass pass, const Element* x, const std::int32_t* length) noexcept {
    for (std::size_t stage = 0; stage < Plan::stages.count; ++stage)
      for (std::size_t block = 0; block < Plan::blocks; ++block) run({stage, block}, 0, pass, x, length);
    finish(pass, x, length);
  }
  /// The next task, as long as there is one. It waits only for tasks before it, which somebody has begun: so it does
  /// not matter who comes, and when.
  void share(std::size_t worker, Pass pass, const Element* x, const std::int32_t* length) noexcept {
    typename Plan::Task task;
    for (std::size_t at = 0;; ++at, task.next()) {
      const std::size_t mine = next_task_.fetch_add(1, std::memory_order_relaxed);
      if (mine >= Plan::tasks) return;
      for (; at < mine; ++at) task.next();
      wait_for(progress_[task.stage].steps, Plan::first_step(task.block));
      if (task.stage > 0) wait_for(progress_[task.stage - 1].steps, Plan::first_step(task.block + 1));
      run(task, worker, pass, x, length);
      progress_[task.stage].steps.store(Plan::first_step(task.block + 1), std::memory_order_release);
      if (mine + 1 == Plan::tasks) finish(pass, x, length);
    }
  }
  void run(typename Plan::Task task, std::size_t worker, Pass pass, const Element* x,
           const std::int32_t* length) noexcept {
    const Weights<Scalar> weights(model_->kernel_parameters(), Blocks::Whole::layout.offset.data());
    pass.step = Plan::first_step(task.block);
    pass.samples = Plan::first_step(task.block + 1) - pass.step;
    pass.lengths = length != nullptr ? valid_.data() + pass.step : nullptr;
    blocks_.run(worker, pass, weights, model_->packed(), x, workspace_, scratch_.data() + worker * scratch_size,
                Plan::stages.begin[task.stage], Plan::stages.begin[task.stage + 1]);
  }
  /// What the network does with the whole sequence.
  void finish(Pass pass, const Element* x, const std::int32_t* length) noexcept {
    pass.lengths = length;
    if constexpr (Plan::has_parts)
      workspace_.forward_from(Plan::parts, pass, model_->kernel_parameters(), model_->packed(), x);
  }
  static void wait_for(const std::atomic<std::size_t>& steps, std::size_t least) noexcept {
    int spins = spins_before_yield;
    while (steps.load(std::memory_order_acquire) < least) {
      if (spins > 0) {
        --spins;
        detail::relax();
      } else {
        std::this_thread::yield();  // its thread was put aside
      }
    }
  }

  const ModelType* model_;
  ThreadPool pool_;
  typename Blocks::Whole workspace_{1, Retain::all};
  Blocks blocks_;
  ArrayOn<Scalar, Backend> scratch_;
  ArrayOn<std::int32_t, Backend> valid_{Plan::steps};
  std::vector<Progress> progress_ = std::vector<Progress>(Plan::stages.count + 1);
  alignas(64) std::atomic<std::size_t> next_task_{0};
};

template <class Net, class Backend>
WavefrontPredictor(const Model<Net, Backend>&) -> WavefrontPredictor<Net, Backend>;
template <class Net, class Backend>
WavefrontPredictor(const Model<Net, Backend>&, std::size_t) -> WavefrontPredictor<Net, Backend>;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
