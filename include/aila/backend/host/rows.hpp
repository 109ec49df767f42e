// Features of a position a vector at a time, on any host backend: how kernels that are bound by memory are written.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstddef>

#include "lanes.hpp"

namespace aila::inline v0 {

/// All lanes of a vector, from feature `first` of a row on.
template <class Backend>
struct WholeVector {
  using S = typename Backend::Scalar;
  using V = typename Lanes<Backend>::V;
  std::size_t first;
  constexpr V load(const S* row) const { return Lanes<Backend>::load(row + first); }
  constexpr void store(S* row, const V& v) const { Lanes<Backend>::store(row + first, v); }
};
/// The first `count` lanes: nothing behind them is touched.
template <class Backend>
struct PartOfVector {
  using S = typename Backend::Scalar;
  using V = typename Lanes<Backend>::V;
  std::size_t first, count;
  constexpr V load(const S* row) const { return Lanes<Backend>::load_first(row + first, count); }
  constexpr void store(S* row, const V& v) const { Lanes<Backend>::store_first(row + first, v, count); }
};

/// Calls f with the vectors that cover a row of `width` features.
template <class Backend, class F>
constexpr void over_row(std::size_t width, F&& f) {
  constexpr std::size_t lanes = Lanes<Backend>::count;
  std::size_t first = 0;
  for (; first + lanes <= width; first += lanes) f(WholeVector<Backend>{first});
  if (first < width) f(PartOfVector<Backend>{first, width - first});
}

/// to = a + b over n elements.
template <class Backend, class S = typename Backend::Scalar>
[[gnu::noinline]] constexpr void add_maps(std::size_t n, const S* a, const S* b, S* to) {
  over_row<Backend>(n, [&](auto part) { part.store(to, part.load(a) + part.load(b)); });
}

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
