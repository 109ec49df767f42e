// The windows of a pool, one after the other.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../core/math.hpp"
#include "../kernel.hpp"
#include "window_walk.hpp"

namespace aila::inline v0 {

namespace detail {

/// The positions of a window that lie inside the map.
struct PoolWindow {
  std::size_t first, rows, columns, row;  ///< `row` positions from one row to the next
  template <class F>
  constexpr void for_each(F&& f) const {
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < columns; ++j) f(first + i * row + j);
  }
};

/// The windows of a pool: f(output position, window) for the outputs of every sample, gap(first, last) for the output
/// positions beyond a sample's length.
template <class In, class F, class G>
[[gnu::always_inline]] constexpr void for_each_window(const WindowPlan& plan, const Pass& pass, F&& f, G&& gap) {
  const WindowWalk y = forward_walk(plan.y, plan.y.in);
  for (std::size_t n = 0; n < pass.samples; ++n) {
    const WindowWalk x = forward_walk(plan.x, In::rank == 2 ? pass.length(n, plan.x.in) : plan.x.in);
    std::size_t to = n * plan.out_positions();
    for (std::ptrdiff_t i = 0; i < y.count; ++i) {
      const std::ptrdiff_t top = y.first_tap(i), bottom = y.last_tap(i);
      const std::size_t row = n * plan.in_positions() + static_cast<std::size_t>(y.at(i) + top) * plan.x.in;
      const std::ptrdiff_t inner_first = x.inner_first(), inner_last = x.inner_last();
      for (std::ptrdiff_t j = 0; j < x.count; ++j, ++to) {
        const bool inner = inner_first <= j && j < inner_last;
        const std::ptrdiff_t left = inner ? 0 : x.first_tap(j), right = inner ? x.taps : x.last_tap(j);
        f(to, PoolWindow{row + static_cast<std::size_t>(x.at(j) + left), static_cast<std::size_t>(bottom - top),
                         static_cast<std::size_t>(right - left), plan.x.in});
      }
      const std::size_t end = n * plan.out_positions() + (static_cast<std::size_t>(i) + 1) * plan.x.out();
      if (to < end) gap(to, end);
      to = end;
    }
  }
}

/// The greater of two; what is not a number stays, and wins.
template <class V>
[[gnu::always_inline]] constexpr V greater(V best, V next) {
  return math::select(next == next, math::select(next > best, next, best), next);
}

template <class S>
constexpr void fill_zero(S* rows, std::size_t first, std::size_t last, std::size_t features) {
  for (std::size_t i = first * features; i < last * features; ++i) rows[i] = S(0);
}

}  // namespace detail

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
