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

namespace aila::inline v0 {

/// Elements to which every buffer and tensor is aligned: 64 bytes of float, 128 of double, and so one layout for both.
inline constexpr std::size_t alignment_elements = 16;

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Hands out aligned buffers one after the other. Without a base it only counts.
/// Behind each buffer lie 64 bytes or more that may be read: kernels load whole vectors at the end of a row.
///
/// Beside what is kept there is passing memory, for what means nothing between two calls of forward or backward, but
/// stays through the phases of one. In an arena that shares, parts that are computed one after the other have the same
/// passing memory, and a composite has maps lie where others have been; in one that does not, all of it is kept:
/// nothing that is computed is overwritten.
template <class Scalar>
class Arena {
 public:
  constexpr Arena() = default;
  constexpr explicit Arena(Scalar* base) : base_(base) {}
  /// One that shares.
  static constexpr Arena sharing(Scalar* base = nullptr, Scalar* passing_base = nullptr) {
    Arena arena(base);
    arena.passing_base_ = passing_base;
    arena.shares_ = true;
    return arena;
  }

  constexpr Scalar* take(std::size_t count) { return taken(base_, used_, count); }
  /// Elements of what is kept.
  constexpr std::size_t used() const { return used_; }

  /// Passing memory from `passing()` on; who has done with his parts gives it back by `pass_from`.
  constexpr Scalar* take_passing(std::size_t count) {
    if (!shares_) return take(count);
    Scalar* p = taken(passing_base_, passing_, count);
    most_passing_ = passing_ > most_passing_ ? passing_ : most_passing_;
    return p;
  }
  constexpr std::size_t passing() const { return passing_; }
  constexpr void pass_from(std::size_t begin) { passing_ = begin; }
  constexpr std::size_t most_passing() const { return most_passing_; }
  constexpr bool shares() const { return shares_; }

 private:
  static constexpr Scalar* taken(Scalar* base, std::size_t& used, std::size_t count) {
    Scalar* p = base == nullptr ? nullptr : base + used;
    used += round_up(count, alignment_elements) + alignment_elements;
    return p;
  }

  Scalar* base_ = nullptr;
  Scalar* passing_base_ = nullptr;
  std::size_t used_ = 0, passing_ = 0, most_passing_ = 0;
  bool shares_ = false;
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
