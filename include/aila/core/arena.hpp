// Memory of a workspace: one block, cut by the same code at compile time (to count) and at run time (to bind).
#pragma once

#include "macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "config.hpp"
#include "error.hpp"
#include "memory_plan.hpp"

namespace aila::inline v0 {

/// Elements to which every buffer and tensor is aligned: 64 bytes of float, 128 of double, and so one layout for both.
inline constexpr std::size_t alignment_elements = 16;

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// What lies over one another: nothing; what a forward alone, where all that parts keep is theirs from call to call,
/// has done with; or what a forward and its backward have done with.
enum class Reuse : std::uint8_t { none, in_forward, in_training };

/// Hands out aligned buffers, behind each of which 64 bytes or more may be read: kernels load whole vectors at the end
/// of a row. One after the other, or, where there is a plan, as it says: asked for the first time, buffers are noted,
/// and once they are placed, the same calls are given their places. Without a base it only counts.
template <class Scalar>
class Arena {
 public:
  constexpr Arena() = default;
  constexpr explicit Arena(Scalar* base) : base_(base) {}
  /// Where the plan is not placed yet, to note what is taken.
  constexpr Arena(MemoryPlan& plan, Reuse reuse, Scalar* base = nullptr) : base_(base), plan_(&plan), reuse_(reuse) {}

  /// The parts of a network that are bound now.
  constexpr Life::Parts parts() const { return parts_; }
  constexpr void enter(Life::Parts parts) { parts_ = parts; }

  /// A buffer that is kept from these parts' forward to their backward.
  [[gnu::noinline]] constexpr Scalar* take(std::size_t count) {
    return take(count, reuse_ == Reuse::in_training ? Life::kept(parts_.first, parts_.first) : Life::always());
  }
  [[gnu::noinline]] constexpr Scalar* take(std::size_t count, const Life& life) {
    // A line behind each: maps of one size would else begin at the same sets of a cache, and evict one another.
    const std::size_t elements = round_up(count, alignment_elements) + alignment_elements;
    if (plan_ == nullptr) {
      Scalar* p = base_ == nullptr ? nullptr : base_ + used_;
      used_ += elements;
      return p;
    }
    if (plan_->is_placed()) return base_ == nullptr ? nullptr : base_ + plan_->offset(used_++);
    plan_->add(elements, shares() ? life : Life::always());
    return nullptr;
  }
  /// Elements taken; of a plan, MemoryPlan::size() says it.
  constexpr std::size_t used() const { return used_; }
  /// Whether buffers may lie over one another.
  constexpr bool shares() const { return reuse_ != Reuse::none; }

 private:
  Scalar* base_ = nullptr;
  std::size_t used_ = 0;  // with a plan: buffers
  MemoryPlan* plan_ = nullptr;
  Life::Parts parts_;
  Reuse reuse_ = Reuse::none;
};

/// Owns `size` zeroed elements at an alignment of 64 bytes; works in constant expressions too. Throws std::bad_alloc.
template <class Scalar>
class AlignedArray {
 public:
  constexpr AlignedArray() = default;
  constexpr explicit AlignedArray(std::size_t size) : size_(size) {
    if (std::is_constant_evaluated()) {
      data_ = std::allocator<Scalar>{}.allocate(size);
      for (std::size_t i = 0; i < size; ++i) std::construct_at(data_ + i, Scalar{});
    } else {
      if (size > most_bytes / sizeof(Scalar))
        detail::throw_as<std::bad_alloc>();  // not every operator new survives the question
      data_ = static_cast<Scalar*>(::operator new(size * sizeof(Scalar), std::align_val_t{64}));
      for (std::size_t i = 0; i < size; ++i) data_[i] = Scalar{};
    }
  }
  constexpr AlignedArray(const AlignedArray& other) : AlignedArray(other.size_) {
    for (std::size_t i = 0; i < size_; ++i) data_[i] = other.data_[i];
  }
  constexpr AlignedArray(AlignedArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  constexpr AlignedArray& operator=(AlignedArray other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  constexpr ~AlignedArray() {
    if (data_ == nullptr) return;
    if (std::is_constant_evaluated())
      std::allocator<Scalar>{}.deallocate(data_, size_);
    else
      ::operator delete(data_, std::align_val_t{64});
  }

  constexpr Scalar* data() noexcept { return data_; }
  constexpr const Scalar* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }

 private:
  /// What a processor of today can address.
  static constexpr std::size_t most_bytes = sizeof(std::size_t) > 4
                                                ? (std::size_t{1} << (sizeof(std::size_t) > 4 ? 47 : 0))
                                                : std::size_t{PTRDIFF_MAX};

  Scalar* data_ = nullptr;
  std::size_t size_ = 0;
};

namespace detail {

/// Most bytes of an object that may be a member of what users put on the stack.
inline constexpr std::size_t most_bytes_in_place = 2048;

/// Owns one T: in place where it is small, on the heap where it grows with a network; works in constant expressions
/// too. Not copied.
template <class T, bool in_place = sizeof(T) <= most_bytes_in_place>
class Held {
 public:
  constexpr Held() = default;
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  constexpr ~Held() = default;
  constexpr T& operator*() noexcept { return value_; }
  constexpr const T& operator*() const noexcept { return value_; }
  constexpr T* operator->() noexcept { return &value_; }
  constexpr const T* operator->() const noexcept { return &value_; }

 private:
  T value_{};
};
template <class T>
class Held<T, false> {
 public:
  constexpr Held() : value_(new T{}) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  constexpr ~Held() { delete value_; }
  constexpr T& operator*() noexcept { return *value_; }
  constexpr const T& operator*() const noexcept { return *value_; }
  constexpr T* operator->() noexcept { return value_; }
  constexpr const T* operator->() const noexcept { return value_; }

 private:
  T* value_;
};

}  // namespace detail

}  // namespace aila::inline v0

#include "macros_back.hpp"
