// Where samples come from: the contract of data sources, and samples in memory.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "../backend/kernel.hpp"
#include "../core/error.hpp"
#include "../core/lengths.hpp"
#include "../network/input.hpp"
#include "images.hpp"
#include "sample_slot.hpp"
#include "texts.hpp"
#include "view.hpp"

namespace aila::inline v0 {

/// A source has size(), the numbers it gives a sample as targets, and load(index, slot), which is called from several
/// threads at once for different samples.
template <class T, class In, class Scalar>
concept SampleSource = requires(const T& source, std::size_t index, SampleSlot<In, Scalar>& slot) {
  { source.size() } -> std::convertible_to<std::size_t>;
  { source.targets_per_sample() } -> std::convertible_to<std::size_t>;
  source.load(index, slot);
};

namespace detail {
template <class One, class Other>
inline constexpr bool are_members_of_one_class = false;
template <class Class, class One, class Other>
inline constexpr bool are_members_of_one_class<One Class::*, Other Class::*> = true;

struct NoView {};
template <class In, class Scalar>
struct ViewOfInput {
  using Type = NoView;
};
template <ImageShape In, class Scalar>
struct ViewOfInput<In, Scalar> {
  using Type = ImagesView<In, Scalar>;
};
template <AnyShape In, class Scalar>
  requires has_steps<In>
struct ViewOfInput<In, Scalar> {
  using Type = TextsView<In, Scalar>;
};
}  // namespace detail

/// The data in memory that samples of such inputs may be made of: images; of tokens and sequences texts; of others
/// none.
template <class In, class Scalar = float>
using ViewFor = typename detail::ViewOfInput<In, Scalar>::Type;

/// A source whose samples are made of such data may say so by a member view(): its load must be the view's. A class
/// that inherits view() and has a load of its own, or several, is any other source, and so is one with virtual
/// functions, from which such a class may be derived.
template <class T, class In, class Scalar>
concept SourceWithView = SampleSource<T, In, Scalar> && requires(const T& source) {
  { source.view() } -> std::same_as<ViewFor<In, Scalar>>;
  requires detail::are_members_of_one_class<decltype(&T::view), decltype(&T::load)>;
  requires !std::is_polymorphic_v<T> || std::is_final_v<T>;
};

namespace detail {
template <class T, class In, class Scalar>
consteval int require_source() {
  constexpr bool source = Refused<In> || SampleSource<T, In, Scalar>;
  static_assert(source, "aila: this is no source of samples of the network's input and Scalar");
  return 0;
}
}  // namespace detail

/// Samples that lie elsewhere: inputs [N, In...], targets [N, k], and if not empty lengths [N] and weights [N].
template <class In, class Scalar = float>
class SamplesView {
 public:
  using Element = ElementOf<In, Scalar>;

  SamplesView() = default;
  /// Throws Error where the sizes do not fit. Targets may be empty where only predictions are asked for.
  SamplesView(std::span<const Element> inputs, std::span<const Scalar> targets,
              std::span<const std::int32_t> lengths = {}, std::span<const Scalar> weights = {})
      : inputs_(inputs), targets_(targets), lengths_(lengths), weights_(weights), size_(inputs.size() / In::elements) {
    if (size_ * In::elements != inputs.size())
      throw_error("samples: expected inputs of ", In::elements, " elements each, found ", inputs.size(),
                  " elements in all");
    if (size_ > 0 ? targets.size() % size_ != 0 : !targets.empty())
      throw_error("samples: expected as many targets for each of the ", size_, " samples, found ", targets.size(),
                  " in all");
    detail::LengthRule<In>::check("samples", lengths, size_);
    if (!weights.empty() && weights.size() != size_)
      throw_error("samples: expected a weight for each of the ", size_, " samples, found ", weights.size());
  }

  /// The same of Eigen's matrices, tensors and maps, row-major: inputs [N, elements], targets [N, k].
  template <class Inputs, class Targets>
    requires(detail::EigenObject<Inputs> || detail::EigenObject<Targets>)
  SamplesView(const Inputs& inputs, const Targets& targets, std::span<const std::int32_t> lengths = {},
              std::span<const Scalar> weights = {})
      : SamplesView(detail::elements_of<Element, In>(inputs), detail::elements_of<Scalar, void>(targets), lengths,
                    weights) {}

  std::size_t size() const { return size_; }
  std::size_t targets_per_sample() const { return size_ == 0 ? 0 : targets_.size() / size_; }
  std::span<const Element> inputs() const { return inputs_; }
  std::span<const Scalar> targets() const { return targets_; }
  std::span<const std::int32_t> lengths() const { return lengths_; }
  std::span<const Scalar> weights() const { return weights_; }

  /// Whether both are of the same memory.
  bool is(const SamplesView& other) const {
    using detail::is_same_memory;
    return is_same_memory(inputs_, other.inputs_) && is_same_memory(targets_, other.targets_) &&
           is_same_memory(lengths_, other.lengths_) && is_same_memory(weights_, other.weights_);
  }

  void load(std::size_t index, SampleSlot<In, Scalar>& slot) const {
    std::copy_n(inputs_.data() + index * In::elements, In::elements, slot.input);
    std::copy_n(targets_.data() + index * slot.target_count, slot.target_count, slot.targets);
    if (!lengths_.empty()) slot.length = lengths_[index];
    if (!weights_.empty()) slot.weight = weights_[index];
  }

 private:
  std::span<const Element> inputs_;
  std::span<const Scalar> targets_;
  std::span<const std::int32_t> lengths_;
  std::span<const Scalar> weights_;
  std::size_t size_ = 0;
};

/// Samples that own their numbers; class indices are targets like any other number.
template <class In, class Scalar = float>
struct Samples {
  std::vector<ElementOf<In, Scalar>> inputs;
  std::vector<Scalar> targets;
  std::vector<std::int32_t> lengths;
  std::vector<Scalar> weights;

  SamplesView<In, Scalar> view() const { return {inputs, targets, lengths, weights}; }
};

/// A reference to any source, or to samples in memory: what fit and evaluate take. The source must outlive it.
template <class In, class Scalar = float>
class SourceRef {
 public:
  SourceRef() = default;
  SourceRef(const SamplesView<In, Scalar>& samples) : samples_(samples) {}
  SourceRef(const Samples<In, Scalar>& samples) : samples_(samples.view()) {}
  /// Any source: of what is none this constructor says so.
  template <class T>
    requires(!std::derived_from<T, SamplesView<In, Scalar>> && !std::derived_from<T, Samples<In, Scalar>> &&
             !std::derived_from<T, SourceRef>)
  SourceRef(const T& source) {
    enum { checked = detail::require_source<T, In, Scalar>() };
    if constexpr (SampleSource<T, In, Scalar>) {
      source_ = &source;
      size_ = [](const void* s) { return static_cast<std::size_t>(static_cast<const T*>(s)->size()); };
      targets_ = [](const void* s) { return static_cast<std::size_t>(static_cast<const T*>(s)->targets_per_sample()); };
      load_ = [](const void* s, std::size_t i, SampleSlot<In, Scalar>& slot) {
        static_cast<const T*>(s)->load(i, slot);
      };
      if constexpr (SourceWithView<T, In, Scalar>)
        view_ = [](const void* s) { return static_cast<const T*>(s)->view(); };
    }
  }

  std::size_t size() const { return source_ == nullptr ? samples_.size() : size_(source_); }
  std::size_t targets_per_sample() const {
    return source_ == nullptr ? samples_.targets_per_sample() : targets_(source_);
  }
  void load(std::size_t index, SampleSlot<In, Scalar>& slot) const {
    if (source_ == nullptr)
      samples_.load(index, slot);
    else
      load_(source_, index, slot);
  }
  /// Whether both refer to one source.
  bool is(const SourceRef& other) const { return source_ == other.source_ && samples_.is(other.samples_); }
  /// Samples that lie in memory; of another source none.
  const SamplesView<In, Scalar>& samples_in_memory() const { return samples_; }
  /// The images or texts in memory that samples are made of; of another source none.
  ViewFor<In, Scalar> view_in_memory() const { return has_view() ? view_(source_) : ViewFor<In, Scalar>{}; }
  bool has_view() const { return view_ != nullptr; }
  /// The targets where they lie in memory as one range, else empty.
  std::span<const Scalar> targets_in_memory() const { return samples_.targets(); }
  /// The lengths likewise; empty where all steps are valid.
  std::span<const std::int32_t> lengths_in_memory() const { return samples_.lengths(); }

 private:
  SamplesView<In, Scalar> samples_;
  const void* source_ = nullptr;
  std::size_t (*size_)(const void*) = nullptr;
  std::size_t (*targets_)(const void*) = nullptr;
  void (*load_)(const void*, std::size_t, SampleSlot<In, Scalar>&) = nullptr;
  ViewFor<In, Scalar> (*view_)(const void*) = nullptr;
};

namespace detail {
/// Throws Error where a source of so many samples has no such one.
inline void check_index(std::size_t index, std::size_t size) {
  if (index >= size) throw_error("source: expected samples below ", size, ", which are all, found ", index);
}
/// Sample `index` of a source to a slot. Throws Error where the source has no such sample, or gives a length that is
/// none.
template <class In, class Scalar>
void load_sample(const SourceRef<In, Scalar>& source, std::size_t index, SampleSlot<In, Scalar>& slot) {
  check_index(index, source.size());
  source.load(index, slot);
  LengthRule<In>::check_slot("source", slot.length, index);
}
}  // namespace detail

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
