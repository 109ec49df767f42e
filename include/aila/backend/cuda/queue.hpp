// A stream of a device: the order in which it works for one thread of the program.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>
#include <type_traits>
#include <utility>

#include "../kernel.hpp"
#include "memory.hpp"

namespace aila::inline v0::cuda {

/// On the device that was the thread's when it was first used. `run` only puts work in order; `to_device` and `to_host`
/// wait for all of it.
class Queue {
 public:
  Queue() = default;
  Queue(const Queue&) = delete;
  Queue(Queue&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)), device_(other.device_) {}
  Queue& operator=(const Queue&) = delete;
  Queue& operator=(Queue&& other) noexcept {
    std::swap(stream_, other.stream_);
    std::swap(device_, other.device_);
    return *this;
  }
  ~Queue() {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  template <class F>
  void run(F&& work) const {
    open();
    const OnDevice on(device_);
    work();
  }
  template <class T>
  void to_device(const T* host, std::size_t count, T* device) const {
    if (count == 0) return;
    copy(device, host, count * sizeof(T), cudaMemcpyHostToDevice);
    wait();
  }
  template <class T>
  void to_host(const T* device, std::size_t count, T* host) const {
    if (count == 0) return;
    copy(host, device, count * sizeof(T), cudaMemcpyDeviceToHost);
    wait();
  }
  template <class T>
  void clear(std::size_t count, T* device) const {
    static_assert(std::is_arithmetic_v<T>);
    if (count > 0) check(cudaMemsetAsync(device, 0, count * sizeof(T), stream()), "cudaMemsetAsync");
  }
  /// The same as to_device and to_host, of pinned memory, and without a wait.
  void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) const {
    check(cudaMemcpyAsync(to, from, bytes, kind, stream()), "cudaMemcpyAsync");
  }
  void wait() const { check(cudaStreamSynchronize(stream()), "cudaStreamSynchronize"); }

  cudaStream_t stream() const {
    open();
    return stream_;
  }

  /// Where a device finds the number of the step that it is in; null: Pass::step has it. What is captured once and
  /// run many times may hold nothing that changes.
  const std::uint64_t* step = nullptr;

 private:
  void open() const {
    if (stream_ != nullptr) return;
    device_ = current_device();
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  }

  mutable cudaStream_t stream_ = nullptr;
  mutable int device_ = 0;
};

inline cudaStream_t stream_of(const Pass& pass) {
  return static_cast<const Queue*>(pass.queue)->stream();
}

/// The number of the training's step, as kernels are given it.
struct StepNumber {
  const std::uint64_t* on_device = nullptr;
  std::uint64_t value = 0;
  explicit StepNumber(const Pass& pass) : on_device(static_cast<const Queue*>(pass.queue)->step), value(pass.step) {}
#ifdef __CUDACC__
  __device__ std::uint64_t get() const { return on_device == nullptr ? value : *on_device; }
#endif
};

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
