// Sums in a fixed binary tree.
#pragma once

#include "macros_aside.hpp"

#include <array>
#include <cstddef>

#include "config.hpp"

namespace aila::inline v0 {

/// Adds terms that come one after the other as a binary tree does: neighbours first, then sums of two, of four, ...; of a
/// number that is no power of two, the parts from the right. The sum of the terms [0, 2^k) is a node of it, as is that
/// of any such range that begins at a multiple of 2^k: who has summed it elsewhere gets the same bits. Each term is
/// `Width` values of V.
template <class V, std::size_t Width, std::size_t MostTerms>
class TreeSum {
 public:
  /// The next term, whose first `count` values are load(0), ...
  template <class Load>
  constexpr void add(std::size_t count, Load&& load) {
    if ((terms_ & 1) == 0) {
      for (std::size_t i = 0; i < count; ++i) node_[0][i] = load(i);
    } else {
      Node sum;
      for (std::size_t i = 0; i < count; ++i) sum[i] = node_[0][i] + load(i);
      std::size_t level = 1;
      for (; ((terms_ >> level) & 1) != 0; ++level)
        for (std::size_t i = 0; i < count; ++i) sum[i] = node_[level][i] + sum[i];
      for (std::size_t i = 0; i < count; ++i) node_[level][i] = sum[i];
    }
    ++terms_;
  }
  /// store(i, sum) for each value; zeros of no terms.
  template <class Store>
  constexpr void end(std::size_t count, Store&& store) {
    std::size_t level = 0;
    while (level + 1 < levels && ((terms_ >> level) & 1) == 0) ++level;
    for (std::size_t i = 0; i < count; ++i) {
      V sum = terms_ == 0 ? V(0) : node_[level][i];
      for (std::size_t above = level + 1; above < levels; ++above)
        if (((terms_ >> above) & 1) != 0) sum = node_[above][i] + sum;
      store(i, sum);
    }
    terms_ = 0;
  }

 private:
  using Node = std::array<V, Width>;
  static constexpr std::size_t levels = [] {
    std::size_t count = 1;
    while ((MostTerms >> count) != 0) ++count;
    return count;
  }();

  std::array<Node, levels> node_;
  std::size_t terms_ = 0;
};

}  // namespace aila::inline v0

#include "macros_back.hpp"
