// Linear integration on the CPU.
//
// Per tile of positions: one packed product an earlier layer gives its item; then one pass over the rows takes scores,
// softmax and mixture. Bound by the products, 2 d d_i operations a position and earlier layer; the pass adds about
// 6 d operations an item, of which the sums over a row are the slow part. Kept for backward: items and weights.
#pragma once

#include <algorithm>

#include "../../integrate/linear.hpp"
#include "../host/body.hpp"
#include "../kernel.hpp"
#include "product.hpp"
#include "product_transposed.hpp"
#include "row.hpp"

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
  using Row = cpu::Row<S, Arch, d, heads>;
  using V = typename Row::V;

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
    S* weights = nullptr;  ///< [rows, heads, n]
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) {
        items = arena.take(count * samples * Own::positions * d);
        weights = arena.take(samples * Own::positions * mixture_size);
      }
    }
  };

  static constexpr std::size_t scratch(std::size_t, Capability) {
    Arena<S> arena;
    arena.take((n + 1) * cpu::tile_rows * d);   // items of a tile, or their gradients
    arena.take(cpu::tile_rows * mixture_size);  // weights of a tile
    arena.take(score_rows * d);                 // gradient of the scores
    arena.take(2 * mixture_size + 2 * n);
    return arena.used();
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                      S* z, Saved<C>& saved, S* scratch) {
    const std::size_t rows = pass.samples * Own::positions;
    Arena<S> arena(scratch);
    S* const tile_items = arena.take((n + 1) * cpu::tile_rows * d);
    S* const tile_weights = arena.take(cpu::tile_rows * mixture_size);
    for (std::size_t first = 0; first < rows; first += cpu::tile_rows) {
      const std::size_t tile = std::min(cpu::tile_rows, rows - first);
      const S* items[n];
      items[0] = own + first * d;
      for (std::size_t i = 0; i < count; ++i) {
        S* c = keeps_for_backward(C) ? saved.items + (i * rows + first) * d : tile_items + i * cpu::tile_rows * d;
        cpu::multiply_packed<S, Arch>(tile, Before::features(i), d, before[i] + first * Before::features(i),
                                      Before::features(i), 1, packed_weights + offsets[2 * i], nullptr, c, d, false);
        items[1 + i] = c;
      }
      S* const weights = keeps_for_backward(C) ? saved.weights + first * mixture_size : tile_weights;
      for (std::size_t r = 0; r < tile; ++r) {
        const S* c[n];
        row_items(items, w, r, c);
        weigh(c, packed_weights + offsets[2 * count], weights + r * mixture_size);
        mix(c, weights + r * mixture_size, z + (first + r) * d);
      }
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                       const S* dz, S* d_own, S* const* d_before, Gradients<S> g, Saved<C>& saved, S* scratch) {
    const std::size_t rows = pass.samples * Own::positions;
    Arena<S> arena(scratch);
    S* const d_items = arena.take((n + 1) * cpu::tile_rows * d);
    arena.take(cpu::tile_rows * mixture_size);
    S* const d_score = arena.take(score_rows * d);
    S* const ds = arena.take(2 * mixture_size + 2 * n);
    const S* const score = packed_weights + offsets[2 * count];
    std::fill_n(d_score, score_rows * d, S(0));
    for (std::size_t first = 0; first < rows; first += cpu::tile_rows) {
      const std::size_t tile = std::min(cpu::tile_rows, rows - first);
      const S* items[n];
      items[0] = own + first * d;
      for (std::size_t i = 0; i < count; ++i) items[1 + i] = saved.items + (i * rows + first) * d;
      for (std::size_t r = 0; r < tile; ++r) {
        const S* c[n];
        S* dc[n];
        row_items(items, w, r, c);
        for (std::size_t i = 0; i < n; ++i) dc[i] = d_items + (i * cpu::tile_rows + r) * d;
        row_backward(c, saved.weights + (first + r) * mixture_size, dz + (first + r) * d, score, dc, d_score, ds);
        S* const own_gradient = d_own + (first + r) * d;
        for (std::size_t k = 0; k < Row::vectors; ++k)
          Row::store(own_gradient, k,
                     Row::load(own_gradient, k) + Row::load(dz + (first + r) * d, k) + Row::load(dc[0], k));
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
    PolicyBodyKernel<Part, backend::CpuOn<Arch, S>>::mixture(pass, w, own, before, weights, scratch);
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

  static void row_items(const S* const* items, Weights<S> w, std::size_t r, const S** c) {
    for (std::size_t i = 0; i <= count; ++i) c[i] = items[i] + r * d;
    if constexpr (P::has_task) c[n - 1] = w[count + 1];
  }

  static void weigh(const S* const* c, const S* score, S* weights) {
    for (std::size_t m = 0; m < n; ++m) {
      V sum[Row::vectors];
      if constexpr (context) {
        for (std::size_t k = 0; k < Row::vectors; ++k) sum[k] = V(S(0));
        for (std::size_t i = 0; i < n; ++i)
          for (std::size_t k = 0; k < Row::vectors; ++k)
            sum[k] = simd::fmadd(Row::load(c[i], k), Row::load(score + (m * n + i) * d, k), sum[k]);
      } else {
        for (std::size_t k = 0; k < Row::vectors; ++k) sum[k] = Row::load(c[m], k) * Row::load(score + m * d, k);
      }
      S head[heads];
      Row::head_sums(sum, head);
      for (std::size_t h = 0; h < heads; ++h) weights[h * n + m] = head[h];
    }
    for (std::size_t h = 0; h < heads; ++h) cpu::softmax_row<Arch>(weights + h * n, n);
  }

  static S mean_weight(const S* weights, std::size_t item) {
    S sum(0);
    for (std::size_t h = 0; h < heads; ++h) sum += weights[h * n + item];
    return sum * (S(1) / S(heads));
  }

  /// z = c_0 + sum of mean weight * c_i
  static void mix(const S* const* c, const S* weights, S* z) {
    V sum[Row::vectors];
    const V own(S(1) + mean_weight(weights, 0));
    for (std::size_t k = 0; k < Row::vectors; ++k) sum[k] = own * Row::load(c[0], k);
    for (std::size_t i = 1; i < n; ++i) {
      const V mean(mean_weight(weights, i));
      for (std::size_t k = 0; k < Row::vectors; ++k) sum[k] = simd::fmadd(mean, Row::load(c[i], k), sum[k]);
    }
    for (std::size_t k = 0; k < Row::vectors; ++k) Row::store(z, k, sum[k]);
  }

  /// Writes dc, adds to d_score; ds is scratch [2 heads n + 2 n].
  static void row_backward(const S* const* c, const S* weights, const S* da, const S* score, S* const* dc, S* d_score,
                           S* ds) {
    S* const d_weight = ds + mixture_size;
    V up[Row::vectors];
    for (std::size_t k = 0; k < Row::vectors; ++k) up[k] = Row::load(da, k);
    for (std::size_t i = 0; i < n; ++i) {
      V dot(S(0));
      const V mean(mean_weight(weights, i));
      for (std::size_t k = 0; k < Row::vectors; ++k) {
        dot = simd::fmadd(up[k], Row::load(c[i], k), dot);
        Row::store(dc[i], k, mean * up[k]);
      }
      d_weight[i] = math::reduce_add(dot) * (S(1) / S(heads));
    }
    for (std::size_t h = 0; h < heads; ++h) {
      const S* row = weights + h * n;
      S expected(0);
      for (std::size_t i = 0; i < n; ++i) expected += row[i] * d_weight[i];
      for (std::size_t i = 0; i < n; ++i) ds[h * n + i] = row[i] * (d_weight[i] - expected);
    }
    for (std::size_t m = 0; m < n; ++m) {
      V by_head[Row::vectors];
      Row::spread(ds + m, n, by_head);
      for (std::size_t i = context ? 0 : m; i < (context ? n : m + 1); ++i) {
        const S* w = score + (context ? m * n + i : m) * d;
        S* dw = d_score + (context ? m * n + i : m) * d;
        for (std::size_t k = 0; k < Row::vectors; ++k) {
          Row::store(dc[i], k, simd::fmadd(by_head[k], Row::load(w, k), Row::load(dc[i], k)));
          Row::store(dw, k, simd::fmadd(by_head[k], Row::load(c[i], k), Row::load(dw, k)));
        }
      }
    }
  }
};

template <class H, class T, class Sees, class Own, class Before, class Arch, class S>
CpuLinearIntegration<S, Arch, Integration<integrate::LinearOf<H, T, Sees>, Own, Before>> select_kernel(
    rank::Layer, Integration<integrate::LinearOf<H, T, Sees>, Own, Before>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0
