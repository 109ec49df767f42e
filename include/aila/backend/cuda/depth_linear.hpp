// Linear integration on a GPU: what all layers of one width share, however many they look back on.
//
// A score of the item c_i = W_i h_i is that of h_i, <w, W_i h_i> = <W_i^T w, h_i>: no item is needed for its weight,
// and with all weights known the items are products that add up in registers, none of them kept. Of the way back, with
// e_i = W_i^T da: the slope of a weight is <e_i, h_i>, dh_i = mean_i e_i + sum of ds W_i^T w, and with r = sum over
// rows of ds h_i, dW_i = da^T (mean_i h_i) + w r^T, dw = W_i r. So there is one product an item forward, two back. A
// block goes through tiles of rows: scores from rows in the lanes of part of a warp, then item after item in shared
// memory. One kernel forward; backward another, and one that sums what the blocks have of the gradients, in their
// order. Kept for backward: the weights. Bound by multiply-adds: 2 d d an item and row forward, twice that back. Over
// up to three maps of 64 features, depth_linear_few.hpp has kernels that keep more at hand.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../integrate/linear.hpp"
#include "depth_linear_few.hpp"

namespace aila::inline v0 {

namespace cuda::depth {

/// Sizes of policy P over maps of `Width` features, the layer's own among them.
template <class P, std::size_t Width>
struct LinearSizes {
  static constexpr int d = static_cast<int>(Width), heads = static_cast<int>(P::head_count), slice = d / heads;
  static constexpr bool context = P::sees_context, has_task = P::has_task;
  static constexpr int rows_of_matrix = tile::parts_of(d) * 16;  ///< rounded up
  static constexpr int stride = tile::stride(d), vectors_of_row = d / 4;
  static constexpr float share = 1.0F / static_cast<float>(heads);
  static constexpr int warps = tile::threads / 32;

  /// Items over `count` earlier maps: the own one, those, the task.
  static constexpr int items(int count) { return 1 + count + (has_task ? 1 : 0); }
  /// Vectors W_i^T w: of each item and head, and where scores see all items of each score, too.
  static constexpr int vectors(int n) { return (context ? n : 1) * n * heads; }
  static constexpr int vector(int n, int item, int score, int head) {
    return (context ? item * n + score : item) * heads + head;
  }
  /// Where the scores of a head begin that see this item, in their tensor.
  static constexpr int score_at(int n, int item, int score, int head) {
    return ((head * n + score) * (context ? n : 1) + (context ? item : 0)) * slice;
  }
  static constexpr int first_score(int item) { return context ? 0 : item; }
  static constexpr int end_score(int n, int item) { return context ? n : item + 1; }

  // In shared memory: of items and their projections one or two, the next one on its way meanwhile.
  struct Ahead {
    int item, value, vector, weight, mean, counts, size;
    constexpr Ahead(int rows, int n, int buffers)
        : item(0),
          value(buffers * rows * stride),
          vector(value + buffers * rows_of_matrix * stride),
          weight(vector + vectors(n) * d),
          mean(weight + rows * heads * n),
          counts(mean + rows * n),
          size(counts + rows) {}
  };
  struct Back {
    int up, item, weighed, value, vector, sums, of_warps, weight, mean, dots, counts, size;
    constexpr Back(int rows, int n, int buffers)
        : up(0),
          item(rows * stride),
          weighed(item + buffers * rows * stride),
          value(weighed + rows * stride),
          vector(value + buffers * rows_of_matrix * stride),
          sums(vector + vectors(n) * d),
          of_warps(sums + vector_sums(n)),
          weight(of_warps + warps * (heads + 1) * d),
          mean(weight + rows * heads * n),
          dots(mean + rows * n),
          counts(dots + 128 * n),
          size(counts + rows) {}
  };
  static constexpr int ahead_buffers(int rows) { return bytes_of(Ahead(rows, 8, 2)) <= bytes_of_two ? 2 : 1; }
  static constexpr int back_buffers(int rows) { return bytes_of(Back(rows, 8, 2)) <= bytes_of_two ? 2 : 1; }
  static constexpr std::size_t ahead_bytes(int rows, int n) { return bytes_of(Ahead(rows, n, ahead_buffers(rows))); }
  static constexpr std::size_t back_bytes(int rows, int n) { return bytes_of(Back(rows, n, back_buffers(rows))); }
  static constexpr int ahead_rows = large_tile(ahead_bytes), back_rows = large_tile(back_bytes);

  // What a block sums of gradients: da^T (mean_i h_i) of the maps, then r of each vector, and of the task its mean.
  static constexpr int matrix_sum = rows_of_matrix * rows_of_matrix;
  static constexpr int vector_sums(int n) { return (vectors(n) + (has_task ? 1 : 0)) * d; }
  static constexpr std::size_t sums(int count) {
    return static_cast<std::size_t>(count) * matrix_sum + static_cast<std::size_t>(vector_sums(items(count)));
  }

  static constexpr bool fits(std::size_t count) {
    const int n = items(static_cast<int>(count));
    return fits_width(Width) && slice % 4 == 0 && heads <= 8 && count >= 1 && n <= most_items &&
           ahead_bytes(16, n) <= most_bytes && back_bytes(16, n) <= most_bytes;
  }
};

#ifdef __CUDACC__

/// A vector of lanes' features of an item, zeros where they do not count.
template <class Z, class Lanes>
__device__ float4 load_item(const LinearItems& items, int i, std::size_t row, bool counts, const Lanes& lanes) {
  if (!counts || !lanes.has) return zero_four();
  const bool is_task = Z::has_task && i == items.n - 1;
  return tile::load_four(items.of.of[i] + (is_task ? 0 : row * Z::d) + lanes.feature);
}

/// scores [R, heads, n] of a tile.
template <class Z, int R>
__device__ void score_items(std::size_t first, const LinearItems& items, const int* counts, const float* vectors,
                            float* scores) {
  using Lanes = RowLanes<Z::d>;
  constexpr bool spreads = spreads_numbers<Lanes::lanes, Z::heads>;
  const Lanes lanes;
  const int n = items.n;
  for (int r = lanes.slot; r < R; r += lanes.slots) {
    const std::size_t row = first + static_cast<std::size_t>(r);
    for (int i = 0; i < n; i += 4) {
      float4 x[4];
#pragma unroll
      for (int c = 0; c < 4; ++c)
        x[c] = i + c < n ? load_item<Z>(items, i + c, row, counts[r] != 0, lanes) : zero_four();
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        if (i + c >= n) continue;
        for (int m = Z::first_score(i + c); m < Z::end_score(n, i + c); ++m) {
          float dot[Z::heads];
#pragma unroll
          for (int k = 0; k < Z::heads; ++k)
            dot[k] = lanes.has
                         ? tile::dot(x[c], tile::load_four(vectors + Z::vector(n, i + c, m, k) * Z::d + lanes.feature))
                         : 0.0F;
          sum_numbers<Lanes::lanes>(dot, lanes.lane);
          float* const to = scores + r * Z::heads * n + m;
          const bool adds = Z::context && i + c > 0;
          if constexpr (spreads) {
            if (lanes.lane < Z::heads) to[lanes.lane * n] = adds ? to[lanes.lane * n] + dot[0] : dot[0];
          } else {
            if (lanes.lane == 0)
#pragma unroll
              for (int k = 0; k < Z::heads; ++k) to[k * n] = adds ? to[k * n] + dot[k] : dot[k];
          }
        }
      }
    }
  }
}

/// scores [R, heads, n] become weights, in place and where anybody wants them; no rows of them are of steps that do not
/// count.
template <class Z, int R>
__device__ void weigh_items(const tile::Rows& rows, std::size_t first, int n, const int* counts, float* scores,
                            float* weights) {
  for (int e = static_cast<int>(threadIdx.x); e < R * Z::heads; e += tile::threads) {
    float* const of = scores + e * n;
    float most = of[0], sum = 0;
    for (int i = 1; i < n; ++i) most = fmaxf(most, of[i]);
    for (int i = 0; i < n; ++i) sum += of[i] = expf(of[i] - most);
    const float inverse = 1 / sum;
    const int r = e / Z::heads;
    const std::size_t row = first + static_cast<std::size_t>(r);
    for (int i = 0; i < n; ++i) {
      of[i] = counts[r] != 0 ? of[i] * inverse : 0.0F;
      if (weights != nullptr && row < rows.count) weights[(row * Z::heads + e % Z::heads) * n + i] = of[i];
    }
  }
}
/// mean [R, n] over the heads.
template <class Z, int R>
__device__ void average_heads(int n, const float* weights, float* mean) {
  for (int e = static_cast<int>(threadIdx.x); e < R * n; e += tile::threads) {
    float sum = 0;
#pragma unroll
    for (int k = 0; k < Z::heads; ++k) sum += weights[(e / n * Z::heads + k) * n + e % n];
    mean[e] = sum * Z::share;
  }
}

/// z = own + a; no z: nobody wants it, as tools that want weights alone.
template <class Z, int R>
__global__ void __launch_bounds__(tile::threads, blocks_at_once(Z::ahead_bytes(R, 8)))
    linear_forward(tile::Rows rows, const __grid_constant__ LinearItems items,
                   const __grid_constant__ Addresses<const float> maps, const float* score, float* z, float* weights) {
  const int n = items.n, count = n - 1 - (Z::has_task ? 1 : 0);
  constexpr int buffers = Z::ahead_buffers(R);
  const typename Z::Ahead layout(R, n, buffers);
  float* const memory = tile::shared_memory();
  float *const item = memory + layout.item, *const value = memory + layout.value;
  float *const vector = memory + layout.vector, *const weight = memory + layout.weight;
  float* const mean = memory + layout.mean;
  int* const counts = reinterpret_cast<int*>(memory + layout.counts);
  const auto counts_at = [&](int r) { return counts[r] != 0; };
  make_vectors<Z>(n, maps, score, vector);

  const std::size_t tiles = divide_up(rows.count, R);
  for (std::size_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const std::size_t first = t * R;
    __syncthreads();  // all are done with the last tile
    if (threadIdx.x < R) counts[threadIdx.x] = rows.counts(first + threadIdx.x) ? 1 : 0;
    __syncthreads();
    const auto ask = [&](int i) {
      tile::ask_for_rows<Z::d>(items.of.of[1 + i], first, R, counts_at, item + i % buffers * R * Z::stride);
      tile::ask_for_matrix<Z::d>(maps.of[i], 0, Z::d, value + i % buffers * Z::rows_of_matrix * Z::stride);
    };
    if (z != nullptr) ask(0);
    score_items<Z, R>(first, items, counts, vector, weight);
    __syncthreads();
    weigh_items<Z, R>(rows, first, n, counts, weight, weights);
    if (z == nullptr) continue;
    __syncthreads();
    average_heads<Z, R>(n, weight, mean);

    tile::Product<R, Z::d> sum;
    sum.clear();
    for (int i = 0; i < count; ++i) {
      tile::copies_done();
      __syncthreads();
      if (buffers == 2 && i + 1 < count) ask(i + 1);
      tile::Product<R, Z::d> v;
      v.clear();
      v.template multiply<Z::d, Z::stride, Z::stride>(item + i % buffers * R * Z::stride,
                                                      value + i % buffers * Z::rows_of_matrix * Z::stride);
      v.for_each([&](int j, int h, int r, int) {
        const float alpha = mean[r * n + 1 + i];
        sum.of[j][2 * h] = fmaf(alpha, v.of[j][2 * h], sum.of[j][2 * h]);
        sum.of[j][2 * h + 1] = fmaf(alpha, v.of[j][2 * h + 1], sum.of[j][2 * h + 1]);
      });
      if (buffers == 2) continue;
      __syncthreads();
      if (i + 1 < count) ask(i + 1);
    }
    sum.for_each([&](int j, int h, int r, int f) {
      const std::size_t row = first + static_cast<std::size_t>(r);
      if (row >= rows.count) return;
      float2 to = make_float2(0, 0);
      if (counts[r] != 0) {
        const float of_own = 1.0F + mean[r * n];
        const float2 own = tile::load_two(items.of.of[0] + row * Z::d + f);
        to = make_float2(fmaf(of_own, own.x, sum.of[j][2 * h]), fmaf(of_own, own.y, sum.of[j][2 * h + 1]));
        if constexpr (Z::has_task) {
          const float of_task = mean[r * n + n - 1];
          const float2 task = tile::load_two(items.of.of[n - 1] + f);
          to = make_float2(fmaf(of_task, task.x, to.x), fmaf(of_task, task.y, to.y));
        }
      }
      tile::store_two(z + row * Z::d + f, to.x, to.y);
    });
  }
}

/// <da, own> and <da, task> to dots [groups, R, n]: to those of the first group, and zeros to the others.
template <class Z, int R>
__device__ void dots_of_others(std::size_t first, const LinearItems& items, const int* counts, const float* up,
                               float* dots) {
  const RowLanes<Z::d> lanes;
  const int n = items.n;
  for (int r = lanes.slot; r < R; r += lanes.slots) {
    const std::size_t row = first + static_cast<std::size_t>(r);
    const float4 da = lanes.has ? tile::load_four(up + r * Z::stride + lanes.feature) : zero_four();
    const auto take = [&](int i) {
      const float dot = lanes.sum(tile::dot(da, load_item<Z>(items, i, row, counts[r] != 0, lanes)));
      if (lanes.lane != 0) return;
      dots[r * n + i] = dot;
      for (int g = 1; g < tile::Product<R, Z::d>::column_groups; ++g) dots[(g * R + r) * n + i] = 0;
    };
    take(0);
    if constexpr (Z::has_task) take(n - 1);
  }
}

/// What scores have to do with item i: dh += sum of ds W_i^T w (and what its weight has where nothing has written that
/// yet, as of the own item), and the sums r of ds h, of the task also of its mean weight times da, to `sums`.
template <class Z, int R>
__device__ void slopes_of_item(std::size_t first, const tile::Rows& rows, const LinearItems& items, int i,
                               const int* counts, const float* up, const float* vectors, const float* ds,
                               const float* mean, float* dh, bool writes, bool asked, float* of_warps, float* sums) {
  using Lanes = RowLanes<Z::d>;
  constexpr int of_thread = (R + Lanes::slots - 1) / Lanes::slots, together = of_thread < 4 ? of_thread : 4;
  const Lanes lanes;
  const int n = items.n;
  const bool is_task = Z::has_task && i == n - 1;
  const int warp = static_cast<int>(threadIdx.x) / 32, columns = Z::heads + (is_task ? 1 : 0);
  for (int m = Z::first_score(i); m < Z::end_score(n, i); ++m) {
    float4 asks[Z::heads], r_sum[Z::heads], task_sum = zero_four();
#pragma unroll
    for (int k = 0; k < Z::heads; ++k) {
      asks[k] = lanes.has ? tile::load_four(vectors + Z::vector(n, i, m, k) * Z::d + lanes.feature) : zero_four();
      r_sum[k] = zero_four();
    }
    const bool is_first = m == Z::first_score(i);
    for (int from = 0; from < of_thread; from += together) {
      float4 x[together], g[together];
#pragma unroll
      for (int c = 0; c < together; ++c) {
        const int r = lanes.slot + (from + c) * Lanes::slots;
        const bool here = r < R && counts[r < R ? r : 0] != 0 && lanes.has;
        const std::size_t row = first + static_cast<std::size_t>(r);
        x[c] = is_task && here ? make_float4(1, 1, 1, 1) : load_item<Z>(items, i, row, here, lanes);
        g[c] = here && dh != nullptr && !(writes && is_first) ? tile::load_four(dh + row * Z::d + lanes.feature)
                                                              : zero_four();
      }
#pragma unroll
      for (int c = 0; c < together; ++c) {
        const int r = lanes.slot + (from + c) * Lanes::slots;
        if (r >= R) continue;
        const std::size_t row = first + static_cast<std::size_t>(r);
        const float4 da = lanes.has ? tile::load_four(up + r * Z::stride + lanes.feature) : zero_four();
        if (is_first && i == 0) g[c] = tile::add_times(g[c], 1.0F + mean[r * n], da);
        if (is_first && is_task) task_sum = tile::add_times(task_sum, mean[r * n + i], da);
#pragma unroll
        for (int k = 0; k < Z::heads; ++k) {
          const float slope = ds[(r * Z::heads + k) * n + m];
          g[c] = tile::add_times(g[c], slope, asks[k]);
          r_sum[k] = tile::add_times(r_sum[k], slope, x[c]);
        }
        if (dh != nullptr && lanes.has && row < rows.count && (counts[r] != 0 || writes))
          tile::store_four(dh + row * Z::d + lanes.feature, counts[r] != 0 ? g[c] : zero_four());
      }
    }
    if (!asked) continue;
    const auto sum_warp = [&](float4 x, int column) {
#pragma unroll
      for (int far = Lanes::lanes; far < 32; far *= 2) {
        x.x += __shfl_xor_sync(0xffffffffU, x.x, far);
        x.y += __shfl_xor_sync(0xffffffffU, x.y, far);
        x.z += __shfl_xor_sync(0xffffffffU, x.z, far);
        x.w += __shfl_xor_sync(0xffffffffU, x.w, far);
      }
      if (lanes.has && static_cast<int>(threadIdx.x) % 32 < Lanes::lanes)
        tile::store_four(of_warps + (warp * (Z::heads + 1) + column) * Z::d + lanes.feature, x);
    };
#pragma unroll
    for (int k = 0; k < Z::heads; ++k) sum_warp(r_sum[k], k);
    if (is_task) sum_warp(task_sum, Z::heads);
    __syncthreads();
    for (int e = static_cast<int>(threadIdx.x); e < columns * Z::d; e += tile::threads) {
      float sum = 0;
#pragma unroll
      for (int w = 0; w < Z::warps; ++w) sum += of_warps[w * (Z::heads + 1) * Z::d + e];
      if (e < Z::heads * Z::d)
        sums[Z::vector(n, i, m, 0) * Z::d + e] += sum;
      else if (is_first)
        sums[Z::vectors(n) * Z::d + e - Z::heads * Z::d] += sum;
    }
    __syncthreads();  // the warps' sums are the next ones'
  }
}

/// Adds to d_own and d_maps, and to this block's sums of the gradients of the parameters; no sums: nobody asks.
template <class Z, int R>
__global__ void __launch_bounds__(tile::threads, blocks_at_once(Z::back_bytes(R, 8)))
    linear_backward(tile::Rows rows, const __grid_constant__ LinearItems items,
                    const __grid_constant__ Addresses<const float> maps, const float* score, const float* dz,
                    float* d_own, const __grid_constant__ Addresses<float> d_maps, const float* weights, float* sums) {
  const int n = items.n, count = n - 1 - (Z::has_task ? 1 : 0);
  constexpr int buffers = Z::back_buffers(R);
  const typename Z::Back layout(R, n, buffers);
  float* const memory = tile::shared_memory();
  float *const up = memory + layout.up, *const item = memory + layout.item, *const weighed = memory + layout.weighed;
  float *const value = memory + layout.value, *const vector = memory + layout.vector;
  float *const vector_sums = memory + layout.sums, *const of_warps = memory + layout.of_warps;
  float *const weight = memory + layout.weight, *const mean = memory + layout.mean, *const dots = memory + layout.dots;
  int* const counts = reinterpret_cast<int*>(memory + layout.counts);
  const auto counts_at = [&](int r) { return counts[r] != 0; };
  const bool asked = sums != nullptr;
  if (asked) sums += blockIdx.x * Z::sums(count);
  tile::Sums<1, Z::d, Z::d, false> matrix_sums(sums);
  make_vectors<Z>(n, maps, score, vector);
  for (int e = static_cast<int>(threadIdx.x); e < Z::vector_sums(n); e += tile::threads) vector_sums[e] = 0;

  const std::size_t tiles = divide_up(rows.count, R);
  for (std::size_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const std::size_t first = t * R;
    __syncthreads();  // all are done with the last tile
    if (threadIdx.x < R) counts[threadIdx.x] = rows.counts(first + threadIdx.x) ? 1 : 0;
    __syncthreads();
    const auto ask = [&](int i) {
      tile::ask_for_rows<Z::d>(items.of.of[1 + i], first, R, counts_at, item + i % buffers * R * Z::stride);
      tile::ask_for_matrix<Z::d>(maps.of[i], 0, Z::d, value + i % buffers * Z::rows_of_matrix * Z::stride);
    };
    tile::ask_for_rows<Z::d>(dz, first, R, counts_at, up);
    ask(0);
    for (int e = static_cast<int>(threadIdx.x); e < R * Z::heads * n; e += tile::threads)
      weight[e] = counts[e / (Z::heads * n)] != 0 ? weights[first * (Z::heads * n) + e] : 0.0F;
    tile::copies_done();
    __syncthreads();
    average_heads<Z, R>(n, weight, mean);
    dots_of_others<Z, R>(first, items, counts, up, dots);

    for (int i = 0; i < count; ++i) {
      tile::copies_done();
      __syncthreads();
      if (buffers == 2 && i + 1 < count) ask(i + 1);
      const float* const of_item = item + i % buffers * R * Z::stride;
      if (asked)
        for (int e = static_cast<int>(threadIdx.x); e < R * Z::vectors_of_row; e += tile::threads) {
          const int r = e / Z::vectors_of_row, f = 4 * (e % Z::vectors_of_row);
          tile::store_four(weighed + r * Z::stride + f,
                           tile::times(mean[r * n + 1 + i], tile::load_four(up + r * Z::stride + f)));
        }
      tile::Product<R, Z::d> e;
      e.clear();
      e.template multiply_by_rows<Z::d, Z::stride, Z::stride>(up, value + i % buffers * Z::rows_of_matrix * Z::stride);
      float* const d_map = d_maps.of[i];
      float dot[2] = {0, 0};
      e.for_each([&](int j, int h, int r, int f) {
        const float x = e.of[j][2 * h], y = e.of[j][2 * h + 1], alpha = mean[r * n + 1 + i];
        const float2 with = tile::load_two(of_item + r * Z::stride + f);
        dot[h] = fmaf(x, with.x, fmaf(y, with.y, dot[h]));
        if (d_map == nullptr || counts[r] == 0) return;
        float* const to = d_map + (first + static_cast<std::size_t>(r)) * Z::d + f;
        const float2 old = tile::load_two(to);
        tile::store_two(to, fmaf(alpha, x, old.x), fmaf(alpha, y, old.y));
      });
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        dot[h] = e.sum_of_row(dot[h]);
        if (threadIdx.x % 4 == 0) dots[(e.column_group() * R + e.row(h)) * n + 1 + i] = dot[h];
      }
      if (asked) {
        __syncthreads();
        matrix_sums.add(i, t == blockIdx.x,
                        [&](auto& of) { of.template multiply_transposed<R, Z::stride, Z::stride>(weighed, of_item); });
      }
      __syncthreads();
      if (buffers == 1 && i + 1 < count) ask(i + 1);
    }

    // From weights to their slopes ds, in place.
    for (int e = static_cast<int>(threadIdx.x); e < R * n; e += tile::threads)
      for (int g = 1; g < tile::Product<R, Z::d>::column_groups; ++g) dots[e] += dots[g * R * n + e];
    __syncthreads();
    for (int e = static_cast<int>(threadIdx.x); e < R * Z::heads; e += tile::threads) {
      float* const alpha = weight + e * n;
      const float* const dot = dots + e / Z::heads * n;
      float expected = 0;
      for (int i = 0; i < n; ++i) expected = fmaf(alpha[i], dot[i], expected);
      for (int i = 0; i < n; ++i) alpha[i] *= Z::share * (dot[i] - expected);
    }
    __syncthreads();
    for (int i = 0; i < n; ++i) {
      float* const dh = i == 0 ? d_own : i <= count ? d_maps.of[i - 1] : nullptr;
      slopes_of_item<Z, R>(first, rows, items, i, counts, up, vector, weight, mean, dh, i == 0 && d_own == dz, asked,
                           of_warps, vector_sums);
    }
  }
  if (!asked) return;
  __syncthreads();
  float* const to = sums + static_cast<std::size_t>(count) * Z::matrix_sum;
  for (int e = static_cast<int>(threadIdx.x); e < Z::vector_sums(n); e += tile::threads) to[e] = vector_sums[e];
}

/// What linear integration adds to: projections by item, scores, the task.
struct LinearGradients {
  Addresses<float> maps;
  float* score;
  float* task;
};

/// Adds what `blocks` blocks have summed to the gradients. Blocks are, for each earlier map, a row of its projection;
/// then the own item, and the task.
template <class Z>
__global__ void __launch_bounds__(tile::threads)
    linear_gradients(int n, std::size_t blocks, const float* sums, const __grid_constant__ Addresses<const float> maps,
                     const float* score, const float* task, const __grid_constant__ LinearGradients to) {
  float4* const space = reinterpret_cast<float4*>(tile::shared_memory());
  float4* const sum = space + tile::threads;
  constexpr int row_vectors = Z::vectors_of_row;
  const int count = n - 1 - (Z::has_task ? 1 : 0), thread = static_cast<int>(threadIdx.x);
  const int unit = static_cast<int>(blockIdx.x);
  const std::size_t between = Z::sums(count);
  const float* const vector_sums = sums + static_cast<std::size_t>(count) * Z::matrix_sum;
  if (unit < count * Z::d) {
    const int map = unit / Z::d, item = 1 + map, row = unit % Z::d, head = row / Z::slice;
    const bool has_vector = thread < row_vectors;
    const float* const from = sums + static_cast<std::size_t>(map) * Z::matrix_sum + row * Z::rows_of_matrix;
    const int place = row * Z::d + 4 * thread;
    float4 d = zero_four(), w = zero_four(), old = zero_four();
    if (has_vector) {
      w = tile::load_four(maps.of[map] + place);
      old = tile::load_four(to.maps.of[map] + place);
    }
    tile::sum_blocks(row_vectors, blocks, between, [&](int v) { return from + 4 * v; }, space, sum);
    if (has_vector) d = sum[thread];
    for (int m = Z::first_score(item); m < Z::end_score(n, item); ++m) {
      __syncthreads();  // all have taken what they need of the sums
      tile::sum_blocks(
          row_vectors, blocks, between, [&](int v) { return vector_sums + Z::vector(n, item, m, head) * Z::d + 4 * v; },
          space, sum);
      if (thread >= 32) continue;
      const int score_at = Z::score_at(n, item, m, head) + row % Z::slice;
      const float4 r = has_vector ? sum[thread] : zero_four();
      d = tile::add_times(d, score[score_at], r);
      const float dot = tile::sum_over<32>(tile::dot(w, r));
      if (thread == 0) to.score[score_at] += dot;
    }
    if (has_vector)
      tile::store_four(to.maps.of[map] + place, make_float4(old.x + d.x, old.y + d.y, old.z + d.z, old.w + d.w));
    return;
  }
  const bool is_task = unit > count * Z::d;
  const int item = is_task ? n - 1 : 0, head = thread * 4 / Z::slice, within = thread * 4 % Z::slice;
  float4 d = zero_four();
  if (is_task) {
    tile::sum_blocks(
        row_vectors, blocks, between, [&](int v) { return vector_sums + Z::vectors(n) * Z::d + 4 * v; }, space, sum);
    if (thread < row_vectors) d = sum[thread];
  }
  for (int m = Z::first_score(item); m < Z::end_score(n, item); ++m) {
    __syncthreads();
    tile::sum_blocks(
        row_vectors, blocks, between,
        [&](int v) { return vector_sums + Z::vector(n, item, m, 4 * v / Z::slice) * Z::d + 4 * v; }, space, sum);
    if (thread >= row_vectors) continue;
    const float4 r = sum[thread];
    const int score_at = Z::score_at(n, item, m, head) + within;
    float4 x = make_float4(1, 1, 1, 1);
    if (is_task) {
      x = tile::load_four(task + 4 * thread);
      d = make_float4(fmaf(score[score_at], r.x, d.x), fmaf(score[score_at + 1], r.y, d.y),
                      fmaf(score[score_at + 2], r.z, d.z), fmaf(score[score_at + 3], r.w, d.w));
    }
    float* const target = to.score + score_at;
    target[0] += r.x * x.x, target[1] += r.y * x.y, target[2] += r.z * x.z, target[3] += r.w * x.w;
  }
  if (!is_task || thread >= row_vectors) return;
  float* const target = to.task + 4 * thread;
  const float4 x = tile::load_four(target);
  tile::store_four(target, make_float4(x.x + d.x, x.y + d.y, x.z + d.z, x.w + d.w));
}

#endif

}  // namespace cuda::depth

/// Of all layers of this width: how many earlier maps they have, and whether rows are steps, are numbers.
template <class Sizes>
struct SharedDepthLinear {
  struct Numbers {
    std::uint32_t maps = 0, positions = 0;
    bool are_steps = false;
  };
  static constexpr void pack(Numbers, Weights<float>, float*) {}

  /// The weights [rows, heads, items].
  template <Capability C>
  struct Saved {
    float* weights = nullptr;
  };
  template <Capability C>
  static constexpr void bind(Numbers of, Saved<C>& saved, Arena<float>& arena, std::size_t samples) {
    if constexpr (keeps_for_backward(C))
      saved.weights = arena.take(samples * of.positions * Sizes::heads *
                                 static_cast<std::size_t>(Sizes::items(static_cast<int>(of.maps))));
  }
  static constexpr std::size_t scratch(Numbers of, std::size_t samples, Capability c) {
    if (c != Capability::train) return 0;
    return cuda::depth::blocks_of(samples * of.positions) * Sizes::sums(static_cast<int>(of.maps));
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
  static cuda::depth::LinearItems items_of(Numbers of, Weights<float> w, const float* own, const float* const* before);
  static void start_forward(Numbers of, const Pass& pass, bool lengths_count, Weights<float> w, const float* own,
                            const float* const* before, float* z, float* weights);
};

template <class Part, class Sizes>
struct CudaDepthLinear : CudaSharedMixture<CudaDepthLinear<Part, Sizes>, SharedDepthLinear<Sizes>> {
  static constexpr const char* name = "cuda linear integration, tiles of rows";
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr typename CudaDepthLinear::Shared::Numbers numbers{Part::Before::count, Part::Own::positions,
                                                                     Part::Own::rank == 2};
};

#ifdef __CUDACC__
template <class Sizes>
[[gnu::used]] cuda::depth::LinearItems SharedDepthLinear<Sizes>::items_of(Numbers of, Weights<float> w,
                                                                          const float* own,
                                                                          const float* const* before) {
  cuda::depth::LinearItems items{{}, Sizes::items(static_cast<int>(of.maps))};
  items.of.of[0] = own;
  for (std::size_t i = 0; i < of.maps; ++i) items.of.of[1 + i] = before[i];
  if constexpr (Sizes::has_task) items.of.of[1 + of.maps] = w[of.maps + 1];
  return items;
}

template <class Sizes>
[[gnu::used]] void SharedDepthLinear<Sizes>::start_forward(Numbers of, const Pass& pass, bool lengths_count,
                                                           Weights<float> w, const float* own,
                                                           const float* const* before, float* z, float* weights) {
  namespace depth = cuda::depth;
  const auto rows = cuda::rows_of(pass, of.positions, of.are_steps && lengths_count);
  const auto items = items_of(of, w, own, before);
  const auto maps = depth::tensors_from<const float>(w, 0, of.maps);
  const float* const score = w[of.maps];
  const auto start_few = [&](auto sizes) {
    using F = decltype(sizes);
    cuda::launch(pass, &depth::linear_forward_few<Sizes, F>,
                 cuda::blocks_for(rows.count, F::rows, F::ahead_blocks * depth::most_blocks / 2), F::threads,
                 F::ahead_bytes, rows, items, maps, score, z, weights);
  };
  if (depth::with_few<Sizes>(rows.count, of.maps, [](auto sizes) { return sizes.ahead_bytes; }, start_few)) return;
  const auto start = [&](auto tile_rows) {
    constexpr int R = decltype(tile_rows)::value;
    cuda::launch(pass, &depth::linear_forward<Sizes, R>, cuda::blocks_for(rows.count, R, depth::most_blocks),
                 cuda::tile::threads, Sizes::ahead_bytes(R, items.n), rows, items, maps, score, z, weights);
  };
  depth::with_tile<Sizes::ahead_rows>(rows.count, items.n, Sizes::ahead_bytes, start);
}

template <class Sizes>
template <Capability C>
[[gnu::used]] void SharedDepthLinear<Sizes>::forward(Numbers of, const Pass& pass, Weights<float> w, const float*,
                                                     const float* own, const float* const* before, float* z,
                                                     Saved<C>& saved, float*) {
  start_forward(of, pass, C != Capability::stream, w, own, before, z, saved.weights);
}

template <class Sizes>
template <Capability C>
[[gnu::used]] void SharedDepthLinear<Sizes>::backward(Numbers of, const Pass& pass, Weights<float> w, const float*,
                                                      const float* own, const float* const* before, const float* dz,
                                                      float* d_own, float* const* d_before, Gradients<float> g,
                                                      Saved<C>& saved, float* scratch) {
  namespace depth = cuda::depth;
  const auto rows = cuda::rows_of(pass, of.positions, of.are_steps);
  const auto items = items_of(of, w, own, before);
  const auto maps = depth::tensors_from<const float>(w, 0, of.maps);
  const auto d_maps = depth::addresses_of(of.maps, d_before);
  const float* const score = w[of.maps];
  float* const sums = g ? scratch : nullptr;
  std::size_t blocks = 0;
  const auto start_few = [&](auto sizes) {
    using F = decltype(sizes);
    blocks = cuda::blocks_for(rows.count, F::rows, depth::most_blocks / 2);
    cuda::launch(pass, &depth::linear_backward_few<Sizes, F>, static_cast<unsigned>(blocks), F::threads, F::back_bytes,
                 rows, items, maps, score, dz, d_own, d_maps, static_cast<const float*>(saved.weights), sums);
  };
  const auto start = [&](auto tile_rows) {
    constexpr int R = decltype(tile_rows)::value;
    blocks = cuda::blocks_for(rows.count, R, depth::most_blocks);
    cuda::launch(pass, &depth::linear_backward<Sizes, R>, static_cast<unsigned>(blocks), cuda::tile::threads,
                 Sizes::back_bytes(R, items.n), rows, items, maps, score, dz, d_own, d_maps,
                 static_cast<const float*>(saved.weights), sums);
  };
  if (!depth::with_few<Sizes>(rows.count, of.maps, [](auto sizes) { return sizes.back_bytes; }, start_few))
    depth::with_tile<Sizes::back_rows>(rows.count, items.n, Sizes::back_bytes, start);
  if (sums == nullptr || blocks == 0) return;
  depth::LinearGradients to{depth::tensors_from<float>(g, 0, of.maps), g[of.maps], nullptr};
  if constexpr (Sizes::has_task) to.task = g[of.maps + 1];
  const int units = static_cast<int>(of.maps) * Sizes::d + 1 + (Sizes::has_task ? 1 : 0);
  cuda::beside(pass, [&](const Pass& on) {
    cuda::launch(on, &depth::linear_gradients<Sizes>, static_cast<unsigned>(units), cuda::tile::threads,
                 cuda::tile::sum_bytes, items.n, blocks, static_cast<const float*>(sums), maps, score,
                 items.of.of[items.n - 1], to);
  });
}

template <class Sizes>
[[gnu::used]] void SharedDepthLinear<Sizes>::mixture(Numbers of, const Pass& pass, Weights<float> w, const float* own,
                                                     const float* const* before, float* weights, float*) {
  start_forward(of, pass, true, w, own, before, nullptr, weights);
}
#endif

template <class H, class T, class Sees, class Own, class Before, CudaBackend Backend,
          class P = integrate::LinearOf<H, T, Sees>, class Sizes = cuda::depth::LinearSizes<P, Own::features>>
  requires(integrate::EqualWidths::of<Own, Before>().hold && Sizes::fits(Before::count))
CudaDepthLinear<Integration<P, Own, Before>, Sizes> select_kernel(
    rank::Layer, Integration<integrate::LinearOf<H, T, Sees>, Own, Before>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
