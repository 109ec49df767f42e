#include <doctest/doctest.h>

#include <aila/learn/schedule.hpp>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

using namespace aila;

namespace {

template <std::size_t N>
void check_factors(const Schedule& schedule, const std::array<double, N>& expected) {
  for (std::size_t step = 0; step < N; ++step) CHECK(std::fabs(schedule.factor(step, N) - expected[step]) <= 1e-15);
}

}  // namespace

TEST_CASE("a constant schedule is 1 everywhere") {
  static_assert(schedule::constant().kind == Schedule::Kind::constant);
  for (const std::uint64_t step : {0ULL, 1ULL, 99ULL, 1000ULL}) CHECK(schedule::constant().factor(step, 100) == 1);
  CHECK(Schedule{}.factor(5, 10) == 1);
}

// The figures of the following three were computed by PyTorch 2.15: StepLR, CosineAnnealingLR, OneCycleLR.
TEST_CASE("a step schedule cuts after every so many epochs") {
  check_factors(schedule::step(3, 0.5), std::array{1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25});
  const Schedule by_epoch = schedule::step(2, 0.1);
  CHECK(by_epoch.factor(79, 1000, 40) == 1);
  CHECK(by_epoch.factor(80, 1000, 40) == doctest::Approx(0.1));
  CHECK(by_epoch.factor(160, 1000, 40) == doctest::Approx(0.01));
}

TEST_CASE("a cosine schedule falls from 1 to the final factor") {
  check_factors(schedule::cosine(0.1), std::array{1.0, 0.96574578963007907, 0.86819805153394636, 0.72220754456429048,
                                                  0.55, 0.37779245543570972, 0.2318019484660537, 0.134254210369921});
  CHECK(schedule::cosine(0.1).factor(8, 8) == 0.1);
  CHECK(schedule::cosine(0.1).factor(1000, 8) == 0.1);
  CHECK(schedule::cosine().factor(0, 0) == 1);
}

TEST_CASE("a one-cycle schedule rises to 1 and falls to almost nothing") {
  check_factors(schedule::one_cycle(),
                std::array{0.04, 0.52, 1.0, 0.95048463201347366, 0.81174565394976306, 0.61126202193628931,
                           0.38874197806371075, 0.18825834605023697, 0.049519367986526286, 4e-06});
  CHECK(schedule::one_cycle().factor(50, 10) == 4e-06);
}

TEST_CASE("a one-cycle schedule of any length and peak is finite and at most 1") {
  for (const double peak : {0.0, 0.001, 0.3, 0.999, 1.0})
    for (std::uint64_t total = 0; total < 12; ++total)
      for (std::uint64_t step = 0; step <= total; ++step) {
        const double factor = schedule::one_cycle(peak).factor(step, total);
        CHECK(std::isfinite(factor));
        CHECK(factor >= 4e-06);
        CHECK(factor <= 1);
      }
}

TEST_CASE("warm-up rises in a line, then the schedule runs over what is left") {
  check_factors(schedule::constant().with_warm_up(4), std::array{0.25, 0.5, 0.75, 1.0, 1.0, 1.0});
  const Schedule warmed = schedule::cosine(0.1).with_warm_up(2);
  CHECK(warmed.factor(0, 10) == 0.5);
  CHECK(warmed.factor(1, 10) == 1);
  for (std::uint64_t step = 0; step < 8; ++step)
    CHECK(warmed.factor(step + 2, 10) == schedule::cosine(0.1).factor(step, 8));
  // a training that ends during the warm-up
  CHECK(schedule::cosine().with_warm_up(100).factor(9, 10) == doctest::Approx(0.1));
}

TEST_CASE("options of a schedule that are out of range are refused") {
  CHECK_THROWS_WITH_AS(schedule::step(0), "schedule::step: every_epochs must be at least 1, it is 0", Error);
  CHECK_THROWS_AS(schedule::step(1, 0), Error);
  CHECK_THROWS_AS(schedule::cosine(-0.1), Error);
  CHECK_THROWS_AS(schedule::one_cycle(1.1), Error);
  CHECK_THROWS_AS(schedule::one_cycle(std::nan("")), Error);
  CHECK_THROWS_AS(schedule::one_cycle(0.3, -1), Error);
}

TEST_CASE("counts of a schedule may be nothing or endless") {
  constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();
  const auto cut = schedule::step(endless, 0.5);
  for (const std::uint64_t steps : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, endless})
    for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{7}, endless - 1})
      CHECK(cut.factor(step, endless, steps) == 1);
  // 2^63 epochs of 2 steps would wrap around to a period of 0
  CHECK(schedule::step(std::uint64_t{1} << 63U, 0.5).factor(9, 10, 2) == 1);
  CHECK(schedule::step(1, 0.5).factor(endless, endless) == 0);
  CHECK(Schedule{.kind = Schedule::Kind::step, .every = 0, .gamma = 0.5}.factor(9, 10) == 1);
  for (const auto& schedule : {schedule::constant(), schedule::step(1), schedule::cosine(), schedule::one_cycle()})
    for (const std::uint64_t warm_up : {std::uint64_t{0}, std::uint64_t{1}, endless})
      for (const std::uint64_t total : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, endless})
        for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{1}, endless - 1, endless}) {
          const double factor = schedule.with_warm_up(warm_up).factor(step, total);
          CHECK((factor >= 0 && factor <= 1));
        }
  for (const double peak : {0.0, 1.0})
    for (const std::uint64_t total : {0U, 1U, 2U}) CHECK(std::isfinite(schedule::one_cycle(peak).factor(0, total)));
}

TEST_CASE("factors of a schedule that are infinite are refused") {
  const double infinite = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS(schedule::step(1, infinite), "schedule::step: gamma must be a finite number above 0, it is inf",
                       Error);
  CHECK_THROWS_AS(schedule::step(1, std::nan("")), Error);
  CHECK_THROWS_WITH_AS(schedule::cosine(infinite),
                       "schedule::cosine: final_factor must be a finite number of at least 0, it is inf", Error);
  CHECK_THROWS_AS(schedule::one_cycle(0.3, infinite), Error);
  CHECK_THROWS_WITH_AS(schedule::one_cycle(0.3, 1, infinite),
                       "schedule::one_cycle: a factor must be a finite number of at least 0, it is inf", Error);
}
