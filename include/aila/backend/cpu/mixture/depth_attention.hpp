// Attention over the earlier layers of a stack: what all layers of equal widths share, however many they look back on.
//
// Per tile of positions: packed products give the query in the space of the earlier layers' outputs h_i (see
// attention_query.hpp: keys are never made); blocks of rows take scores, softmax and mixture, a position in each lane
// where a position has one number. Tied values are the product of the mixture: W_V (sum of alpha_i h_i). Bound by the
// products: 2 d (2 d) operations a position whatever the number n of earlier layers with one head and tied values,
// 2 d (1 + n) d with values of their own; blocks add about 12 d an item. Kept for backward: queries and weights, and
// values where they are not tied.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../core/arena.hpp"
#include "../../../core/math.hpp"
#include "../../../core/shape.hpp"
#include "../rows/row_block.hpp"
#include "attention_query.hpp"
#include "mix_rows.hpp"

namespace aila::inline v0::cpu {

/// Policy P over n maps of Before features from one of Own features; n is a number of the program, so that a deep stack
/// has this code once. Asks is false where n is 1: there is no query then.
template <class S, class Arch, class P, std::size_t Own, std::size_t Before, bool Asks>
struct DepthAttention {
  static constexpr const char* name = "cpu attention integration, packed products";
  using Earlier = std::size_t;  ///< n
  template <class Maps>
  static constexpr Earlier earlier = Maps::count;
  static constexpr std::size_t d = Own, di = Before;
  static constexpr std::size_t heads = P::head_count;
  static constexpr std::size_t key = P::template key_width<Vector<d>>;
  static constexpr std::size_t value_width = P::template value_width<Vector<d>>;
  static constexpr std::size_t values = heads * value_width;
  static constexpr std::size_t first_value = Asks ? 2 : 0;  ///< number of its tensor
  static constexpr S share = P::averages ? S(1) / S(heads) : S(1);
  static constexpr S scale = S(1) / math::sqrt(S(key));
  using Query = AttentionQuery<S, Arch, QuerySizes<heads, key, d, di>>;
  static constexpr std::size_t width = heads * di;  ///< of a row of a query, or a mixture, in every head
  using OwnRow = Row<S, Arch, d>;
  using Mix = MixRows<S, Arch, di>;
  using ValueRow = Row<S, Arch, value_width>;
  using V = typename OwnRow::V;
  static constexpr std::size_t W = block_rows<S, Arch>;
  /// Whether outputs are mixed and then multiplied: one value map for all of them, or one of them.
  static constexpr bool mixes_first = P::tied || !Asks;

  /// Packed: the query's maps, then the value maps, one a head where the mixture comes first: transposed for forward,
  /// and as they are for backward.
  static constexpr std::size_t values_of_map = mixes_first ? value_width : values;
  static constexpr std::size_t value_size = round_up(packed_size<S, Arch>(di, values_of_map), alignment_elements);
  static constexpr std::size_t value_back_size = round_up(packed_size<S, Arch>(values_of_map, di), alignment_elements);
  static constexpr std::size_t value_at = Asks ? round_up(Query::packed, alignment_elements) : 0;
  static constexpr std::size_t packed_values(Earlier n) { return mixes_first ? heads : n; }
  static constexpr std::size_t value_back_at(Earlier n) { return value_at + packed_values(n) * value_size; }
  static constexpr std::size_t packed(Earlier n) { return value_back_at(n) + packed_values(n) * value_back_size; }

  [[gnu::noinline]] static void pack(Earlier n, Weights<S> w, S* to) {
    if constexpr (Asks) Query::pack(w[0], w[1], to);
    for (std::size_t m = 0; m < packed_values(n); ++m) {
      const S* const map = mixes_first ? w[first_value] + m * value_width * di : w[first_value + m];
      cpu::pack<S, Arch>(map, 1, di, di, values_of_map, to + value_at + m * value_size);
      cpu::pack<S, Arch>(map, di, 1, values_of_map, di, to + value_back_at(n) + m * value_back_size);
    }
    if constexpr (mixes_first && P::averages)
      for (std::size_t at = value_at; at < packed(n); ++at) to[at] *= share;
  }

  /// Of rows: u [rows, width], what the query keeps, weights [blocks of rows][heads, n][W], values [n][rows, values].
  struct Buffers {
    S* u = nullptr;
    S* query = nullptr;
    S* weights = nullptr;
    S* values_of = nullptr;
    constexpr void bind(Arena<S>& arena, Earlier n, std::size_t rows) {
      if constexpr (Asks) {
        u = arena.take(rows * width);
        query = arena.take(rows * Query::kept);
        weights = arena.take(round_up(rows, W) * heads * n);
      }
      if constexpr (!mixes_first) values_of = arena.take(n * rows * values);
    }
  };

  /// What backward needs of a tile.
  struct Slopes {
    S* mixture = nullptr;    ///< [rows, width]
    S* d_mixture = nullptr;  ///< of the mixtures [rows, width], or of one layer's values [rows, values]
    S* du = nullptr;         ///< [rows, width]
    S* d_weights = nullptr;  ///< [blocks][heads, n][W]
    S* query = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t n, std::size_t rows) {
      mixture = arena.take(rows * width);
      d_mixture = arena.take(rows * std::max(width, values));
      du = arena.take(rows * width);
      d_weights = arena.take(rows * heads * n);
      if constexpr (Asks) query = arena.take(Query::scratch(rows));
    }
  };

  static constexpr std::size_t scratch(Earlier n, std::size_t all_rows, bool keeps) {
    const std::size_t rows = rows_of_tile<S, Arch>(all_rows);
    Arena<S> forward, backward;
    Buffers tile;
    if (!keeps) tile.bind(forward, n, rows);
    forward.take(rows * width);
    Slopes slopes;
    if (keeps) slopes.bind(backward, n, rows);
    return std::max(forward.used(), backward.used());
  }

  /// z [rows, d] = own + a. Where `saved` is, its buffers of all rows keep what backward needs.
  [[gnu::noinline]] static void forward(Earlier n, std::size_t rows, Weights<S>, const S* packed_weights, const S* own,
                                        const S* const* before, S* z, const Buffers* saved, S* scratch) {
    Buffers tile_buffers;
    Arena<S> arena(scratch);
    const std::size_t most = rows_of_tile<S, Arch>(rows);
    if (saved == nullptr) tile_buffers.bind(arena, n, most);
    S* const mixture_rows = arena.take(most * width);
    const std::size_t mixture_size = heads * n;
    for (std::size_t first = 0; first < rows; first += tile_rows) {
      const std::size_t tile = std::min(tile_rows, rows - first);
      const Buffers& to = saved != nullptr ? *saved : tile_buffers;
      const std::size_t at = saved != nullptr ? first : 0;
      const std::size_t stride = saved != nullptr ? rows : most;  // rows between two layers' values
      if constexpr (Asks) {
        Query::forward(tile, packed_weights, own + first * d, to.query + at * Query::kept, to.u + at * width);
        for (std::size_t r = 0; r < tile; r += W) {  // block by block, so that its outputs are read from afar once
          const std::size_t valid = std::min(W, tile - r);
          weigh(n, to.u + (at + r) * width, before, first + r, valid, to.weights + (at + r) * mixture_size);
          if constexpr (mixes_first)
            mix(n, before, first + r, valid, to.weights + (at + r) * mixture_size, S(1), mixture_rows + r * width);
        }
      }
      if constexpr (mixes_first) {
        std::copy_n(own + first * d, tile * d, z + first * d);
        for (std::size_t m = 0; m < heads; ++m)
          multiply_packed<S, Arch>(tile, di, value_width, Asks ? mixture_rows + m * di : before[0] + first * di,
                                   Asks ? width : di, 1, packed_weights + value_at + m * value_size, nullptr,
                                   z + first * d + place(m), d, true);
      } else {
        for (std::size_t i = 0; i < n; ++i)
          multiply_packed<S, Arch>(tile, di, values, before[i] + first * di, di, 1,
                                   packed_weights + value_at + i * value_size, nullptr,
                                   to.values_of + (i * stride + at) * values, values, false);
        for (std::size_t r = 0; r < tile; ++r)
          mix_values(n, own + (first + r) * d, to.values_of + (at + r) * values, stride * values,
                     weights_of_row(n, to.weights, at + r), z + (first + r) * d);
      }
    }
  }

  [[gnu::noinline]] static void backward(Earlier n, std::size_t rows, Weights<S> w, const S* packed_weights,
                                         const S* own, const S* const* before, const S* dz, S* d_own,
                                         S* const* d_before, Gradients<S> g, const Buffers& kept, S* scratch) {
    Arena<S> arena(scratch);
    Slopes tile;
    tile.bind(arena, n, rows_of_tile<S, Arch>(rows));
    const std::size_t mixture_size = heads * n;
    if constexpr (Asks) Query::begin(tile.query);
    for (std::size_t first = 0; first < rows; first += tile_rows) {
      const std::size_t count = std::min(tile_rows, rows - first);
      const S* const up = dz + first * d;  // which d_own may be
      for (std::size_t r = 0; d_own != dz && r < count; ++r) add_row(up + r * d, d_own + (first + r) * d);
      if constexpr (mixes_first) {
        for (std::size_t m = 0; m < heads; ++m)
          multiply_packed<S, Arch>(count, value_width, di, up + place(m), d, 1,
                                   packed_weights + value_back_at(n) + m * value_back_size, nullptr,
                                   Asks ? tile.d_mixture + m * di : d_before[0] + first * di, Asks ? width : di, !Asks);
      } else {
        for (std::size_t i = 0; i < n; ++i) {
          const S* const v = kept.values_of + (i * rows + first) * values;
          for (std::size_t r = 0; r < count; r += W)
            value_gradients(n, up + r * d, v + r * values, kept.weights + (first + r) * mixture_size, i,
                            std::min(W, count - r), tile.d_mixture + r * values, tile.d_weights + r * mixture_size);
          multiply_packed<S, Arch>(count, values, di, tile.d_mixture, values, 1,
                                   packed_weights + value_back_at(n) + i * value_back_size, nullptr,
                                   d_before[i] + first * di, di, true);
          if (g)
            multiply_transposed_add<S, Arch>(count, values, di, tile.d_mixture, values, before[i] + first * di, di,
                                             g[first_value + i], di);
        }
      }
      if constexpr (Asks) {
        for (std::size_t r = 0; r < count; r += W) {
          const std::size_t valid = std::min(W, count - r);
          const S* const weights = kept.weights + (first + r) * mixture_size;
          S* const slopes = tile.d_weights + r * mixture_size;
          if constexpr (mixes_first) weight_gradients(n, before, first + r, tile.d_mixture + r * width, valid, slopes);
          for (std::size_t m = 0; m < heads; ++m)
            block_softmax_backward<S, Arch>(weights + m * n * W, slopes + m * n * W, n, scale, slopes + m * n * W);
          before_gradients(n, before, d_before, first + r, valid, weights, slopes, kept.u + (first + r) * width,
                           tile.d_mixture + r * width, tile.du + r * width);
          if constexpr (mixes_first)
            if (g) mix(n, before, first + r, valid, weights, share, tile.mixture + r * width);
        }
      }
      if constexpr (mixes_first)
        if (g) {
          const S* mixture = Asks || P::averages ? tile.mixture : before[0] + first * di;
          if constexpr (!Asks && P::averages)
            for (std::size_t at = 0; at < count * di; ++at) tile.mixture[at] = share * before[0][first * di + at];
          for (std::size_t m = 0; m < heads; ++m)
            multiply_transposed_add<S, Arch>(count, value_width, di, up + place(m), d, mixture + (Asks ? m * di : 0),
                                             Asks ? width : di, g[first_value] + m * value_width * di, di);
        }
      if constexpr (Asks)
        Query::backward(count, packed_weights, own + first * d, kept.query + first * Query::kept, tile.du,
                        d_own + first * d, tile.query, g);
    }
    if constexpr (Asks)
      if (g) Query::finish(w, tile.query, g);
  }

 private:
  /// Where head m's values are added in a row of z.
  static constexpr std::size_t place(std::size_t m) { return P::averages ? 0 : m * value_width; }

  /// The weight of head m and layer i of a row is weights_of_row(...)[(m n + i) W].
  static S* weights_of_row(std::size_t n, S* weights, std::size_t row) {
    return weights == nullptr ? nullptr : weights + row / W * W * heads * n + row % W;
  }

  static void add_row(const S* from, S* to) {
    for (std::size_t k = 0; k < OwnRow::vectors; ++k) OwnRow::store(to, k, OwnRow::load(to, k) + OwnRow::load(from, k));
  }

  /// weights [heads, n][W] of the block of rows from `row` on.
  static void weigh(std::size_t n, const S* u, const S* const* before, std::size_t row, std::size_t valid, S* weights) {
    for (std::size_t m = 0; m < heads; ++m) {
      for (std::size_t i = 0; i < n; ++i)
        simd::store(weights + (m * n + i) * W,
                    block_products<di, S, Arch>(before[i] + row * di, di, u + m * di, width, valid) * V(scale));
      block_softmax<S, Arch>(weights + m * n * W, n);
    }
  }

  /// to [valid, heads, di] = factor * sum of weights * h_i, of the block of rows from `row` on.
  static void mix(std::size_t n, const S* const* before, std::size_t row, std::size_t valid, const S* weights, S factor,
                  S* to) {
    for (std::size_t m = 0; m < heads; ++m)
      Mix::forward(n, before, row * di, valid, weights + m * n * W, factor, to + m * di, width);
  }

  /// z = own + sum of weights * values, heads side by side or averaged.
  static void mix_values(std::size_t n, const S* own, const S* v, std::size_t stride, const S* weights, S* z) {
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
  static void weight_gradients(std::size_t n, const S* const* before, std::size_t row, const S* d_mixture,
                               std::size_t valid, S* d_weights) {
    for (std::size_t m = 0; m < heads; ++m)
      for (std::size_t i = 0; i < n; ++i)
        simd::store(d_weights + (m * n + i) * W,
                    block_products<di, S, Arch>(before[i] + row * di, di, d_mixture + m * di, width, valid));
  }

  /// Of a block: dv = weight * up, and d_weights[m, i] = <up, v> of each head.
  static void value_gradients(std::size_t n, const S* up, const S* v, const S* weights, std::size_t i,
                              std::size_t valid, S* dv, S* d_weights) {
    for (std::size_t m = 0; m < heads; ++m) {
      const std::size_t at = (m * n + i) * W;
      simd::store(d_weights + at, V(share) * block_products<value_width, S, Arch>(v + m * value_width, values,
                                                                                  up + place(m), d, valid));
      for (std::size_t p = 0; p < valid; ++p)
        for (std::size_t k = 0; k < ValueRow::vectors; ++k)
          ValueRow::store(dv + p * values + m * value_width, k,
                          V(share * weights[at + p]) * ValueRow::load(up + p * d + place(m), k));
    }
  }

  /// Of a block: dh_i += ds_i u (and weight_i d_mixture where the mixture comes first), du = sum of ds_i h_i.
  static void before_gradients(std::size_t n, const S* const* before, S* const* d_before, std::size_t row,
                               std::size_t valid, const S* weights, const S* ds, const S* u, const S* d_mixture,
                               S* du) {
    for (std::size_t m = 0; m < heads; ++m)
      Mix::template backward<mixes_first>(n, before, d_before, row * di, valid, weights + m * n * W, ds + m * n * W,
                                          u + m * di, d_mixture + m * di, du + m * di, width);
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
