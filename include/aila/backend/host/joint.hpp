// Where a chain's input meets its layers' result: sums, concatenations and products, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../network/joined.hpp"
#include "../kernel.hpp"
#include "rows.hpp"

namespace aila::inline v0::detail {

/// y = x + r, y = [x, r], or y = x times r. Sizes are numbers of the program's run, so that all maps share this code.
template <Joint joint, class Backend>
struct JoinInput {
  using S = typename Backend::Scalar;
  std::size_t positions;
  std::size_t a;  ///< features of x
  std::size_t b;  ///< features of r

  [[gnu::noinline]] constexpr void forward(std::size_t samples, const S* x, const S* r, S* y) const {
    if constexpr (joint == Joint::adds) {
      over_row<Backend>(samples * positions * a, [&](auto part) { part.store(y, part.load(x) + part.load(r)); });
    } else if constexpr (joint == Joint::concatenates) {
      for (std::size_t p = 0; p < samples * positions; ++p, x += a, r += b, y += a + b) {
        std::copy_n(x, a, y);
        std::copy_n(r, b, y + a);
      }
    } else {
      for (std::size_t n = 0; n < samples; ++n, r += a)
        for (std::size_t p = 0; p < positions; ++p, x += a, y += a)
          over_row<Backend>(a, [&](auto part) { part.store(y, part.load(x) * part.load(r)); });
    }
  }

  /// Adds to dx, unless it is null; sets dr, where that is not dy itself (see takes_own_gradient).
  [[gnu::noinline]] constexpr void backward(std::size_t samples, const S* x, const S* r, const S* dy, S* dx,
                                            S* dr) const {
    if constexpr (joint == Joint::adds) {
      if (dx == nullptr) return;
      over_row<Backend>(samples * positions * a, [&](auto part) { part.store(dx, part.load(dx) + part.load(dy)); });
    } else if constexpr (joint == Joint::concatenates) {
      for (std::size_t p = 0; p < samples * positions; ++p, dr += b, dy += a + b) {
        if (dx != nullptr) {
          S* d = dx + p * a;
          over_row<Backend>(a, [&](auto part) { part.store(d, part.load(d) + part.load(dy)); });
        }
        std::copy_n(dy + a, b, dr);
      }
    } else {
      for (std::size_t n = 0; n < samples; ++n, r += a, dr += a) {
        std::fill_n(dr, a, S(0));
        for (std::size_t p = 0; p < positions; ++p, x += a, dy += a) {
          S* d = dx == nullptr ? nullptr : dx + (n * positions + p) * a;
          over_row<Backend>(a, [&](auto part) {
            const auto g = part.load(dy);
            part.store(dr, part.load(dr) + g * part.load(x));
            if (d != nullptr) part.store(d, part.load(d) + g * part.load(r));
          });
        }
      }
    }
  }
};

/// Whether the result's gradient needs memory of its own.
consteval bool takes_own_gradient(Joint joint) {
  return joint == Joint::concatenates || joint == Joint::scales;
}

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
