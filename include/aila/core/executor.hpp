// Who runs the groups of a batch: the contract of thread pools, and the one that uses no thread.
#pragma once

#include "macros_aside.hpp"

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>

#include "config.hpp"
#include "error.hpp"

namespace aila::inline v0 {

/// More workers than any machine has processors: such a number is a mistake.
inline constexpr std::size_t most_workers = 4096;

namespace detail {
/// The number where it is one of workers, else Error says who found which.
inline std::size_t checked_workers(const char* who, std::size_t workers) {
  if (workers < 1 || workers > most_workers)
    throw_error(who, ": expected 1 to ", most_workers, " workers, of which the caller is one, found ", workers);
  return workers;
}
}  // namespace detail

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
  template <class F>
  constexpr void run(std::size_t count, F&& f) {
    for (std::size_t index = 0; index < count; ++index) f(index, std::size_t{0});
  }
  static constexpr std::size_t size() { return 1; }
};

/// A reference to any executor, so that code that runs groups is compiled once. The executor must outlive it. Throws
/// Error where it has no worker, or more than most_workers.
class ExecutorRef {
 public:
  template <class E>
    requires(Executor<E> && !std::is_same_v<E, ExecutorRef>)
  ExecutorRef(E& executor)
      : executor_(&executor),
        size_(detail::checked_workers("executor", executor.size())),
        run_([](void* e, std::size_t count, Job job) { static_cast<E*>(e)->run(count, job); }) {}

  template <class F>
  void run(std::size_t count, F&& f) const {
    run_(executor_, count, Job{&f, [](void* call, std::size_t index, std::size_t worker) {
                                 (*static_cast<std::remove_reference_t<F>*>(call))(index, worker);
                               }});
  }
  std::size_t size() const { return size_; }

 private:
  struct Job {
    void* call;
    void (*invoke)(void*, std::size_t, std::size_t);
    void operator()(std::size_t index, std::size_t worker) const { invoke(call, index, worker); }
  };
  void* executor_;
  std::size_t size_;
  void (*run_)(void*, std::size_t, Job);
};

}  // namespace aila::inline v0

#include "macros_back.hpp"
