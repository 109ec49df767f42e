#include <doctest/doctest.h>

#include <aila/core/shares.hpp>
#include <aila/core/thread_pool.hpp>
#include <atomic>
#include <cstddef>
#include <vector>

using namespace aila;

namespace {
/// Calls all indices by one worker of three.
struct SecondOfThree {
  static constexpr std::size_t size() { return 3; }
  template <class F>
  void run(std::size_t count, F&& f) {
    for (std::size_t i = 0; i < count; ++i) f(i, std::size_t{1});
  }
};
}  // namespace

TEST_CASE("every index of a run is called once, run after run") {
  for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
    ThreadPool pool(threads);
    Shares shares(pool.size());
    for (const std::size_t count : {0U, 1U, 2U, 7U, 100U, 3U}) {
      std::vector<std::atomic<int>> calls(count);
      shares.run(pool, count, [&](std::size_t index) { ++calls.at(index); });
      for (const auto& c : calls) CHECK(c == 1);
    }
  }
}

TEST_CASE("a worker takes its own share in rising order, and then those of the others") {
  SecondOfThree second;
  Shares shares(SecondOfThree::size());
  std::vector<std::size_t> order;
  shares.run(ExecutorRef(second), 7, [&](std::size_t index) { order.push_back(index); });
  CHECK(order == std::vector<std::size_t>{2, 3, 4, 5, 6, 0, 1});
}
