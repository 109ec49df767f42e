// Samples that lie in a GPU's memory, and the batches that are taken from there.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>
#include <span>

#include "../../backend/cuda/launch.hpp"
#include "../../backend/cuda/pinned_mirror.hpp"
#include "../worker.hpp"

namespace aila::inline v0::cuda {

/// Where the samples of a batch are written.
template <class In>
struct BatchArrays {
  ElementOf<In, float>* input = nullptr;
  float* targets = nullptr;  ///< null: nobody asks
  float* weights = nullptr;
  std::int32_t* lengths = nullptr;  ///< null: all steps are valid
};

/// What a batch is taken by, as kernels read it: nothing of it is part of a graph.
struct BatchNumbers {
  const std::uint32_t* words = nullptr;  ///< the epoch, the lower half first, and the numbers of the samples
  constexpr std::uint64_t epoch() const { return words[0] | std::uint64_t{words[1]} << 32U; }
  constexpr const std::uint32_t* samples() const { return words + 2; }
};
/// The same for the program, sent in one piece.
class BatchNumbersMirror {
 public:
  BatchNumbersMirror() = default;
  explicit BatchNumbersMirror(std::size_t most) : most_(most), words_(most + 2) {}
  std::size_t most() const { return most_; }
  std::uint32_t* samples() { return words_.host() + 2; }
  void set_epoch(std::uint64_t epoch) {
    words_.host()[0] = static_cast<std::uint32_t>(epoch);
    words_.host()[1] = static_cast<std::uint32_t>(epoch >> 32U);
  }
  BatchNumbers send(const Queue& queue, std::size_t samples) {
    words_.send(queue, samples + 2);
    return {words_.device()};
  }

 private:
  std::size_t most_ = 0;
  PinnedMirror<std::uint32_t> words_;
};

/// Whether a copy of so many bytes may be kept: not where it would take more than half of what is free.
inline bool has_room_for(std::size_t bytes) {
  std::size_t free = 0, all = 0;
  check(cudaMemGetInfo(&free, &all), "cudaMemGetInfo");
  return bytes <= free / 2;
}
template <class T>
Array<T> copy_of(std::span<const T> from, const Queue& queue) {
  Array<T> made(from.size());
  queue.to_device(from.data(), from.size(), made.data());
  return made;
}

/// A copy of samples in memory that stay as they are. Bound by memory: a batch is read and written once.
template <class In>
class KeptSamples {
 public:
  using Element = ElementOf<In, float>;
  using View = SamplesView<In, float>;

  /// Copies the samples, where there is room.
  void keep(const View& samples, const Queue& queue) {
    if (holds(samples)) return;
    *this = {};
    if (samples.size() == 0 || samples.size() > UINT32_MAX || !has_room_for(bytes(samples))) return;
    aila::detail::where_there_is_room(
        [&] {
          inputs_ = copy_of(samples.inputs(), queue);
          targets_ = copy_of(samples.targets(), queue);
          lengths_ = copy_of(samples.lengths(), queue);
          weights_ = copy_of(samples.weights(), queue);
          of_ = samples;
        },
        [&] { *this = {}; });
  }
  bool holds(const View& samples) const { return of_.size() > 0 && of_.is(samples); }
  /// The numbers of samples as `take` has them; whether any of these has a length of its own. Throws Error where there
  /// is no such sample.
  bool number(std::span<const std::size_t> indices, std::uint32_t* to) const {
    bool have_lengths = false;
    for (const std::size_t index : indices) {
      aila::detail::check_index(index, of_.size());
      *to++ = static_cast<std::uint32_t>(index);
      if (!of_.lengths().empty() && of_.lengths()[index] != static_cast<std::int32_t>(In::extents[0]))
        have_lengths = true;
    }
    return have_lengths;
  }
  /// The samples of these numbers to the arrays.
  void take(const Pass& pass, const BatchNumbers& numbers, const BatchArrays<In>& to) const;

 private:
  static std::size_t bytes(const View& samples) {
    return samples.inputs().size_bytes() + samples.targets().size_bytes() + samples.lengths().size_bytes() +
           samples.weights().size_bytes();
  }

  View of_;
  Array<Element> inputs_;
  Array<float> targets_, weights_;
  Array<std::int32_t> lengths_;
};

#ifdef __CUDACC__
/// One thread a word of the inputs, of 16 bytes where rows are whole ones; the first also take what is beside them.
template <class Word>
struct TakeSamples {
  const std::uint32_t* indices;
  const Word* inputs;
  std::size_t words;  // of a row
  Word* to;
  const float* targets;
  std::size_t targets_each;
  float* to_targets;
  const float* weights;
  float* to_weights;
  const std::int32_t* lengths;
  std::int32_t* to_lengths;
  std::size_t samples;
  __device__ void operator()(std::size_t i) const {
    const std::size_t n = i / words;
    to[i] = inputs[indices[n] * words + i % words];
    for (std::size_t k = i; k < samples * targets_each; k += samples * words)
      to_targets[k] = targets[indices[k / targets_each] * targets_each + k % targets_each];
    if (i >= samples) return;
    to_weights[i] = weights == nullptr ? 1.0F : weights[indices[i]];
    if (to_lengths != nullptr) to_lengths[i] = lengths[indices[i]];
  }
};
template <class In>
[[gnu::used]] void KeptSamples<In>::take(const Pass& pass, const BatchNumbers& numbers,
                                         const BatchArrays<In>& to) const {
  constexpr bool whole = In::elements % 4 == 0;
  using Word = std::conditional_t<whole, uint4, std::uint32_t>;
  static_assert(sizeof(Element) == 4);
  constexpr std::size_t words = In::elements / (whole ? 4 : 1);
  over_elements(pass, pass.samples * words,
                TakeSamples<Word>{numbers.samples(), reinterpret_cast<const Word*>(inputs_.data()), words,
                                  reinterpret_cast<Word*>(to.input), targets_.data(),
                                  to.targets == nullptr ? 0 : of_.targets_per_sample(), to.targets, weights_.data(),
                                  to.weights, lengths_.data(), to.lengths, pass.samples});
}
#endif

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
