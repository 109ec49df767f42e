// The register tile under every product: Rows x Vectors sums of products that stay in registers over the whole inner
// dimension.
//
// Cost: per inner step Rows x Vectors fused multiply-adds against Vectors loads and Rows broadcasts. Sizes are run-time
// numbers, so that all shapes of a program share these few functions.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <array>

#include "../simd/simd.hpp"

namespace aila::inline v0::cpu {

/// Vectors of a panel of columns.
inline constexpr std::size_t panel_vectors = 4;

/// Most rows whose sums, with what is multiplied, fit the registers beside `vectors` columns of vectors.
template <class Arch>
constexpr std::size_t most_rows(std::size_t vectors) noexcept {
  if (simd::register_count<Arch> == 32) return 6;
  return vectors == 4 ? 3 : vectors == 3 ? 4 : 6;
}

[[gnu::always_inline]] constexpr std::size_t ceil_div(std::size_t a, std::size_t b) noexcept {
  return (a + b - 1) / b;
}
[[gnu::always_inline]] constexpr std::size_t smaller(std::size_t a, std::size_t b) noexcept {
  return a < b ? a : b;
}

/// Cuts [0, total) into the fewest parts of at most `most`, nearly equal: 8 by 6 gives 4 and 4. Part i is [begin(i),
/// begin(i + 1)).
struct Parts {
  std::size_t count, base, longer;
  [[gnu::always_inline]] constexpr Parts(std::size_t total, std::size_t most) noexcept
      : count(ceil_div(total, most)),
        base(count <= 1 ? total : total / count),  // no division in a small product, which it would take longer than
        longer(count <= 1 ? 0 : total - base * count) {}
  /// Parts whose sizes are known: the first `longer` have one more than `base`.
  [[gnu::always_inline]] constexpr Parts(std::size_t total, std::size_t parts, std::size_t size) noexcept
      : count(parts), base(size), longer(total - size * parts) {}
  [[gnu::always_inline]] constexpr std::size_t begin(std::size_t i) const noexcept {
    return i * base + smaller(i, longer);
  }
  [[gnu::always_inline]] constexpr std::size_t size(std::size_t i) const noexcept {
    return base + (i < longer ? 1 : 0);
  }
};

/// Parts(rows, Most) without a division where rows are few: a small product does not take much longer than one.
template <std::size_t Most>
[[gnu::always_inline]] inline Parts row_parts(std::size_t rows) noexcept {
  constexpr std::size_t few = 48;
  static constexpr auto bases = [] {
    std::array<unsigned char, few + 1> base{};
    for (std::size_t i = 0; i <= few; ++i) base[i] = static_cast<unsigned char>(Parts(i, Most).base);
    return base;
  }();
  return rows <= few ? Parts(rows, ceil_div(rows, Most), bases[rows]) : Parts(rows, Most);
}

template <class Scalar, class Arch, std::size_t Rows, std::size_t Vectors>
struct Sums {
  simd::Batch<Scalar, Arch> at[Rows][Vectors];
};

/// Leaves the sums in the first-level cache: a loop over them that follows stays small.
template <class Scalar, class Arch, std::size_t Rows, std::size_t Vectors, std::size_t Width>
[[gnu::always_inline]] inline void store_sums(const Sums<Scalar, Arch, Rows, Vectors>& sums,
                                              Scalar (&to)[Rows][Vectors][Width]) noexcept {
  static_assert(Width == simd::width<Scalar, Arch>);
  AILA_UNROLL
  for (std::size_t r = 0; r < Rows; ++r) {
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) simd::store(to[r][v], sums.at[r][v]);
  }
}

/// sums[r][v] += left(r) right(v), of which each is loaded once.
template <class Scalar, class Arch, std::size_t Rows, std::size_t Vectors, class Left, class Right>
[[gnu::always_inline]] inline void add_products(Left left, Right right,
                                                Sums<Scalar, Arch, Rows, Vectors>& sums) noexcept {
  using B = simd::Batch<Scalar, Arch>;
  if constexpr (Rows < Vectors) {  // fewer registers for what is multiplied: keep the shorter side
    B lefts[Rows];
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) lefts[r] = B(left(r));
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) {
      B one = right(v);
      if constexpr (Rows > 1) simd::hold(one);
      AILA_UNROLL
      for (std::size_t r = 0; r < Rows; ++r) sums.at[r][v] = simd::fmadd(lefts[r], one, sums.at[r][v]);
    }
  } else {
    B rights[Vectors];
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) {
      rights[v] = right(v);
      if constexpr (Rows > 1) simd::hold(rights[v]);
    }
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) {
      const B one = B(left(r));
      AILA_UNROLL
      for (std::size_t v = 0; v < Vectors; ++v) sums.at[r][v] = simd::fmadd(one, rights[v], sums.at[r][v]);
    }
  }
}

/// sums[r][v] += sum over k < inner of a[r row_stride + k inner_stride] * b[k b_stride + v width, ...).
/// With Partial the last vector of each row of b has `last` Scalars and nothing behind them is read.
template <bool Partial = false, class Scalar, class Arch, std::size_t Rows, std::size_t Vectors>
[[gnu::always_inline]] inline void multiply_add(std::size_t inner, const Scalar* a, std::size_t row_stride,
                                                std::size_t inner_stride, const Scalar* b, std::size_t b_stride,
                                                std::size_t last, Sums<Scalar, Arch, Rows, Vectors>& sums) noexcept {
  constexpr std::size_t W = simd::width<Scalar, Arch>;
  for (std::size_t k = 0; k < inner; ++k, a += inner_stride, b += b_stride)
    add_products([&](std::size_t r) __attribute__((always_inline)) { return a[r * row_stride]; },
                 [&](std::size_t v) __attribute__((always_inline)) {
                   return Partial && v + 1 == Vectors ? simd::load_first<Scalar, Arch>(b + v * W, last)
                                                      : simd::load<Scalar, Arch>(b + v * W);
                 },
                 sums);
}

/// Calls f with std::integral_constant<std::size_t, value>, 1 <= value <= Most.
template <std::size_t Most, class F>
[[gnu::always_inline]] inline void with_constant(std::size_t value, F&& f) noexcept {
  if constexpr (Most > 1) {
    if (value < Most) return with_constant<Most - 1>(value, static_cast<F&&>(f));
  }
  f(std::integral_constant<std::size_t, Most>{});
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
