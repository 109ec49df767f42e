#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "outcome.hpp"

namespace flags {
namespace {

/// The largest difference between what two units computed, relative to the largest number of each result.
double difference(const Outcome& a, const Outcome& b) {
  REQUIRE(a.results.size() == b.results.size());
  double worst = 0;
  for (std::size_t r = 0; r < a.results.size(); ++r) {
    REQUIRE(a.results[r].size() == b.results[r].size());
    double gap = 0, largest = 0;
    for (std::size_t i = 0; i < a.results[r].size(); ++i) {
      gap = std::max(gap, static_cast<double>(std::abs(a.results[r][i] - b.results[r][i])));
      largest = std::max(largest, static_cast<double>(std::abs(b.results[r][i])));
    }
    worst = std::max(worst, std::isfinite(gap) ? gap / largest : 1e9);
  }
  return worst;
}

TEST_CASE("units compiled with different SIMD flags train and predict side by side, each right") {
  const Outcome expected = outcome<aila::backend::Reference<double>>();
  const Outcome narrow = by_x86_64();
  CHECK(narrow.lanes == 4);
  CHECK(difference(narrow, expected) < 2e-3);
#ifdef AILA_FLAGS_by_x86_64_v3
  const Outcome wide = by_x86_64_v3();
  CHECK(wide.lanes == 8);
  CHECK(difference(wide, expected) < 2e-3);
#endif
#ifdef AILA_FLAGS_by_x86_64_v4
  const Outcome widest = by_x86_64_v4();
  CHECK(widest.lanes == 16);
  CHECK(difference(widest, expected) < 2e-3);
#endif
  const Outcome again = by_x86_64();
  CHECK(again.results == narrow.results);
}

}  // namespace
}  // namespace flags
