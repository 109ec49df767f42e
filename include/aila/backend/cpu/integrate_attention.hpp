// Attention integration on the CPU.
//
// Per tile of positions: packed products give the query in the space of the earlier layers' outputs h_i (see
// attention_query.hpp: keys are never made); blocks of rows take scores, softmax and mixture, a position in each lane
// where a position has one number. Tied values are the product of the mixture: W_V (sum of alpha_i h_i). Bound by the
// products: 2 d (2 d) operations a position whatever the number n of earlier layers with one head and tied values,
// 2 d (1 + n) d with values of their own; blocks add about 12 d an item. Kept for backward: queries and weights, and
// values where they are not tied.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../integrate/attention.hpp"
#include "../host/body.hpp"
#include "../kernel.hpp"
#include "attention_query.hpp"
#include "mix_rows.hpp"
#include "row_block.hpp"

namespace aila::inline v0 {

template <class S, class Arch, class Part>
struct CpuAttentionIntegration {
  using Scalar = S;
  using P = typename Part::Policy;
  using Own = typename Part::Own;
  using Before = typename Part::Before;
  static constexpr const char* name = "cpu attention integration, packed products";
  static constexpr std::size_t d = Own::features;
  static constexpr std::size_t di = Before::features(0);
  static constexpr std::size_t n = Before::count;
  static constexpr std::size_t heads = Part::heads;
  static constexpr std::size_t mixture_size = heads * n;
  static constexpr bool has_query = P::template has_query<Before>;
  static constexpr std::size_t value_width = P::template value_width<Own>;
  static constexpr std::size_t values = heads * value_width;
  static constexpr std::size_t first_value = P::template first_value<Before>;
  static constexpr std::size_t value_maps = P::template value_maps<Before>;
  static constexpr S share = P::averages ? S(1) / S(heads) : S(1);
  static constexpr S scale = S(1) / math::sqrt(S(P::template key_width<Own>));
  using Sizes = cpu::QuerySizes<heads, P::template key_width<Own>, d, di>;
  using Query = cpu::AttentionQuery<S, Arch, Sizes>;
  static constexpr std::size_t width = Sizes::width;  ///< of a row of a query, or a mixture, in every head
  using OwnRow = cpu::Row<S, Arch, d>;
  using Mix = cpu::MixRows<S, Arch, di>;
  using ValueRow = cpu::Row<S, Arch, value_width>;
  using V = typename OwnRow::V;
  static constexpr std::size_t W = cpu::block_rows<S, Arch>;
  static constexpr std::size_t block_size = mixture_size * W;
  /// Whether outputs are mixed and then multiplied: one value map for all of them, or one of them.
  static constexpr bool mixes_first = P::tied || !has_query;

  /// Packed: the query's maps, then the value maps, one a head where the mixture comes first: transposed for forward,
  /// and as they are for backward.
  static constexpr std::size_t packed_values = mixes_first ? heads : n;
  static constexpr std::size_t values_of_map = mixes_first ? value_width : values;
  static constexpr std::size_t value_size = round_up(cpu::packed_size<S, Arch>(di, values_of_map), alignment_elements);
  static constexpr std::size_t value_back_size =
      round_up(cpu::packed_size<S, Arch>(values_of_map, di), alignment_elements);
  static constexpr std::size_t value_at = has_query ? round_up(Query::packed, alignment_elements) : 0;
  static constexpr std::size_t value_back_at = value_at + packed_values * value_size;
  static constexpr std::size_t packed = value_back_at + packed_values * value_back_size;

  static void pack(Weights<S> w, S* to) {
    if constexpr (has_query) Query::pack(w[0], w[1], to);
    for (std::size_t m = 0; m < packed_values; ++m) {
      const S* const map = mixes_first ? w[first_value] + m * value_width * di : w[first_value + m];
      cpu::pack<S, Arch>(map, 1, di, di, values_of_map, to + value_at + m * value_size);
      cpu::pack<S, Arch>(map, di, 1, values_of_map, di, to + value_back_at + m * value_back_size);
    }
    if constexpr (mixes_first && P::averages)
      for (std::size_t at = value_at; at < packed; ++at) to[at] *= share;
  }

  /// Of rows: u [rows, width], what the query keeps, weights [blocks of rows][heads, n][W], values [n][rows, values].
  struct Buffers {
    S* u = nullptr;
    S* query = nullptr;
    S* weights = nullptr;
    S* values_of = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t rows) {
      if constexpr (has_query) {
        u = arena.take(rows * width);
        query = arena.take(rows * Query::kept);
        weights = arena.take(round_up(rows, W) * mixture_size);
      }
      if constexpr (!mixes_first) values_of = arena.take(n * rows * values);
    }
  };
  template <Capability C>
  struct Saved {
    Buffers all;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) all.bind(arena, samples * Own::positions);
    }
  };

  /// What backward needs of a tile.
  struct Slopes {
    S* mixture = nullptr;    ///< [tile_rows, width]
    S* d_mixture = nullptr;  ///< of the mixtures [tile_rows, width], or of one layer's values [tile_rows, values]
    S* du = nullptr;         ///< [tile_rows, width]
    S* d_weights = nullptr;  ///< [blocks][heads, n][W]
    S* query = nullptr;
    constexpr void bind(Arena<S>& arena) {
      mixture = arena.take(cpu::tile_rows * width);
      d_mixture = arena.take(cpu::tile_rows * std::max(width, values));
      du = arena.take(cpu::tile_rows * width);
      d_weights = arena.take(cpu::tile_rows * mixture_size);
      if constexpr (has_query) query = arena.take(Query::scratch);
    }
  };

  using Body = PolicyBodyKernel<Part, backend::CpuOn<Arch, S>>;  ///< which tells the mixture
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    Arena<S> forward, backward;
    Buffers tile;
    tile.bind(forward, cpu::tile_rows);
    forward.take(cpu::tile_rows * width);
    Slopes slopes;
    slopes.bind(backward);
    return std::max({forward.used(), backward.used(), Body::scratch(samples, c)});
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S* packed_weights, const S* own, const S* const* before, S* z,
                      Saved<C>& saved, S* scratch) {
    const std::size_t rows = pass.samples * Own::positions;
    Buffers tile_buffers;
    Arena<S> arena(scratch);
    tile_buffers.bind(arena, cpu::tile_rows);
    S* const mixture_rows = arena.take(cpu::tile_rows * width);
    for (std::size_t first = 0; first < rows; first += cpu::tile_rows) {
      const std::size_t tile = std::min(cpu::tile_rows, rows - first);
      const Buffers& to = keeps_for_backward(C) ? saved.all : tile_buffers;
      const std::size_t at = keeps_for_backward(C) ? first : 0;
      const std::size_t stride = keeps_for_backward(C) ? rows : cpu::tile_rows;  // rows between two layers' values
      const S* h[n];
      for (std::size_t i = 0; i < n; ++i) h[i] = before[i] + first * di;
      if constexpr (has_query) {
        Query::forward(tile, packed_weights, own + first * d, to.query + at * Query::kept, to.u + at * width);
        for (std::size_t r = 0; r < tile;
             r += W) {  // block by block, so that a block's outputs are read from afar once
          const std::size_t end = std::min(r + W, tile);
          weigh(to.u + (at + r) * width, h, r, end - r, to.weights + (at + r) * mixture_size);
          if constexpr (mixes_first)
            mix(h, r, end - r, to.weights + (at + r) * mixture_size, S(1), mixture_rows + r * width);
        }
      }
      if constexpr (mixes_first) {
        std::copy_n(own + first * d, tile * d, z + first * d);
        for (std::size_t m = 0; m < heads; ++m)
          cpu::multiply_packed<S, Arch>(tile, di, value_width, has_query ? mixture_rows + m * di : h[0],
                                        has_query ? width : di, 1, packed_weights + value_at + m * value_size, nullptr,
                                        z + first * d + place(m), d, true);
      } else {
        for (std::size_t i = 0; i < n; ++i)
          cpu::multiply_packed<S, Arch>(tile, di, values, h[i], di, 1, packed_weights + value_at + i * value_size,
                                        nullptr, to.values_of + (i * stride + at) * values, values, false);
        for (std::size_t r = 0; r < tile; ++r)
          mix_values(own + (first + r) * d, to.values_of + (at + r) * values, stride * values,
                     weights_of_row(to.weights, at + r), z + (first + r) * d);
      }
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                       const S* dz, S* d_own, S* const* d_before, Gradients<S> g, Saved<C>& saved, S* scratch) {
    const std::size_t rows = pass.samples * Own::positions;
    const Buffers& kept = saved.all;
    Arena<S> arena(scratch);
    Slopes tile;
    tile.bind(arena);
    if constexpr (has_query) Query::begin(tile.query);
    for (std::size_t first = 0; first < rows; first += cpu::tile_rows) {
      const std::size_t count = std::min(cpu::tile_rows, rows - first);
      const S* const up = dz + first * d;
      const S* h[n];
      S* dh[n];
      for (std::size_t i = 0; i < n; ++i) {
        h[i] = before[i] + first * di;
        dh[i] = d_before[i] + first * di;
      }
      for (std::size_t r = 0; r < count; ++r) add_row(up + r * d, d_own + (first + r) * d);
      if constexpr (mixes_first) {
        for (std::size_t m = 0; m < heads; ++m)
          cpu::multiply_packed<S, Arch>(
              count, value_width, di, up + place(m), d, 1, packed_weights + value_back_at + m * value_back_size,
              nullptr, has_query ? tile.d_mixture + m * di : dh[0], has_query ? width : di, !has_query);
      } else {
        for (std::size_t i = 0; i < n; ++i) {
          const S* const v = kept.values_of + (i * rows + first) * values;
          for (std::size_t r = 0; r < count; r += W)
            value_gradients(up + r * d, v + r * values, kept.weights + (first + r) * mixture_size, i,
                            std::min(W, count - r), tile.d_mixture + r * values, tile.d_weights + r * mixture_size);
          cpu::multiply_packed<S, Arch>(count, values, di, tile.d_mixture, values, 1,
                                        packed_weights + value_back_at + i * value_back_size, nullptr, dh[i], di, true);
          if (g)
            cpu::multiply_transposed_add<S, Arch>(count, values, di, tile.d_mixture, values, h[i], di,
                                                  g[first_value + i], di);
        }
      }
      if constexpr (has_query) {
        for (std::size_t r = 0; r < count; r += W) {
          const std::size_t end = std::min(r + W, count);
          const S* const weights = kept.weights + (first + r) * mixture_size;
          S* const slopes = tile.d_weights + r * mixture_size;
          if constexpr (mixes_first) weight_gradients(h, tile.d_mixture, r, end - r, slopes);
          for (std::size_t m = 0; m < heads; ++m)
            cpu::block_softmax_backward<S, Arch>(weights + m * n * W, slopes + m * n * W, n, scale, slopes + m * n * W);
          before_gradients(h, dh, r, end - r, weights, slopes, kept.u + (first + r) * width, tile.d_mixture + r * width,
                           tile.du + r * width);
          if constexpr (mixes_first)
            if (g) mix(h, r, end - r, weights, share, tile.mixture + r * width);
        }
        Query::backward(count, packed_weights, own + first * d, kept.query + first * Query::kept, tile.du,
                        d_own + first * d, tile.query, g);
      }
      if constexpr (mixes_first)
        if (g) {
          constexpr bool copies = has_query || P::averages;
          if constexpr (!has_query && P::averages)
            for (std::size_t at = 0; at < count * di; ++at) tile.mixture[at] = share * h[0][at];
          for (std::size_t m = 0; m < heads; ++m)
            cpu::multiply_transposed_add<S, Arch>(count, value_width, di, up + place(m), d,
                                                  copies ? tile.mixture + (has_query ? m * di : 0) : h[0],
                                                  has_query ? width : di, g[first_value] + m * value_width * di, di);
        }
    }
    if constexpr (has_query)
      if (g) Query::finish(w, tile.query, g);
  }

  /// weights [rows, heads, items]
  static void mixture(const Pass& pass, Weights<S> w, const S* own, const S* const* before, S* weights, S* scratch) {
    Body::mixture(pass, w, own, before, weights, scratch);
  }

 private:
  /// Where head m's values are added in a row of z.
  static constexpr std::size_t place(std::size_t m) { return P::averages ? 0 : m * value_width; }

  /// The weight of head m and layer i of a row is weights_of_row(...)[(m n + i) W].
  static S* weights_of_row(S* weights, std::size_t row) {
    return weights == nullptr ? nullptr : weights + row / W * W * mixture_size + row % W;
  }

  static void add_row(const S* from, S* to) {
    for (std::size_t k = 0; k < OwnRow::vectors; ++k) OwnRow::store(to, k, OwnRow::load(to, k) + OwnRow::load(from, k));
  }

  /// weights [heads, n][W] of the block of rows from `row` on.
  static void weigh(const S* u, const S* const* h, std::size_t row, std::size_t valid, S* weights) {
    for (std::size_t m = 0; m < heads; ++m) {
      for (std::size_t i = 0; i < n; ++i)
        simd::store(weights + (m * n + i) * W,
                    cpu::block_products<di, S, Arch>(h[i] + row * di, di, u + m * di, width, valid) * V(scale));
      cpu::block_softmax<S, Arch>(weights + m * n * W, n);
    }
  }

  /// to [valid, heads, di] = factor * sum of weights * h_i, of the block of rows from `row` on.
  static void mix(const S* const* h, std::size_t row, std::size_t valid, const S* weights, S factor, S* to) {
    for (std::size_t m = 0; m < heads; ++m)
      Mix::forward(n, h, row * di, valid, weights + m * n * W, factor, to + m * di, width);
  }

  /// z = own + sum of weights * values, heads side by side or averaged.
  static void mix_values(const S* own, const S* v, std::size_t stride, const S* weights, S* z) {
    if constexpr (P::averages) std::copy_n(own, d, z);
    for (std::size_t m = 0; m < heads; ++m)
      for (std::size_t k = 0; k < ValueRow::vectors; ++k) {
        V sum(S(0));
        for (std::size_t i = 0; i < n; ++i)
          sum = simd::fmadd(V(weights[(m * n + i) * W]), ValueRow::load(v + i * stride + m * value_width, k), sum);
        ValueRow::store(z + place(m), k,
                        simd::fmadd(sum, V(share), ValueRow::load((P::averages ? z : own) + place(m), k)));
      }
  }

  /// d_weights [heads, n][W] = <d_mixture, h_i> of the block of rows from `row` on.
  static void weight_gradients(const S* const* h, const S* d_mixture, std::size_t row, std::size_t valid,
                               S* d_weights) {
    for (std::size_t m = 0; m < heads; ++m)
      for (std::size_t i = 0; i < n; ++i)
        simd::store(
            d_weights + (m * n + i) * W,
            cpu::block_products<di, S, Arch>(h[i] + row * di, di, d_mixture + row * width + m * di, width, valid));
  }

  /// Of a block: dv = weight * up, and d_weights[m, i] = <up, v> of each head.
  static void value_gradients(const S* up, const S* v, const S* weights, std::size_t i, std::size_t valid, S* dv,
                              S* d_weights) {
    for (std::size_t m = 0; m < heads; ++m) {
      const std::size_t at = (m * n + i) * W;
      simd::store(d_weights + at, V(share) * cpu::block_products<value_width, S, Arch>(v + m * value_width, values,
                                                                                       up + place(m), d, valid));
      for (std::size_t p = 0; p < valid; ++p)
        for (std::size_t k = 0; k < ValueRow::vectors; ++k)
          ValueRow::store(dv + p * values + m * value_width, k,
                          V(share * weights[at + p]) * ValueRow::load(up + p * d + place(m), k));
    }
  }

  /// Of a block: dh_i += ds_i u (and weight_i d_mixture where the mixture comes first), du = sum of ds_i h_i.
  static void before_gradients(const S* const* h, S* const* dh, std::size_t row, std::size_t valid, const S* weights,
                               const S* ds, const S* u, const S* d_mixture, S* du) {
    for (std::size_t m = 0; m < heads; ++m)
      Mix::template backward<mixes_first>(n, h, dh, row * di, valid, weights + m * n * W, ds + m * n * W, u + m * di,
                                          d_mixture + m * di, du + m * di, width);
  }
};

template <class H, class K, class Vs, class Cb, class Own, class Before, class Arch, class S>
CpuAttentionIntegration<S, Arch, Integration<integrate::AttentionOf<H, K, Vs, Cb>, Own, Before>> select_kernel(
    rank::Layer, Integration<integrate::AttentionOf<H, K, Vs, Cb>, Own, Before>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
