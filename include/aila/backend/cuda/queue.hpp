// A stream of a device: the order in which it works for one thread of the program.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>
#include <type_traits>
#include <utility>

#include "../kernel.hpp"
#include "memory.hpp"

namespace aila::inline v0::cuda {

class Graphs;
class Relay;

/// On the device that was the thread's when it was made, as the memory made beside it; whichever thread uses it then.
/// `run` only puts work in order; `to_device` and `to_host` wait for all of it.
class Queue {
 public:
  using Repeated = Graphs;

  Queue() : device_(current_device()) {}
  Queue(const Queue&) = delete;
  Queue(Queue&& other) noexcept
      : stream_(std::exchange(other.stream_, nullptr)),
        event_(std::exchange(other.event_, nullptr)),
        device_(other.device_) {}
  Queue& operator=(const Queue&) = delete;
  Queue& operator=(Queue&& other) noexcept {
    std::swap(stream_, other.stream_);
    std::swap(event_, other.event_);
    std::swap(device_, other.device_);
    return *this;
  }
  ~Queue() {
    if (event_ != nullptr) cudaEventDestroy(event_);
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  template <class F>
  void run(F&& work) const {
    const OnDevice on(device_);
    work();
  }
  /// Calls f() with this queue's device as the thread's.
  template <class F>
  void there(F&& f) const {
    run(f);
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
    if (count == 0) return;
    const OnDevice on(device_);
    check(cudaMemsetAsync(device, 0, count * sizeof(T), stream()), "cudaMemsetAsync");
  }
  template <class T>
  void send(const T* host, std::size_t count, T* device) const {
    if (count > 0) copy(device, host, count * sizeof(T), cudaMemcpyHostToDevice);
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
  /// Throws Error where memory that work is about to read is another device's.
  void expect_here(const void* memory) const {
    if (memory == nullptr || memory == found_here_) return;
    cudaPointerAttributes of{};
    check(cudaPointerGetAttributes(&of, memory), "cudaPointerGetAttributes");
    if (of.type == cudaMemoryTypeDevice && of.device != device_)
      throw_error("cuda: expected a model on device ", device_, ", where its workspace is, found one on device ",
                  of.device,
                  "; a workspace is on the thread's device (cudaSetDevice) when it is made, a model when it is first "
                  "used");
    found_here_ = memory;
  }

  /// A queue for work that nobody on this one waits for until join(), see `beside`; null: there is none.
  Queue* side = nullptr;
  /// What comes next on the side comes behind all that is here so far; and the other way round.
  void fork() const { order(*this, *side); }
  /// What is put on `other` from now on comes behind all that is here so far.
  void before(const Queue& other) const { order(*this, other); }
  void join() const {
    if (side != nullptr) order(*side, *this);
  }

  /// Where a device finds the number of the step that it is in; null: Pass::step has it. What is captured once and
  /// run many times may hold nothing that changes.
  const std::uint64_t* step = nullptr;

  /// Where the queue has a block of steps of several sequences, with kernels of streams; null: it has not.
  Relay* relay = nullptr;

 private:
  static void order(const Queue& first, const Queue& then) {
    if (first.event_ == nullptr) {
      const OnDevice on(first.device_);
      check(cudaEventCreateWithFlags(&first.event_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    }
    check(cudaEventRecord(first.event_, first.stream()), "cudaEventRecord");
    check(cudaStreamWaitEvent(then.stream(), first.event_, 0), "cudaStreamWaitEvent");
  }
  void open() const {
    if (stream_ != nullptr) return;
    const OnDevice on(device_);
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  }

  mutable cudaStream_t stream_ = nullptr;
  mutable cudaEvent_t event_ = nullptr;
  int device_ = 0;
  mutable const void* found_here_ = nullptr;
};

/// f(pass) for the gradients of parameters: on the side, where there is one, for only the step's end waits for them.
/// What f reads must stay as it is until then; a workspace that keeps all it computes sees to that.
template <class F>
void beside(const Pass& pass, F&& f) {
  const Queue& queue = *static_cast<const Queue*>(pass.queue);
  if (queue.side == nullptr) return f(pass);
  queue.fork();
  Pass on_side = pass;
  on_side.queue = queue.side;
  f(static_cast<const Pass&>(on_side));
}

inline bool has_side(const Pass& pass) {
  return static_cast<const Queue*>(pass.queue)->side != nullptr;
}

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
