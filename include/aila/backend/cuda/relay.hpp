// Recurrent layers over a block of steps of several samples: what they take over from the block before.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include "queue.hpp"

namespace aila::inline v0::cuda {

/// A place in a queue's work that other queues can wait for.
class Mark {
 public:
  Mark() = default;
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;
  ~Mark() {
    if (event_ != nullptr) cudaEventDestroy(event_);
  }
  /// Behind all that is on the queue so far.
  void set(const Queue& queue) {
    if (event_ == nullptr) check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    check(cudaEventRecord(event_, queue.stream()), "cudaEventRecord");
  }
  /// What comes next on the queue comes behind the mark.
  void await(const Queue& queue) const { check(cudaStreamWaitEvent(queue.stream(), event_, 0), "cudaStreamWaitEvent"); }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Blocks of a sequence's steps are computed on queues of their own, layer after layer; a recurrent layer's step waits
/// only for the same layer's last step of the block before. Each block has memory of its own, at equal distances, so
/// that a layer finds what the block before left at the place of its own, so much before. Layers of a block are put in
/// order after all of the block before.
class Relay {
 public:
  static constexpr std::size_t most_layers = 64;

  std::size_t samples = 0;                ///< sequences; the pass's samples are steps [samples, steps]
  const std::int32_t* lengths = nullptr;  ///< valid steps of each in this block; null: all
  const Relay* before = nullptr;          ///< of the block before; null: this is the first
  std::ptrdiff_t distance = 0;            ///< floats from its memory to this one's

  void begin() { layer_ = 0; }
  /// What comes next on the queue is the next recurrent layer's steps: gives where the block before left its state
  /// (null: nowhere), which this one leaves at `own`.
  const float* take_over(const Queue& queue, const float* own) const {
    if (before == nullptr) return nullptr;
    before->marks_[layer_].await(queue);
    return own - distance;
  }
  void hand_on(const Queue& queue) { marks_[layer_++].set(queue); }

 private:
  std::size_t layer_ = 0;
  std::array<Mark, most_layers> marks_;
};

inline Relay* relay_of(const Pass& pass) {
  return static_cast<const Queue*>(pass.queue)->relay;
}

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
