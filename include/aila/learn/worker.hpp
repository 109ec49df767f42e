// One worker of training or evaluation: a workspace, the samples of the group in hand, and the loss over its outputs.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <vector>

#include "../backend/host/lanes.hpp"
#include "../backend/host/padding.hpp"
#include "../network/model.hpp"
#include "loss.hpp"
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
}  // namespace detail

namespace detail {
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
}  // namespace detail

template <class Net, class LossType, HostBackend Backend, Capability C>
class Worker {
 public:
  using Scalar = typename Backend::Scalar;
  using ModelType = Model<Net, Backend>;
  using In = typename ModelType::In;
  using Out = typename ModelType::Out;
  using Lane = Lanes<Backend>;
  using V = typename Lane::V;
  using WorkspaceType = Workspace<Net, Backend, C>;
  enum { checked = detail::LossRefusal<LossType, Out>::say() };
  static constexpr bool usable = LossAcceptsOutput<LossType, Out>;
  static constexpr std::size_t targets = [] {
    if constexpr (usable) return LossType::template targets<Out>;
    return std::size_t{1};
  }();

  explicit Worker(std::size_t samples, Retain retain = Retain::needed)
      : workspace(samples, retain),
        targets_(samples * targets),
        lengths_(samples),
        weights_(samples),
        tiles_((2 * Out::elements + targets) * Lane::count + alignment_elements) {}

  /// Loads the samples `indices` of a source, in order. Throws Error where the source has no such sample, or gives one
  /// a length that is none.
  void load(const SourceRef<In, Scalar>& source, std::span<const std::size_t> indices, std::uint64_t epoch) {
    if (indices.size() > workspace.capacity()) refuse_count(indices.size());
    samples_ = indices.size();
    any_length_ = false;
    const std::size_t size = source.size();
    for (std::size_t i = 0; i < samples_; ++i) {
      SampleSlot<In, Scalar> slot;
      slot.input = workspace.input() + i * In::elements;
      slot.targets = targets_.data() + i * targets;
      slot.target_count = targets;
      slot.epoch = epoch;
      if (indices[i] >= size) refuse_index(indices[i], size);
      source.load(indices[i], slot);
      detail::LengthRule<In>::check_slot("source", slot.length, indices[i]);
      lengths_[i] = slot.length;
      weights_[i] = slot.weight;
      any_length_ = any_length_ || slot.length != static_cast<std::int32_t>(In::extents[0]);
    }
    if constexpr (detail::has_targets_of_steps<LossType, Out> && has_lengths)
      if (any_length_)
        detail::clear_steps(samples_, Out::positions, targets / Out::positions, targets_.data(),
                            [this](std::size_t n) { return valid_outputs(n); });
  }

  std::size_t samples() const { return samples_; }
  const std::int32_t* lengths() const { return any_length_ ? lengths_.data() : nullptr; }

  void forward(const ModelType& model, Pass pass) {
    pass.samples = samples_;
    pass.lengths = lengths();
    const auto refs = model.table_refs();
    pass.tables = refs.data();
    workspace.forward(pass, model.parameters().data(), model.packed(), workspace.input());
  }

  void backward(const ModelType& model, Pass pass, Scalar* gradients) {
    pass.samples = samples_;
    pass.lengths = lengths();
    const auto refs = model.table_refs();
    pass.tables = refs.data();
    workspace.backward(pass, model.parameters().data(), model.packed(), gradients);
  }

  /// The sum over samples of weight * loss; writes `scale` times its gradient to the workspace where that has one. A
  /// sample of weight 0 takes no part, be its loss infinite or no number.
  double loss(const LossType& loss_function, double scale) {
    if constexpr (detail::goes_by_steps<LossType, Out> && has_lengths)
      if (any_length_) return loss_of_valid_steps(loss_function, scale);
    double sum = 0;
    if constexpr (usable) {
      V* outputs = Lane::tile(tiles_.data());
      V* target = outputs + Out::elements;
      V* gradient = target + targets;
      for (std::size_t first = 0; first < samples_; first += Lane::count) {
        const std::size_t valid = std::min(Lane::count, samples_ - first);
        Lane::load_rows(workspace.output() + first * Out::elements, valid, Out::elements, outputs);
        Lane::load_rows(targets_.data() + first * targets, valid, targets, target);
        const V value = loss_function.template operator()<Out>(static_cast<const V*>(outputs),
                                                               static_cast<const V*>(target), gradient);
        alignas(64) std::array<Scalar, Lane::count> each{}, weight{}, taken{};
        Lane::store(each.data(), value);
        bool all_taken = true;
        for (std::size_t i = 0; i < valid; ++i) {
          weight[i] = static_cast<Scalar>(scale) * weights_[first + i];
          taken[i] = weights_[first + i] == 0 ? Scalar(0) : Scalar(1);
          all_taken = all_taken && taken[i] != 0;
          if (taken[i] != 0) sum += static_cast<double>(weights_[first + i]) * static_cast<double>(each[i]);
        }
        if constexpr (keeps_for_backward(C)) {
          const V factor = Lane::load(weight.data()), part = Lane::load(taken.data());
          for (std::size_t e = 0; e < Out::elements && !all_taken; ++e) {
            const V finite = math::select(detail::is_finite(gradient[e]), gradient[e], constant<V>(0));
            gradient[e] = math::select(part == constant<V>(0), finite, gradient[e]);
          }
          for (std::size_t e = 0; e < Out::elements; ++e) gradient[e] = gradient[e] * factor;
          Lane::store_rows(workspace.output_gradient() + first * Out::elements, valid, Out::elements, gradient);
        }
      }
    }
    return sum;
  }

  WorkspaceType workspace;

 private:
  [[noreturn]] static void refuse_index(std::size_t index, std::size_t size) {
    throw_error("source: expected samples below ", size, ", which are all, found ", index);
  }
  [[noreturn]] void refuse_count(std::size_t samples) const {
    throw_error("worker: expected up to ", workspace.capacity(), " samples, found ", samples);
  }
  /// Whether lengths tell which outputs count.
  static constexpr bool has_lengths = detail::has_steps<In> && SequenceShape<Out>;
  /// Steps of sample n's output that are valid.
  std::size_t valid_outputs(std::size_t n) const {
    Pass pass;
    pass.lengths = lengths();
    return detail::valid_steps_after<typename WorkspaceType::Placed::Layer, In>(pass, n);
  }

  /// The same of outputs that are sequences, of which padded steps are no part: the loss of a sample is the mean over
  /// its valid steps. Lanes are steps of one sample.
  double loss_of_valid_steps(const LossType& loss_function, double scale) {
    using Step = Sequence<1, Out::features>;
    constexpr std::size_t each = targets / Out::positions;
    V* const outputs = Lane::tile(tiles_.data());
    V* const target = outputs + Out::features;
    V* const gradient = target + each;
    double sum = 0;
    for (std::size_t n = 0; n < samples_; ++n) {
      if (weights_[n] == 0) {
        if constexpr (keeps_for_backward(C))
          std::fill_n(workspace.output_gradient() + n * Out::elements, Out::elements, Scalar(0));
        continue;
      }
      const std::size_t steps = valid_outputs(n);
      const double share = steps > 0 ? static_cast<double>(weights_[n]) / static_cast<double>(steps) : 0;
      for (std::size_t t = 0; t < steps; t += Lane::count) {
        const std::size_t valid = std::min(Lane::count, steps - t), at = n * Out::positions + t;
        Lane::load_rows(workspace.output() + at * Out::features, valid, Out::features, outputs);
        Lane::load_rows(targets_.data() + at * each, valid, each, target);
        alignas(64) std::array<Scalar, Lane::count> losses{};
        Lane::store(losses.data(), loss_function.template operator()<Step>(static_cast<const V*>(outputs),
                                                                           static_cast<const V*>(target), gradient));
        for (std::size_t i = 0; i < valid; ++i) sum += share * static_cast<double>(losses[i]);
        if constexpr (keeps_for_backward(C)) {
          const V factor(static_cast<Scalar>(scale * share));
          for (std::size_t f = 0; f < Out::features; ++f) gradient[f] = gradient[f] * factor;
          Lane::store_rows(workspace.output_gradient() + at * Out::features, valid, Out::features, gradient);
        }
      }
    }
    return sum;
  }

  AlignedArray<Scalar> targets_;
  std::vector<std::int32_t> lengths_;
  std::vector<Scalar> weights_;
  AlignedArray<Scalar> tiles_;
  std::size_t samples_ = 0;
  bool any_length_ = false;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
