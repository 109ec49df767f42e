// The linear policy of a stack: what all layers of equal width share, however many they look back on.
//
// Per tile of positions: one packed product an earlier layer gives its item; then blocks of rows take scores, softmax
// and mixture, a position in each lane where a position has one number. Bound by the products, 2 d d_i operations a
// position and earlier layer; the blocks add about 6 d operations an item. Kept for backward: items and weights.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../core/arena.hpp"
#include "../../../core/parameter.hpp"
#include "../product/product.hpp"
#include "../product/product_transposed.hpp"
#include "../rows/row_block.hpp"

namespace aila::inline v0::cpu {

/// The earlier maps of one layer: their widths, and where the weights of each are packed: forward at offsets[2 i],
/// backward at offsets[2 i + 1], scores at offsets[2 count].
struct EarlierWidths {
  std::size_t count;
  const std::size_t* widths;
  const std::size_t* offsets;
};

/// Policy P in a layer of d features; how many items there are is a number of the program, so that a deep stack has
/// this code once.
template <class S, class Arch, class P, std::size_t d>
struct DepthLinear {
  static constexpr const char* name = "cpu linear integration, packed products";
  using Earlier = EarlierWidths;
  static constexpr std::size_t heads = P::head_count;
  static constexpr std::size_t slice = d / heads;
  static constexpr bool context = P::sees_context;
  using Row = cpu::Row<S, Arch, d>;
  using Slice = cpu::Row<S, Arch, slice>;
  using V = typename Row::V;
  static constexpr std::size_t W = block_rows<S, Arch>;
  static constexpr std::size_t items(std::size_t count) { return 1 + count + (P::has_task ? 1 : 0); }
  /// Score rows [n, d] (context: [n, n, d]): w[k, m, ...] laid out along an item's features.
  static constexpr std::size_t score_rows(std::size_t n) { return context ? n * n : n; }

  template <class Maps>
  static constexpr auto widths = [] {
    std::array<std::size_t, Maps::count> of{};
    for (std::size_t i = 0; i < Maps::count; ++i) of[i] = Maps::features(i);
    return of;
  }();
  /// See EarlierWidths; the last is where all of it ends.
  template <class Maps>
  static constexpr auto offsets = [] {
    constexpr std::size_t count = Maps::count;
    std::array<std::size_t, 2 * count + 2> at{};
    for (std::size_t i = 0; i < count; ++i) {
      at[2 * i + 1] = at[2 * i] + round_up(packed_size<S, Arch>(Maps::features(i), d), alignment_elements);
      at[2 * i + 2] = at[2 * i + 1] + round_up(packed_size<S, Arch>(d, Maps::features(i)), alignment_elements);
    }
    at[2 * count + 1] = at[2 * count] + round_up(score_rows(items(count)) * d, alignment_elements) + alignment_elements;
    return at;
  }();
  template <class Maps>
  static constexpr Earlier earlier{Maps::count, widths<Maps>.data(), offsets<Maps>.data()};
  static constexpr std::size_t packed(Earlier before) { return before.offsets[2 * before.count + 1]; }

  [[gnu::noinline]] static void pack(Earlier before, Weights<S> w, S* to) {
    for (std::size_t i = 0; i < before.count; ++i) {
      const std::size_t di = before.widths[i];
      cpu::pack<S, Arch>(w[i], 1, di, di, d, to + before.offsets[2 * i]);
      cpu::pack<S, Arch>(w[i], di, 1, d, di, to + before.offsets[2 * i + 1]);
    }
    for_each_score(items(before.count), [&](std::size_t row, std::size_t packed_at, std::size_t at) {
      to[before.offsets[2 * before.count] + row * d + packed_at] = w[before.count][at];
    });
  }

  /// Kept for backward.
  struct Buffers {
    S* items = nullptr;    ///< [count][rows, d]
    S* weights = nullptr;  ///< [blocks of rows][heads, n][block_rows]
    constexpr void bind(Arena<S>& arena, Earlier maps, std::size_t rows) {
      items = arena.take(maps.count * rows * d);
      weights = arena.take(round_up(rows, W) * heads * DepthLinear::items(maps.count));
    }
  };

  static constexpr std::size_t scratch(Earlier maps, std::size_t rows, bool) {
    const std::size_t n = items(maps.count);
    Arena<S> arena;
    arena.take(n * rows_of_tile<S, Arch>(rows) * d);  // items of a tile, or their gradients
    arena.take(heads * n * W);
    arena.take(heads * n * W);
    arena.take(score_rows(n) * d);  // gradient of the scores
    arena.take(n * W);              // and of the weights
    return arena.used();
  }

  /// z [rows, d] = own + a. Where `saved` is, its buffers keep what backward needs.
  [[gnu::noinline]] static void forward(Earlier maps, std::size_t rows, Weights<S> w, const S* packed_weights,
                                        const S* own, const S* const* before, S* z, const Buffers* saved, S* scratch) {
    const std::size_t count = maps.count, n = items(count), mixture_size = heads * n;
    Arena<S> arena(scratch);
    const std::size_t most = rows_of_tile<S, Arch>(rows);
    S* const tile_items = arena.take(n * most * d);
    S* const block_weights = arena.take(mixture_size * W);
    S* const mean = arena.take(mixture_size * W);
    const S* const score = packed_weights + maps.offsets[2 * count];
    for (std::size_t first = 0; first < rows; first += tile_rows) {
      const std::size_t tile = std::min(tile_rows, rows - first);
      Items c{.own = own + first * d,
              .made = saved != nullptr ? saved->items + first * d : tile_items,
              .between = (saved != nullptr ? rows : most) * d,
              .task = task(w, count),
              .count = count};
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t di = maps.widths[i];
        multiply_packed<S, Arch>(tile, di, d, before[i] + first * di, di, 1, packed_weights + maps.offsets[2 * i],
                                 nullptr, c.made + i * c.between, d, false);
      }
      for (std::size_t r = 0; r < tile; r += W, c.advance()) {
        const std::size_t valid = std::min(W, tile - r);
        if (saved == nullptr && valid * heads <= W) {
          weigh_few(c, score, valid, block_weights, mean);
        } else {
          S* const weights = saved != nullptr ? saved->weights + (first + r) * mixture_size : block_weights;
          weigh(c, score, valid, weights);
          mean_weights(n, weights, mean);
        }
        mix(c, mean, valid, z + (first + r) * d);
      }
    }
  }

  [[gnu::noinline]] static void backward(Earlier maps, std::size_t rows, Weights<S> w, const S* packed_weights,
                                         const S* own, const S* const* before, const S* dz, S* d_own,
                                         S* const* d_before, Gradients<S> g, const Buffers& kept, S* scratch) {
    const std::size_t count = maps.count, n = items(count), mixture_size = heads * n;
    Arena<S> arena(scratch);
    const std::size_t most = rows_of_tile<S, Arch>(rows);
    S* const d_items = arena.take(n * most * d);
    S* const mean = arena.take(mixture_size * W);
    S* const ds = arena.take(mixture_size * W);
    S* const d_score = arena.take(score_rows(n) * d);
    S* const d_weight = arena.take(n * W);
    const S* const score = packed_weights + maps.offsets[2 * count];
    std::fill_n(d_score, score_rows(n) * d, S(0));
    for (std::size_t first = 0; first < rows; first += tile_rows) {
      const std::size_t tile = std::min(tile_rows, rows - first);
      Items c{.own = own + first * d,
              .made = kept.items + first * d,
              .between = rows * d,
              .task = task(w, count),
              .count = count};
      for (std::size_t r = 0; r < tile; r += W, c.advance()) {
        const std::size_t valid = std::min(W, tile - r), at = (first + r) * d;
        const S* const weights = kept.weights + (first + r) * mixture_size;
        mean_weights(n, weights, mean);
        score_gradients(c, weights, dz + at, valid, d_weight, ds);
        item_gradients(c, mean, ds, score, dz + at, valid, d_items + r * d, most * d, d_score);
        for (std::size_t p = 0; p < valid; ++p) {
          const S* const dc = d_items + (r + p) * d;
          for (std::size_t k = 0; k < Row::vectors; ++k) {
            S* const to = d_own + at + p * d;
            const V up = Row::load(dz + at + p * d, k);
            Row::store(to, k, (d_own == dz ? up : Row::load(to, k) + up) + Row::load(dc, k));
          }
        }
      }
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t di = maps.widths[i];
        const S* const dc = d_items + (1 + i) * most * d;
        multiply_packed<S, Arch>(tile, d, di, dc, d, 1, packed_weights + maps.offsets[2 * i + 1], nullptr,
                                 d_before[i] + first * di, di, true);
        if (g) multiply_transposed_add<S, Arch>(tile, d, di, dc, d, before[i] + first * di, di, g[i], di);
      }
      if constexpr (P::has_task)
        if (g) add_columns<S, Arch>(tile, d, d_items + (n - 1) * most * d, d, g[count + 1]);
    }
    if (g)
      for_each_score(n, [&](std::size_t row, std::size_t packed_at, std::size_t at) {
        g[count][at] += d_score[row * d + packed_at];
      });
  }

 private:
  /// f(score row, place in the row, place in the tensor) for every score: row m (context: row m n + i), feature k slice
  /// + s.
  template <class F>
  static void for_each_score(std::size_t n, F&& f) {
    for (std::size_t k = 0; k < heads; ++k)
      for (std::size_t m = 0; m < n; ++m)
        for (std::size_t i = 0; i < (context ? n : 1); ++i)
          for (std::size_t s = 0; s < slice; ++s)
            f(context ? m * n + i : m, k * slice + s, ((k * n + m) * (context ? n : 1) + i) * slice + s);
  }

  static const S* task([[maybe_unused]] Weights<S> w, [[maybe_unused]] std::size_t count) {
    if constexpr (P::has_task)
      return w[count + 1];
    else
      return nullptr;
  }

  /// The items of a row: y_j, those made of earlier layers, the task.
  struct Items {
    const S* own;
    S* made;
    std::size_t between;  ///< from one made item to the next
    const S* task;
    std::size_t count;
    std::size_t size() const { return items(count); }
    const S* row(std::size_t i) const { return i == 0 ? own : i <= count ? made + (i - 1) * between : task; }
    /// How far the next row's is.
    std::size_t stride(std::size_t i) const { return i > count ? 0 : d; }
    void advance() {
      own += W * d;
      made += W * d;
    }
  };

  /// The items that score m sees, and its row of each.
  static constexpr std::size_t first_seen(std::size_t m) { return context ? 0 : m; }
  static constexpr std::size_t end_seen(std::size_t n, std::size_t m) { return context ? n : m + 1; }
  static constexpr std::size_t score_row(std::size_t n, std::size_t m, std::size_t i) {
    return context ? m * n + i : m;
  }

  /// weights [heads, n][W] of a block of rows.
  static void weigh(const Items& c, const S* score, std::size_t valid, S* weights) {
    const std::size_t n = c.size();
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t m = 0; m < n; ++m) {
        V sum(S(0));
        for (std::size_t i = first_seen(m); i < end_seen(n, m); ++i)
          sum += block_products<slice, S, Arch>(c.row(i) + h * slice, c.stride(i),
                                                score + score_row(n, m, i) * d + h * slice, 0, valid);
        simd::store(weights + (h * n + m) * W, sum);
      }
      block_softmax<S, Arch>(weights + h * n * W, n);
    }
  }

  /// mean [n][W] over the heads.
  static void mean_weights(std::size_t n, const S* weights, S* mean) {
    for (std::size_t i = 0; i < n; ++i) {
      V sum = simd::load<S, Arch>(weights + i * W);
      for (std::size_t h = 1; h < heads; ++h) sum += simd::load<S, Arch>(weights + (h * n + i) * W);
      simd::store(mean + i * W, sum * V(S(1) / S(heads)));
    }
  }

  /// mean [n][W] of so few rows that a register has a lane for each row and head: bits are those of weigh and
  /// mean_weights. Of one sample, step by step, they would take longer than the products.
  static void weigh_few(const Items& c, const S* score, std::size_t valid, S* weights, S* mean) {
    const std::size_t n = c.size();
    for (std::size_t m = 0; m < n; ++m) {
      V sum(S(0));
      for (std::size_t i = first_seen(m); i < end_seen(n, m); ++i) {
        const S* const item = c.row(i);
        const std::size_t stride = c.stride(i);
        std::size_t row = 0, head = 0;
        sum += block_sums<S, Arch>(valid * heads, [&](std::size_t) __attribute__((always_inline)) {
          const S *const x = item + row * stride + head * slice, *const w =
                                                                     score + score_row(n, m, i) * d + head * slice;
          if (++row == valid) {
            row = 0;
            ++head;
          }
          V products = Slice::load(x, 0) * Slice::load(w, 0);
          for (std::size_t k = 1; k < Slice::vectors; ++k)
            products = simd::fmadd(Slice::load(x, k), Slice::load(w, k), products);
          return products;
        });
      }
      simd::store(weights + m * W, sum);
    }
    block_softmax<S, Arch>(weights, n);
    for (std::size_t m = 0; m < n; ++m) {
      V sum = simd::load<S, Arch>(weights + m * W);
      for (std::size_t h = 1; h < heads; ++h) sum += simd::load<S, Arch>(weights + m * W + h * valid);
      simd::store(mean + m * W, sum * V(S(1) / S(heads)));
    }
  }

  /// z = c_0 + sum of mean weight * c_i
  static void mix(const Items& c, const S* mean, std::size_t valid, S* z) {
    for (std::size_t p = 0; p < valid; ++p, z += d) {
      constexpr std::size_t most = std::min<std::size_t>(Row::vectors, 32);
      for (std::size_t first = 0; first < Row::vectors; first += most) {  // sums of a part of the row are on the stack
        const std::size_t vectors = std::min(most, Row::vectors - first);
        V sum[most];
        const auto add = [&](std::size_t i, const S* item) __attribute__((always_inline)) {
          const V weight(mean[i * W + p]);
          AILA_UNROLL
          for (std::size_t k = 0; k < vectors; ++k) sum[k] = simd::fmadd(weight, Row::load(item, first + k), sum[k]);
        };
        const V own(S(1) + mean[p]);
        for (std::size_t k = 0; k < vectors; ++k) sum[k] = own * Row::load(c.own + p * d, first + k);
        for (std::size_t i = 0; i < c.count; ++i) add(1 + i, c.made + i * c.between + p * d);
        if constexpr (P::has_task) add(1 + c.count, c.task);
        for (std::size_t k = 0; k < vectors; ++k) Row::store(z, first + k, sum[k]);
      }
    }
  }

  /// ds [heads, n][W] for the gradient da of a block of mixtures; d_weight [n][W] is the same for every head.
  static void score_gradients(const Items& c, const S* weights, const S* da, std::size_t valid, S* d_weight, S* ds) {
    const std::size_t n = c.size();
    for (std::size_t i = 0; i < n; ++i)
      simd::store(d_weight + i * W, block_products<d, S, Arch>(c.row(i), c.stride(i), da, d, valid));
    for (std::size_t h = 0; h < heads; ++h)
      block_softmax_backward<S, Arch>(weights + h * n * W, d_weight, n, S(1) / S(heads), ds + h * n * W);
  }

  /// Writes dc, from the block's first row on, `between` from one item to the next, and adds to d_score.
  static void item_gradients(const Items& c, const S* mean, const S* ds, const S* score, const S* da, std::size_t valid,
                             S* dc, std::size_t between, S* d_score) {
    const std::size_t n = c.size();
    for (std::size_t i = 0; i < n; ++i, dc += between) {
      const S* const item = c.row(i);
      const std::size_t stride = c.stride(i);
      for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t k = 0; k < Slice::vectors; ++k) {
          if constexpr (!context) {
            const std::size_t at = i * d + h * slice;
            const V w = Slice::load(score + at, k);
            V dw = Slice::load(d_score + at, k);
            for (std::size_t p = 0; p < valid; ++p) {
              const V slope(ds[(h * n + i) * W + p]);
              dw = simd::fmadd(slope, Slice::load(item + p * stride + h * slice, k), dw);
              Slice::store(dc + p * d + h * slice, k,
                           simd::fmadd(slope, w, V(mean[i * W + p]) * Slice::load(da + p * d + h * slice, k)));
            }
            Slice::store(d_score + at, k, dw);
          } else {
            for (std::size_t p = 0; p < valid; ++p)
              Slice::store(dc + p * d + h * slice, k, V(mean[i * W + p]) * Slice::load(da + p * d + h * slice, k));
            for (std::size_t m = 0; m < n; ++m) {
              const std::size_t at = score_row(n, m, i) * d + h * slice;
              const V w = Slice::load(score + at, k);
              V dw = Slice::load(d_score + at, k);
              for (std::size_t p = 0; p < valid; ++p) {
                S* const to = dc + p * d + h * slice;
                const V slope(ds[(h * n + m) * W + p]);
                dw = simd::fmadd(slope, Slice::load(item + p * stride + h * slice, k), dw);
                Slice::store(to, k, simd::fmadd(slope, w, Slice::load(to, k)));
              }
              Slice::store(d_score + at, k, dw);
            }
          }
        }
    }
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
