// A backend with memory of its own, as a device has it, and the kernels of the host: its pages can be neither read nor
// written but while its queue works, and what it is asked for is counted.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <aila/aila.hpp>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

namespace device {

/// All memory of the backend.
class Pages {
 public:
  struct Counts {
    std::size_t allocations = 0, frees = 0, to_device = 0, to_host = 0, runs = 0;
  };

  static Pages& all() {
    static Pages pages;
    return pages;
  }
  void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t size = (bytes / page + 1) * page;
    void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    std::memset(at, 0xff, size);  // no numbers, behind the array
    std::memset(at, 0, bytes);
    blocks_.push_back({at, size});
    protect(blocks_.back());
    ++counts_.allocations;
    return at;
  }
  void drop(void* at) {
    const std::lock_guard lock(mutex_);
    for (Block& block : blocks_)
      if (block.at == at) {
        munmap(block.at, block.size);
        block = blocks_.back();
        blocks_.pop_back();
        ++counts_.frees;
        return;
      }
  }
  /// Work may put work on the queue, and several threads have theirs.
  void open() {
    const std::lock_guard lock(mutex_);
    if (open_++ == 0)
      for (const Block& block : blocks_) protect(block);
  }
  void close() {
    const std::lock_guard lock(mutex_);
    if (--open_ == 0)
      for (const Block& block : blocks_) protect(block);
  }
  void count(std::size_t Counts::* what) {
    const std::lock_guard lock(mutex_);
    ++(counts_.*what);
  }
  Counts counts() {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  struct Block {
    void* at;
    std::size_t size;
  };
  void protect(const Block& block) const {
    mprotect(block.at, block.size, open_ > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
  }

  std::mutex mutex_;
  std::vector<Block> blocks_;
  std::size_t open_ = 0;
  Counts counts_;
};

struct Queue {
  template <class F>
  void run(F&& work) const {
    Pages::all().count(&Pages::Counts::runs);
    inside(work);
  }
  template <class T>
  void to_device(const T* host, std::size_t count, T* device) const {
    Pages::all().count(&Pages::Counts::to_device);
    inside([&] { std::copy_n(host, count, device); });
  }
  template <class T>
  void to_host(const T* device, std::size_t count, T* host) const {
    Pages::all().count(&Pages::Counts::to_host);
    inside([&] { std::copy_n(device, count, host); });
  }
  template <class T>
  void clear(std::size_t count, T* device) const {
    inside([&] { std::fill_n(device, count, T{}); });
  }

 private:
  template <class F>
  static void inside(F&& work) {
    struct Open {
      Open() { Pages::all().open(); }
      ~Open() { Pages::all().close(); }
    } open;
    work();
  }
};

struct Memory {
  static constexpr bool is_host = false;
  template <class T>
  class Array {
   public:
    Array() = default;
    explicit Array(std::size_t count) : size_(count) {
      if (count > 0) data_ = static_cast<T*>(Pages::all().take(count * sizeof(T)));
    }
    Array(const Array& other) : Array(other.size_) {
      Queue().run([&] { std::copy_n(other.data_, size_, data_); });
    }
    Array(Array&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, std::size_t{0})) {}
    Array& operator=(Array other) noexcept {
      std::swap(data_, other.data_);
      std::swap(size_, other.size_);
      return *this;
    }
    ~Array() {
      if (data_ != nullptr) Pages::all().drop(data_);
    }
    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

   private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
  };
};

struct Protected {
  using Scalar = float;
  using Types = aila::backend::Cpu::Types;
  using Memory = device::Memory;
  using Queue = device::Queue;
  using Split = aila::backend::Cpu::Split;
  using Kernels = aila::backend::Cpu;
  static constexpr const char* name = "protected pages";
};

static_assert(aila::ComputeBackend<Protected> && !aila::HostBackend<Protected>);
static_assert(aila::ComputeBackend<aila::backend::Cpu> && aila::ComputeBackend<aila::backend::Reference<double>>);

}  // namespace device
