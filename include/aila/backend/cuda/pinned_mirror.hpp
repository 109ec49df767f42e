// Numbers that the program and work of a device exchange while neither waits.
#pragma once

#include "../../core/macros_aside.hpp"

#include "queue.hpp"

namespace aila::inline v0::cuda {

/// Numbers in pinned memory and on the device; copies are put in order on a queue, without a wait.
template <class T>
class PinnedMirror {
 public:
  PinnedMirror() = default;
  explicit PinnedMirror(std::size_t count) : host_(count), device_(count) {}
  T* host() { return host_.data(); }
  const T* host() const { return host_.data(); }
  std::size_t size() const { return host_.size(); }
  T* device() { return device_.data(); }
  void send(const Queue& queue, std::size_t count) {
    if (count > 0) queue.copy(device_.data(), host_.data(), count * sizeof(T), cudaMemcpyHostToDevice);
  }
  void send(const Queue& queue) { send(queue, host_.size()); }
  void fetch(const Queue& queue) {
    queue.copy(host_.data(), device_.data(), host_.size() * sizeof(T), cudaMemcpyDeviceToHost);
  }

 private:
  PinnedArray<T> host_;
  Array<T> device_;
};

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
