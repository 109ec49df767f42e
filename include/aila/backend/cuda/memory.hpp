// Arrays in a GPU's memory, and in memory of the host that a GPU copies from while the host goes on.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "error.hpp"

namespace aila::inline v0::cuda {

/// Calls of a thread go to this device while it lives.
class OnDevice {
 public:
  explicit OnDevice(int device) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    if (before_ != device) check(cudaSetDevice(device), "cudaSetDevice");
    changed_ = before_ != device;
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  ~OnDevice() {
    if (changed_) cudaSetDevice(before_);
  }

 private:
  int before_ = 0;
  bool changed_ = false;
};

/// "4096 bytes at once", of so many elements and what may be read behind them.
[[gnu::cold, gnu::noinline]] inline std::string bytes_text(std::size_t count, std::size_t each,
                                                           std::size_t behind = 64) {
  return count > (SIZE_MAX - behind) / each ? std::to_string(count) + " times " + std::to_string(each) + " bytes"
                                            : std::to_string(count * each + behind) + " bytes at once";
}

/// Zeroed elements on the device of the thread that asks, at 256 bytes; 64 bytes behind them may be read. Throws Error,
/// one that is NoMemory where the device has none for them. A copy is on the device of the original.
template <class T>
class Array {
 public:
  Array() = default;
  explicit Array(std::size_t count) : size_(count) {
    if (count == 0) return;
    void* at = nullptr;
    device_ = current_device();
    const cudaError_t taken =
        count > (SIZE_MAX - 64) / sizeof(T) ? cudaErrorMemoryAllocation : cudaMalloc(&at, bytes());
    if (taken == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw_no_device_memory(bytes_text(count, sizeof(T)));
    }
    check(taken, "cudaMalloc");
    data_ = static_cast<T*>(at);
    // A stream of the thread's own: nothing waits for it but this call, and a capture elsewhere goes on.
    check(cudaMemsetAsync(data_, 0, bytes(), cudaStreamPerThread), "cudaMemsetAsync");
    check(cudaStreamSynchronize(cudaStreamPerThread), "cudaStreamSynchronize");
  }
  Array(const Array& other) : Array(other.size_, other.device_) {
    if (size_ == 0) return;
    check(cudaMemcpyAsync(data_, other.data_, bytes(), cudaMemcpyDeviceToDevice, cudaStreamPerThread),
          "cudaMemcpyAsync");
    check(cudaStreamSynchronize(cudaStreamPerThread), "cudaStreamSynchronize");
  }
  Array(Array&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, std::size_t{0})),
        device_(other.device_) {}
  Array& operator=(Array other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(device_, other.device_);
    return *this;
  }
  ~Array() {
    if (data_ != nullptr) cudaFree(data_);
  }
  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  Array(std::size_t count, int device) {
    const OnDevice on(count == 0 ? current_device() : device);
    *this = Array(count);
  }
  std::size_t bytes() const { return size_ * sizeof(T) + 64; }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  int device_ = 0;
};

/// Zeroed elements of the host that stay where they are: a device copies them by itself. Throws as Array.
template <class T>
class PinnedArray {
 public:
  PinnedArray() = default;
  explicit PinnedArray(std::size_t count) : size_(count) {
    if (count == 0) return;
    void* at = nullptr;
    const cudaError_t taken =
        count > SIZE_MAX / sizeof(T) ? cudaErrorMemoryAllocation : cudaMallocHost(&at, count * sizeof(T));
    if (taken == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw_no_memory("this machine", bytes_text(count, sizeof(T), 0) + " in pinned memory");
    }
    check(taken, "cudaMallocHost");
    data_ = static_cast<T*>(at);
    for (std::size_t i = 0; i < count; ++i) data_[i] = T{};
  }
  PinnedArray(PinnedArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, std::size_t{0})) {}
  PinnedArray& operator=(PinnedArray other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~PinnedArray() {
    if (data_ != nullptr) cudaFreeHost(data_);
  }
  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
