#include <doctest/doctest.h>

#include <aila/backend/cpu/rows/row_block.hpp>
#include <cmath>
#include <vector>

using namespace aila;

namespace {

using Arch = simd::DefaultArch;

template <class S>
std::vector<S> waves(std::size_t n, double phase) {
  std::vector<S> x;
  for (std::size_t i = 0; i < n; ++i) x.push_back(static_cast<S>(std::sin(2.3 * static_cast<double>(i) + phase)));
  return x;
}

}  // namespace

TEST_CASE_TEMPLATE("products of rows do not depend on the rows beside them, and nothing behind a row is read", S, float,
                   double) {
  constexpr std::size_t W = cpu::block_rows<S, Arch>, width = W + 3;
  const auto a = waves<S>(W * width, 0), b = waves<S>(W * width, 1);  // their ends are the ends of allocations
  std::vector<S> all(W), some(W);
  simd::store(all.data(), cpu::block_products<width, S, Arch>(a.data(), width, b.data(), width, W));
  for (std::size_t r = 0; r < W; ++r) {
    double want = 0;
    for (std::size_t i = r * width; i < (r + 1) * width; ++i) want += double{a[i]} * double{b[i]};
    CHECK(static_cast<double>(all[r]) == doctest::Approx(want).epsilon(1e-5));
  }
  for (std::size_t valid = 1; valid <= W; ++valid) {
    const std::size_t first = W - valid;
    simd::store(some.data(), cpu::block_products<width, S, Arch>(a.data() + first * width, width,
                                                                 b.data() + first * width, width, valid));
    for (std::size_t r = 0; r < W; ++r) CHECK(some[r] == (r < valid ? all[first + r] : S(0)));
  }
}

TEST_CASE_TEMPLATE("a softmax of a block has weights that sum to 1, whatever is added to all scores", S, float,
                   double) {
  constexpr std::size_t W = cpu::block_rows<S, Arch>;
  for (std::size_t n = 1; n <= 5; ++n) {
    auto scores = waves<S>(n * W, 2), shifted = scores;
    for (S& s : shifted) s += S(64);
    cpu::block_softmax<S, Arch>(scores.data(), n);
    cpu::block_softmax<S, Arch>(shifted.data(), n);
    for (std::size_t r = 0; r < W; ++r) {
      double sum = 0, distance = 0;
      for (std::size_t i = 0; i < n; ++i) {
        sum += double{scores[i * W + r]};
        distance = std::max(distance, std::abs(double{scores[i * W + r]} - double{shifted[i * W + r]}));
      }
      CHECK(sum == doctest::Approx(1).epsilon(1e-6));
      CHECK(distance < (sizeof(S) == 4 ? 1e-5 : 1e-13));
    }
  }
}
