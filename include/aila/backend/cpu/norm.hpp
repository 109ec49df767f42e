// LayerNorm, and ReLU before it, on the CPU: one pass over the rows of a map, features in the lanes.
//
// Forward reads and writes each element once and computes about 8 operations on it while the row is in registers or the
// first-level cache; backward reads two arrays and adds to a third. Bound by the latency of two sums over a row, which
// neighbouring rows hide, and by memory for large maps.
#pragma once

#include "../../layer/layer_norm.hpp"
#include "../kernel.hpp"
#include "row.hpp"

namespace aila::inline v0 {

template <class S, class Arch, class L, class In>
struct CpuNorm : KernelDefaults<S> {
  static constexpr const char* name = "cpu layer norm, fused";
  using First = typename L::First;
  static constexpr std::size_t d = In::features;
  using Row = cpu::Row<S, Arch, d>;
  using V = typename Row::V;
  static constexpr std::size_t vectors = Row::vectors;

  static std::size_t rows(const Pass& pass) { return pass.samples * In::positions; }

  /// normal = (r - mean) / sqrt(variance + epsilon) of r = First(x), zero beyond the end of the row; gives the factor
  /// 1 / sqrt(variance + epsilon).
  static V normalise(const S* x, V (&normal)[vectors]) {
    V sum(S(0));
    for (std::size_t k = 0; k < vectors; ++k) sum += normal[k] = First::value(Row::load(x, k));  // First(0) = 0
    const V mean(math::reduce_add(sum) * (S(1) / S(d)));
    V squares(S(0));
    for (std::size_t k = 0; k < vectors; ++k) {
      normal[k] = Row::within(normal[k] - mean, k);
      squares = simd::fmadd(normal[k], normal[k], squares);
    }
    const V inverse(S(1) / math::sqrt(math::reduce_add(squares) * (S(1) / S(d)) + S(L::epsilon)));
    for (std::size_t k = 0; k < vectors; ++k) normal[k] = normal[k] * inverse;
    return inverse;
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t r = rows(pass); r-- > 0; x += d, y += d) {
      V normal[vectors];
      normalise(x, normal);
      for (std::size_t k = 0; k < vectors; ++k)
        Row::store(y, k, simd::fmadd(normal[k], Row::load(w[0], k), Row::load(w[1], k)));
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                       Gradients<S> g, NothingSaved&, S*) {
    // Sums over rows stay in registers or on the stack, and reach the gradient once.
    V d_weight[vectors], d_bias[vectors];
    for (std::size_t k = 0; k < vectors; ++k) d_weight[k] = d_bias[k] = V(S(0));
    for (std::size_t r = rows(pass); r-- > 0; x += d, dy += d) {
      V normal[vectors], scaled[vectors];
      const V inverse = normalise(x, normal);
      V sum(S(0)), projection(S(0));
      for (std::size_t k = 0; k < vectors; ++k) {
        const V up = Row::load(dy, k);
        d_weight[k] = simd::fmadd(up, normal[k], d_weight[k]);
        d_bias[k] += up;
        scaled[k] = up * Row::load(w[0], k);
        sum += scaled[k];
        projection = simd::fmadd(scaled[k], normal[k], projection);
      }
      if (dx == nullptr) continue;
      const V mean(math::reduce_add(sum) * (S(1) / S(d)));
      const V along(math::reduce_add(projection) * (S(1) / S(d)));
      for (std::size_t k = 0; k < vectors; ++k) {
        const V value = Row::load(x, k);
        const V step = inverse * (scaled[k] - mean - normal[k] * along) * First::slope(value, First::value(value));
        Row::store(dx, k, Row::load(dx, k) + step);
      }
      dx += d;
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
