// The batches of a training on a GPU: of what lies there already, or loaded and copied while the step before them is
// computed.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "../../backend/cuda/pinned_mirror.hpp"
#include "../../core/executor.hpp"
#include "../../core/no_memory.hpp"
#include "../worker.hpp"
#include "kept.hpp"

namespace aila::inline v0::cuda {

/// Where the samples of a step are, and what of them its kernels depend on.
struct Batch {
  std::size_t samples = 0;
  std::size_t place = 0;     ///< of the two that are filled by turns
  bool has_lengths = false;  ///< some sample has a length of its own
  std::size_t copy = 0;      ///< KeptSource::copy() of what they are taken from; 0: loaded
};

/// Batches of up to a number of samples for a loss on a network. Two places: one for the step that is computed, one for
/// the next, which the executor's workers fill, and which is copied on a queue of its own.
template <class LossType, class Placed>
class Batches {
 public:
  using In = typename Placed::In;
  using Element = ElementOf<In, float>;
  using Source = SourceRef<In, float>;
  using Indices = std::span<const std::size_t>;
  static constexpr std::size_t targets = LossType::template targets<typename Placed::Out>;

  explicit Batches(ExecutorRef executor) : executor_(executor) {}
  void take_memory(std::size_t most) { numbers_ = BatchNumbersMirror(most); }

  /// Takes a copy of the source's samples, or of what they are made of, where there is room.
  void keep(const Source& source, const Queue& queue) {
    if (aila::detail::may_be_copied<LossType, Placed, backend::Cuda>(source.samples_in_memory()))
      kept_.keep(source, queue);
  }

  /// The samples `indices` of a source, for the work that is put on `queue` next.
  Batch take(const Source& source, Indices indices, std::uint64_t epoch, const Queue& queue) {
    if (kept_.holds(source)) {
      numbers_.set_epoch(epoch);
      const bool has_lengths = kept_.number(indices, numbers_.samples());
      return {.samples = indices.size(), .has_lengths = has_lengths, .copy = kept_.copy()};
    }
    if (!is_ahead_ || !places_[next_].holds(source, indices, epoch)) load(source, indices, epoch);
    is_ahead_ = false;
    copies_.before(queue);
    const std::size_t place = std::exchange(next_, 1 - next_);
    return {.samples = indices.size(), .place = place, .has_lengths = places_[place].has_lengths};
  }
  /// Begins with the batch behind the one that was taken last, while that is computed. What goes wrong here goes wrong
  /// again where the batch is taken, and is told there.
  void look_ahead(const Source& source, Indices indices, std::uint64_t epoch) {
    if (indices.empty() || indices.size() > numbers_.most() || kept_.holds(source)) return;
    aila::detail::catching([&] { load(source, indices, epoch); }, [&] { is_ahead_ = false; });
  }

  /// Puts a batch in order on the pass's queue: copies to the arrays.
  void send(const Pass& pass, const Batch& batch, const BatchArrays<In>& to) {
    const Queue& queue = *static_cast<const Queue*>(pass.queue);
    if (batch.copy > 0) return kept_.take(pass, numbers_.send(queue, batch.samples), to);
    Place& place = places_[batch.place];
    const auto copy = [&]<class T>(T* target, PinnedMirror<T>& from, std::size_t count) {
      if (count > 0) queue.copy(target, from.device(), count * sizeof(T), cudaMemcpyDeviceToDevice);
    };
    copy(to.input, place.input, batch.samples * In::elements);
    copy(to.targets, place.targets, batch.samples * targets);
    copy(to.weights, place.weights, batch.samples);
    if (to.lengths != nullptr) copy(to.lengths, place.lengths, batch.samples);
  }

 private:
  struct Place {
    PinnedMirror<Element> input;
    PinnedMirror<float> targets, weights;
    PinnedMirror<std::int32_t> lengths;
    std::vector<std::size_t> indices;
    Source source;
    std::uint64_t epoch = 0;
    bool has_lengths = false;

    /// Only where samples are loaded at all.
    void take_memory(std::size_t most) {
      if (weights.size() > 0) return;
      aila::detail::taking("trainer", most, "samples a batch", [&] {
        input = PinnedMirror<Element>(most * In::elements);
        targets = PinnedMirror<float>(most * LossType::template targets<typename Placed::Out>);
        lengths = PinnedMirror<std::int32_t>(most);
        indices.reserve(most);
        weights = PinnedMirror<float>(most);
      });
    }
    bool holds(const Source& of, Indices wanted, std::uint64_t at) const {
      return source.is(of) && epoch == at && std::ranges::equal(indices, wanted);
    }
  };

  /// Samples to the next place, and from there to the device.
  void load(const Source& source, Indices indices, std::uint64_t epoch) {
    Place& place = places_[next_];
    place.take_memory(numbers_.most());
    copies_.wait();  // what the place held before may be on its way
    std::atomic<bool> all_steps_valid{true};
    executor_.run(indices.size(), [&](std::size_t i, std::size_t) {
      SampleSlot<In, float> slot;
      slot.input = place.input.host() + i * In::elements;
      slot.targets = place.targets.host() + i * targets;
      slot.target_count = targets;
      slot.epoch = epoch;
      aila::detail::load_sample(source, indices[i], slot);
      place.lengths.host()[i] = slot.length;
      place.weights.host()[i] = slot.weight;
      if (slot.length != static_cast<std::int32_t>(In::extents[0])) all_steps_valid = false;
    });
    place.has_lengths = !all_steps_valid;
    if (place.has_lengths)
      aila::detail::clear_padded_targets<LossType, Placed>(indices.size(), place.lengths.host(), place.targets.host());
    place.input.send(copies_, indices.size() * In::elements);
    place.targets.send(copies_, indices.size() * targets);
    place.weights.send(copies_, indices.size());
    if (place.has_lengths) place.lengths.send(copies_, indices.size());
    place.source = source;
    place.indices.assign(indices.begin(), indices.end());
    place.epoch = epoch;
    is_ahead_ = true;
  }

  ExecutorRef executor_;
  KeptSource<In> kept_;
  BatchNumbersMirror numbers_;
  std::array<Place, 2> places_;
  Queue copies_;
  std::size_t next_ = 0;  ///< the place that is filled next
  bool is_ahead_ = false;
};

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
