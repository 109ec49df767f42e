// The product of one row and packed weights.
//
// A single row leaves few independent sums, so that the latency of additions would bound it: each is cut into parts.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "product.hpp"

namespace aila::inline v0::cpu {

/// Outputs of one panel of `Vectors` registers, `last` of them in the last.
template <class S, class Arch, std::size_t Inputs, std::size_t Vectors>
[[gnu::always_inline]] inline void row_times_panel(const S* x, const S* panel, const S* bias, S* y,
                                                   std::size_t last) noexcept {
  using B = simd::Batch<S, Arch>;
  constexpr std::size_t W = simd::width<S, Arch>, parts = smaller(Vectors > 2 ? 2 : 4, Inputs);
  B sums[parts][Vectors];
  AILA_UNROLL
  for (std::size_t v = 0; v < Vectors; ++v) {
    AILA_UNROLL
    for (std::size_t p = 1; p < parts; ++p) sums[p][v] = B(S(0));
    sums[0][v] = v + 1 == Vectors ? simd::load_first<S, Arch>(bias + v * W, last) : simd::load<S, Arch>(bias + v * W);
  }
  const auto add = [&](std::size_t k, B(&to)[Vectors]) __attribute__((always_inline)) {
    const B left(x[k]);
    AILA_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v)
      to[v] = simd::fmadd(left, simd::load<S, Arch>(panel + (k * Vectors + v) * W), to[v]);
  };
  std::size_t k = 0;
  for (; k + parts <= Inputs; k += parts) {
    AILA_UNROLL
    for (std::size_t p = 0; p < parts; ++p) add(k + p, sums[p]);
  }
  for (; k < Inputs; ++k) add(k, sums[0]);
  AILA_UNROLL
  for (std::size_t v = 0; v < Vectors; ++v) {
    AILA_UNROLL
    for (std::size_t p = 1; p < parts; ++p) sums[0][v] = sums[0][v] + sums[p][v];
    if (v + 1 < Vectors)
      simd::store(y + v * W, sums[0][v]);
    else
      simd::store_first(y + v * W, sums[0][v], last);
  }
}

/// y [Outputs] = bias [Outputs] + x b, b [Inputs, Outputs] packed by `pack`.
template <class S, class Arch, std::size_t Inputs, std::size_t Outputs>
[[gnu::always_inline]] inline void row_times_packed(const S* x, const S* packed, const S* bias, S* y) noexcept {
  constexpr std::size_t W = simd::width<S, Arch>;
  constexpr Parts panels(ceil_div(Outputs, W), panel_vectors);
  for (std::size_t p = 0; p < panels.count; ++p) {
    const std::size_t column = panels.begin(p) * W;
    with_constant<panel_vectors>(panels.size(p), [&](auto vectors) __attribute__((always_inline)) {
      constexpr std::size_t V = decltype(vectors)::value;
      row_times_panel<S, Arch, Inputs, V>(x, packed + column * Inputs, bias + column, y + column,
                                          smaller(W, Outputs - column - (V - 1) * W));
    });
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
