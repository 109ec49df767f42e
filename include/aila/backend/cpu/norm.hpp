// LayerNorm, and ReLU before it, on the CPU: features in the lanes, and the moments of a block of rows a row in each
// lane.
//
// Forward reads a block three times, from the first-level cache, and writes it once, about 8 operations an element;
// backward reads two arrays and adds to a third. Bound by memory for large maps.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/layer_norm.hpp"
#include "../kernel.hpp"
#include "row_block.hpp"

namespace aila::inline v0 {

template <class S, class Arch, class L, class In>
struct CpuNorm : KernelDefaults<S> {
  static constexpr const char* name = "cpu layer norm, fused";
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr bool sets_input_gradient = true;
  using First = typename L::First;
  static constexpr std::size_t d = In::features;
  using Row = cpu::Row<S, Arch, d>;
  using V = typename Row::V;
  static constexpr std::size_t vectors = Row::vectors;
  static constexpr std::size_t W = cpu::block_rows<S, Arch>;

  /// Mean and 1 / sqrt(variance + epsilon) of the rows First(x) of a block.
  struct Moments {
    alignas(64) S mean[W], inverse[W];

    Moments(const S* x, std::size_t valid) {
      const V share(S(1) / S(d));
      simd::store(mean, share * cpu::block_sums<S, Arch>(valid, [&](std::size_t r) __attribute__((always_inline)) {
                          V sum = First::value(Row::load(x + r * d, 0));  // First(0) = 0
                          for (std::size_t k = 1; k < vectors; ++k) sum += First::value(Row::load(x + r * d, k));
                          return sum;
                        }));
      const V variance = share * cpu::block_sums<S, Arch>(valid, [&](std::size_t r) __attribute__((always_inline)) {
                           V squares(S(0));
                           for (std::size_t k = 0; k < vectors; ++k) {
                             const V centred = Row::within(First::value(Row::load(x + r * d, k)) - V(mean[r]), k);
                             squares = simd::fmadd(centred, centred, squares);
                           }
                           return squares;
                         });
      simd::store(inverse, V(S(1)) / math::sqrt(variance + V(S(L::epsilon))));
    }

    /// Vector k of row r, normalised; without meaning beyond the end of the row.
    V normal(const S* x, std::size_t r, std::size_t k) const {
      return (First::value(Row::load(x + r * d, k)) - V(mean[r])) * V(inverse[r]);
    }
  };

  /// The gradients of weight and bias.
  static constexpr std::size_t scratch(std::size_t, Capability c) {
    return keeps_for_backward(c) ? 2 * vectors * W : 0;
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    const std::size_t rows = pass.samples * In::positions;
    for (std::size_t first = 0; first < rows; first += W, x += W * d, y += W * d) {
      const std::size_t valid = std::min(W, rows - first);
      const Moments of(x, valid);
      for (std::size_t r = 0; r < valid; ++r)
        for (std::size_t k = 0; k < vectors; ++k)
          Row::store(y + r * d, k, simd::fmadd(of.normal(x, r, k), Row::load(w[0], k), Row::load(w[1], k)));
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                       Gradients<S> g, NothingSaved&, S* scratch) {
    // Two functions, so that in each a product is fused with what it is added to.
    if (pass.sets_input_gradient)
      go_back<false>(pass, w, x, dy, dx, g, scratch);
    else
      go_back<true>(pass, w, x, dy, dx, g, scratch);
  }

 private:
  template <bool adds>
  static void go_back(const Pass& pass, Weights<S> w, const S* x, const S* dy, S* dx, Gradients<S> g, S* scratch) {
    const std::size_t rows = pass.samples * In::positions;
    V *const d_weight = simd::as_vectors<V>(scratch), *const d_bias = d_weight + vectors;  // over all rows
    for (std::size_t k = 0; k < vectors; ++k) d_weight[k] = d_bias[k] = V(S(0));
    for (std::size_t first = 0; first < rows; first += W, x += W * d, dy += W * d) {
      const std::size_t valid = std::min(W, rows - first);
      const Moments of(x, valid);
      if (g)
        for (std::size_t k = 0; k < vectors; ++k) {
          V weight = d_weight[k], bias = d_bias[k];
          for (std::size_t r = 0; r < valid; ++r) {
            const V up = Row::load(dy + r * d, k);
            weight = simd::fmadd(up, of.normal(x, r, k), weight);
            bias += up;
          }
          d_weight[k] = weight;
          d_bias[k] = bias;
        }
      if (dx == nullptr) continue;
      alignas(64) S mean[W], along[W];
      const V share(S(1) / S(d));
      simd::store(mean, share * cpu::block_products<d, S, Arch>(dy, d, w[0], 0, valid));
      simd::store(along, share * cpu::block_sums<S, Arch>(valid, [&](std::size_t r) __attribute__((always_inline)) {
                           V sum(S(0));
                           for (std::size_t k = 0; k < vectors; ++k)  // zero beyond the end of the row by dy
                             sum = simd::fmadd(Row::load(dy + r * d, k) * Row::load(w[0], k), of.normal(x, r, k), sum);
                           return sum;
                         }));
      for (std::size_t r = 0; r < valid; ++r)
        for (std::size_t k = 0; k < vectors; ++k) {
          const V value = Row::load(x + r * d, k), scaled = Row::load(dy + r * d, k) * Row::load(w[0], k);
          const V step = V(of.inverse[r]) * (scaled - V(mean[r]) - of.normal(x, r, k) * V(along[r])) *
                         First::slope(value, First::value(value));
          if constexpr (adds)
            Row::store(dx + r * d, k, Row::load(dx + r * d, k) + step);
          else
            Row::store(dx + r * d, k, step);
        }
      dx += W * d;
    }
    if (!g) return;
    for (std::size_t k = 0; k < vectors; ++k) {
      Row::store(g[0], k, Row::load(g[0], k) + d_weight[k]);
      Row::store(g[1], k, Row::load(g[1], k) + d_bias[k]);
    }
  }
};

template <class In, class Arch, class S>
CpuNorm<S, Arch, LayerNorm, In> select_kernel(rank::Layer, Placed<LayerNorm, In>, backend::CpuOn<Arch, S>);
template <class In, class Arch, class S>
CpuNorm<S, Arch, ReluLayerNorm, In> select_kernel(rank::Layer, Placed<ReluLayerNorm, In>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
