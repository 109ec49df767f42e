// Attention integration on the CPU.
//
// Per tile of positions: packed products give the query, and each earlier layer's key and value; then one pass over the
// rows takes scores, softmax and mixture. Bound by the products, 2 d (1 + 2 n) d operations a position for n earlier
// layers of width d. Kept for backward: queries, keys, values and weights.
#pragma once

#include <algorithm>

#include "../../integrate/attention.hpp"
#include "../host/body.hpp"
#include "../kernel.hpp"
#include "product.hpp"
#include "product_transposed.hpp"
#include "row.hpp"

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
  static constexpr std::size_t key = P::template key_width<Own>;
  static constexpr std::size_t queries = heads * key;
  static constexpr std::size_t values = heads * P::template value_width<Own>;
  static constexpr std::size_t first_value = P::template first_value<Before>;
  static constexpr std::size_t value_maps = P::template value_maps<Before>;
  static constexpr S share = P::averages ? S(1) / S(heads) : S(1);
  using KeyRow = cpu::Row<S, Arch, queries, heads>;
  using ValueRow = cpu::Row<S, Arch, values, heads>;
  using OwnRow = cpu::Row<S, Arch, d>;
  using V = typename KeyRow::V;

  /// Packed maps: query, key, values; each transposed for forward, then as it is for backward.
  static constexpr std::size_t maps = first_value + value_maps;
  static constexpr std::size_t outputs(std::size_t map) { return map < first_value ? queries : values; }
  static constexpr std::size_t inputs(std::size_t map) { return has_query && map == 0 ? d : di; }
  static constexpr auto offsets = [] {
    std::array<std::size_t, 2 * maps + 1> at{};
    for (std::size_t m = 0; m < maps; ++m) {
      at[2 * m + 1] = at[2 * m] + round_up(cpu::packed_size<S, Arch>(inputs(m), outputs(m)), alignment_elements);
      at[2 * m + 2] = at[2 * m + 1] + round_up(cpu::packed_size<S, Arch>(outputs(m), inputs(m)), alignment_elements);
    }
    return at;
  }();
  static constexpr std::size_t packed = offsets[2 * maps];
  static constexpr std::size_t value_map(std::size_t i) { return first_value + (P::tied ? 0 : i); }

  static void pack(Weights<S> w, S* to) {
    for (std::size_t m = 0; m < maps; ++m) {
      cpu::pack<S, Arch>(w[m], 1, inputs(m), inputs(m), outputs(m), to + offsets[2 * m]);
      cpu::pack<S, Arch>(w[m], inputs(m), 1, outputs(m), inputs(m), to + offsets[2 * m + 1]);
    }
  }

  /// Of rows: queries [rows, H K], keys [n][rows, H K], values [n][rows, H d_v], weights [rows, H, n].
  struct Buffers {
    S* query = nullptr;
    S* keys = nullptr;
    S* values_of = nullptr;
    S* weights = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t rows) {
      if constexpr (has_query) {
        query = arena.take(rows * queries);
        keys = arena.take(n * rows * queries);
      }
      values_of = arena.take(n * rows * values);
      weights = arena.take(rows * mixture_size);
    }
  };
  template <Capability C>
  struct Saved {
    Buffers all;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) all.bind(arena, samples * Own::positions);
    }
  };

  static constexpr std::size_t scratch(std::size_t, Capability) {
    Arena<S> arena;
    Buffers tile;
    tile.bind(arena, cpu::tile_rows);
    arena.take(cpu::tile_rows * (2 * queries + values));
    arena.take(2 * mixture_size + heads);
    return arena.used() + (3 * d + 2 * n * di + mixture_size) * simd::width<S, Arch>;  // the last for mixture()
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S* packed_weights, const S* own, const S* const* before, S* z,
                      Saved<C>& saved, S* scratch) {
    const std::size_t rows = pass.samples * Own::positions;
    Buffers tile_buffers;
    Arena<S> arena(scratch);
    tile_buffers.bind(arena, cpu::tile_rows);
    for (std::size_t first = 0; first < rows; first += cpu::tile_rows) {
      const std::size_t tile = std::min(cpu::tile_rows, rows - first);
      const Buffers& to = keeps_for_backward(C) ? saved.all : tile_buffers;
      const std::size_t at = keeps_for_backward(C) ? first : 0;
      const std::size_t stride = keeps_for_backward(C) ? rows : cpu::tile_rows;  // rows between two layers' buffers
      if constexpr (has_query) product(tile, 0, packed_weights, own + first * d, to.query + at * queries);
      for (std::size_t i = 0; i < n; ++i) {
        const S* h = before[i] + first * di;
        if constexpr (has_query) product(tile, 1, packed_weights, h, to.keys + (i * stride + at) * queries);
        product(tile, value_map(i), packed_weights, h, to.values_of + (i * stride + at) * values);
      }
      for (std::size_t r = 0; r < tile; ++r) {
        S* const weights = to.weights + (at + r) * mixture_size;
        if constexpr (has_query)
          weigh(to.query + (at + r) * queries, to.keys + (at + r) * queries, stride * queries, weights);
        else
          std::fill_n(weights, heads, S(1));
        mix(own + (first + r) * d, to.values_of + (at + r) * values, stride * values, weights, z + (first + r) * d);
      }
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S>, const S* packed_weights, const S* own, const S* const* before,
                       const S* dz, S* d_own, S* const* d_before, Gradients<S> g, Saved<C>& saved, S* scratch) {
    const std::size_t rows = pass.samples * Own::positions;
    Arena<S> arena(scratch);
    S* const dv = arena.take(cpu::tile_rows * values);
    S* const dk = arena.take(cpu::tile_rows * queries);
    S* const dq = arena.take(cpu::tile_rows * queries);
    S* const ds = arena.take(cpu::tile_rows * mixture_size);
    for (std::size_t first = 0; first < rows; first += cpu::tile_rows) {
      const std::size_t tile = std::min(cpu::tile_rows, rows - first);
      const auto row_of = [&](S* base, std::size_t i, std::size_t r, std::size_t width) {
        return base + (i * rows + first + r) * width;
      };
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t r = 0; r < tile; ++r)
          value_backward(dz + (first + r) * d, row_of(saved.all.values_of, i, r, values),
                         saved.all.weights + (first + r) * mixture_size, i, dv + r * values, ds + r * mixture_size);
        product_backward(tile, value_map(i), packed_weights, before[i] + first * di, dv, d_before[i] + first * di, g);
      }
      for (std::size_t r = 0; r < tile; ++r) {
        const std::size_t at = (first + r) * d;
        for (std::size_t k = 0; k < OwnRow::vectors; ++k)
          OwnRow::store(d_own + at, k, OwnRow::load(d_own + at, k) + OwnRow::load(dz + at, k));
      }
      if constexpr (has_query) {
        for (std::size_t r = 0; r < tile; ++r)
          score_gradient(saved.all.weights + (first + r) * mixture_size, ds + r * mixture_size);
        std::fill_n(dq, tile * queries, S(0));
        for (std::size_t i = 0; i < n; ++i) {
          for (std::size_t r = 0; r < tile; ++r)
            key_backward(row_of(saved.all.query, 0, r, queries), row_of(saved.all.keys, i, r, queries),
                         ds + r * mixture_size + i, dq + r * queries, dk + r * queries);
          product_backward(tile, 1, packed_weights, before[i] + first * di, dk, d_before[i] + first * di, g);
        }
        product_backward(tile, 0, packed_weights, own + first * d, dq, d_own + first * d, g);
      }
    }
  }

  /// weights [rows, heads, items]
  static void mixture(const Pass& pass, Weights<S> w, const S* own, const S* const* before, S* weights, S* scratch) {
    PolicyBodyKernel<Part, backend::CpuOn<Arch, S>>::mixture(pass, w, own, before, weights, scratch);
  }

 private:
  static void product(std::size_t rows, std::size_t map, const S* packed_weights, const S* x, S* y) {
    cpu::multiply_packed<S, Arch>(rows, inputs(map), outputs(map), x, inputs(map), 1, packed_weights + offsets[2 * map],
                                  nullptr, y, outputs(map), false);
  }
  static void product_backward(std::size_t rows, std::size_t map, const S* packed_weights, const S* x, const S* dy,
                               S* dx, Gradients<S> g) {
    cpu::multiply_packed<S, Arch>(rows, outputs(map), inputs(map), dy, outputs(map), 1,
                                  packed_weights + offsets[2 * map + 1], nullptr, dx, inputs(map), true);
    if (g)
      cpu::multiply_transposed_add<S, Arch>(rows, outputs(map), inputs(map), dy, outputs(map), x, inputs(map), g[map],
                                            inputs(map));
  }

  /// weights [H, n] of one position; key i is at keys + i stride.
  static void weigh(const S* query, const S* keys, std::size_t stride, S* weights) {
    const S scale = S(1) / math::sqrt(S(key));
    V q[KeyRow::vectors];
    for (std::size_t k = 0; k < KeyRow::vectors; ++k) q[k] = KeyRow::load(query, k) * V(scale);
    for (std::size_t i = 0; i < n; ++i) {
      V product_of[KeyRow::vectors];
      for (std::size_t k = 0; k < KeyRow::vectors; ++k) product_of[k] = q[k] * KeyRow::load(keys + i * stride, k);
      S head[heads];
      KeyRow::head_sums(product_of, head);
      for (std::size_t h = 0; h < heads; ++h) weights[h * n + i] = head[h];
    }
    for (std::size_t h = 0; h < heads; ++h) cpu::softmax_row<Arch>(weights + h * n, n);
  }

  /// z = own + sum of weights * values, heads side by side or averaged.
  static void mix(const S* own, const S* values_of, std::size_t stride, const S* weights, S* z) {
    V sum[ValueRow::vectors], weight[ValueRow::vectors];
    for (std::size_t k = 0; k < ValueRow::vectors; ++k) sum[k] = V(S(0));
    for (std::size_t i = 0; i < n; ++i) {
      ValueRow::spread(weights + i, n, weight);
      for (std::size_t k = 0; k < ValueRow::vectors; ++k)
        sum[k] = simd::fmadd(weight[k], ValueRow::load(values_of + i * stride, k), sum[k]);
    }
    if constexpr (!P::averages) {
      for (std::size_t k = 0; k < OwnRow::vectors; ++k) OwnRow::store(z, k, OwnRow::load(own, k) + sum[k]);
    } else {
      alignas(64) S flat[ValueRow::vectors * ValueRow::lanes];
      for (std::size_t k = 0; k < ValueRow::vectors; ++k) simd::store(flat + k * ValueRow::lanes, sum[k]);
      for (std::size_t f = 0; f < d; ++f) {
        S total(0);
        for (std::size_t h = 0; h < heads; ++h) total += flat[h * d + f];
        z[f] = own[f] + share * total;
      }
    }
  }

  /// The gradient that reaches the values of every head, before their weights.
  static void widened(const S* dz, V (&up)[ValueRow::vectors]) {
    if constexpr (!P::averages) {
      for (std::size_t k = 0; k < ValueRow::vectors; ++k) up[k] = ValueRow::load(dz, k);
    } else {
      alignas(64) S flat[ValueRow::vectors * ValueRow::lanes] = {};
      for (std::size_t f = 0; f < values; ++f) flat[f] = share * dz[f % d];
      for (std::size_t k = 0; k < ValueRow::vectors; ++k) up[k] = simd::load<S, Arch>(flat + k * ValueRow::lanes);
    }
  }

  /// dv = weight * up, and ds[h, i] = <up, v> of each head.
  static void value_backward(const S* dz, const S* v, const S* weights, std::size_t i, S* dv, S* ds) {
    V up[ValueRow::vectors], weight[ValueRow::vectors], along[ValueRow::vectors];
    widened(dz, up);
    ValueRow::spread(weights + i, n, weight);
    for (std::size_t k = 0; k < ValueRow::vectors; ++k) {
      along[k] = up[k] * ValueRow::load(v, k);
      ValueRow::store(dv, k, up[k] * weight[k]);
    }
    S head[heads];
    ValueRow::head_sums(along, head);
    for (std::size_t h = 0; h < heads; ++h) ds[h * n + i] = head[h];
  }

  /// From the gradient of the weights to that of the products <q, k_i>, in place.
  static void score_gradient(const S* weights, S* ds) {
    const S scale = S(1) / math::sqrt(S(key));
    for (std::size_t h = 0; h < heads; ++h) {
      S expected(0);
      for (std::size_t i = 0; i < n; ++i) expected += weights[h * n + i] * ds[h * n + i];
      for (std::size_t i = 0; i < n; ++i) ds[h * n + i] = scale * weights[h * n + i] * (ds[h * n + i] - expected);
    }
  }

  /// dq += ds k, dk = ds q; ds of head h is at ds[h n].
  static void key_backward(const S* q, const S* k_row, const S* ds, S* dq, S* dk) {
    V by_head[KeyRow::vectors];
    KeyRow::spread(ds, n, by_head);
    for (std::size_t k = 0; k < KeyRow::vectors; ++k) {
      KeyRow::store(dq, k, simd::fmadd(by_head[k], KeyRow::load(k_row, k), KeyRow::load(dq, k)));
      KeyRow::store(dk, k, by_head[k] * KeyRow::load(q, k));
    }
  }
};

template <class H, class K, class Vs, class Cb, class Own, class Before, class Arch, class S>
CpuAttentionIntegration<S, Arch, Integration<integrate::AttentionOf<H, K, Vs, Cb>, Own, Before>> select_kernel(
    rank::Layer, Integration<integrate::AttentionOf<H, K, Vs, Cb>, Own, Before>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0
