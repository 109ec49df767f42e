#include <doctest/doctest.h>
#include <aila/core/tree_sum.hpp>
#include <bit>
#include <random>
#include <vector>

using namespace aila;

namespace {

/// The tree as it is defined: the greatest power of two below the number of terms is the left side.
double tree(const std::vector<double>& x, std::size_t first, std::size_t terms) {
  if (terms == 1) return x[first];
  const std::size_t half = std::bit_floor(terms - 1);
  const double left = tree(x, first, half), right = tree(x, first + half, terms - half);
  return left + right;
}
double sum(const std::vector<double>& x, std::size_t first, std::size_t terms) {
  double total = 0;
  TreeSum<double, 1, 64>().run(
      terms, 1, [&](std::size_t t, std::size_t) { return x[first + t]; }, [&](std::size_t, double s) { total = s; });
  return total;
}

}  // namespace

TEST_CASE("sums have the bits of a binary tree, whatever their number") {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> number(-1, 1);
  std::vector<double> x(64);
  std::size_t otherwise = 0;
  for (int round = 0; round < 20; ++round) {
    for (double& v : x) v = number(random);
    for (std::size_t terms = 1; terms <= x.size(); ++terms) {
      CHECK(sum(x, 0, terms) == tree(x, 0, terms));
      double in_order = 0;
      for (std::size_t t = 0; t < terms; ++t) in_order += x[t];
      otherwise += in_order != tree(x, 0, terms) ? 1U : 0U;
    }
    // Who has summed a node elsewhere goes on with it.
    for (std::size_t size = 1; size <= 32; size *= 2) {
      std::vector<double> nodes;
      for (std::size_t first = 0; first < x.size(); first += size) nodes.push_back(sum(x, first, size));
      CHECK(sum(nodes, 0, nodes.size()) == sum(x, 0, x.size()));
    }
  }
  CHECK(otherwise > 100);  // other orders give other bits
}

TEST_CASE("many values of a term are summed side by side") {
  std::vector<double> x(33 * 5);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1.0 / static_cast<double>(i + 1);
  std::vector<double> sums(5);
  TreeSum<double, 8, 33> all;
  for (int again = 0; again < 2; ++again)
    all.run(
        33, 5, [&](std::size_t t, std::size_t i) { return x[t * 5 + i]; },
        [&](std::size_t i, double s) { sums[i] = s; });
  for (std::size_t i = 0; i < 5; ++i) {
    std::vector<double> column;
    for (std::size_t t = 0; t < 33; ++t) column.push_back(x[t * 5 + i]);
    CHECK(sums[i] == tree(column, 0, 33));
  }
}
