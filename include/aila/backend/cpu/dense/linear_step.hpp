// Linear for one row: what a Stream runs. Few outputs are inner products, many a product with packed weights.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../product/row_product.hpp"
#include "../recurrent/step_vectors.hpp"

namespace aila::inline v0::cpu {

/// Outputs that are cheaper as inner products with the rows of the weight, one sum over lanes each.
inline constexpr std::size_t most_inner_products = 4;

/// y[o] = bias[o] + <weight[o], x> for few outputs; weight [Outputs, Inputs] as in the canonical array.
template <class S, class Arch, std::size_t Inputs, std::size_t Outputs>
[[gnu::always_inline]] inline void inner_products(const S* x, const S* weight, const S* bias, S* y) noexcept {
  using Vectors = StepVectors<S, Arch, Inputs>;
  using V = typename Vectors::V;
  constexpr std::size_t W = Vectors::width, whole = Inputs / W, rest = Inputs % W, parts = smaller(4, whole);
  AILA_UNROLL
  for (std::size_t o = 0; o < Outputs; ++o, weight += Inputs) {
    V sums[parts + 1];
    sums[parts] = Vectors::all(S(0));
    if constexpr (rest > 0)
      sums[parts] = Vectors::load_first(x + whole * W, rest) * Vectors::load_first(weight + whole * W, rest);
    AILA_UNROLL
    for (std::size_t p = 0; p < parts; ++p) {
      sums[p] = Vectors::load(x + p * W) * Vectors::load(weight + p * W);
      for (std::size_t i = p + parts; i < whole; i += parts)
        sums[p] = Vectors::fmadd(Vectors::load(x + i * W), Vectors::load(weight + i * W), sums[p]);
    }
    AILA_UNROLL
    for (std::size_t p = 0; p < parts; ++p) sums[parts] = sums[parts] + sums[p];
    y[o] = bias[o] + Vectors::sum(sums[parts]);
  }
}

/// y [Outputs] = bias + W x; `weight` is W [Outputs, Inputs], `packed` the same by `pack` for x W^T.
template <class S, class Arch, std::size_t Inputs, std::size_t Outputs>
[[gnu::always_inline]] inline void linear_step(const S* x, const S* weight, const S* packed, const S* bias,
                                               S* y) noexcept {
  if constexpr (Outputs <= most_inner_products) {
    inner_products<S, Arch, Inputs, Outputs>(x, weight, bias, y);
  } else {
    row_times_packed<S, Arch, Inputs, Outputs>(x, packed, bias, y);
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
