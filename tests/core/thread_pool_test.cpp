#include <doctest/doctest.h>

#include <aila/core/thread_pool.hpp>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace aila;

namespace {

static_assert(Executor<ThreadPool> && Executor<Inline> && !Executor<int>);
static_assert(!std::is_copy_constructible_v<ThreadPool> && !std::is_move_constructible_v<ThreadPool>);

consteval std::size_t sum_of_indices(std::size_t count) {
  std::size_t sum = 0;
  Inline{}.run(count, [&](std::size_t index, std::size_t worker) { sum += index + worker; });
  return sum;
}
static_assert(sum_of_indices(5) == 10 && Inline::size() == 1);

std::atomic<int> plain_calls{0};
void plain_function(std::size_t, std::size_t) {
  ++plain_calls;
}

}  // namespace

TEST_CASE("every index is called once, by a worker of the pool") {
  for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (const std::size_t count : {0U, 1U, 2U, 7U, 100U}) {
      std::vector<int> calls(count);
      std::vector<std::size_t> workers(count);
      pool.run(count, [&](std::size_t index, std::size_t worker) {
        ++calls[index];
        workers[index] = worker;
      });
      CHECK(calls == std::vector<int>(count, 1));
      for (const std::size_t worker : workers) CHECK(worker < threads);
    }
  }
}

TEST_CASE("what calls write is seen after run, in thousands of short runs") {
  ThreadPool pool(4);
  std::array<std::size_t, 6> written{};
  std::size_t wrong = 0;
  for (std::size_t round = 1; round <= 5000; ++round) {
    pool.run(written.size(), [&](std::size_t index, std::size_t) { written[index] = round * index; });
    for (std::size_t i = 0; i < written.size(); ++i) wrong += written[i] == round * i ? 0U : 1U;
  }
  CHECK(wrong == 0);
}

TEST_CASE("no two calls of one worker overlap") {
  ThreadPool pool(3);
  std::array<std::atomic<int>, 3> inside{};
  std::atomic<int> overlaps{0};
  for (int round = 0; round < 500; ++round)
    pool.run(20, [&](std::size_t, std::size_t worker) {
      if (inside[worker].fetch_add(1) != 0) ++overlaps;
      inside[worker].fetch_sub(1);
    });
  CHECK(overlaps == 0);
}

TEST_CASE("workers that have gone to sleep wake up") {
  ThreadPool pool(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> arrived{0};
    pool.run(2, [&](std::size_t, std::size_t) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();  // ends only if two threads take part
    });
    CHECK(arrived == 2);
  }
}

TEST_CASE("a pool of one thread calls in order on the caller") {
  ThreadPool pool(1);
  std::vector<std::size_t> order;
  const auto self = std::this_thread::get_id();
  pool.run(4, [&](std::size_t index, std::size_t worker) {
    CHECK(worker == 0);
    CHECK(std::this_thread::get_id() == self);
    order.push_back(index);
  });
  CHECK(order == std::vector<std::size_t>{0, 1, 2, 3});
}

TEST_CASE("a plain function and a callable that cannot be copied are called as well as a lambda") {
  ThreadPool pool(2);
  plain_calls = 0;
  pool.run(5, plain_function);
  CHECK(plain_calls == 5);
  std::atomic<int> calls{0};
  pool.run(5, [&calls, one = std::make_unique<int>(1)](std::size_t, std::size_t) { calls += *one; });
  CHECK(calls == 5);
}

TEST_CASE("of several exceptions the caller gets that of the lowest index, every time") {
  for (const std::size_t threads : {1U, 2U, 4U}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 200; ++round) {
      std::atomic<int> calls{0};
      std::string caught;
      try {
        pool.run(50, [&](std::size_t index, std::size_t) {
          ++calls;
          if (index == 7 || index == 8 || index == 30) throw std::runtime_error(std::to_string(index));
        });
      } catch (const std::runtime_error& e) {
        caught = e.what();
      }
      CHECK(caught == "7");
      CHECK(calls >= 8);
    }
    std::atomic<int> after{0};
    pool.run(10, [&](std::size_t, std::size_t) { ++after; });
    CHECK(after == 10);
  }
}

TEST_CASE("runs from several threads at once wait for one another") {
  ThreadPool pool(2);
  std::atomic<int> runs_inside{0};
  std::atomic<int> overlaps{0};
  std::atomic<int> calls{0};
  const auto host = [&](int marker) {
    for (int round = 0; round < 200; ++round)
      pool.run(8, [&](std::size_t, std::size_t) {
        const int before = runs_inside.exchange(marker);
        if (before != 0 && before != marker) ++overlaps;
        ++calls;
        std::this_thread::yield();
        const int now = runs_inside;
        if (now != 0 && now != marker) ++overlaps;
        runs_inside = 0;
      });
  };
  std::thread other(host, 1);
  host(2);
  other.join();
  CHECK(calls == 2 * 200 * 8);
  CHECK(overlaps == 0);
}

TEST_CASE("a run from inside a run of the same pool is refused, one of another pool is not") {
  for (const std::size_t threads : {1U, 3U}) {
    ThreadPool pool(threads);
    ThreadPool inner(2);
    std::atomic<int> refused{0};
    std::atomic<int> inner_calls{0};
    pool.run(6, [&](std::size_t, std::size_t) {
      try {
        pool.run(2, [](std::size_t, std::size_t) {});
      } catch (const Error&) {
        ++refused;
      }
      inner.run(3, [&](std::size_t, std::size_t) { ++inner_calls; });
    });
    CHECK(refused == 6);
    CHECK(inner_calls == 18);
    CHECK_THROWS_WITH_AS(
        pool.run(1, [&](std::size_t, std::size_t) { pool.run(0, [](std::size_t, std::size_t) {}); }),
        "ThreadPool: run was called from inside a run of the same pool; give the inner work to the caller", Error);
  }
}

TEST_CASE("a pool of no threads, or of more than any machine runs, is refused") {
  CHECK_THROWS_WITH_AS(ThreadPool(SIZE_MAX),
                       "ThreadPool: expected 1 to 4096 workers, of which the caller is one, found 18446744073709551615",
                       Error);
  CHECK_THROWS_WITH_AS(ThreadPool(0), "ThreadPool: expected 1 to 4096 workers, of which the caller is one, found 0",
                       Error);
  CHECK(ThreadPool::available() >= 1);
}
