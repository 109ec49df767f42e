// What of a source lies in a GPU's memory, and the batches that are taken from there.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>
#include <span>
#include <type_traits>

#include "images.hpp"
#include "samples.hpp"

namespace aila::inline v0::cuda {

/// A copy of a source's samples, or of the images that they are made of; of other sources there is none.
template <class In>
class KeptSource {
 public:
  using Source = SourceRef<In, float>;

  /// Copies to the queue's device, where there is room, and what was kept before is no more.
  void keep(const Source& source, const Queue& queue) {
    if (holds(source)) return;
    ++copy_;
    queue.there([&] {
      samples_.keep(source.samples_in_memory(), queue);
      if constexpr (has_images) images_.keep(source.images_in_memory(), queue);
    });
  }
  bool holds(const Source& source) const {
    if constexpr (has_images)
      if (images_.holds(source.images_in_memory())) return true;
    return samples_.holds(source.samples_in_memory());
  }
  /// Tells one copy from those before it.
  std::size_t copy() const { return copy_; }

  /// The numbers of samples as `take` has them; whether any of these has a length of its own. Throws Error where there
  /// is no such sample.
  bool number(std::span<const std::size_t> indices, std::uint32_t* to) const {
    if constexpr (has_images)
      if (images_.is_there()) {
        images_.number(indices, to);
        return false;
      }
    return samples_.number(indices, to);
  }
  /// The samples of these numbers to the arrays.
  void take(const Pass& pass, const BatchNumbers& numbers, const BatchArrays<In>& to) const {
    if constexpr (has_images)
      if (images_.is_there()) return images_.take(pass, numbers, to);
    samples_.take(pass, numbers, to);
  }

 private:
  static constexpr bool has_images = ImageShape<In>;
  struct Nothing {};

  KeptSamples<In> samples_;
  [[no_unique_address]] std::conditional_t<has_images, KeptImages<In>, Nothing> images_;
  std::size_t copy_ = 0;
};

/// Samples of such a copy as evaluation reads them, for a worker that computes group by group.
template <class In>
class KeptGroups {
 public:
  explicit KeptGroups(std::size_t most) : numbers_(most) {}
  /// Copies to the arrays, lengths where a sample has one of its own, which it says.
  bool take(const Queue& queue, const KeptSource<In>& from, std::span<const std::size_t> indices, BatchArrays<In> to) {
    queue.wait();  // for the last group's numbers
    const bool have_lengths = from.number(indices, numbers_.samples());
    if (!have_lengths) to.lengths = nullptr;
    Pass pass;
    pass.samples = indices.size();
    pass.queue = const_cast<Queue*>(&queue);
    from.take(pass, numbers_.send(queue, indices.size()), to);
    return have_lengths;
  }

 private:
  BatchNumbersMirror numbers_;  ///< of epoch 0
};

}  // namespace aila::inline v0::cuda

namespace aila::inline v0::detail {
template <class In, CudaBackend Kernels>
struct SampleCopies<In, Kernels> {
  static constexpr bool are_kept = true;
  using All = cuda::KeptSource<In>;
  using Groups = cuda::KeptGroups<In>;
};
}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
