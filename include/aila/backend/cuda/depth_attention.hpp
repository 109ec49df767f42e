// Attention over the earlier maps of a stack on a GPU: what all layers of equal widths share, however many they look
// back on.
//
// All items have one key map, so <W_Q y, W_K h_i> = <u, h_i> with u = M y and M = W_K^T W_Q: no key is made. A block
// keeps M in shared memory and goes through tiles of rows. Tied values are the product of the mixture, W_V (sum of
// alpha_i h_i): then the rest are loads of the items, a row in the lanes of part of a warp, which come from the
// device's memory once. Values of their own are a product an item. One kernel forward; backward another, and one that
// sums what the blocks have of the gradients, in their order, and takes dM apart: dW_Q = W_K dM, dW_K = W_Q dM^T. Kept
// for backward: u, alpha and M. Bound by memory with tied values, 2 + n maps forward and 4 + 3 n back, and by
// multiply-adds with others.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../core/math.hpp"
#include "../../core/shape.hpp"
#include "../../integrate/attention.hpp"
#include "depth.hpp"

namespace aila::inline v0 {

namespace cuda::depth {

/// Sizes of policy P over maps of `Before` features from one of `Own` features. Asks is false over one map: there is no
/// query then.
template <class P, std::size_t Own, std::size_t Before, bool Asks>
struct AttentionSizes {
  static constexpr bool asks = Asks, averages = P::averages;
  static constexpr int d = static_cast<int>(Own), di = static_cast<int>(Before);
  static constexpr int heads = static_cast<int>(P::head_count);
  static constexpr int key = static_cast<int>(P::template key_width<Vector<Own>>);
  static constexpr int value_width = static_cast<int>(P::template value_width<Vector<Own>>);
  static constexpr float scale = 1.0F / math::sqrt(static_cast<float>(key));
  static constexpr float share = averages ? 1.0F / static_cast<float>(heads) : 1.0F;
  /// Whether items are mixed and then multiplied: one value map for all of them, or one of them.
  static constexpr bool mixes_first = P::tied || !Asks;
  /// Rows of a value map that are multiplied by one mixture, and how many times there are so many.
  static constexpr int blocks = averages || asks ? heads : 1, block_width = averages || !asks ? d : value_width;
  /// Of a value map of an item of its own: times d rows.
  static constexpr int parts = averages ? heads : 1;
  static constexpr int first_value = Asks ? 2 : 0;
  static constexpr int u_width = heads * di;

  static constexpr int own_rows = tile::parts_of(d) * 16, item_rows = tile::parts_of(di) * 16,
                       block_rows = tile::parts_of(block_width) * 16;  ///< of matrices, rounded up
  static constexpr int own_stride = tile::stride(d), item_stride = tile::stride(di);

  // In shared memory; rows are there that no head has, but the last one's vectors.
  static constexpr int matrix_floats = asks ? ((heads - 1) * di + item_rows) * own_stride : 0;
  static constexpr int value_floats = (mixes_first ? (blocks - 1) * block_width + block_rows : own_rows) * item_stride;
  static constexpr int mixtures = asks ? heads : 1;
  /// Rows of W_Q and W_K that M is made of at once: in the place of M, and of values.
  static constexpr int matrix_room =
      std::min(std::min(item_rows, value_floats / item_stride / 16 * 16), tile::parts_of(key) * 16);

  /// Of items of values of their own, and these, one or two, the next ones on their way meanwhile.
  struct Ahead {
    int value, own, item, weight, counts, size;
    constexpr Ahead(int rows, int n, int buffers)
        : value(matrix_floats),
          own(value + buffers * value_floats),
          item(own + rows * own_stride),
          weight(item + (mixtures > buffers ? mixtures : buffers) * rows * item_stride),
          counts(weight + rows * (mixes_first ? 1 : heads) * n),
          size(counts + rows) {}
  };
  /// `slope` is that of the mixtures, of u later on, and before that of weighed rows; `item` the mixtures, or items.
  /// Dots are sums of the columns of each of 8 / (rows / 16) groups of warps.
  struct Back {
    int value, up, own, slope, item, weight, dots, counts, size;
    constexpr Back(int rows, int n, int buffers)
        : value(matrix_floats),
          up(value + buffers * value_floats),
          own(up + rows * own_stride),
          slope(own + (asks ? rows * own_stride : 0)),
          item(slope + std::max(asks ? heads * rows * item_stride : 0, mixes_first ? 0 : rows * own_stride)),
          weight(item + (mixes_first ? mixtures : buffers) * rows * item_stride),
          dots(weight + rows * (mixes_first ? 1 : heads) * n),
          counts(dots + (mixes_first ? 0 : 128 * heads * n)),
          size(counts + rows) {}
  };
  static constexpr int ahead_buffers(int rows) {
    return !mixes_first && bytes_of(Ahead(rows, 8, 2)) <= bytes_of_two ? 2 : 1;
  }
  static constexpr int back_buffers(int rows) {
    return !mixes_first && bytes_of(Back(rows, 8, 2)) <= bytes_of_two ? 2 : 1;
  }
  static constexpr std::size_t ahead_bytes(int rows, int n) { return bytes_of(Ahead(rows, n, ahead_buffers(rows))); }
  static constexpr std::size_t back_bytes(int rows, int n) { return bytes_of(Back(rows, n, back_buffers(rows))); }
  static constexpr int ahead_rows = large_tile(ahead_bytes), back_rows = large_tile(back_bytes);

  // What a block sums of gradients: of values, then of M, matrices of whole vectors of threads.
  static constexpr int value_sum = (mixes_first ? block_rows : own_rows) * item_rows, matrix_sum = item_rows * own_rows;
  static constexpr int value_sums(int n) { return mixes_first ? blocks : n * parts; }
  static constexpr std::size_t sums(int n) {
    return static_cast<std::size_t>(value_sums(n)) * value_sum +
           (asks ? static_cast<std::size_t>(heads) * matrix_sum : 0);
  }
  /// Rows of a matrix of values, and the first of them in a tensor.
  static constexpr int value_sum_rows = mixes_first ? block_width : d;

  static constexpr bool fits(std::size_t n) {
    return fits_width(Own) && fits_width(Before) && value_width % 4 == 0 && heads <= 8 && n >= 1 && n <= most_items &&
           ahead_bytes(16, static_cast<int>(n)) <= most_bytes && back_bytes(16, static_cast<int>(n)) <= most_bytes;
  }
};

/// What a forward keeps.
struct AttentionKept {
  float* u = nullptr;        ///< [rows, heads, di]
  float* weights = nullptr;  ///< [rows, heads, n]
  float* matrix = nullptr;   ///< [heads di, d]: M / sqrt(key)
};

#ifdef __CUDACC__

/// M / sqrt(key) of all heads into shared memory; what is at `space` is lost.
template <class Z>
__device__ void make_matrix(const float* query, const float* key, float* space, float* matrix) {
  constexpr int room = Z::matrix_room;
#pragma unroll 1
  for (int h = 0; h < Z::heads; ++h) {
    float* const of_head = matrix + h * Z::di * Z::own_stride;
    tile::Product<Z::di, Z::d> sum;
    sum.clear();
#pragma unroll 1
    for (int k = 0; k < Z::key; k += room) {
      const auto first = static_cast<std::size_t>(h * Z::key + k);
      const auto counts = [&](int r) { return k + r < Z::key; };
      __syncthreads();
      tile::ask_for_rows<Z::d>(query, first, room, counts, of_head);
      tile::ask_for_rows<Z::di>(key, first, room, counts, space);
      tile::copies_done();
      __syncthreads();
      sum.template multiply_transposed<room, Z::item_stride, Z::own_stride>(space, of_head);
    }
    __syncthreads();
    sum.scale(Z::scale);
    sum.for_each([&](int j, int half, int r, int c) {
      tile::store_two(of_head + r * Z::own_stride + c, sum.of[j][2 * half], sum.of[j][2 * half + 1]);
    });
  }
  __syncthreads();
}

/// Four items of a row, zeros for what is not there.
template <class Lanes>
__device__ void load_items(const Addresses<const float>& maps, int n, int first, std::size_t at, bool counts,
                           const Lanes& lanes, float4 (&x)[4]) {
#pragma unroll
  for (int c = 0; c < 4; ++c)
    x[c] = first + c < n && counts && lanes.has ? tile::load_four(maps.of[first + c] + at) : zero_four();
}

/// Softmax over the scores of a row and head, mixture in place of u, and where anybody wants them the weights.
/// `scores` has room for n numbers of each row.
template <class Z, int R>
__device__ void mix_rows(const tile::Rows& rows, std::size_t first, int n, const Addresses<const float>& maps,
                         const int* counts, float* u, float* scores, float* weights) {
  const RowLanes<Z::di> lanes;
  for (int r = lanes.slot; r < R; r += lanes.slots) {
    const bool here = counts[r] != 0;
    const std::size_t row = first + static_cast<std::size_t>(r), at = row * Z::di + lanes.feature;
#pragma unroll 1
    for (int h = 0; h < Z::heads; ++h) {
      float* const of_head = u + (h * R + r) * Z::item_stride + lanes.feature;
      const float4 asked = lanes.has ? tile::load_four(of_head) : zero_four();
      float most = 0, sum = 0;
      float4 mixture = zero_four();
      for (int i = 0; i < n; i += 4) {
        float4 x[4];
        load_items(maps, n, i, at, here, lanes, x);
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          if (i + c >= n) continue;
          const float score = lanes.sum(tile::dot(asked, x[c]));
          if (weights != nullptr && lanes.lane == 0) scores[r * n + i + c] = score;
          const float top = i + c == 0 ? score : fmaxf(most, score);
          const float old = i + c == 0 ? 0.0F : expf(most - top), weight = expf(score - top);
          mixture = tile::add_times(tile::times(old, mixture), weight, x[c]);
          sum = fmaf(sum, old, weight);
          most = top;
        }
      }
      const float inverse = 1 / sum;
      if (lanes.has) tile::store_four(of_head, tile::times(inverse, mixture));
      if (weights == nullptr) continue;
      __syncwarp();
      if (row < rows.count)
        for (int i = lanes.lane; i < n; i += lanes.lanes)
          weights[(row * Z::heads + h) * n + i] = here ? expf(scores[r * n + i] - most) * inverse : 0.0F;
      __syncwarp();
    }
  }
}

/// scores [R, heads, n] of a tile.
template <class Z, int R>
__device__ void score_rows(std::size_t first, int n, const Addresses<const float>& maps, const int* counts,
                           const float* u, float* scores) {
  const RowLanes<Z::di> lanes;
  for (int r = lanes.slot; r < R; r += lanes.slots) {
    const std::size_t at = (first + static_cast<std::size_t>(r)) * Z::di + lanes.feature;
    for (int i = 0; i < n; i += 4) {
      float4 x[4];
      load_items(maps, n, i, at, counts[r] != 0, lanes, x);
#pragma unroll 1
      for (int h = 0; h < Z::heads; ++h) {
        const float4 asked =
            lanes.has ? tile::load_four(u + (h * R + r) * Z::item_stride + lanes.feature) : zero_four();
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          if (i + c >= n) continue;
          const float score = lanes.sum(tile::dot(asked, x[c]));
          if (lanes.lane == 0) scores[(r * Z::heads + h) * n + i + c] = score;
        }
      }
    }
  }
}

/// scores [R, heads, n] of a tile become weights, in place and where anybody wants them.
template <int R>
__device__ void soften_scores(const tile::Rows& rows, std::size_t first, int heads, int n, const int* counts,
                              float* scores, float* weights) {
  for (int e = static_cast<int>(threadIdx.x); e < R * heads; e += tile::threads) {
    float* const of = scores + e * n;
    float most = of[0], sum = 0;
    for (int i = 1; i < n; ++i) most = fmaxf(most, of[i]);
    for (int i = 0; i < n; ++i) sum += of[i] = expf(of[i] - most);
    const float inverse = 1 / sum;
    const std::size_t row = first + static_cast<std::size_t>(e / heads);
    const bool here = counts[e / heads] != 0;
    for (int i = 0; i < n; ++i) {
      const float weight = here ? of[i] * inverse : 0.0F;
      of[i] = weight;
      if (weights != nullptr && row < rows.count) weights[(row * heads + e % heads) * n + i] = weight;
    }
  }
}

/// z = own + a; no z: nobody wants it, as tools that want weights alone.
template <class Z, int R>
__global__ void __launch_bounds__(tile::threads, blocks_at_once(Z::ahead_bytes(R, 8)))
    attention_forward(tile::Rows rows, int n, const __grid_constant__ Addresses<const float> maps, const float* query,
                      const float* key, const __grid_constant__ Addresses<const float> values, const float* own,
                      float* z, AttentionKept kept) {
  constexpr int buffers = Z::ahead_buffers(R);
  const typename Z::Ahead layout(R, n, buffers);
  float* const memory = tile::shared_memory();
  float *const matrix = memory, *const value = memory + layout.value, *const own_rows = memory + layout.own;
  float *const item = memory + layout.item, *const weight = memory + layout.weight;
  int* const counts = reinterpret_cast<int*>(memory + layout.counts);
  const auto counts_at = [&](int r) { return counts[r] != 0; };
  if constexpr (Z::asks) {
    make_matrix<Z>(query, key, value, matrix);
    if (kept.matrix != nullptr && blockIdx.x == 0)
      for (int e = static_cast<int>(threadIdx.x); e < Z::heads * Z::di * Z::d; e += tile::threads)
        kept.matrix[e] = matrix[e / Z::d * Z::own_stride + e % Z::d];
  }
  if constexpr (Z::mixes_first) tile::ask_for_matrix<Z::di>(values.of[0], 0, Z::blocks * Z::block_width, value);

  const std::size_t tiles = divide_up(rows.count, R);
  for (std::size_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const std::size_t first = t * R;
    __syncthreads();  // all are done with the last tile
    if (threadIdx.x < R) counts[threadIdx.x] = rows.counts(first + threadIdx.x) ? 1 : 0;
    __syncthreads();
    tile::ask_for_rows<Z::d>(own, first, R, counts_at, own_rows);
    if constexpr (!Z::asks) tile::ask_for_rows<Z::di>(maps.of[0], first, R, counts_at, item);
    tile::copies_done();
    __syncthreads();

    if constexpr (Z::asks) {
#pragma unroll 1
      for (int head = 0; head < Z::heads; ++head) {
        tile::Product<R, Z::di> u;
        u.clear();
        u.template multiply<Z::d, Z::own_stride, Z::own_stride>(own_rows, matrix + head * Z::di * Z::own_stride);
        u.for_each([&](int j, int h, int r, int f) {
          const float x = u.of[j][2 * h], y = u.of[j][2 * h + 1];
          tile::store_two(item + (head * R + r) * Z::item_stride + f, x, y);
          const std::size_t row = first + static_cast<std::size_t>(r);
          if (kept.u != nullptr && row < rows.count)
            tile::store_two(kept.u + row * Z::u_width + head * Z::di + f, x, y);
        });
      }
      __syncthreads();
      if constexpr (Z::mixes_first) {
        mix_rows<Z, R>(rows, first, n, maps, counts, item, weight, kept.weights);
      } else {
        score_rows<Z, R>(first, n, maps, counts, item, weight);
        __syncthreads();
        soften_scores<R>(rows, first, Z::heads, n, counts, weight, kept.weights);
      }
      __syncthreads();
    }
    if (z == nullptr) continue;

    const auto store = [&](int r, int f, float x, float y) {
      const std::size_t row = first + static_cast<std::size_t>(r);
      if (row >= rows.count) return;
      const float2 y_j = tile::load_two(own_rows + r * Z::own_stride + f);
      const bool here = counts[r] != 0;
      tile::store_two(z + row * Z::d + f, here ? y_j.x + x : 0.0F, here ? y_j.y + y : 0.0F);
    };
    if constexpr (Z::mixes_first) {
      tile::Product<R, Z::block_width> sum;
#pragma unroll 1
      for (int m = 0; m < Z::blocks; ++m) {
        if (m == 0 || !Z::averages) sum.clear();
        sum.template multiply<Z::di, Z::item_stride, Z::item_stride>(item + (Z::asks ? m * R * Z::item_stride : 0),
                                                                     value + m * Z::block_width * Z::item_stride);
        if (Z::averages && m + 1 < Z::blocks) continue;
        const int from = Z::averages ? 0 : m * Z::block_width;
        sum.for_each([&](int j, int h, int r, int f) {
          store(r, from + f, Z::share * sum.of[j][2 * h], Z::share * sum.of[j][2 * h + 1]);
        });
      }
    } else {
      // Item after item, and of each the parts of its value map; u is done with.
      tile::Product<R, Z::d> sum;
      sum.clear();
      const auto ask = [&](int one) {
        const int i = one / Z::parts, p = one % Z::parts;
        if (p == 0) tile::ask_for_rows<Z::di>(maps.of[i], first, R, counts_at, item + i % buffers * R * Z::item_stride);
        tile::ask_for_matrix<Z::di>(values.of[i], static_cast<std::size_t>(p * Z::d), Z::d,
                                    value + one % buffers * Z::value_floats);
      };
      ask(0);
#pragma unroll 1
      for (int one = 0; one < n * Z::parts; ++one) {
        const int i = one / Z::parts, p = one % Z::parts;
        tile::copies_done();
        __syncthreads();
        if (buffers == 2 && one + 1 < n * Z::parts) ask(one + 1);
        tile::Product<R, Z::d> v;
        v.clear();
        v.template multiply<Z::di, Z::item_stride, Z::item_stride>(item + i % buffers * R * Z::item_stride,
                                                                   value + one % buffers * Z::value_floats);
        v.for_each([&](int j, int h, int r, int f) {  // two columns are of one head
          const float alpha = weight[(r * Z::heads + (Z::averages ? p : f / Z::value_width)) * n + i];
          sum.of[j][2 * h] = fmaf(alpha, v.of[j][2 * h], sum.of[j][2 * h]);
          sum.of[j][2 * h + 1] = fmaf(alpha, v.of[j][2 * h + 1], sum.of[j][2 * h + 1]);
        });
        if (buffers == 2) continue;
        __syncthreads();
        if (one + 1 < n * Z::parts) ask(one + 1);
      }
      sum.for_each([&](int j, int h, int r, int f) {
        store(r, f, Z::share * sum.of[j][2 * h], Z::share * sum.of[j][2 * h + 1]);
      });
    }
  }
}

/// Of tied values: with the slopes d of the mixtures in `slope`, dh_i += alpha_i d + ds_i u; the mixtures to `mixed`,
/// and du = sum of ds_i h_i in the place of d. `dots` has room for n numbers of each row.
template <class Z, int R>
__device__ void unmix_rows(std::size_t first, int n, const Addresses<const float>& maps, const Addresses<float>& d_maps,
                           const int* counts, const AttentionKept& kept, float* slope, float* mixed, float* dots) {
  const RowLanes<Z::di> lanes;
  for (int r = lanes.slot; r < R; r += lanes.slots) {
    const bool here = counts[r] != 0;
    const std::size_t row = first + static_cast<std::size_t>(r), at = row * Z::di + lanes.feature;
#pragma unroll 1
    for (int h = 0; h < Z::heads; ++h) {
      const int of_head = (h * R + r) * Z::item_stride + lanes.feature;
      const float* const weight = kept.weights + (here ? (row * Z::heads + h) * n : 0);
      const float4 up = lanes.has ? tile::load_four(slope + of_head) : zero_four();
      const float4 asked =
          lanes.has && here ? tile::load_four(kept.u + row * Z::u_width + h * Z::di + lanes.feature) : zero_four();
      float4 mixture = zero_four(), du = zero_four();
      float expected = 0;
      for (int i = 0; i < n; i += 4) {
        float4 x[4];
        load_items(maps, n, i, at, here, lanes, x);
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          if (i + c >= n) continue;
          const float dot = lanes.sum(tile::dot(up, x[c])), alpha = here ? weight[i + c] : 0.0F;
          expected = fmaf(alpha, dot, expected);
          mixture = tile::add_times(mixture, alpha, x[c]);
          if (lanes.lane == 0) dots[r * n + i + c] = dot;
        }
      }
      __syncwarp();
      for (int i = 0; i < n; i += 4) {
        float4 x[4], g[4];
        load_items(maps, n, i, at, here, lanes, x);
#pragma unroll
        for (int c = 0; c < 4; ++c)
          g[c] = i + c < n && here && lanes.has && d_maps.of[i + c] != nullptr ? tile::load_four(d_maps.of[i + c] + at)
                                                                               : zero_four();
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          if (i + c >= n) continue;
          const float alpha = here ? weight[i + c] : 0.0F, ds = alpha * (dots[r * n + i + c] - expected);
          du = tile::add_times(du, ds, x[c]);
          if (here && lanes.has && d_maps.of[i + c] != nullptr)
            tile::store_four(d_maps.of[i + c] + at, tile::add_times(tile::add_times(g[c], alpha, up), ds, asked));
        }
      }
      __syncwarp();  // dots are the next head's
      if (!lanes.has) continue;
      tile::store_four(slope + of_head, du);
      tile::store_four(mixed + of_head, mixture);
    }
  }
}

/// Of values of their own: ds [R, heads, n] is known, dh_i += ds_i u, du = sum of ds_i h_i to `slope`.
template <class Z, int R>
__device__ void slopes_of_queries(std::size_t first, int n, const Addresses<const float>& maps,
                                  const Addresses<float>& d_maps, const int* counts, const AttentionKept& kept,
                                  const float* ds, float* slope) {
  const RowLanes<Z::di> lanes;
  for (int r = lanes.slot; r < R; r += lanes.slots) {
    const bool here = counts[r] != 0;
    const std::size_t row = first + static_cast<std::size_t>(r), at = row * Z::di + lanes.feature;
#pragma unroll 1
    for (int h = 0; h < Z::heads; ++h) {
      const float* const of_row = ds + (r * Z::heads + h) * n;
      const float4 asked =
          lanes.has && here ? tile::load_four(kept.u + row * Z::u_width + h * Z::di + lanes.feature) : zero_four();
      float4 du = zero_four();
      for (int i = 0; i < n; i += 4) {
        float4 x[4], g[4];
        load_items(maps, n, i, at, here, lanes, x);
#pragma unroll
        for (int c = 0; c < 4; ++c)
          g[c] = i + c < n && here && lanes.has && d_maps.of[i + c] != nullptr ? tile::load_four(d_maps.of[i + c] + at)
                                                                               : zero_four();
#pragma unroll
        for (int c = 0; c < 4; ++c) {
          if (i + c >= n) continue;
          du = tile::add_times(du, of_row[i + c], x[c]);
          if (here && lanes.has && d_maps.of[i + c] != nullptr)
            tile::store_four(d_maps.of[i + c] + at, tile::add_times(g[c], of_row[i + c], asked));
        }
      }
      if (lanes.has) tile::store_four(slope + (h * R + r) * Z::item_stride + lanes.feature, du);
    }
  }
}

/// dh += sum of rows that count.
template <class Z, int R>
__device__ void add_to_item(const tile::Product<R, Z::di>& sum, std::size_t first, const int* counts, float* dh) {
  if (dh == nullptr) return;
  sum.for_each([&](int j, int h, int r, int f) {
    if (counts[r] == 0) return;
    float* const to = dh + (first + static_cast<std::size_t>(r)) * Z::di + f;
    const float2 old = tile::load_two(to);
    tile::store_two(to, old.x + sum.of[j][2 * h], old.y + sum.of[j][2 * h + 1]);
  });
}

/// Adds to d_own and d_maps, and to this block's sums of the gradients of the parameters; no sums: nobody asks.
template <class Z, int R>
__global__ void __launch_bounds__(tile::threads, blocks_at_once(Z::back_bytes(R, 8)))
    attention_backward(tile::Rows rows, int n, const __grid_constant__ Addresses<const float> maps,
                       const __grid_constant__ Addresses<const float> values, const float* own, const float* dz,
                       float* d_own, const __grid_constant__ Addresses<float> d_maps, AttentionKept kept, float* sums) {
  constexpr int buffers = Z::back_buffers(R);
  const typename Z::Back layout(R, n, buffers);
  float* const memory = tile::shared_memory();
  float *const matrix = memory, *const value = memory + layout.value, *const up = memory + layout.up;
  float *const own_rows = memory + layout.own, *const slope = memory + layout.slope, *const item = memory + layout.item;
  float *const weight = memory + layout.weight, *const dots = memory + layout.dots;
  int* const counts = reinterpret_cast<int*>(memory + layout.counts);
  const auto counts_at = [&](int r) { return counts[r] != 0; };
  const bool asked = sums != nullptr;
  if (asked) sums += blockIdx.x * Z::sums(n);
  constexpr bool value_in_registers = Z::mixes_first && Z::blocks * Z::value_sum <= 4096;
  constexpr bool matrix_in_registers = Z::asks && Z::heads * Z::matrix_sum <= 4096;
  tile::Sums<value_in_registers ? Z::blocks : 1, Z::value_sum_rows, Z::di, value_in_registers> value_sums(sums);
  tile::Sums<matrix_in_registers ? Z::heads : 1, Z::di, Z::d, matrix_in_registers> matrix_sums(
      asked ? sums + static_cast<std::size_t>(Z::value_sums(n)) * Z::value_sum : nullptr);

  if constexpr (Z::asks) tile::ask_for_matrix<Z::d>(kept.matrix, 0, Z::heads * Z::di, matrix);
  if constexpr (Z::mixes_first) tile::ask_for_matrix<Z::di>(values.of[0], 0, Z::blocks * Z::block_width, value);

  const std::size_t tiles = divide_up(rows.count, R);
  for (std::size_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const std::size_t first = t * R;
    const bool is_first = t == blockIdx.x;
    __syncthreads();  // all are done with the last tile
    if (threadIdx.x < R) counts[threadIdx.x] = rows.counts(first + threadIdx.x) ? 1 : 0;
    __syncthreads();
    tile::ask_for_rows<Z::d>(dz, first, R, counts_at, up);
    if constexpr (Z::asks) {
      if (asked) tile::ask_for_rows<Z::d>(own, first, R, counts_at, own_rows);
      if constexpr (!Z::mixes_first)
        for (int e = static_cast<int>(threadIdx.x); e < R * Z::heads * n; e += tile::threads)
          weight[e] = counts[e / (Z::heads * n)] != 0 ? kept.weights[first * (Z::heads * n) + e] : 0.0F;
    } else {
      if (asked) tile::ask_for_rows<Z::di>(maps.of[0], first, R, counts_at, item);
    }
    tile::copies_done();
    __syncthreads();

    if constexpr (Z::mixes_first) {
      tile::Product<R, Z::di> sum;
#pragma unroll 1
      for (int m = 0; m < Z::blocks; ++m) {
        if (Z::asks || m == 0) sum.clear();
        sum.template multiply_by_rows<Z::block_width, Z::own_stride, Z::item_stride>(
            up + (Z::averages ? 0 : m * Z::block_width), value + m * Z::block_width * Z::item_stride);
        if constexpr (Z::asks) {
          sum.for_each([&](int j, int h, int r, int f) {
            tile::store_two(slope + (m * R + r) * Z::item_stride + f, Z::share * sum.of[j][2 * h],
                            Z::share * sum.of[j][2 * h + 1]);
          });
        }
      }
      if constexpr (!Z::asks) {
        sum.scale(Z::share);
        add_to_item<Z, R>(sum, first, counts, d_maps.of[0]);
      } else {
        __syncthreads();
        unmix_rows<Z, R>(first, n, maps, d_maps, counts, kept, slope, item, weight);
        __syncthreads();
      }
      if (asked) {
#pragma unroll
        for (int m = 0; m < Z::blocks; ++m)
          value_sums.add(m, is_first, [&](auto& of) {
            of.template multiply_transposed<R, Z::own_stride, Z::item_stride>(
                up + (Z::averages ? 0 : m * Z::block_width), item + (Z::asks ? m * R * Z::item_stride : 0));
          });
      }
    } else {
      const auto ask = [&](int one) {
        const int i = one / Z::parts, p = one % Z::parts;
        if (p == 0) tile::ask_for_rows<Z::di>(maps.of[i], first, R, counts_at, item + i % buffers * R * Z::item_stride);
        tile::ask_for_matrix<Z::di>(values.of[i], static_cast<std::size_t>(p * Z::d), Z::d,
                                    value + one % buffers * Z::value_floats);
      };
      ask(0);
      tile::Product<R, Z::di> sum;
#pragma unroll 1
      for (int one = 0; one < n * Z::parts; ++one) {
        const int i = one / Z::parts, p = one % Z::parts;
        const float* const of_item = item + i % buffers * R * Z::item_stride;
        const float* const of_value = value + one % buffers * Z::value_floats;
        if (asked)
          for (int e = static_cast<int>(threadIdx.x); e < R * (Z::d / 4); e += tile::threads) {
            const int r = e / (Z::d / 4), f = 4 * (e % (Z::d / 4));
            const int head = Z::averages ? p : f / Z::value_width;
            tile::store_four(slope + r * Z::own_stride + f,
                             tile::times(Z::share * weight[(r * Z::heads + head) * n + i],
                                         tile::load_four(up + r * Z::own_stride + f)));
          }
        tile::copies_done();
        __syncthreads();
        if (buffers == 2 && one + 1 < n * Z::parts) ask(one + 1);
        if (p == 0) sum.clear();
#pragma unroll 1
        for (int m = Z::averages ? p : 0; m < (Z::averages ? p + 1 : Z::heads); ++m) {
          const int from = Z::averages ? 0 : m * Z::value_width;
          tile::Product<R, Z::di> e;
          e.clear();
          e.template multiply_by_rows<Z::value_width, Z::own_stride, Z::item_stride>(up + from,
                                                                                     of_value + from * Z::item_stride);
          float dot[2] = {0, 0};
          e.for_each([&](int j, int h, int r, int f) {
            const float2 x = tile::load_two(of_item + r * Z::item_stride + f);
            const float alpha = Z::share * weight[(r * Z::heads + m) * n + i];
            dot[h] = fmaf(e.of[j][2 * h], x.x, fmaf(e.of[j][2 * h + 1], x.y, dot[h]));
            sum.of[j][2 * h] = fmaf(alpha, e.of[j][2 * h], sum.of[j][2 * h]);
            sum.of[j][2 * h + 1] = fmaf(alpha, e.of[j][2 * h + 1], sum.of[j][2 * h + 1]);
          });
#pragma unroll
          for (int h = 0; h < 2; ++h) {
            dot[h] = e.sum_of_row(dot[h]);
            if (threadIdx.x % 4 == 0)
              dots[((e.column_group() * R + e.row(h)) * Z::heads + m) * n + i] = Z::share * dot[h];
          }
        }
        if (asked)
          value_sums.add(one, is_first, [&](auto& of) {
            of.template multiply_transposed<R, Z::own_stride, Z::item_stride>(slope, of_item);
          });
        if (p + 1 == Z::parts) add_to_item<Z, R>(sum, first, counts, d_maps.of[i]);
        __syncthreads();  // all are done with the item, its values and weighed slopes
        if (buffers == 1 && one + 1 < n * Z::parts) ask(one + 1);
      }
      __syncthreads();
      for (int e = static_cast<int>(threadIdx.x); e < R * Z::heads; e += tile::threads) {
        float *const alpha = weight + e * n, *const dot = dots + e * n;
        float expected = 0;
        for (int i = 0; i < n; ++i) {
          for (int g = 1; g < tile::Product<R, Z::di>::column_groups; ++g) dot[i] += dot[g * R * Z::heads * n + i];
          expected = fmaf(alpha[i], dot[i], expected);
        }
        for (int i = 0; i < n; ++i) alpha[i] *= dot[i] - expected;
      }
      __syncthreads();
      slopes_of_queries<Z, R>(first, n, maps, d_maps, counts, kept, weight, slope);
      __syncthreads();
    }

    // What own gets: dz, and du M.
    const bool is_over = d_own == dz;
    if (d_own != nullptr && (Z::asks || !is_over || rows.lengths != nullptr)) {
      tile::Product<R, Z::d> sum;
      sum.clear();
      if constexpr (Z::asks)
#pragma unroll 1
        for (int h = 0; h < Z::heads; ++h)
          sum.template multiply_by_rows<Z::di, Z::item_stride, Z::own_stride>(slope + h * R * Z::item_stride,
                                                                              matrix + h * Z::di * Z::own_stride);
      sum.for_each([&](int j, int h, int r, int f) {
        const std::size_t row = first + static_cast<std::size_t>(r);
        const bool here = counts[r] != 0;
        if (row >= rows.count || (!here && !is_over)) return;
        float* const to = d_own + row * Z::d + f;
        const float2 x = tile::load_two(up + r * Z::own_stride + f);
        const float2 old = is_over ? make_float2(0, 0) : tile::load_two(to);
        tile::store_two(to, here ? old.x + (x.x + sum.of[j][2 * h]) : 0.0F,
                        here ? old.y + (x.y + sum.of[j][2 * h + 1]) : 0.0F);
      });
    }
    if constexpr (Z::asks)
      if (asked) {
#pragma unroll
        for (int h = 0; h < Z::heads; ++h)
          matrix_sums.add(h, is_first, [&](auto& of) {
            of.template multiply_transposed<R, Z::item_stride, Z::own_stride>(slope + h * R * Z::item_stride, own_rows);
          });
      }
  }
  if (!asked) return;
  value_sums.finish();
  if constexpr (Z::asks) matrix_sums.finish();
}

/// Adds what `blocks` blocks have summed to the gradients. Blocks are, for each matrix of values, four of its rows; for
/// each head, four columns of dM, then four rows of it.
template <class Z>
__global__ void __launch_bounds__(tile::threads)
    attention_gradients(int n, std::size_t blocks, const float* sums, const float* query, const float* key,
                        float* d_query, float* d_key, const __grid_constant__ Addresses<float> d_values) {
  float4* const space = reinterpret_cast<float4*>(tile::shared_memory());
  float4* const sum = space + tile::threads;
  constexpr int value_groups = Z::value_sum_rows / 4, item_vectors = Z::di / 4, own_vectors = Z::d / 4;
  int unit = static_cast<int>(blockIdx.x);
  const std::size_t between = Z::sums(n);
  const int thread = static_cast<int>(threadIdx.x);
  if (unit < Z::value_sums(n) * value_groups) {
    const int which = unit / value_groups, first = unit % value_groups * 4;
    const float* const from = sums + static_cast<std::size_t>(which) * Z::value_sum + first * (Z::item_rows);
    tile::sum_blocks(
        4 * item_vectors, blocks, between,
        [&](int v) { return from + v / item_vectors * (Z::item_rows) + v % item_vectors * 4; }, space, sum);
    const int item = Z::mixes_first ? 0 : which / Z::parts, part = Z::mixes_first ? which : which % Z::parts;
    if (thread < 4 * item_vectors) {
      float* const to = d_values.of[item] +
                        static_cast<std::size_t>(part * Z::value_sum_rows + first + thread / item_vectors) * Z::di +
                        thread % item_vectors * 4;
      tile::store_four(to, tile::add_times(tile::load_four(to), Z::mixes_first ? Z::share : 1.0F, sum[thread]));
    }
    return;
  }
  if constexpr (Z::asks) {
    unit -= Z::value_sums(n) * value_groups;
    const int h = unit / (own_vectors + item_vectors);
    unit %= own_vectors + item_vectors;
    const float* const from =
        sums + static_cast<std::size_t>(Z::value_sums(n)) * Z::value_sum + static_cast<std::size_t>(h) * Z::matrix_sum;
    const int share = thread % 4;
    if (unit < own_vectors) {  // dW_Q[k][o] = sum over b of W_K[k][b] dM[b][o], for four o
      tile::sum_blocks(Z::di, blocks, between, [&](int v) { return from + v * (Z::own_rows) + 4 * unit; }, space, sum);
      for (int k = thread / 4; k < (Z::key + 63) / 64 * 64; k += tile::threads / 4) {
        float4 d = zero_four();
        if (k < Z::key)
          for (int b = 4 * share; b < Z::di; b += 16) {
            const float4 x = tile::load_four(key + static_cast<std::size_t>(h * Z::key + k) * Z::di + b);
            d = tile::add_times(
                tile::add_times(tile::add_times(tile::add_times(d, x.x, sum[b]), x.y, sum[b + 1]), x.z, sum[b + 2]),
                x.w, sum[b + 3]);
          }
        d = make_float4(tile::sum_over<4>(d.x), tile::sum_over<4>(d.y), tile::sum_over<4>(d.z), tile::sum_over<4>(d.w));
        if (k >= Z::key || share != 0) continue;
        float* const to = d_query + static_cast<std::size_t>(h * Z::key + k) * Z::d + 4 * unit;
        tile::store_four(to, tile::add_times(tile::load_four(to), Z::scale, d));
      }
    } else {  // dW_K[k][b] = sum over o of W_Q[k][o] dM[b][o], for four b
      unit -= own_vectors;
      tile::sum_blocks(
          4 * own_vectors, blocks, between,
          [&](int v) { return from + (4 * unit + v / own_vectors) * (Z::own_rows) + v % own_vectors * 4; }, space, sum);
      for (int k = thread / 4; k < (Z::key + 63) / 64 * 64; k += tile::threads / 4) {
        float4 d = zero_four();
        if (k < Z::key)
          for (int o = share; o < own_vectors; o += 4) {
            const float4 x = tile::load_four(query + static_cast<std::size_t>(h * Z::key + k) * Z::d + 4 * o);
            d.x += tile::dot(x, sum[o]);
            d.y += tile::dot(x, sum[own_vectors + o]);
            d.z += tile::dot(x, sum[2 * own_vectors + o]);
            d.w += tile::dot(x, sum[3 * own_vectors + o]);
          }
        d = make_float4(tile::sum_over<4>(d.x), tile::sum_over<4>(d.y), tile::sum_over<4>(d.z), tile::sum_over<4>(d.w));
        if (k >= Z::key || share != 0) continue;
        float* const to = d_key + static_cast<std::size_t>(h * Z::key + k) * Z::di + 4 * unit;
        tile::store_four(to, tile::add_times(tile::load_four(to), Z::scale, d));
      }
    }
  }
}

#endif

}  // namespace cuda::depth

/// Of all layers of these widths: how many items they have, and whether rows are steps, are numbers.
template <class Sizes>
struct SharedDepthAttention {
  struct Numbers {
    std::uint32_t items = 0, positions = 0;
    bool are_steps = false;
  };
  static constexpr void pack(Numbers, Weights<float>, float*) {}

  template <Capability C>
  struct Saved {
    cuda::depth::AttentionKept kept;
  };
  template <Capability C>
  static constexpr void bind(Numbers of, Saved<C>& saved, Arena<float>& arena, std::size_t samples) {
    if constexpr (keeps_for_backward(C) && Sizes::asks) {
      const std::size_t rows = samples * of.positions;
      saved.kept.u = arena.take(rows * Sizes::u_width);
      saved.kept.weights = arena.take(rows * Sizes::heads * of.items);
      saved.kept.matrix = arena.take(Sizes::u_width * Sizes::d);
    }
  }
  static constexpr std::size_t scratch(Numbers of, std::size_t samples, Capability c) {
    if (c != Capability::train) return 0;
    return cuda::depth::blocks_of(samples * of.positions) * Sizes::sums(static_cast<int>(of.items));
  }

  template <Capability C>
  static void forward(Numbers of, const Pass& pass, Weights<float> w, const float*, const float* own,
                      const float* const* before, float* z, Saved<C>& saved, float* scratch);
  template <Capability C>
  static void backward(Numbers of, const Pass& pass, Weights<float> w, const float*, const float* own,
                       const float* const* before, const float* dz, float* d_own, float* const* d_before,
                       Gradients<float> g, Saved<C>& saved, float* scratch);
  static void mixture(Numbers of, const Pass& pass, Weights<float> w, const float* own, const float* const* before,
                      float* weights, float* scratch);

 private:
  static void start_forward(Numbers of, const Pass& pass, bool lengths_count, Weights<float> w, const float* own,
                            const float* const* before, float* z, const cuda::depth::AttentionKept& kept);
};

template <class Part, class Sizes>
struct CudaDepthAttention : CudaSharedMixture<CudaDepthAttention<Part, Sizes>, SharedDepthAttention<Sizes>> {
  static constexpr const char* name = "cuda attention integration, tiles of rows";
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr typename CudaDepthAttention::Shared::Numbers numbers{Part::Before::count, Part::Own::positions,
                                                                        Part::Own::rank == 2};
};

#ifdef __CUDACC__
template <class Sizes>
[[gnu::used]] void SharedDepthAttention<Sizes>::start_forward(Numbers of, const Pass& pass, bool lengths_count,
                                                              Weights<float> w, const float* own,
                                                              const float* const* before, float* z,
                                                              const cuda::depth::AttentionKept& kept) {
  namespace depth = cuda::depth;
  const auto rows = cuda::rows_of(pass, of.positions, of.are_steps && lengths_count);
  const int n = static_cast<int>(of.items);
  const auto maps = depth::addresses_of(of.items, before);
  const auto values = depth::tensors_from<const float>(w, Sizes::first_value, Sizes::mixes_first ? 1 : of.items);
  const float* const query = Sizes::asks ? w[0] : nullptr;
  const float* const key = Sizes::asks ? w[1] : nullptr;
  const auto start = [&](auto tile_rows) {
    constexpr int R = decltype(tile_rows)::value;
    cuda::launch(pass, &depth::attention_forward<Sizes, R>, cuda::blocks_for(rows.count, R, depth::most_blocks),
                 cuda::tile::threads, Sizes::ahead_bytes(R, n), rows, n, maps, query, key, values, own, z, kept);
  };
  depth::with_tile<Sizes::ahead_rows>(rows.count, n, Sizes::ahead_bytes, start);
}

template <class Sizes>
template <Capability C>
[[gnu::used]] void SharedDepthAttention<Sizes>::forward(Numbers of, const Pass& pass, Weights<float> w, const float*,
                                                        const float* own, const float* const* before, float* z,
                                                        Saved<C>& saved, float*) {
  start_forward(of, pass, C != Capability::stream, w, own, before, z, saved.kept);
}

template <class Sizes>
template <Capability C>
[[gnu::used]] void SharedDepthAttention<Sizes>::backward(Numbers of, const Pass& pass, Weights<float> w, const float*,
                                                         const float* own, const float* const* before, const float* dz,
                                                         float* d_own, float* const* d_before, Gradients<float> g,
                                                         Saved<C>& saved, float* scratch) {
  namespace depth = cuda::depth;
  const auto rows = cuda::rows_of(pass, of.positions, of.are_steps);
  const int n = static_cast<int>(of.items);
  const std::size_t value_maps = Sizes::mixes_first ? 1 : of.items;
  const auto maps = depth::addresses_of(of.items, before);
  const auto d_maps = depth::addresses_of(of.items, d_before);
  const auto values = depth::tensors_from<const float>(w, Sizes::first_value, value_maps);
  float* const sums = g ? scratch : nullptr;
  std::size_t blocks = 0;
  const auto start = [&](auto tile_rows) {
    constexpr int R = decltype(tile_rows)::value;
    blocks = cuda::blocks_for(rows.count, R, depth::most_blocks);
    cuda::launch(pass, &depth::attention_backward<Sizes, R>, static_cast<unsigned>(blocks), cuda::tile::threads,
                 Sizes::back_bytes(R, n), rows, n, maps, values, own, dz, d_own, d_maps, saved.kept, sums);
  };
  depth::with_tile<Sizes::back_rows>(rows.count, n, Sizes::back_bytes, start);
  if (sums == nullptr || blocks == 0) return;
  const auto d_values = depth::tensors_from<float>(g, Sizes::first_value, value_maps);
  const int units = Sizes::value_sums(n) * (Sizes::value_sum_rows / 4) +
                    (Sizes::asks ? Sizes::heads * (Sizes::d / 4 + Sizes::di / 4) : 0);
  cuda::beside(pass, [&](const Pass& on) {
    cuda::launch(on, &depth::attention_gradients<Sizes>, static_cast<unsigned>(units), cuda::tile::threads,
                 cuda::tile::sum_bytes, n, blocks, static_cast<const float*>(sums), Sizes::asks ? w[0] : nullptr,
                 Sizes::asks ? w[1] : nullptr, Sizes::asks ? g[0] : nullptr, Sizes::asks ? g[1] : nullptr, d_values);
  });
}

namespace cuda::depth {
struct SetOnes {
  float* to;
  __device__ void operator()(std::size_t i) const { to[i] = 1; }
};
}  // namespace cuda::depth

template <class Sizes>
[[gnu::used]] void SharedDepthAttention<Sizes>::mixture(Numbers of, const Pass& pass, Weights<float> w,
                                                        const float* own, const float* const* before, float* weights,
                                                        float*) {
  if constexpr (Sizes::asks)
    start_forward(of, pass, true, w, own, before, nullptr, {nullptr, weights, nullptr});
  else
    cuda::over_elements(pass, pass.samples * of.positions * Sizes::heads, cuda::depth::SetOnes{weights});
}
#endif

template <class H, class K, class Vs, class Cb, class Own, class Before, CudaBackend Backend,
          class P = integrate::AttentionOf<H, K, Vs, Cb>,
          class Sizes = cuda::depth::AttentionSizes<P, Own::features, Before::features(0), (Before::count > 1)>>
  requires(Sizes::fits(Before::count))
CudaDepthAttention<Integration<P, Own, Before>, Sizes> select_kernel(
    rank::Layer, Integration<integrate::AttentionOf<H, K, Vs, Cb>, Own, Before>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
