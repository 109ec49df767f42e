// Threads that wait for work and share it by index. Only this header and data/background.hpp start any.
#pragma once

#include "macros_aside.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "error.hpp"
#include "executor.hpp"

namespace aila::inline v0 {

namespace detail {
/// Tells the processor that this thread waits for another.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}
}  // namespace detail

/// An Executor of `threads` workers, the caller of run being worker 0: one thread fewer is started, none for 1.
///
/// Indices are handed out in rising order to whoever is free, so worker numbers differ from run to run and results must
/// not depend on them. run allocates nothing. Idle workers spin for some tens of microseconds, where each has a
/// processor, then sleep. If calls throw, no further index is handed out and the exception of the lowest index is
/// thrown to the caller, after all calls have ended; it is the same one in every run. Calls of run from several threads
/// at once wait for one another. A call from inside f on the same pool throws Error: its worker numbers would be in use
/// twice.
class ThreadPool {
 public:
  /// Throws Error where threads is 0 or more than most_workers, and where a thread cannot be started.
  explicit ThreadPool(std::size_t threads)
      : spins_(detail::checked_workers("ThreadPool", threads) <= available() ? spins_before_sleep : 0) {
    detail::rephrasing<std::exception>(
        [&] {
          threads_.reserve(threads - 1);
          for (std::size_t worker = 1; worker < threads; ++worker)
            threads_.emplace_back([this, worker] { serve(worker); });
        },
        [&](const std::exception& e) {
          const std::size_t started = threads_.size();
          stop();
          return "ThreadPool: thread " + std::to_string(started + 1) + " of " + std::to_string(threads - 1) +
                 " could not be started: " + e.what();
        });
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() { stop(); }

  /// f(index, worker) for every index in [0, count); returns when all calls have ended.
  template <class F>
  void run(std::size_t count, F&& f) {
    auto body = [&f](std::size_t index, std::size_t worker) { f(index, worker); };  // f itself may be a plain function
    using Body = decltype(body);
    run_erased(count,
               {[](void* b, std::size_t i, std::size_t w) { (*static_cast<Body*>(b))(i, w); }, std::addressof(body)});
  }

  /// Workers, the caller of run included.
  std::size_t size() const noexcept { return threads_.size() + 1; }

  /// Threads that this machine runs at once, at least 1.
  static std::size_t available() noexcept {
    const std::size_t threads = std::thread::hardware_concurrency();
    return threads > 0 ? threads : 1;
  }

 private:
  static constexpr int spins_before_sleep = 2000;
  static constexpr std::uint32_t open = 1U << 31;

  struct Job {
    void (*call)(void*, std::size_t, std::size_t) = nullptr;
    void* body = nullptr;
  };

  /// The turn of one caller of run. Undisputed it is one exchange, and no lock.
  class Turn {
   public:
    explicit Turn(std::atomic<bool>& taken) noexcept : taken_(taken) {
      while (taken_.exchange(true, std::memory_order_acquire)) taken_.wait(true, std::memory_order_relaxed);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      taken_.store(false, std::memory_order_release);
      taken_.notify_one();
    }

   private:
    std::atomic<bool>& taken_;
  };

  void run_erased(std::size_t count, Job job) {
    refuse_nested();
    const Turn turn(taken_);
    runner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    job_ = job;
    count_ = count;
    next_.store(0, std::memory_order_relaxed);
    const bool shared = count > 1 && !threads_.empty();
    if (shared) {
      entry_.fetch_or(open, std::memory_order_acq_rel);  // publishes the job
      round_.fetch_add(1, std::memory_order_release);
      round_.notify_all();
    }
    work(0);
    if (shared) {
      entry_.fetch_and(~open, std::memory_order_acq_rel);
      await(entry_, [](std::uint32_t inside) { return inside == 0; });
    }
    runner_.store(std::thread::id(), std::memory_order_relaxed);
    if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  void refuse_nested() const {
    const auto self = std::this_thread::get_id();
    bool nested = runner_.load(std::memory_order_relaxed) == self;
    for (const std::thread& thread : threads_) nested = nested || thread.get_id() == self;
    if (nested)
      throw_error("ThreadPool: run was called from inside a run of the same pool; give the inner work to the caller");
  }

  /// A worker's life. It takes part in a job only if it enters while the job is open: `entry_` holds the open bit and
  /// the number of threads inside, so when the runner has closed the job and that number is 0, nobody reads it.
  void serve(std::size_t worker) noexcept {
    std::uint32_t seen = 0;
    for (;;) {
      seen = await(round_, [seen](std::uint32_t round) { return round != seen; });
      if (stopping_.load(std::memory_order_acquire)) return;
      if ((entry_.fetch_add(1, std::memory_order_acq_rel) & open) != 0) work(worker);
      if (entry_.fetch_sub(1, std::memory_order_acq_rel) == 1) entry_.notify_all();
    }
  }

  void work(std::size_t worker) noexcept {
    for (;;) {
      const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
      if (index >= count_) return;
      detail::catching([&] { job_.call(job_.body, index, worker); },
                       [&] {
                         // every lower index was handed out before, so the lowest that throws is always among those
                         // that run
                         next_.store(count_, std::memory_order_relaxed);
                         const std::lock_guard<std::mutex> lock(error_lock_);
                         if (error_ == nullptr || index < error_index_) {
                           error_ = std::current_exception();
                           error_index_ = index;
                         }
                       });
    }
  }

  /// Waits until done(value), spinning first; returns the value.
  template <class Done>
  std::uint32_t await(const std::atomic<std::uint32_t>& value, Done done) const noexcept {
    for (int spin = 0; spin < spins_; ++spin) {
      const std::uint32_t now = value.load(std::memory_order_acquire);
      if (done(now)) return now;
      detail::relax();
    }
    for (;;) {
      const std::uint32_t now = value.load(std::memory_order_acquire);
      if (done(now)) return now;
      value.wait(now, std::memory_order_acquire);
    }
  }

  void stop() noexcept {
    stopping_.store(true, std::memory_order_release);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  int spins_;
  std::atomic<bool> taken_{false};
  std::atomic<std::thread::id> runner_;
  Job job_;
  std::size_t count_ = 0;
  std::mutex error_lock_;
  std::exception_ptr error_;
  std::size_t error_index_ = 0;
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<std::size_t> next_{0};
  alignas(64) std::atomic<std::uint32_t> entry_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
  std::vector<std::thread> threads_;  // last: a thread that starts finds everything else made
};

}  // namespace aila::inline v0

#include "macros_back.hpp"
