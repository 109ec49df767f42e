#include <doctest/doctest.h>

#include <aila/backend/cpu/simd/power_of_two.hpp>
#include <algorithm>
#include <cmath>
#include <limits>

using namespace aila;

namespace {

using Arch = simd::DefaultArch;

template <class S>
S power(S x) {
  S lanes[simd::width<S, Arch>];
  simd::store(lanes, cpu::power_of_two<S, Arch>(simd::broadcast<S, Arch>(x)));
  return lanes[0];
}

}  // namespace

TEST_CASE_TEMPLATE("powers of two are right to two units in the last place", S, float, double) {
  double worst = 0;
  for (double x = 0; x > -126; x -= 0.00917) {
    const double exact = std::exp2(static_cast<double>(static_cast<S>(x)));
    worst = std::max(worst, std::abs(static_cast<double>(power(static_cast<S>(x))) / exact - 1));
  }
  // In double e^(x ln 2) adds what x ln 2 is rounded by.
  CHECK(worst < (sizeof(S) == 4 ? 2 : 100) * static_cast<double>(std::numeric_limits<S>::epsilon()));
}

TEST_CASE_TEMPLATE("powers of two of whole numbers, of nothing and of no number", S, float, double) {
  CHECK(power(S(0)) == S(1));
  CHECK(power(S(-3)) == doctest::Approx(0.125).epsilon(1e-15));
  CHECK(power(std::numeric_limits<S>::lowest()) == S(0));
  CHECK(power(-std::numeric_limits<S>::infinity()) == S(0));
  CHECK(std::isnan(power(std::numeric_limits<S>::quiet_NaN())));
}
