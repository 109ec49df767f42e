// Whole maps added with weights that are the same at every position: what static mixtures compute, forward and back.
//
// Bound by memory. Forward reads every item once and writes the sum. Backward of one mixture reads every item and its
// gradient, and writes the latter; where all mixtures of a stack are linear, `gather` goes through the gradients of
// their results once for each item, and reads and writes nothing else: a third of that. Number and size of the maps are
// arguments, so that all networks share this code.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>
#include <cstdint>

#include "../../../core/list.hpp"
#include "../simd/cpu.hpp"

namespace aila::inline v0::cpu {

template <class S, class Arch>
class MixMaps {
  using V = simd::Batch<S, Arch>;
  static constexpr std::size_t W = simd::width<S, Arch>;
  /// Elements that are worked on at once: what every map is added to, or multiplied by, stays in the first-level cache
  /// meanwhile. Maps go by four at a time, as many as memory is sure to fetch ahead of.
  static constexpr std::size_t tile = 4096 / sizeof(S), together = 4;

 public:
  /// Most terms of gather.
  static constexpr std::size_t most_terms = 16;

  /// to[e] = sum over i < n of weights[i] maps[i][e], e < size.
  [[gnu::noinline]] static void forward(std::size_t n, const S* const* maps, std::size_t size, const S* weights,
                                        S* to) noexcept {
    over_tiles(size, [&](std::size_t first, std::size_t count) {
      over_terms(n, [&](auto terms, std::size_t i) __attribute__((always_inline)) {
        if (i == 0)
          mix<terms, false>(maps, first, count, weights, to + first);
        else
          mix<terms, true>(maps + i, first, count, weights + i, to + first);
      });
    });
  }

  /// d_maps[i][e] += factors[i] d_to[e], unless d_maps[i] is null; d_weights[i] = <d_to, maps[i]>. `sums` are n
  /// vectors.
  [[gnu::noinline]] static void backward(std::size_t n, const S* const* maps, S* const* d_maps, std::size_t size,
                                         const S* factors, const S* d_to, S* d_weights, S* sums) noexcept {
    for (std::size_t i = 0; i < n; ++i) simd::store(sums + i * W, V(S(0)));
    over_tiles(size, [&](std::size_t first, std::size_t count) {
      for (std::size_t i = 0; i < n; ++i)
        terms_back<1>(&d_to, first, count, factors + i, maps[i], d_maps[i], Way::adds, sums + i * W);
    });
    for (std::size_t i = 0; i < n; ++i) d_weights[i] = simd::reduce_add(simd::load<S, Arch>(sums + i * W));
  }

  /// Of `n` sums to[t] that took a map with weights[t], at most most_terms: d_map[e] += sum of weights[t] d_to[t][e]
  /// (written where `sets`; null: nobody asks), d_weights[t] = <d_to[t], map>. `sums` are n vectors.
  [[gnu::noinline]] static void gather(std::size_t n, const S* const* d_to, std::size_t size, const S* weights,
                                       const S* map, S* d_map, bool sets, S* d_weights, S* sums) noexcept {
    for (std::size_t t = 0; t < n; ++t) simd::store(sums + t * W, V(S(0)));
    over_tiles(size, [&](std::size_t first, std::size_t count) {
      over_terms(n, [&](auto terms, std::size_t t) __attribute__((always_inline)) {
        terms_back<terms>(d_to + t, first, count, weights + t, map, d_map, sets && t == 0 ? Way::sets : Way::adds,
                          sums + t * W);
      });
    });
    for (std::size_t t = 0; t < n; ++t) d_weights[t] = simd::reduce_add(simd::load<S, Arch>(sums + t * W));
  }

 private:
  /// What becomes of the gradient of a map.
  enum class Way : std::uint8_t { none, adds, sets };

  template <class F>
  [[gnu::always_inline]] static void over_tiles(std::size_t size, F&& f) {
    for (std::size_t first = 0; first < size; first += tile) f(first, std::min(tile, size - first));
  }
  /// f(how many, from which on), four at a time; how many is a constant.
  template <class F>
  [[gnu::always_inline]] static void over_terms(std::size_t n, F&& f) {
    std::size_t i = 0;
    for (; i + together <= n; i += together) f(std::integral_constant<std::size_t, together>{}, i);
    for_each_index<together>([&](auto rest) __attribute__((always_inline)) {
      if constexpr (rest > 0)
        if (n - i == rest) f(rest, i);
    });
  }

  template <std::size_t N, bool Adds>
  [[gnu::always_inline]] static void mix(const S* const* maps, std::size_t first, std::size_t size, const S* weights,
                                         S* to) {
    const S* map[N];
    V weight[N];
    for (std::size_t i = 0; i < N; ++i) {
      map[i] = maps[i] + first;
      weight[i] = V(weights[i]);
    }
    const auto sum = [&](V start, auto&& load) __attribute__((always_inline)) {
      V s = Adds ? simd::fmadd(weight[0], load(map[0]), start) : weight[0] * load(map[0]);
      AILA_UNROLL
      for (std::size_t i = 1; i < N; ++i) s = simd::fmadd(weight[i], load(map[i]), s);
      return s;
    };
    std::size_t at = 0;
    for (; at + W <= size; at += W)
      simd::store(to + at,
                  sum(Adds ? simd::load<S, Arch>(to + at) : V(S(0)),
                      [&](const S* from) __attribute__((always_inline)) { return simd::load<S, Arch>(from + at); }));
    if (at == size) return;
    const std::size_t rest = size - at;
    simd::store_first(
        to + at,
        sum(Adds ? simd::load_first<S, Arch>(to + at, rest) : V(S(0)),
            [&](const S* from) __attribute__((always_inline)) { return simd::load_first<S, Arch>(from + at, rest); }),
        rest);
  }

  /// Of N terms: to the gradient of the map what they say, and to their sums the products with the map.
  template <std::size_t N>
  [[gnu::always_inline]] static void terms_back(const S* const* d_to, std::size_t first, std::size_t size,
                                                const S* weights, const S* map, S* d_map, Way way, S* sums) {
    if (d_map == nullptr)
      terms_back_to<N, Way::none>(d_to, first, size, weights, map + first, nullptr, sums);
    else if (way == Way::sets)
      terms_back_to<N, Way::sets>(d_to, first, size, weights, map + first, d_map + first, sums);
    else
      terms_back_to<N, Way::adds>(d_to, first, size, weights, map + first, d_map + first, sums);
  }
  template <std::size_t N, Way way>
  [[gnu::always_inline]] static void terms_back_to(const S* const* d_to, std::size_t first, std::size_t size,
                                                   const S* weights, const S* map, S* d_map, S* sums) {
    const S* up[N];
    V weight[N], sum[N];
    for (std::size_t t = 0; t < N; ++t) {
      up[t] = d_to[t] + first;
      weight[t] = V(weights[t]);
      sum[t] = simd::load<S, Arch>(sums + t * W);
    }
    /// What is added to `before`.
    const auto gradient = [&](V before, V x, auto&& load) __attribute__((always_inline)) {
      V g = before;
      AILA_UNROLL
      for (std::size_t t = 0; t < N; ++t) {
        const V u = load(up[t]);
        sum[t] = simd::fmadd(u, x, sum[t]);
        g = way == Way::sets && t == 0 ? weight[t] * u : simd::fmadd(weight[t], u, g);
      }
      return g;
    };
    std::size_t at = 0;
    for (; at + W <= size; at += W) {
      const V g =
          gradient(way == Way::adds ? simd::load<S, Arch>(d_map + at) : V(S(0)), simd::load<S, Arch>(map + at),
                   [&](const S* from) __attribute__((always_inline)) { return simd::load<S, Arch>(from + at); });
      if constexpr (way != Way::none) simd::store(d_map + at, g);
    }
    if (at < size) {
      const std::size_t rest = size - at;
      const V g = gradient(way == Way::adds ? simd::load_first<S, Arch>(d_map + at, rest) : V(S(0)),
                           simd::load_first<S, Arch>(map + at, rest),
                           [&](const S* from)
                               __attribute__((always_inline)) { return simd::load_first<S, Arch>(from + at, rest); });
      if constexpr (way != Way::none) simd::store_first(d_map + at, g, rest);
    }
    for (std::size_t t = 0; t < N; ++t) simd::store(sums + t * W, sum[t]);
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
