// Whole maps added with weights that are the same at every position: what static mixtures compute, forward and back.
//
// Bound by memory: forward reads every item once and writes the sum; backward reads every item and its gradient, and
// writes the latter. Number, width and size of the maps are arguments, so that all networks share this code.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../simd/cpu.hpp"

namespace aila::inline v0::cpu {

template <class S, class Arch>
class MixMaps {
  using V = simd::Batch<S, Arch>;
  static constexpr std::size_t W = simd::width<S, Arch>, part = 4;

 public:
  /// to[e] = sum over i < n of weights[i] maps[i][e], e < size.
  [[gnu::noinline]] static void forward(std::size_t n, const S* const* maps, std::size_t size, const S* weights,
                                        S* to) noexcept {
    std::size_t at = 0;
    for (; at + part * W <= size; at += part * W) {
      V sum[part];
      AILA_UNROLL
      for (std::size_t k = 0; k < part; ++k) sum[k] = V(weights[0]) * simd::load<S, Arch>(maps[0] + at + k * W);
      for (std::size_t i = 1; i < n; ++i) {
        const V weight(weights[i]);
        const S* const map = maps[i] + at;
        AILA_UNROLL
        for (std::size_t k = 0; k < part; ++k) sum[k] = simd::fmadd(weight, simd::load<S, Arch>(map + k * W), sum[k]);
      }
      AILA_UNROLL
      for (std::size_t k = 0; k < part; ++k) simd::store(to + at + k * W, sum[k]);
    }
    for (; at < size; at += W) {
      const std::size_t count = std::min(W, size - at);
      V sum = V(weights[0]) * simd::load_first<S, Arch>(maps[0] + at, count);
      for (std::size_t i = 1; i < n; ++i)
        sum = simd::fmadd(V(weights[i]), simd::load_first<S, Arch>(maps[i] + at, count), sum);
      simd::store_first(to + at, sum, count);
    }
  }

  /// d_maps[i][e] += factors[i] d_to[e], unless d_maps[i] is null; d_weights[i] = <d_to, maps[i]>. `sums` are n
  /// vectors.
  [[gnu::noinline]] static void backward(std::size_t n, const S* const* maps, S* const* d_maps, std::size_t size,
                                         const S* factors, const S* d_to, S* d_weights, S* sums) noexcept {
    for (std::size_t i = 0; i < n; ++i) simd::store(sums + i * W, V(S(0)));
    std::size_t at = 0;
    for (; at + part * W <= size; at += part * W) {
      V up[part];
      AILA_UNROLL
      for (std::size_t k = 0; k < part; ++k) up[k] = simd::load<S, Arch>(d_to + at + k * W);
      for (std::size_t i = 0; i < n; ++i) {
        const S* const map = maps[i] + at;
        V sum = up[0] * simd::load<S, Arch>(map), other = up[1] * simd::load<S, Arch>(map + W);
        sum = simd::fmadd(up[2], simd::load<S, Arch>(map + 2 * W), sum);
        other = simd::fmadd(up[3], simd::load<S, Arch>(map + 3 * W), other);
        simd::store(sums + i * W, simd::load<S, Arch>(sums + i * W) + (sum + other));
        if (d_maps[i] == nullptr) continue;
        const V weight(factors[i]);
        S* const d_map = d_maps[i] + at;
        AILA_UNROLL
        for (std::size_t k = 0; k < part; ++k)
          simd::store(d_map + k * W, simd::fmadd(weight, up[k], simd::load<S, Arch>(d_map + k * W)));
      }
    }
    for (; at < size; at += W) {
      const std::size_t count = std::min(W, size - at);
      const V up = simd::load_first<S, Arch>(d_to + at, count);
      for (std::size_t i = 0; i < n; ++i) {
        simd::store(sums + i * W,
                    simd::fmadd(up, simd::load_first<S, Arch>(maps[i] + at, count), simd::load<S, Arch>(sums + i * W)));
        if (d_maps[i] != nullptr)
          simd::store_first(d_maps[i] + at,
                            simd::fmadd(V(factors[i]), up, simd::load_first<S, Arch>(d_maps[i] + at, count)), count);
      }
    }
    for (std::size_t i = 0; i < n; ++i) d_weights[i] = simd::reduce_add(simd::load<S, Arch>(sums + i * W));
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
