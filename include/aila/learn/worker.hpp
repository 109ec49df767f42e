// One worker of training or evaluation: a workspace, the samples of the group in hand, and the loss over its outputs.
#pragma once

#include "../core/macros_aside.hpp"

#include <vector>

#include "../backend/staged.hpp"
#include "../network/model.hpp"
#include "loss_over.hpp"
#include "source.hpp"

namespace aila::inline v0 {

template <class LossType, class Out>
concept LossAcceptsOutput = Loss<LossType, Out>;

namespace detail {
template <class LossType, class Out>
struct LossRefused {
  static consteval int say() {
    constexpr bool accepted = LossAcceptsOutput<LossType, Out>;
    static_assert(accepted, "aila: this loss cannot be taken of the network's output");
    return 0;
  }
};
template <class LossType, class Out>
using LossRefusal =
    std::conditional_t<Refused<Out> || LossAcceptsOutput<LossType, Out>, NoRefusal, LossRefused<LossType, Out>>;

/// Has the body of a loss compiled where a class asks for it (CompiledFirst).
template <class LossType, class Placed, class Kernels>
consteval bool compile_loss() {
  if constexpr (!Refused<typename Placed::Out> && LossAcceptsOutput<LossType, typename Placed::Out>)
    return static_cast<bool>(sizeof(LossOver<LossType, Placed, Kernels>));
  else
    return false;
}

/// Throws Error where a source gives another number of targets a sample than the loss takes.
template <class LossType, class Out, class Source>
void check_target_count(const Source& source, const char* where) {
  if constexpr (LossAcceptsOutput<LossType, Out>) {
    constexpr std::size_t expected = LossType::template targets<Out>;
    if (expected > 0 && source.targets_per_sample() != expected)
      throw_error(where, ": expected ", expected, " targets a sample for this loss, the samples have ",
                  source.targets_per_sample());
  }
}

/// Whether a loss is given targets of padded steps, which are zeros then.
template <class LossType, class Placed>
inline constexpr bool has_padded_targets =
    has_targets_of_steps<LossType, typename Placed::Out> && has_steps<typename Placed::In>;
template <class LossType, class Placed, class Scalar>
void clear_padded_targets([[maybe_unused]] std::size_t samples, [[maybe_unused]] const std::int32_t* lengths,
                          [[maybe_unused]] Scalar* targets) {
  if constexpr (has_padded_targets<LossType, Placed>) {
    using Out = typename Placed::Out;
    Pass pass;
    pass.lengths = lengths;
    clear_steps(samples, Out::positions, LossType::template targets<Out> / Out::positions, targets,
                [&](std::size_t n) { return valid_steps_after<typename Placed::Layer, typename Placed::In>(pass, n); });
  }
}

/// Whether batches may be taken from a copy of the samples: not where targets of padded steps are to be cleared first.
/// The one target that views give a sample is never such a one.
template <class LossType, class Placed, class Kernels, class View>
bool may_be_copied([[maybe_unused]] const View& samples) {
  if constexpr (has_padded_targets<LossType, Placed>)
    if constexpr (!LossOver<LossType, Placed, Kernels>::goes_by_steps) return samples.lengths().empty();
  return true;
}
/// Copies of samples, or of what they are made of, in the memory of a backend that has its own: of all of them, and of
/// a group taken from those.
template <class In, class Kernels>
struct SampleCopies {
  static constexpr bool are_kept = false;
  struct All {};
  struct Groups {
    explicit Groups(std::size_t) {}
  };
};
}  // namespace detail

template <class Net, class LossType, ComputeBackend Backend, Capability C>
class Worker {
 public:
  using Scalar = typename Backend::Scalar;
  using ModelType = Model<Net, Backend>;
  using In = typename ModelType::In;
  using Out = typename ModelType::Out;
  using WorkspaceType = Workspace<Net, Backend, C>;
  enum { checked = detail::LossRefusal<LossType, Out>::say() };
  static constexpr bool usable = LossAcceptsOutput<LossType, Out>;
  static constexpr std::size_t targets = [] {
    if constexpr (usable) return LossType::template targets<Out>;
    return std::size_t{1};
  }();

  using Copies = detail::SampleCopies<In, KernelsOf<Backend>>;

  explicit Worker(std::size_t samples, Retain retain = Retain::needed)
      : workspace(samples, retain),
        groups_(samples),
        targets_(samples * targets),
        lengths_(samples),
        weights_(samples),
        scratch_(scratch_size()) {}

  /// Loads the samples `indices` of a source, in order. Throws Error where the source has no such sample, or gives one
  /// a length that is none.
  void load(const SourceRef<In, Scalar>& source, std::span<const std::size_t> indices, std::uint64_t epoch) {
    if (indices.size() > workspace.capacity()) refuse_count(indices.size());
    samples_ = indices.size();
    bool all_steps_valid = true;
    for (std::size_t i = 0; i < samples_; ++i) {
      SampleSlot<In, Scalar> slot;
      slot.input = workspace.host_input() + i * In::elements;
      slot.targets = targets_.host() + i * targets;
      slot.target_count = targets;
      slot.epoch = epoch;
      detail::load_sample(source, indices[i], slot);
      lengths_[i] = slot.length;
      weights_.host()[i] = slot.weight;
      all_steps_valid = all_steps_valid && slot.length == static_cast<std::int32_t>(In::extents[0]);
    }
    if (!all_steps_valid)
      detail::clear_padded_targets<LossType, typename WorkspaceType::Placed>(samples_, lengths_.data(),
                                                                             targets_.host());
    auto& queue = workspace.queue();
    workspace.send_input(samples_);
    targets_.send(queue, samples_ * targets);
    weights_.send(queue, samples_);
    lengths_of_pass_ = all_steps_valid ? nullptr : workspace.take_lengths(lengths_.data(), samples_);
  }

  /// The same of a source in epoch 0, from the backend's copy of it.
  void load(const typename Copies::All& copy, std::span<const std::size_t> indices)
    requires(Copies::are_kept)
  {
    if (indices.size() > workspace.capacity()) refuse_count(indices.size());
    samples_ = indices.size();
    auto& queue = workspace.queue();
    queue.run([&] {
      const bool have_lengths = groups_.take(
          queue, copy, indices, {workspace.input(), targets_.device(), weights_.device(), workspace.lengths()});
      lengths_of_pass_ = have_lengths ? workspace.lengths() : nullptr;
    });
  }

  std::size_t samples() const { return samples_; }

  void forward(const ModelType& model, Pass pass) {
    workspace.on_its_device([&] {
      workspace.expect_here(model.kernel_parameters());
      const auto refs = model.table_refs();
      complete(pass, refs.data());
      workspace.forward(pass, model.kernel_parameters(), model.packed(), workspace.input());
    });
  }

  void backward(const ModelType& model, Pass pass, Scalar* gradients) {
    workspace.on_its_device([&] {
      workspace.expect_here(model.kernel_parameters());
      const auto refs = model.table_refs();
      complete(pass, refs.data());
      workspace.backward(pass, model.kernel_parameters(), model.packed(), gradients);
    });
  }

  /// The sum over samples of weight * loss; writes `scale` times its gradient to the workspace where that has one.
  double loss(const LossType& loss_function, double scale) {
    double sum = 0;
    if constexpr (usable)
      workspace.queue().run([&] {
        sum = Over::run(loss_function, scale,
                        {.samples = samples_,
                         .lengths = lengths_of_pass_,
                         .outputs = workspace.output(),
                         .targets = targets_.device(),
                         .weights = weights_.device(),
                         .gradient = keeps_for_backward(C) ? workspace.output_gradient() : nullptr,
                         .scratch = scratch_.data(),
                         .queue = &workspace.queue()});
      });
    return sum;
  }

  WorkspaceType workspace;

 private:
  [[noreturn]] void refuse_count(std::size_t samples) const {
    throw_error("worker: expected up to ", workspace.capacity(), " samples, found ", samples);
  }
  using Over = LossOver<LossType, typename WorkspaceType::Placed, KernelsOf<Backend>>;
  static constexpr std::size_t scratch_size() {
    if constexpr (usable) return Over::scratch;
    return 0;
  }

  void complete(Pass& pass, const TableRef* tables) const {
    pass.samples = samples_;
    pass.lengths = lengths_of_pass_;
    pass.tables = tables;
  }

  [[no_unique_address]] typename Copies::Groups groups_;
  Staged<Scalar, Backend> targets_;
  std::vector<std::int32_t> lengths_;
  const std::int32_t* lengths_of_pass_ = nullptr;  ///< for kernels; null: all steps of all samples
  Staged<Scalar, Backend> weights_;
  ArrayOn<Scalar, Backend> scratch_;
  std::size_t samples_ = 0;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
