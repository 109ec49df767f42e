// Who runs the groups of a batch: the contract of thread pools, and the one that uses no thread.
#pragma once

#include <concepts>
#include <cstddef>

namespace aila::inline v0 {

/// run(count, f) calls f(index, worker) once for every index in [0, count), with worker in [0, size()); no two calls
/// with the same worker overlap in time, and all have ended when run returns. A host may lend its own pool by a type
/// like this.
template <class E>
concept Executor = requires(E& executor, const E& constant, std::size_t count, void (&f)(std::size_t, std::size_t)) {
  executor.run(count, f);
  { constant.size() } -> std::convertible_to<std::size_t>;
};

/// Calls in order of the index, on the caller's thread. An exception ends the run.
struct Inline {
  template <class F> constexpr void run(std::size_t count, F&& f) {
    for (std::size_t index = 0; index < count; ++index) f(index, std::size_t{0});
  }
  static constexpr std::size_t size() { return 1; }
};

}  // namespace aila::inline v0
