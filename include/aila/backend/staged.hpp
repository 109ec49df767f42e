// What a program writes for kernels, and what kernels wrote for a program.
#pragma once

#include "../core/macros_aside.hpp"

#include <vector>

#include "../core/finite.hpp"
#include "backend.hpp"

namespace aila::inline v0 {

/// Numbers that a program writes and kernels read: one array where they share memory, else one on either side.
template <class T, class Backend>
class Staged {
 public:
  constexpr explicit Staged(std::size_t count) : host_(count), device_(shares_memory<Backend> ? 0 : count) {}
  constexpr T* host() { return host_.data(); }
  constexpr T* device() {
    if constexpr (shares_memory<Backend>)
      return host_.data();
    else
      return device_.data();
  }
  constexpr const T* device() const {
    if constexpr (shares_memory<Backend>)
      return host_.data();
    else
      return device_.data();
  }
  /// The first `count`, for kernels.
  constexpr const T* send([[maybe_unused]] typename Backend::Queue& queue, [[maybe_unused]] std::size_t count) {
    if constexpr (!shares_memory<Backend>) queue.to_device(host_.data(), count, device_.data());
    return device();
  }

 private:
  HostArrayOf<T, Backend> host_;
  ArrayOn<T, Backend> device_;
};

namespace detail {

/// `count` numbers that lie in the backend's memory, where the program can read them: there, or in `copy`.
template <class Backend, class T>
const T* on_host([[maybe_unused]] typename Backend::Queue& queue, const T* device, [[maybe_unused]] std::size_t count,
                 [[maybe_unused]] std::vector<T>& copy) {
  if constexpr (shares_memory<Backend>) {
    return device;
  } else {
    copy.resize(count);
    queue.to_host(device, count, copy.data());
    return copy.data();
  }
}
template <class Backend, class T>
bool are_finite_on(typename Backend::Queue& queue, const T* device, std::size_t count) {
  std::vector<T> copy;
  return are_finite(on_host<Backend>(queue, device, count, copy), count);
}

}  // namespace detail

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
