// Convolutions whose weights do not stay in the cache: seconds of plain loops to compare with.
#include <doctest/doctest.h>

#include "one_layer.hpp"

using namespace aila;

TEST_CASE("weights that are larger than the cache have right gradients, over one and several blocks of outputs") {
  static_assert(cpu::has_large_weights(Conv<256>::plan<Image<2, 2, 70>>));
  CHECK(disagreement<Conv<256>, Image<2, 2, 70>>({3}) == "");
  static_assert(cpu::has_large_weights(Conv<300>::plan<Image<140, 1, 50>>));
  CHECK(disagreement<Conv<300>, Image<140, 1, 50>>({1}) == "");
  using Long = Conv<40, Kernel<9>, Padding<0>>;
  static_assert(cpu::has_large_weights(Long::plan<Sequence<650, 400>>));
  CHECK(disagreement<Long, Sequence<650, 400>>({1}, 5) == "");
  using InGroups = Conv<60, Kernel<9>, Groups<2>, Dilation<2>>;
  static_assert(cpu::has_large_weights(InGroups::plan<Image<2, 3, 60>>));
  CHECK(disagreement<InGroups, Image<2, 3, 60>>({2}) == "");
}
