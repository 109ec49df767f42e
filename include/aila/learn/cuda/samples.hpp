// Samples that lie in a GPU's memory, and the batches that are taken from there.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>
#include <span>
#include <utility>

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

/// A copy of samples in memory that stay as they are. Bound by memory: a batch is read and written once.
template <class In>
class KeptSamples {
 public:
  using Element = ElementOf<In, float>;
  using View = SamplesView<In, float>;

  /// Copies the samples, unless they would take more than half of what is free.
  void keep(const View& samples, const Queue& queue) {
    if (holds(samples)) return;
    *this = {};
    std::size_t free = 0, all = 0;
    check(cudaMemGetInfo(&free, &all), "cudaMemGetInfo");
    if (samples.size() == 0 || bytes(samples) > free / 2 || samples.size() > UINT32_MAX) return;
    inputs_ = copied(samples.inputs(), queue);
    targets_ = copied(samples.targets(), queue);
    lengths_ = copied(samples.lengths(), queue);
    weights_ = copied(samples.weights(), queue);
    of_ = samples;
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
  /// Samples `indices` (in the device's memory) to the arrays.
  void take(const Pass& pass, const std::uint32_t* indices, const BatchArrays<In>& to) const;

 private:
  static std::size_t bytes(const View& samples) {
    return samples.inputs().size_bytes() + samples.targets().size_bytes() + samples.lengths().size_bytes() +
           samples.weights().size_bytes();
  }
  template <class T>
  static Array<T> copied(std::span<const T> from, const Queue& queue) {
    Array<T> made(from.size());
    queue.to_device(from.data(), from.size(), made.data());
    return made;
  }

  View of_;
  Array<Element> inputs_;
  Array<float> targets_, weights_;
  Array<std::int32_t> lengths_;
};

/// Samples of such a copy by their numbers, for a worker that computes group by group.
template <class In>
class KeptGroups {
 public:
  explicit KeptGroups(std::size_t most) : indices_(most) {}
  /// Copies to the arrays, lengths where a sample has one of its own, which it says.
  bool take(const Queue& queue, const KeptSamples<In>& from, std::span<const std::size_t> indices, BatchArrays<In> to) {
    queue.wait();  // for the last group's numbers
    const bool have_lengths = from.number(indices, indices_.host());
    if (!have_lengths) to.lengths = nullptr;
    indices_.send(queue, indices.size());
    Pass pass;
    pass.samples = indices.size();
    pass.queue = const_cast<Queue*>(&queue);
    from.take(pass, indices_.device(), to);
    return have_lengths;
  }

 private:
  PinnedMirror<std::uint32_t> indices_;
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
[[gnu::used]] void KeptSamples<In>::take(const Pass& pass, const std::uint32_t* indices,
                                         const BatchArrays<In>& to) const {
  constexpr bool whole = In::elements % 4 == 0;
  using Word = std::conditional_t<whole, uint4, std::uint32_t>;
  static_assert(sizeof(Element) == 4);
  constexpr std::size_t words = In::elements / (whole ? 4 : 1);
  over_elements(pass, pass.samples * words,
                TakeSamples<Word>{indices, reinterpret_cast<const Word*>(inputs_.data()), words,
                                  reinterpret_cast<Word*>(to.input), targets_.data(),
                                  to.targets == nullptr ? 0 : of_.targets_per_sample(), to.targets, weights_.data(),
                                  to.weights, lengths_.data(), to.lengths, pass.samples});
}
#endif

}  // namespace aila::inline v0::cuda

namespace aila::inline v0::detail {
template <class In, CudaBackend Kernels>
struct SampleCopies<In, Kernels> {
  static constexpr bool are_kept = true;
  using All = cuda::KeptSamples<In>;
  using Groups = cuda::KeptGroups<In>;
};
}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
