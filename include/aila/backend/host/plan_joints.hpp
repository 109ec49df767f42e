// What stands between the layers of a composite, bound by memory: maps put side by side, added, scaled, reversed in
// time. Sizes are numbers of the program's run, so that all maps share this code.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <vector>

#include "../kernel.hpp"
#include "rows.hpp"

namespace aila::inline v0::detail {

/// What an executor of plans does itself on a backend's memory. In backward, `sets` says that the gradient is written,
/// and not added to what is there. Specialised for each device.
template <class Backend>
struct PlanJoints {
  using S = typename Backend::Scalar;
  /// Whether each node has scratch of its own also where no memory is shared: then they may work at one time.
  static constexpr bool own_scratch = false;

  static constexpr void clear(const Pass&, std::size_t n, S* y) { std::fill_n(y, n, S(0)); }
  /// to[n] = the valid steps behind the layer L on In of each sample.
  template <class L, class In>
  static constexpr void map_lengths(const Pass& pass, std::int32_t* to) {
    for (std::size_t n = 0; n < pass.samples; ++n)
      to[n] = static_cast<std::int32_t>(length_after<L, In>(pass.length(n, In::extents[0])));
  }
  /// Numbers that a kernel writes and the program reads.
  class ForProgram {
   public:
    S* room(std::size_t count) {
      numbers_.resize(count);
      return numbers_.data();
    }
    const S* read(const Pass&) const { return numbers_.data(); }
    /// The pass, with lengths that the program can read.
    Pass pass(const Pass& of) const { return of; }

   private:
    std::vector<S> numbers_;
  };

  /// y = the sum of `count` maps of n elements.
  [[gnu::noinline]] static constexpr void add(const Pass&, std::size_t n, const S* const* map, std::size_t count,
                                              S* y) {
    if (count == 2) return add_maps<Backend>(n, map[0], map[1], y);
    over_row<Backend>(n, [&](auto part) {
      auto sum = part.load(map[0]);
      for (std::size_t i = 1; i < count; ++i) sum = sum + part.load(map[i]);
      part.store(y, sum);
    });
  }
  /// y = a - b, of n elements, and its way back to b; nothing where `db` is null.
  [[gnu::noinline]] static constexpr void subtract(const Pass&, std::size_t n, const S* a, const S* b, S* y) {
    over_row<Backend>(n, [&](auto part) { part.store(y, part.load(a) - part.load(b)); });
  }
  [[gnu::noinline]] static constexpr void pass_on_negative(const Pass&, std::size_t n, const S* dy, S* db, bool sets) {
    if (db == nullptr) return;
    over_row<Backend>(n, [&](auto part) {
      const auto g = part.load(dy);
      using V = std::remove_const_t<decltype(g)>;
      part.store(db, sets ? V(S(0)) - g : part.load(db) - g);
    });
  }
  /// to = from, or to += from; nothing where `to` is null.
  static constexpr void pass_on(const Pass&, std::size_t n, const S* from, S* to, bool sets) {
    if (to == nullptr) return;
    if (sets)
      std::copy_n(from, n, to);
    else
      add_maps<Backend>(n, to, from, to);
  }

  /// Rows of `width` features into columns of rows of `width_to`.
  [[gnu::noinline]] static constexpr void place(const Pass&, std::size_t rows, const S* from, std::size_t width, S* to,
                                                std::size_t width_to) {
    for (std::size_t r = 0; r < rows; ++r, from += width, to += width_to) std::copy_n(from, width, to);
  }
  /// The gradient of such rows, from the columns `d_to`; nothing where `d_from` is null.
  [[gnu::noinline]] static constexpr void take(const Pass&, std::size_t rows, const S* d_to, std::size_t width_to,
                                               S* d_from, std::size_t width, bool sets) {
    if (d_from == nullptr) return;
    for (std::size_t r = 0; r < rows; ++r, d_from += width, d_to += width_to) {
      if (sets)
        std::copy_n(d_to, width, d_from);
      else
        over_row<Backend>(width, [&](auto part) { part.store(d_from, part.load(d_from) + part.load(d_to)); });
    }
  }

  /// Rows of `width` features in rows of `width_to`, of each sample's valid steps the last first; zeros behind them,
  /// or, unless it `sets`, what is there stays. Nothing where `to` is null.
  [[gnu::noinline]] static constexpr void reverse(const Pass& pass, std::size_t steps, std::size_t width, const S* from,
                                                  std::size_t width_from, S* to, std::size_t width_to, bool sets) {
    if (to == nullptr) return;
    for (std::size_t n = 0; n < pass.samples; ++n, from += steps * width_from, to += steps * width_to) {
      const std::size_t length = pass.length(n, steps);
      for (std::size_t t = 0; t < length; ++t)
        for (std::size_t f = 0; f < width; ++f) {
          const S value = from[(length - 1 - t) * width_from + f];
          S& target = to[t * width_to + f];
          target = sets ? value : target + value;
        }
      for (std::size_t t = length; sets && t < steps; ++t)
        for (std::size_t f = 0; f < width; ++f) to[t * width_to + f] = S(0);
    }
  }

  /// y = x times r, x [samples, positions, width], r [samples, width].
  [[gnu::noinline]] static constexpr void scale(const Pass& pass, std::size_t positions, std::size_t width, const S* x,
                                                const S* r, S* y) {
    for (std::size_t n = 0; n < pass.samples; ++n, r += width)
      for (std::size_t p = 0; p < positions; ++p, x += width, y += width)
        over_row<Backend>(width, [&](auto part) { part.store(y, part.load(x) * part.load(r)); });
  }
  /// Adds to dx, unless it is null; sets dr.
  [[gnu::noinline]] static constexpr void scale_back(const Pass& pass, std::size_t positions, std::size_t width,
                                                     const S* x, const S* r, const S* dy, S* dx, S* dr) {
    for (std::size_t n = 0; n < pass.samples; ++n, r += width, dr += width) {
      std::fill_n(dr, width, S(0));
      for (std::size_t p = 0; p < positions; ++p, x += width, dy += width) {
        S* d = dx == nullptr ? nullptr : dx + (n * positions + p) * width;
        over_row<Backend>(width, [&](auto part) {
          const auto g = part.load(dy);
          part.store(dr, part.load(dr) + g * part.load(x));
          if (d != nullptr) part.store(d, part.load(d) + g * part.load(r));
        });
      }
    }
  }
};

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
