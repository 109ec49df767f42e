// LayerNorm, and ReLU before it, on the CPU: one pass over the rows of a map, features in the lanes.
//
// Forward reads and writes each element once and computes about 8 operations on it while the row is in registers or the
// first-level cache; backward reads two arrays and adds to a third. Bound by the latency of two sums over a row, which
// neighbouring rows hide, and by memory for large maps.
#pragma once

#include "../../layer/layer_norm.hpp"
#include "../kernel.hpp"
#include "cpu.hpp"

namespace aila::inline v0 {

template <class S, class Arch, class L, class In>
struct CpuNorm : KernelDefaults<S> {
  static constexpr const char* name = "cpu layer norm, fused";
  using V = simd::Batch<S, Arch>;
  using First = typename L::First;
  static constexpr std::size_t d = In::features;
  static constexpr std::size_t width = simd::width<S, Arch>;
  static constexpr std::size_t whole = d / width * width;
  static constexpr std::size_t rest = d - whole;

  static std::size_t rows(const Pass& pass) { return pass.samples * In::positions; }

  struct Row {
    V mean;
    V inverse;
  };

  /// Of r = First(x): mean and 1 / sqrt(variance + epsilon).
  static Row moments(const S* x) {
    V sum(S(0));
    for (std::size_t i = 0; i < whole; i += width) sum += First::value(simd::load<S, Arch>(x + i));
    S total = math::reduce_add(sum);
    if constexpr (rest > 0)
      for (std::size_t i = whole; i < d; ++i) total += First::value(x[i]);
    const S mean = total * (S(1) / S(d));
    V squares(S(0));
    const V centre(mean);
    for (std::size_t i = 0; i < whole; i += width) {
      const V e = First::value(simd::load<S, Arch>(x + i)) - centre;
      squares = simd::fmadd(e, e, squares);
    }
    S variance = math::reduce_add(squares);
    if constexpr (rest > 0)
      for (std::size_t i = whole; i < d; ++i) {
        const S e = First::value(x[i]) - mean;
        variance += e * e;
      }
    return {centre, V(S(1) / math::sqrt(variance * (S(1) / S(d)) + S(L::epsilon)))};
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t r = rows(pass); r-- > 0; x += d, y += d) {
      const Row row = moments(x);
      const auto normal = [&](const V& value, const V& weight, const V& bias) {
        return simd::fmadd((First::value(value) - row.mean) * row.inverse, weight, bias);
      };
      for (std::size_t i = 0; i < whole; i += width)
        simd::store(y + i, normal(simd::load<S, Arch>(x + i), simd::load<S, Arch>(w[0] + i), simd::load<S, Arch>(w[1] + i)));
      if constexpr (rest > 0)
        simd::store_first(y + whole,
                          normal(simd::load_first<S, Arch>(x + whole, rest),
                                 simd::load_first<S, Arch>(w[0] + whole, rest), simd::load_first<S, Arch>(w[1] + whole, rest)),
                          rest);
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                       Gradients<S> g, NothingSaved&, S*) {
    constexpr std::size_t vectors = (d + width - 1) / width;
    // Sums over rows stay in registers or on the stack, and reach the gradient once.
    V d_weight[vectors], d_bias[vectors], weight[vectors];
    for (std::size_t k = 0; k < vectors; ++k) {
      d_weight[k] = d_bias[k] = V(S(0));
      weight[k] = part(w[0], k);
    }
    for (std::size_t r = rows(pass); r-- > 0; x += d, dy += d) {
      const Row row = moments(x);
      V sum(S(0)), projection(S(0));
      V normal[vectors], slope[vectors], scaled[vectors];
      for (std::size_t k = 0; k < vectors; ++k) {
        const V value = part(x, k), up = part(dy, k), first = First::value(value);
        slope[k] = First::slope(value, first);
        normal[k] = (first - row.mean) * row.inverse;
        scaled[k] = up * weight[k];  // zero beyond the end of a row, as `up` is there
        d_weight[k] = simd::fmadd(up, normal[k], d_weight[k]);
        d_bias[k] += up;
        sum += scaled[k];
        projection = simd::fmadd(scaled[k], normal[k], projection);
      }
      if (dx == nullptr) continue;
      const V mean(math::reduce_add(sum) * (S(1) / S(d)));
      const V along(math::reduce_add(projection) * (S(1) / S(d)));
      for (std::size_t k = 0; k < vectors; ++k) {
        const V step = row.inverse * (scaled[k] - mean - normal[k] * along) * slope[k];
        if (rest == 0 || k + 1 < vectors)
          simd::store(dx + k * width, simd::load<S, Arch>(dx + k * width) + step);
        else
          simd::store_first(dx + k * width, simd::load_first<S, Arch>(dx + k * width, rest) + step, rest);
      }
      dx += d;
    }
    if (!g) return;
    for (std::size_t k = 0; k < vectors; ++k) {
      const std::size_t count = rest > 0 && k + 1 == vectors ? rest : width;
      simd::store_first(g[0] + k * width, part(g[0], k) + d_weight[k], count);
      simd::store_first(g[1] + k * width, part(g[1], k) + d_bias[k], count);
    }
  }

 private:
  /// Vector k of a row; zeros beyond its end.
  static V part(const S* row, std::size_t k) {
    if (rest == 0 || (k + 1) * width <= d) return simd::load<S, Arch>(row + k * width);
    return simd::load_first<S, Arch>(row + k * width, rest);
  }
};

template <class In, class Arch, class S>
CpuNorm<S, Arch, LayerNorm, In> select_kernel(rank::Layer, Placed<LayerNorm, In>, backend::CpuOn<Arch, S>);
template <class In, class Arch, class S>
CpuNorm<S, Arch, ReluLayerNorm, In> select_kernel(rank::Layer, Placed<ReluLayerNorm, In>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0
