// Sums in a fixed binary tree.
#pragma once

#include "macros_aside.hpp"

#include <array>
#include <bit>
#include <cstddef>

#include "config.hpp"
#include "list.hpp"

namespace aila::inline v0 {

/// term(first) + ... + term(first + Count - 1) as a binary tree: neighbours first, then sums of two, of four, ...; of a
/// number that is no power of two the greatest power below it is one side, and the rest the other.
template <std::size_t Count, class Term>
[[gnu::always_inline]] constexpr auto tree_sum(const Term& term, std::size_t first = 0) {
  if constexpr (Count == 1) {
    return term(first);
  } else {
    constexpr std::size_t half = std::bit_floor(Count - 1);
    const auto left = tree_sum<half>(term, first), right = tree_sum<Count - half>(term, first + half);
    return left + right;
  }
}

/// The same sum of a number of terms that is known at run time, at least one and at most MostTerms, of each of up to
/// Width values. The sum of the terms [0, 2^k) is a node of the tree, as is that of any such range that begins at a
/// multiple of 2^k: who has summed it elsewhere gets the same bits.
template <class V, std::size_t Width, std::size_t MostTerms>
class TreeSum {
 public:
  /// store(i, sum) for i < count; value i of term t is load(t, i).
  template <class Load, class Store>
  constexpr void run(std::size_t terms, std::size_t count, const Load& load, const Store& store) {
    if (terms <= leaf) return sum_leaf(0, terms, count, load, store);
    std::size_t leaves = 0;
    for (std::size_t first = 0; first < terms; first += leaf, ++leaves) {
      const auto level = static_cast<std::size_t>(std::countr_one(leaves));  // where the sum of all to the left
                                                                             // of it and of its size waits
      sum_leaf(first, terms - first < leaf ? terms - first : leaf, count, load, [&](std::size_t i, const V& of_leaf) {
        V sum = of_leaf;
        for (std::size_t below = 0; below < level; ++below) sum = node_[below][i] + sum;
        node_[level][i] = sum;
      });
    }
    for (std::size_t i = 0; i < count; ++i) {
      auto level = static_cast<std::size_t>(std::countr_zero(leaves));
      V sum = node_[level][i];
      while (++level < levels)
        if (((leaves >> level) & 1) != 0) sum = node_[level][i] + sum;
      store(i, sum);
    }
  }

 private:
  static constexpr std::size_t leaf = 8;  ///< terms that are summed in registers
  static constexpr std::size_t levels = std::bit_width((MostTerms + leaf - 1) / leaf);

  template <class Load, class Store>
  static constexpr void sum_leaf(std::size_t first, std::size_t terms, std::size_t count, const Load& load,
                                 const Store& store) {
    for_each_index<leaf>([&](auto t) {
      if (terms == t + 1)
        for (std::size_t i = 0; i < count; ++i)
          store(i, tree_sum<t + 1>([&](std::size_t term) { return load(term, i); }, first));
    });
  }

  std::array<std::array<V, Width>, levels> node_;
};

/// The same of up to 64 numbers.
[[gnu::noinline]] constexpr double tree_sum(const double* terms, std::size_t count) {
  double total = 0;
  if (count > 0)
    TreeSum<double, 1, 64>().run(
        count, 1, [terms](std::size_t t, std::size_t) { return terms[t]; },
        [&total](std::size_t, double sum) { total = sum; });
  return total;
}

}  // namespace aila::inline v0

#include "macros_back.hpp"
