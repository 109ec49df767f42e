#include <doctest/doctest.h>

#include <aila/core/arena.hpp>
#include <array>

namespace aila {
namespace {

using detail::Held;
using Large = std::array<double, 1000>;
static_assert(sizeof(Held<Large>) == sizeof(void*), "a large object is on the heap");
static_assert(sizeof(Held<double>) == sizeof(double), "a small one in place");

constexpr double sum_of_held() {
  Held<Large> large;
  Held<double> small;
  (*large)[999] += 2;
  *small += 1;
  return large->back() + *small;
}
static_assert(sum_of_held() == 3, "both begin as zeros, in constants too");

TEST_CASE("what is held keeps its place while its owner lives") {
  Held<Large> held;
  const auto* const place = &*held;
  held->front() = 5;
  CHECK(&*held == place);
  CHECK((*place)[0] == 5);
}

}  // namespace
}  // namespace aila
