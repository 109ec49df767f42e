// Buffers in one block of memory, by when they are needed.
#include <doctest/doctest.h>

#include <aila/core/arena.hpp>
#include <array>
#include <random>
#include <vector>

namespace aila {
namespace {

struct Buffer {
  std::size_t elements;
  Life life;
};

MemoryPlan placed(const std::vector<Buffer>& buffers) {
  MemoryPlan plan;
  for (const Buffer& b : buffers) plan.add(b.elements, b.life);
  plan.place();
  return plan;
}

/// Whether two of them that are needed at the same time share an element, or one reaches beyond the end.
bool clashes(const MemoryPlan& plan, const std::vector<Buffer>& buffers) {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const std::size_t begin = plan.offset(i), end = begin + buffers[i].elements;
    if (end > plan.size()) return true;
    for (std::size_t j = 0; j < i; ++j) {
      const std::size_t other = plan.offset(j), behind = other + buffers[j].elements;
      if (begin < behind && other < end && buffers[i].life.meets(buffers[j].life)) return true;
    }
  }
  return false;
}

constexpr std::size_t size_of_chain() {
  MemoryPlan plan;
  for (Life::Time i = 0; i < 8; ++i) plan.add(16, Life::in_forward(i, i + 1));
  plan.place();
  return plan.size();
}
static_assert(size_of_chain() == 32, "each step needs two, and plans are made in constants too");

static_assert(Life::kept(3, 3).meets(Life::in_forward(5, 5)));
static_assert(Life::kept(3, 3).meets(Life::in_backward(9, 3)));
static_assert(!Life::kept(3, 3).meets(Life::in_forward(0, 2)));
static_assert(!Life::kept(3, 3).meets(Life::in_backward(2, 0)), "backward has gone by");
static_assert(Life::kept(3, 1).meets(Life::in_backward(2, 0)), "until part 1 has looked at it");
static_assert(!Life::in_both(2, 2).meets(Life::in_both(3, 3)));
static_assert(Life::in_both(2, 2).meets(Life::in_backward(4, 1)) &&
              !Life::in_both(2, 2).meets(Life::in_backward(4, 3)));
static_assert(Life::always().meets(Life::in_backward(0, 0)) && Life::always().meets(Life::in_forward(0, 0)));

}  // namespace

TEST_CASE("a gradient lies over what backward has done with, and over nothing else") {
  // Three maps that the part behind each looks at, and the gradients of the two first.
  const std::vector<Buffer> buffers{{64, Life::kept(0, 1)},
                                    {64, Life::kept(1, 2)},
                                    {64, Life::kept(2, 2)},
                                    {64, Life::in_backward(2, 1)},
                                    {64, Life::in_backward(1, 0)}};
  const MemoryPlan plan = placed(buffers);
  CHECK_FALSE(clashes(plan, buffers));
  CHECK(plan.size() == 4 * 64);
}

TEST_CASE("random buffers that are needed at the same time lie apart, in less memory than one behind the other") {
  std::mt19937 random(11);
  const auto below = [&](std::uint32_t n) { return static_cast<Life::Time>(random() % n); };
  for (int round = 0; round < 200; ++round) {
    std::vector<Buffer> buffers;
    std::size_t all = 0;
    const Life::Time parts = 2 + below(20);
    for (int i = 0; i < 60; ++i) {
      const Life::Time first = below(static_cast<std::uint32_t>(parts)), last = first + below(3);
      const std::size_t elements = 16 * static_cast<std::size_t>(below(9));
      const Life lives[] = {Life::kept(first, first),       Life::kept(last, first),    Life::in_forward(first, last),
                            Life::in_backward(last, first), Life::in_both(first, last), Life::always()};
      buffers.push_back({elements, lives[below(round % 2 == 0 ? 6 : 5)]});
      all += elements;
    }
    const MemoryPlan plan = placed(buffers);
    REQUIRE_FALSE(clashes(plan, buffers));
    CHECK(plan.size() < all);
  }
}

TEST_CASE("an arena is given the places of what it took before, in the same order") {
  MemoryPlan plan;
  const auto bind = [](Arena<float> arena) {
    arena.enter({0, 1});
    float* const state = arena.take(3, Life::always());
    float* const first = arena.take(20);
    arena.enter({1, 1});
    float* const second = arena.take(20, Life::in_both(1, 1));
    float* const third = arena.take(20, Life::in_backward(0, 0));
    return std::array<float*, 4>{state, first, second, third};
  };
  for (float* const p : bind(Arena<float>(plan, Reuse::in_training))) CHECK(p == nullptr);
  plan.place();
  CHECK(plan.size() == 32 + 2 * 48);  // 16 behind each
  std::vector<float> memory(plan.size());
  const auto [state, first, second, third] = bind(Arena<float>(plan, Reuse::in_training, memory.data()));
  CHECK(second == third);
  CHECK((first + 48 <= second || second + 48 <= first));
  CHECK((state + 32 <= first || first + 48 <= state));
  const std::vector<MemoryPlan::Range> idle = plan.idle(Life::between);
  REQUIRE(idle.size() == 1);
  CHECK(memory.data() + idle[0].first == second);
  CHECK(idle[0].count == 48);
}

TEST_CASE("an arena without a plan takes one buffer behind the other") {
  std::vector<float> memory(200);
  Arena<float> arena(memory.data());
  CHECK(arena.take(3) == memory.data());
  CHECK(arena.take(20, Life::in_forward(0, 0)) == memory.data() + 32);
  CHECK(arena.take(1, Life::in_forward(1, 1)) == memory.data() + 32 + 48);
  CHECK(arena.used() == 32 + 48 + 32);
}

}  // namespace aila
