// Numbers that the program and a backend both read and write, by turns: one array where they share memory, else two
// that are made equal when the other side asks.
#pragma once

#include "../core/macros_aside.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "../core/no_memory.hpp"
#include "backend.hpp"

namespace aila::inline v0 {

namespace detail {

/// An array of some backend, of which the type tells nothing.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  virtual ~DeviceArray() = default;
  virtual T* data() = 0;
  virtual void take(const T* host) = 0;
  virtual void give(T* host) = 0;
};
template <class T, class Backend>
class DeviceArrayOn final : public DeviceArray<T> {
 public:
  explicit DeviceArrayOn(std::size_t count) : array_(count) {}
  T* data() override { return array_.data(); }
  void take(const T* host) override { queue_.to_device(host, array_.size(), array_.data()); }
  void give(T* host) override { queue_.to_host(array_.data(), array_.size(), host); }

 private:
  ArrayOn<T, Backend> array_;
  typename Backend::Queue queue_;
};

/// Makes the array of a backend; null where it shares the program's memory.
template <class T>
using MakeDeviceArray = std::unique_ptr<DeviceArray<T>> (*)(std::size_t count);
template <class T, class Backend>
constexpr MakeDeviceArray<T> make_device_array() {
  if constexpr (shares_memory<Backend>)
    return nullptr;
  else
    return [](std::size_t count) -> std::unique_ptr<DeviceArray<T>> {
      return std::make_unique<DeviceArrayOn<T, Backend>>(count);
    };
}

}  // namespace detail

/// What `host` and `device` give is good until the other side writes. Reading is safe for any number of threads at
/// once.
template <class T>
class MirroredArray {
 public:
  MirroredArray() = default;
  /// Zeros. Throws std::bad_alloc. The first look from a device throws Error where that has no memory for it, of which
  /// `name` says what for; it stays the caller's.
  explicit MirroredArray(std::size_t count, detail::MakeDeviceArray<T> make = nullptr, const char* name = "model")
      : host_(count) {
    if (make != nullptr) mirror_ = std::make_unique<Mirror>(make, name);
  }
  MirroredArray(const MirroredArray& other) : host_(other.numbers()) {
    if (other.mirror_ != nullptr) mirror_ = std::make_unique<Mirror>(other.mirror_->make, other.mirror_->name);
  }
  MirroredArray(MirroredArray&&) noexcept = default;
  MirroredArray& operator=(MirroredArray other) noexcept {
    std::swap(host_, other.host_);
    std::swap(mirror_, other.mirror_);
    return *this;
  }
  ~MirroredArray() = default;

  std::size_t size() const noexcept { return host_.size(); }
  const T* host() const { return numbers().data(); }
  T* host_to_write() {
    if (mirror_ != nullptr) {
      to_host();
      mirror_->newer = Side::host;
    }
    return host_.data();
  }
  const T* device() const { return mirror_ == nullptr ? host_.data() : to_device(); }
  T* device_to_write() {
    if (mirror_ == nullptr) return host_.data();
    T* const data = to_device();
    mirror_->newer = Side::device;
    return data;
  }

 private:
  enum class Side : std::uint8_t { none, host, device };
  struct Mirror {
    Mirror(detail::MakeDeviceArray<T> by, const char* of) : make(by), name(of) {}
    detail::MakeDeviceArray<T> make;
    const char* name;
    std::unique_ptr<detail::DeviceArray<T>> array;
    std::atomic<Side> newer{Side::host};
    std::mutex mutex;
  };

  const AlignedArray<T>& numbers() const {
    if (mirror_ != nullptr) to_host();
    return host_;
  }
  void to_host() const {
    if (mirror_->newer != Side::device) return;
    const std::lock_guard<std::mutex> lock(mirror_->mutex);
    if (mirror_->newer != Side::device) return;
    mirror_->array->give(host_.data());
    mirror_->newer = Side::none;
  }
  T* to_device() const {
    const std::lock_guard<std::mutex> lock(mirror_->mutex);
    if (mirror_->array == nullptr)
      mirror_->array =
          detail::taking(mirror_->name, host_.size(), "numbers", [&] { return mirror_->make(host_.size()); });
    if (mirror_->newer == Side::host) {
      mirror_->array->take(host_.data());
      mirror_->newer = Side::none;
    }
    return mirror_->array->data();
  }

  mutable AlignedArray<T> host_;
  std::unique_ptr<Mirror> mirror_;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
