// Linear integration on the CPU.
//
// Per tile of positions: one packed product an earlier layer gives its item; then blocks of rows take scores, softmax
// and mixture, a position in each lane where a position has one number. Bound by the products, 2 d d_i operations a
// position and earlier layer; the blocks add about 6 d operations an item. Kept for backward: items and weights.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../integrate/linear.hpp"
#include "../host/body.hpp"
#include "../kernel.hpp"
#include "product.hpp"
#include "product_transposed.hpp"
#include "row_block.hpp"

namespace aila::inline v0 {

template <class S, class Arch, class Part>
struct CpuLinearIntegration {
  using Scalar = S;
  using P = typename Part::Policy;
  using Own = typename Part::Own;
  using Before = typename Part::Before;
  static constexpr const char* name = "cpu linear integration, packed products";
  static constexpr std::size_t d = Own::features;
  static constexpr std::size_t count = Before::count;
  static constexpr std::size_t n = Part::items;
  static constexpr std::size_t heads = Part::heads;
  static constexpr std::size_t mixture_size = heads * n;
  static constexpr std::size_t slice = d / heads;
  static constexpr bool context = P::sees_context;
  /// Score rows [n, d] (context: [n, n, d]): w[k, m, ...] laid out along an item's features.
  static constexpr std::size_t score_rows = context ? n * n : n;
  using Row = cpu::Row<S, Arch, d>;
  using Slice = cpu::Row<S, Arch, slice>;
  using V = typename Row::V;
  static constexpr std::size_t W = cpu::block_rows<S, Arch>;

  static constexpr auto offsets = [] {
    std::array<std::size_t, 2 * count + 2> at{};
    for (std::size_t i = 0; i < count; ++i) {
      at[2 * i + 1] = at[2 * i] + round_up(cpu::packed_size<S, Arch>(Before::features(i), d), alignment_elements);
      at[2 * i + 2] = at[2 * i + 1] + round_up(cpu::packed_size<S, Arch>(d, Before::features(i)), alignment_elements);
    }
    at[2 * count + 1] = at[2 * count] + round_up(score_rows * d, alignment_elements) + alignment_elements;
    return at;
  }();
  static constexpr std::size_t packed = offsets[2 * count + 1];

  static void pack(Weights<S> w, S* to) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t di = Before::features(i);
      cpu::pack<S, Arch>(w[i], 1, di, di, d, to + offsets[2 * i]);
      cpu::pack<S, Arch>(w[i], di, 1, d, di, to + offsets[2 * i + 1]);
    }
    for_each_score([&](std::size_t row, std::size_t packed_at, std::size_t at) {
      to[offsets[2 * count] + row * d + packed_at] = w[count][at];
    });
  }

  template <Capability C>
  struct Saved {
    S* items = nullptr;    ///< [count][rows, d]
    S* weights = nullptr;  ///< [blocks of rows][heads, n][block_rows]
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) {
        items = arena.take(count * samples * Own::positions * d);
        weights = arena.take(round_up(samples * Own::positions, W) * mixture_size);
      }
    }
  };

  using Body = PolicyBodyKernel<Part, backend::CpuOn<Arch, S>>;  ///< which tells the mixture
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    Arena<S> arena;
    arena.take(n * cpu::tile_rows * d);  // items of a tile, or their gradients
    arena.take(block_size);
    arena.take(block_size);
    arena.take(score_rows * d);  // gradient of the scores
    arena.take(n * W);           // and of the weights
    return std::max(arena.used(), Body::scratch(samples, c));
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                      S* z, Saved<C>& saved, S* scratch) {
    const std::size_t rows = pass.samples * Own::positions;
    Arena<S> arena(scratch);
    S* const tile_items = arena.take(n * cpu::tile_rows * d);
    S* const block_weights = arena.take(block_size);
    S* const mean = arena.take(block_size);
    for (std::size_t first = 0; first < rows; first += cpu::tile_rows) {
      const std::size_t tile = std::min(cpu::tile_rows, rows - first);
      Items items(own + first * d, w);
      for (std::size_t i = 0; i < count; ++i) {
        S* c = keeps_for_backward(C) ? saved.items + (i * rows + first) * d : tile_items + i * cpu::tile_rows * d;
        cpu::multiply_packed<S, Arch>(tile, Before::features(i), d, before[i] + first * Before::features(i),
                                      Before::features(i), 1, packed_weights + offsets[2 * i], nullptr, c, d, false);
        items.row[1 + i] = c;
      }
      for (std::size_t r = 0; r < tile; r += W, items.advance()) {
        const std::size_t valid = std::min(W, tile - r);
        const S* const score = packed_weights + offsets[2 * count];
        if (!keeps_for_backward(C) && valid * heads <= W) {
          weigh_few(items, score, valid, block_weights, mean);
        } else {
          S* const weights = keeps_for_backward(C) ? saved.weights + (first + r) * mixture_size : block_weights;
          weigh(items, score, valid, weights);
          mean_weights(weights, mean);
        }
        mix(items, mean, valid, z + (first + r) * d);
      }
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                       const S* dz, S* d_own, S* const* d_before, Gradients<S> g, Saved<C>& saved, S* scratch) {
    const std::size_t rows = pass.samples * Own::positions;
    Arena<S> arena(scratch);
    S* const d_items = arena.take(n * cpu::tile_rows * d);
    S* const mean = arena.take(block_size);
    S* const ds = arena.take(block_size);
    S* const d_score = arena.take(score_rows * d);
    S* const d_weight = arena.take(n * W);
    const S* const score = packed_weights + offsets[2 * count];
    std::fill_n(d_score, score_rows * d, S(0));
    for (std::size_t first = 0; first < rows; first += cpu::tile_rows) {
      const std::size_t tile = std::min(cpu::tile_rows, rows - first);
      Items items(own + first * d, w);
      for (std::size_t i = 0; i < count; ++i) items.row[1 + i] = saved.items + (i * rows + first) * d;
      for (std::size_t r = 0; r < tile; r += W, items.advance()) {
        const std::size_t valid = std::min(W, tile - r), at = (first + r) * d;
        const S* const weights = saved.weights + (first + r) * mixture_size;
        mean_weights(weights, mean);
        score_gradients(items, weights, dz + at, valid, d_weight, ds);
        item_gradients(items, mean, ds, score, dz + at, valid, d_items + r * d, d_score);
        for (std::size_t p = 0; p < valid; ++p) {
          const S* const dc = d_items + (r + p) * d;
          for (std::size_t k = 0; k < Row::vectors; ++k)
            Row::store(d_own + at + p * d, k,
                       Row::load(d_own + at + p * d, k) + Row::load(dz + at + p * d, k) + Row::load(dc, k));
        }
      }
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t di = Before::features(i);
        const S* dc = d_items + (1 + i) * cpu::tile_rows * d;
        cpu::multiply_packed<S, Arch>(tile, d, di, dc, d, 1, packed_weights + offsets[2 * i + 1], nullptr,
                                      d_before[i] + first * di, di, true);
        if (g) cpu::multiply_transposed_add<S, Arch>(tile, d, di, dc, d, before[i] + first * di, di, g[i], di);
      }
      if constexpr (P::has_task)
        if (g) cpu::add_columns<S, Arch>(tile, d, d_items + (n - 1) * cpu::tile_rows * d, d, g[count + 1]);
    }
    if (g)
      for_each_score([&](std::size_t row, std::size_t packed_at, std::size_t at) {
        g[count][at] += d_score[row * d + packed_at];
      });
  }

  /// weights [rows, heads, items]
  static void mixture(const Pass& pass, Weights<S> w, const S* own, const S* const* before, S* weights, S* scratch) {
    Body::mixture(pass, w, own, before, weights, scratch);
  }

 private:
  /// f(score row, place in the row, place in the tensor) for every score: row m (context: row m n + i), feature k slice
  /// + s.
  template <class F>
  static void for_each_score(F&& f) {
    for (std::size_t k = 0; k < heads; ++k)
      for (std::size_t m = 0; m < n; ++m)
        for (std::size_t i = 0; i < (context ? n : 1); ++i)
          for (std::size_t s = 0; s < slice; ++s)
            f(context ? m * n + i : m, k * slice + s, ((k * n + m) * (context ? n : 1) + i) * slice + s);
  }

  static constexpr std::size_t block_size = mixture_size * W;

  /// The items of a row: c_i, and how far the next row's is.
  struct Items {
    const S* row[n];
    Items(const S* own, Weights<S> w) {
      row[0] = own;
      if constexpr (P::has_task) row[n - 1] = w[count + 1];
    }
    static constexpr std::size_t stride(std::size_t i) { return i > count ? 0 : d; }
    void advance() {
      for (std::size_t i = 0; i <= count; ++i) row[i] += W * d;
    }
  };

  /// The items that score m sees, and its row of each.
  static constexpr std::size_t first_seen(std::size_t m) { return context ? 0 : m; }
  static constexpr std::size_t end_seen(std::size_t m) { return context ? n : m + 1; }
  static constexpr std::size_t score_row(std::size_t m, std::size_t i) { return context ? m * n + i : m; }

  /// weights [heads, n][W] of a block of rows.
  static void weigh(const Items& c, const S* score, std::size_t valid, S* weights) {
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t m = 0; m < n; ++m) {
        V sum(S(0));
        for (std::size_t i = first_seen(m); i < end_seen(m); ++i)
          sum += cpu::block_products<slice, S, Arch>(c.row[i] + h * slice, Items::stride(i),
                                                     score + score_row(m, i) * d + h * slice, 0, valid);
        simd::store(weights + (h * n + m) * W, sum);
      }
      cpu::block_softmax<S, Arch>(weights + h * n * W, n);
    }
  }

  /// mean [n][W] over the heads.
  static void mean_weights(const S* weights, S* mean) {
    for (std::size_t i = 0; i < n; ++i) {
      V sum = simd::load<S, Arch>(weights + i * W);
      for (std::size_t h = 1; h < heads; ++h) sum += simd::load<S, Arch>(weights + (h * n + i) * W);
      simd::store(mean + i * W, sum * V(S(1) / S(heads)));
    }
  }

  /// mean [n][W] of so few rows that a register has a lane for each row and head: bits are those of weigh and
  /// mean_weights. Of one sample, step by step, they would take longer than the products.
  static void weigh_few(const Items& c, const S* score, std::size_t valid, S* weights, S* mean) {
    for (std::size_t m = 0; m < n; ++m) {
      V sum(S(0));
      for (std::size_t i = first_seen(m); i < end_seen(m); ++i) {
        std::size_t row = 0, head = 0;
        sum += cpu::block_sums<S, Arch>(valid * heads, [&](std::size_t) __attribute__((always_inline)) {
          const S *const x = c.row[i] + row * Items::stride(i) + head * slice, *const w = score + score_row(m, i) * d +
                                                                                          head * slice;
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
    cpu::block_softmax<S, Arch>(weights, n);
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
        const V own(S(1) + mean[p]);
        for (std::size_t k = 0; k < vectors; ++k) sum[k] = own * Row::load(c.row[0] + p * d, first + k);
        for (std::size_t i = 1; i < n; ++i) {
          const V weight(mean[i * W + p]);
          for (std::size_t k = 0; k < vectors; ++k)
            sum[k] = simd::fmadd(weight, Row::load(c.row[i] + p * Items::stride(i), first + k), sum[k]);
        }
        for (std::size_t k = 0; k < vectors; ++k) Row::store(z, first + k, sum[k]);
      }
    }
  }

  /// ds [heads, n][W] for the gradient da of a block of mixtures; d_weight [n][W] is the same for every head.
  static void score_gradients(const Items& c, const S* weights, const S* da, std::size_t valid, S* d_weight, S* ds) {
    for (std::size_t i = 0; i < n; ++i)
      simd::store(d_weight + i * W, cpu::block_products<d, S, Arch>(c.row[i], Items::stride(i), da, d, valid));
    for (std::size_t h = 0; h < heads; ++h)
      cpu::block_softmax_backward<S, Arch>(weights + h * n * W, d_weight, n, S(1) / S(heads), ds + h * n * W);
  }

  /// Writes dc, [n][tile_rows, d] from the block's first row on, and adds to d_score.
  static void item_gradients(const Items& c, const S* mean, const S* ds, const S* score, const S* da, std::size_t valid,
                             S* dc, S* d_score) {
    for (std::size_t i = 0; i < n; ++i, dc += cpu::tile_rows * d)
      for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t k = 0; k < Slice::vectors; ++k) {
          if constexpr (!context) {
            const std::size_t at = i * d + h * slice;
            const V w = Slice::load(score + at, k);
            V dw = Slice::load(d_score + at, k);
            for (std::size_t p = 0; p < valid; ++p) {
              const V slope(ds[(h * n + i) * W + p]);
              dw = simd::fmadd(slope, Slice::load(c.row[i] + p * Items::stride(i) + h * slice, k), dw);
              Slice::store(dc + p * d + h * slice, k,
                           simd::fmadd(slope, w, V(mean[i * W + p]) * Slice::load(da + p * d + h * slice, k)));
            }
            Slice::store(d_score + at, k, dw);
          } else {
            for (std::size_t p = 0; p < valid; ++p)
              Slice::store(dc + p * d + h * slice, k, V(mean[i * W + p]) * Slice::load(da + p * d + h * slice, k));
            for (std::size_t m = 0; m < n; ++m) {
              const std::size_t at = score_row(m, i) * d + h * slice;
              const V w = Slice::load(score + at, k);
              V dw = Slice::load(d_score + at, k);
              for (std::size_t p = 0; p < valid; ++p) {
                S* const to = dc + p * d + h * slice;
                const V slope(ds[(h * n + m) * W + p]);
                dw = simd::fmadd(slope, Slice::load(c.row[i] + p * Items::stride(i) + h * slice, k), dw);
                Slice::store(to, k, simd::fmadd(slope, w, Slice::load(to, k)));
              }
              Slice::store(d_score + at, k, dw);
            }
          }
        }
  }
};

template <class H, class T, class Sees, class Own, class Before, class Arch, class S>
CpuLinearIntegration<S, Arch, Integration<integrate::LinearOf<H, T, Sees>, Own, Before>> select_kernel(
    rank::Layer, Integration<integrate::LinearOf<H, T, Sees>, Own, Before>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
