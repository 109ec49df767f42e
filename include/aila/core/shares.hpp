// Shares: work by index that comes back to the same workers run after run.
#pragma once

#include "macros_aside.hpp"

#include <atomic>
#include <cstddef>
#include <vector>

#include "executor.hpp"

namespace aila::inline v0 {

/// Cuts the indices of a run into one contiguous share a worker. A worker takes its own share first, in rising order,
/// and then helps with those of the others: what a worker touched in the last run is often still in its cache, and
/// need not come from another processor's. Which worker has an index may differ from run to run, and results must not
/// depend on it. Takes no lock and, but for its construction, allocates nothing. One run at a time.
class Shares {
 public:
  /// Of an executor of so many workers.
  explicit Shares(std::size_t workers) : shares_(workers) {}

  /// f(index) for every index in [0, count).
  template <class F>
  void run(ExecutorRef executor, std::size_t count, F&& f) {
    const std::size_t workers = shares_.size();
    for (std::size_t w = 0; w < workers; ++w) {
      shares_[w].next.store(count * w / workers, std::memory_order_relaxed);
      shares_[w].end = count * (w + 1) / workers;
    }
    executor.run(count, [&](std::size_t, std::size_t worker) { f(take(worker)); });
  }

 private:
  struct alignas(64) Share {
    std::atomic<std::size_t> next{0};
    std::size_t end = 0;
  };

  /// As many calls as indices: each finds one.
  std::size_t take(std::size_t worker) {
    for (;; worker = worker + 1 < shares_.size() ? worker + 1 : 0) {
      Share& share = shares_[worker];
      const std::size_t index = share.next.fetch_add(1, std::memory_order_relaxed);
      if (index < share.end) return index;
    }
  }

  std::vector<Share> shares_;
};

}  // namespace aila::inline v0

#include "macros_back.hpp"
