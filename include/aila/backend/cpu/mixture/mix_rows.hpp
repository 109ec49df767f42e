// Rows of several maps mixed by weights, and the gradients of that: what attention over depth does with its items.
//
// Number n is an argument: one function serves every layer of a stack. Bound by the multiply-adds, one (mixture) and
// three (gradients) of a vector: a row's sums stay in registers while its items are gone through once, four vectors at
// a time. Deep stacks are bound by the memory that their items come from.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../rows/row.hpp"

namespace aila::inline v0::cpu {

/// Items are rows of Width Scalars, those of map i from h[i] on; `valid` of them, at most as many as a vector has
/// lanes. The weight of item i in row p is weights[i lanes + p].
template <class S, class Arch, std::size_t Width>
class MixRows {
  using R = Row<S, Arch, Width>;
  using V = typename R::V;
  static constexpr std::size_t lanes = R::lanes, part = 4, parts = (R::vectors + part - 1) / part;
  /// Vectors [first, first + count) of a row are worked on together.
  template <std::size_t P>
  static constexpr std::size_t count = P + 1 < parts ? part : R::vectors - P * part;

 public:
  /// to [valid rows, `stride` apart] = factor * sum over i < n of weight_i * (h[i] + at).
  [[gnu::noinline]] static void forward(std::size_t n, const S* const* h, std::size_t at, std::size_t valid,
                                        const S* weights, S factor, S* to, std::size_t stride) noexcept {
    for_each_index<parts>([&](auto p) __attribute__((always_inline)) {
      std::size_t row = 0;
      for (; row + 2 <= valid; row += 2)
        mix<2, p * part, count<p>>(n, h, at + row * Width, weights + row, factor, to + row * stride, stride);
      if (row < valid)
        mix<1, p * part, count<p>>(n, h, at + row * Width, weights + row, factor, to + row * stride, stride);
    });
  }

  /// Of scores <h_i, u> with gradients ds_i, and where Mixed of a mixture with gradient `d_mixture`, whose rows are as
  /// far apart as those of u and du: dh_i += ds_i u + weight_i d_mixture, du = sum of ds_i h_i.
  template <bool Mixed>
  [[gnu::noinline]] static void backward(std::size_t n, const S* const* h, S* const* dh, std::size_t at,
                                         std::size_t valid, const S* weights, const S* ds, const S* u,
                                         const S* d_mixture, S* du, std::size_t stride) noexcept {
    for_each_index<parts>([&](auto p) __attribute__((always_inline)) {
      for (std::size_t row = 0; row < valid; ++row)
        gradients<Mixed, p * part, count<p>>(n, h, dh, at + row * Width, weights + row, ds + row, u + row * stride,
                                             d_mixture + row * stride, du + row * stride);
    });
  }

 private:
  template <std::size_t Rows, std::size_t First, std::size_t Count>
  [[gnu::always_inline]] static void mix(std::size_t n, const S* const* h, std::size_t at, const S* weights, S factor,
                                         S* to, std::size_t stride) noexcept {
    V sum[Rows][Count];
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) {
      AILA_UNROLL
      for (std::size_t k = 0; k < Count; ++k) sum[r][k] = V(S(0));
    }
    for (std::size_t i = 0; i < n; ++i, weights += lanes) {
      const S* const x = h[i] + at;
      AILA_UNROLL
      for (std::size_t r = 0; r < Rows; ++r) {
        const V weight(weights[r]);
        AILA_UNROLL
        for (std::size_t k = 0; k < Count; ++k)
          sum[r][k] = simd::fmadd(weight, R::load(x + r * Width, First + k), sum[r][k]);
      }
    }
    AILA_UNROLL
    for (std::size_t r = 0; r < Rows; ++r) {
      AILA_UNROLL
      for (std::size_t k = 0; k < Count; ++k) R::store(to + r * stride, First + k, sum[r][k] * V(factor));
    }
  }

  template <bool Mixed, std::size_t First, std::size_t Count>
  [[gnu::always_inline]] static void gradients(std::size_t n, const S* const* h, S* const* dh, std::size_t at,
                                               const S* weights, const S* ds, const S* u, const S* d_mixture,
                                               S* du) noexcept {
    V query[Count], up[Count], sum[Count];
    AILA_UNROLL
    for (std::size_t k = 0; k < Count; ++k) {
      query[k] = R::load(u, First + k);
      if constexpr (Mixed) up[k] = R::load(d_mixture, First + k);
      sum[k] = V(S(0));
    }
    for (std::size_t i = 0; i < n; ++i) {
      const V slope(ds[i * lanes]);
      const S* const x = h[i] + at;
      S* const dx = dh[i] + at;
      AILA_UNROLL
      for (std::size_t k = 0; k < Count; ++k) {
        sum[k] = simd::fmadd(slope, R::load(x, First + k), sum[k]);
        V gradient = simd::fmadd(slope, query[k], R::load(dx, First + k));
        if constexpr (Mixed) gradient = simd::fmadd(V(weights[i * lanes]), up[k], gradient);
        R::store(dx, First + k, gradient);
      }
    }
    AILA_UNROLL
    for (std::size_t k = 0; k < Count; ++k) R::store(du, First + k, sum[k]);
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
