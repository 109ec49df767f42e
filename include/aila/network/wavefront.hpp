// WavefrontPredictor: one sample by several threads, layers against steps.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "../backend/host/wavefront.hpp"
#include "../core/thread_pool.hpp"
#include "predictor.hpp"

namespace aila::inline v0 {

namespace detail {
template <class Net, class Backend>
struct NothingForWavefront {
  static consteval int say() {
    using Plan = WavefrontPlan<Net, Backend>;
    if constexpr (!Plan::is_chain && !Refused<typename Plan::Kernel>) {
      return StepsOfFusedNetwork<Net, Backend>::say();
    } else {
      constexpr bool shares = Plan::units >= 2 || Refused<typename Plan::Kernel>;
      static_assert(shares, "aila: a wavefront needs two steps, and two first layers that go step by step; see Stream");
      return 0;
    }
  }
};
}  // namespace detail

/// Predicts like a Predictor, with the same numbers, and shares a sample among threads: one computes the first layers
/// of a block of steps while the next one computes the layers behind them of the block before. For networks whose first
/// layers go step by step (Lstm, Gru, Linear, ... and stacks of them of any policy); what stands behind them, a readout
/// or a bidirectional layer, is computed by the last thread alone. Of one sample of some hundred steps, two threads
/// take little more than half the time of one; of a dozen steps it depends on the machine.
///
/// Owns its threads, state and workspace; the model stays const and must outlive it. A call allocates nothing, takes no
/// lock and never throws. Threads that found no work for some tens of microseconds sleep: a call wakes them by a system
/// call, and does their work itself as long as they do not come. Where the system puts a thread aside in the midst of a
/// call, the others wait for it, after some spinning by giving their time away: one thread (a Predictor) has the better
/// worst case.
template <class Net, HostBackend Backend = backend::Cpu>
class WavefrontPredictor : public detail::PredictsOne<WavefrontPredictor<Net, Backend>, NetworkInput<Net>,
                                                      NetworkOutput<Net>, typename Backend::Scalar> {
  using Blocks = detail::WavefrontBlocks<Net, Backend>;
  using Plan = typename Blocks::Plan;
  enum { checked = detail::NothingForWavefront<Net, Backend>::say() };

 public:
  using ModelType = Model<Net, Backend>;
  using Scalar = typename ModelType::Scalar;
  using In = typename ModelType::In;
  using Out = typename ModelType::Out;
  using Element = ElementOf<In, Scalar>;

  /// Throws Error where threads is 0 or cannot be started. More threads than layers are not started.
  explicit WavefrontPredictor(const ModelType& model, std::size_t threads = 2)
      : model_(&model),
        pool_(std::min(threads, Plan::units)),
        begin_(Plan::cut(pool_.size())),
        scratch_(pool_.size() * scratch_size),
        progress_(std::make_unique<Progress[]>(pool_.size())) {}

  /// Another model of the same network from the next call on; nothing is copied.
  void use(const ModelType& model) noexcept { model_ = &model; }

 private:
  friend class detail::PredictsOne<WavefrontPredictor, In, Out, Scalar>;

  /// Steps that a stage has done, on a cache line of its own.
  struct alignas(64) Progress {
    std::atomic<std::size_t> steps{0};
  };
  static constexpr std::size_t scratch_size = round_up(Blocks::scratch() + alignment_elements, alignment_elements);
  static constexpr int spins_before_yield = 4000;

  std::span<const Scalar, Out::elements> one(const Element* x, std::int32_t length) noexcept {
    constexpr std::size_t steps = Plan::steps;
    for (std::size_t t = 0; t < steps; ++t) valid_[t] = static_cast<std::int64_t>(t) < length ? 1 : 0;
    blocks_.reset();
    for (std::size_t s = 0; s < pool_.size(); ++s) progress_[s].steps.store(0, std::memory_order_relaxed);
    next_stage_.store(0, std::memory_order_relaxed);
    const auto refs = model_->table_refs();
    Pass pass;
    pass.tables = refs.data();
    // A stage waits only for the one before it, which somebody has begun: so it does not matter who comes, and when.
    pool_.run(pool_.size(), [&](std::size_t, std::size_t) {
      const std::size_t stage = next_stage_.fetch_add(1, std::memory_order_acq_rel);
      [[maybe_unused]] const typename Backend::FloatMode mode;
      go_through(stage, pass, x, length);
    });
    return std::span<const Scalar, Out::elements>(workspace_.output(), Out::elements);
  }

  /// All blocks of the layers of one stage; behind the last one, what the network does with the whole sequence.
  void go_through(std::size_t stage, Pass pass, const Element* x, std::int32_t length) noexcept {
    const Weights<Scalar> weights(model_->parameters().data(), Blocks::Whole::layout.offset.data());
    Scalar* const scratch = scratch_.data() + stage * scratch_size;
    for (std::size_t b = 0; b < Plan::blocks; ++b) {
      const std::size_t from = Plan::first_step(b), to = Plan::first_step(b + 1);
      if (stage > 0) wait_for(progress_[stage - 1].steps, to);
      pass.step = from;
      pass.samples = to - from;
      pass.lengths = length > 0 ? valid_.data() + from : nullptr;
      blocks_.run(pass, weights, model_->packed(), x, workspace_, scratch, begin_[stage], begin_[stage + 1]);
      progress_[stage].steps.store(to, std::memory_order_release);
    }
    if (stage + 1 < pool_.size()) return;
    pass.step = 0;
    pass.samples = 1;
    pass.lengths = length > 0 ? &length : nullptr;
    if constexpr (Plan::is_chain)
      workspace_.forward_from(Plan::parts, pass, model_->parameters().data(), model_->packed(), x);
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
  std::array<std::size_t, Plan::units + 1> begin_;
  typename Blocks::Whole workspace_{1};
  Blocks blocks_;
  AlignedArray<Scalar> scratch_;
  std::array<std::int32_t, Plan::steps> valid_{};
  std::unique_ptr<Progress[]> progress_;
  alignas(64) std::atomic<std::size_t> next_stage_{0};
};

template <class Net, class Backend>
WavefrontPredictor(const Model<Net, Backend>&) -> WavefrontPredictor<Net, Backend>;
template <class Net, class Backend>
WavefrontPredictor(const Model<Net, Backend>&, std::size_t) -> WavefrontPredictor<Net, Backend>;

}  // namespace aila::inline v0
