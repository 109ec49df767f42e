// What of a source lies in a GPU's memory, and the batches that are taken from there.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>
#include <span>
#include <type_traits>

#include "../../backend/cuda/cuda.hpp"
#include "../../core/no_memory.hpp"
#include "images.hpp"
#include "samples.hpp"
#include "texts.hpp"

namespace aila::inline v0::cuda {

/// A copy of what a view is of. It says which bytes those are, which row of it a sample is made of and, where its
/// inputs have steps, whether that has a length of its own; and it may look itself whether the memory has changed.
template <class Copy>
class Kept {
 public:
  using View = typename Copy::View;

  /// Copies, where there is room. Throws Error for a view whose sizes do not fit.
  void keep(const View& view, const Queue& queue) {
    if (holds(view)) return;
    *this = {};
    if (view.size() == 0) return;
    if constexpr (requires { view.check(); }) view.check();
    if (Copy::rows(view) > UINT32_MAX || !has_room_for(Copy::bytes(view))) return;
    aila::detail::where_there_is_room(
        [&] {
          copy_ = Copy(view, queue);
          of_ = view;
        },
        [&] { *this = {}; });
  }
  bool is_there() const { return of_.size() > 0; }
  bool holds(const View& view) const {
    if (!is_there() || !of_.is(view)) return false;
    if constexpr (requires { copy_.is_still(view); }) return copy_.is_still(view);
    return true;
  }
  /// The rows of samples, as `take` has them; whether any of these has a length of its own. Throws Error where there is
  /// no such sample.
  bool number(std::span<const std::size_t> indices, std::uint32_t* to) const {
    bool have_lengths = false;
    for (const std::size_t index : indices) {
      aila::detail::check_index(index, of_.size());
      *to++ = static_cast<std::uint32_t>(Copy::row(of_, index));
      if constexpr (requires { Copy::has_length(of_, index); })
        have_lengths = have_lengths || Copy::has_length(of_, index);
    }
    return have_lengths;
  }
  /// The samples of these rows to the arrays.
  template <class Arrays>
  void take(const Pass& pass, const BatchNumbers& numbers, const Arrays& to) const {
    copy_.take(of_, pass, numbers, to);
  }

 private:
  View of_;
  Copy copy_;
};

/// The copy of what samples of an input may be made of.
template <class View>
struct KeptView {
  using Type = View;
};
template <class In>
struct KeptView<ImagesView<In>> {
  using Type = Kept<ImagesCopy<In>>;
};
template <class In>
struct KeptView<TextsView<In>> {
  using Type = Kept<TextsCopy<In>>;
};

/// A copy of a source's samples, or of the images or texts that they are made of; of other sources there is none.
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
      if constexpr (has_view) view_.keep(source.view_in_memory(), queue);
    });
  }
  bool holds(const Source& source) const {
    if constexpr (has_view)
      if (view_.holds(source.view_in_memory())) return true;
    return samples_.holds(source.samples_in_memory());
  }
  /// Tells one copy from those before it.
  std::size_t copy() const { return copy_; }

  bool number(std::span<const std::size_t> indices, std::uint32_t* to) const {
    if constexpr (has_view)
      if (view_.is_there()) return view_.number(indices, to);
    return samples_.number(indices, to);
  }
  void take(const Pass& pass, const BatchNumbers& numbers, const BatchArrays<In>& to) const {
    if constexpr (has_view)
      if (view_.is_there()) return view_.take(pass, numbers, to);
    samples_.take(pass, numbers, to);
  }

 private:
  using View = typename KeptView<ViewFor<In>>::Type;
  static constexpr bool has_view = !std::is_same_v<View, aila::detail::NoView>;

  Kept<SamplesCopy<In>> samples_;
  [[no_unique_address]] View view_;
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
