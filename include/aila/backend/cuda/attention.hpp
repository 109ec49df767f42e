// Attention over the steps of sequences on a GPU, of queries, keys and values side by side: [samples, steps, 3 d].
//
// A block has one head of one sample: keys and values in shared memory, all of them or some at a time, and each of its
// warps 16 queries. A warp goes through tiles of keys: scores, softmax as far as it is known, products with the values
// scaled again where a greater score turns up. Scores are never written; backward computes them again from the greatest
// one and the inverse sum, which are kept. It has a kernel by queries, for their gradients and <do, o>, and one by
// keys, for those of keys and values: no two threads add to the same number. Bound by multiply-adds, 4 width for a pair
// of steps and head forward and 10 back, and by an exponential each.
//
// Heads whose width is no multiple of four, or more than 64, are gone through by kernels that are plain.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../core/math.hpp"
#include "../kernel.hpp"
#include "cuda.hpp"
#include "tile.hpp"

namespace aila::inline v0::cuda::steps {

/// What kernels are told of the sequences.
struct Sequences {
  std::size_t samples = 0;
  int heads = 1, steps = 1;
  const std::int32_t* lengths = nullptr;  ///< null: all steps are valid

  constexpr int length(std::size_t sample) const {
    return lengths == nullptr ? steps : steps_within(lengths[sample], steps);
  }
};

/// Kept of a query and head: the greatest score, and 1 / sum of exp(score - that one).
inline constexpr std::size_t statistics = 2;

/// Heads of `width` features.
template <int width>
struct HeadTile {
  static constexpr bool fits = width % 4 == 0 && width <= 64;
  static constexpr int stride = tile::stride(width), columns = (width + 7) / 8;
  static constexpr int blocks = width <= 32 ? 2 : 1;  ///< of a multiprocessor, as registers go
  static constexpr int warps = tile::threads / 32, of_warp = 16, rows = warps * of_warp;
  static constexpr int tile_ahead = 64, tile_back = 32;
  static constexpr int weight_stride(int keys) { return keys + 8; }

  /// Floats beside `chunk` rows of two maps (and of three numbers each, back): queries (and slopes) and weights.
  static constexpr std::size_t ahead_floats(int chunk) {
    return static_cast<std::size_t>(2 * chunk * stride + rows * stride + rows * weight_stride(tile_ahead));
  }
  static constexpr std::size_t back_floats(int chunk) {
    return static_cast<std::size_t>(2 * chunk * stride + 2 * rows * stride + rows * weight_stride(tile_back) +
                                    3 * chunk);
  }
  /// Rows that are in shared memory at once: all where two blocks fit, as many as do, or as many as one has room for.
  template <class F>
  static constexpr int chunk_of(int steps, F&& floats) {
    const int all = (steps + 63) / 64 * 64;
    for (const std::size_t bytes : {std::size_t{112} * 1024, std::size_t{160} * 1024}) {
      int chunk = 0;
      while (chunk < all && floats(chunk + 64) * sizeof(float) <= bytes) chunk += 64;
      if (chunk > 0) return chunk;
    }
    return 64;
  }
};

#ifdef __CUDACC__

/// Where a thread stands in its warp's 16 rows: it has every 4th row, and every 8th column or vector of columns. Lanes
/// that differ in their first bit share a column, those that differ in the second a row: then loads of four floats by
/// half a warp become one.
struct Strip {
  int warp, row, column;
  __device__ Strip() {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    warp = static_cast<int>(threadIdx.x) / 32;
    row = lane / 16 * 2 + lane % 2;
    column = lane / 2 % 8;
  }
  /// Over the lanes of a row, in all of them.
  __device__ static float sum_of_row(float x) {
#pragma unroll
    for (int far = 2; far < 16; far *= 2) x += __shfl_xor_sync(0xffffffffU, x, far);
    return x;
  }
  __device__ static float most_of_row(float x) {
#pragma unroll
    for (int far = 2; far < 16; far *= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffU, x, far));
    return x;
  }
};

template <int rows, int columns>
__device__ void set_zero(float (&sum)[rows][columns]) {
#pragma unroll
  for (int i = 0; i < rows; ++i)
#pragma unroll
    for (int j = 0; j < columns; ++j) sum[i][j] = 0;
}

/// Floats that follow one another of `columns` columns that a thread has.
constexpr int together(int columns) {
  return columns % 4 == 0 ? 4 : columns % 2 == 0 ? 2 : 1;
}
/// f(column, j) for the vectors of a thread's columns j, ... that are below `width`, a multiple of 4: a vector for each
/// of eight threads, and again.
template <int columns, class F>
__device__ void each_vector(int place, int width, F&& f) {
  constexpr int v = together(columns);
#pragma unroll
  for (int j = 0; j < columns; j += v) {
    const int first = v * (place + 8 * (j / v));
    if (first < width) f(first, j);
  }
}
template <int columns>
__device__ void load_columns(const float* row, int place, float (&to)[columns]) {
  constexpr int v = together(columns);
#pragma unroll
  for (int j = 0; j < columns; j += v) {
    const float* const p = row + v * (place + 8 * (j / v));
    if constexpr (v == 4) {
      const float4 x = tile::load_four(p);
      to[j] = x.x, to[j + 1] = x.y, to[j + 2] = x.z, to[j + 3] = x.w;
    } else if constexpr (v == 2) {
      const float2 x = *reinterpret_cast<const float2*>(p);
      to[j] = x.x, to[j + 1] = x.y;
    } else {
      to[j] = *p;
    }
  }
}

/// sum[i][j] += sum over k of a[row + 4 i][k] b[column + 8 j][k], rows of both `stride` apart.
template <int rows, int columns, int depth, int stride>
__device__ void multiply(const float* a, const float* b, const Strip& at, float (&sum)[rows][columns]) {
  a += at.row * stride;
  b += at.column * stride;
#pragma unroll 1
  for (int k = 0; k < depth; k += 4) {
    float4 x[rows], w[columns];
#pragma unroll
    for (int i = 0; i < rows; ++i) x[i] = tile::load_four(a + 4 * i * stride + k);
#pragma unroll
    for (int j = 0; j < columns; ++j) w[j] = tile::load_four(b + 8 * j * stride + k);
#pragma unroll
    for (int i = 0; i < rows; ++i)
#pragma unroll
      for (int j = 0; j < columns; ++j) {
        sum[i][j] = fmaf(x[i].x, w[j].x, sum[i][j]);
        sum[i][j] = fmaf(x[i].y, w[j].y, sum[i][j]);
        sum[i][j] = fmaf(x[i].z, w[j].z, sum[i][j]);
        sum[i][j] = fmaf(x[i].w, w[j].w, sum[i][j]);
      }
  }
}
/// sum[i][j] += sum over k < depth, a multiple of 4, of a[row + 4 i][k] b[k][column j], columns as `each_vector` has
/// them.
template <int rows, int columns, int stride_a, int stride_b>
__device__ void multiply_by_rows(int depth, const float* a, const float* b, const Strip& at,
                                 float (&sum)[rows][columns]) {
  a += at.row * stride_a;
#pragma unroll 1
  for (int k = 0; k < depth; k += 4) {
    float4 x[rows];
#pragma unroll
    for (int i = 0; i < rows; ++i) x[i] = tile::load_four(a + 4 * i * stride_a + k);
    const auto add = [&](int q, auto&& of) {
      float w[columns];
      load_columns<columns>(b + (k + q) * stride_b, at.column, w);
#pragma unroll
      for (int i = 0; i < rows; ++i)
#pragma unroll
        for (int j = 0; j < columns; ++j) sum[i][j] = fmaf(of(x[i]), w[j], sum[i][j]);
    };
    add(0, [](const float4& x) { return x.x; });
    add(1, [](const float4& x) { return x.y; });
    add(2, [](const float4& x) { return x.z; });
    add(3, [](const float4& x) { return x.w; });
  }
}

/// Asks for rows [first, first + count) of one head of a map whose rows are `between` apart; zeros from `length` on.
template <int width>
__device__ void ask_for_head(const float* x, std::size_t between, int first, int count, int length, float* to) {
  constexpr int vectors = width / 4;
#pragma unroll 2  // all at once their addresses take so many registers that those of an A100 spill
  for (int e = static_cast<int>(threadIdx.x); e < count * vectors; e += tile::threads) {
    const int r = e / vectors, f = 4 * (e % vectors);
    const bool here = first + r < length;
    tile::copy_four(to + r * HeadTile<width>::stride + f,
                    here ? x + static_cast<std::size_t>(first + r) * between + f : x, here);
  }
}

/// A row's columns of a thread, times a factor: to a map, or added to it.
template <int width>
__device__ void store_head(const float (&sum)[HeadTile<width>::columns], float factor, int place, float* to,
                           bool adds) {
  constexpr int columns = HeadTile<width>::columns;
  float scaled[columns];
#pragma unroll
  for (int j = 0; j < columns; ++j) scaled[j] = sum[j] * factor;
  each_vector<columns>(place, width, [&](int f, int j) {
    if constexpr (together(columns) == 4) {
      const float4 x = make_float4(scaled[j], scaled[j + 1], scaled[j + 2], scaled[j + 3]);
      tile::store_four(to + f, adds ? tile::add_times(tile::load_four(to + f), 1, x) : x);
    } else {
#pragma unroll
      for (int q = 0; q < together(columns); ++q) to[f + q] = adds ? to[f + q] + scaled[j + q] : scaled[j + q];
    }
  });
}

/// Which head of which sample a block has, and what lies where.
template <int width>
struct Head {
  std::size_t sample, d, of_sample;  ///< of_sample: the first step's row
  int head, length;
  __device__ Head(const Sequences& of, std::size_t block)
      : sample(block / static_cast<std::size_t>(of.heads)),
        d(static_cast<std::size_t>(of.heads) * width),
        of_sample(sample * static_cast<std::size_t>(of.steps)),
        head(static_cast<int>(block % static_cast<std::size_t>(of.heads))),
        length(of.length(sample)) {}
  /// Queries (0), keys (1) or values (2) of a map [., 3 d].
  template <class T>
  __device__ T* third(T* map, int which) const {
    return map + of_sample * 3 * d + static_cast<std::size_t>(which) * d + static_cast<std::size_t>(head) * width;
  }
  template <class T>
  __device__ T* of_map(T* map) const {
    return map + of_sample * d + static_cast<std::size_t>(head) * width;
  }
};

/// o [samples, steps, d]; statistics [samples, heads, steps, 2], or null.
template <int width, bool causal>
__global__ void __launch_bounds__(tile::threads, HeadTile<width>::blocks)
    attend_forward(Sequences of, int chunk, float factor, const float* qkv, float* o, float* kept) {
  using T = HeadTile<width>;
  constexpr int keys_of_tile = T::tile_ahead, weight_stride = T::weight_stride(keys_of_tile), columns = T::columns;
  float* const keys = tile::shared_memory();
  float *const values = keys + chunk * T::stride, *const queries = values + chunk * T::stride;
  const Strip at;
  float* const own = queries + at.warp * T::of_warp * T::stride;
  float* const weights = queries + T::rows * T::stride + at.warp * T::of_warp * weight_stride;
  const Head<width> head(of, blockIdx.x);
  const float* const x = head.third(qkv, 0);
  const std::size_t between = 3 * head.d;
  const int chunks = (head.length + chunk - 1) / chunk, passes = (of.steps + T::rows - 1) / T::rows;

  for (int pass = static_cast<int>(blockIdx.y); pass < passes; pass += static_cast<int>(gridDim.y)) {
    const int first = pass * T::rows, mine = first + at.warp * T::of_warp;
    float sum[4][columns], most[4], total[4];
    set_zero(sum);
#pragma unroll
    for (int i = 0; i < 4; ++i) most[i] = -INFINITY, total[i] = 0;
    __syncthreads();  // all are done with the last queries
    ask_for_head<width>(x, between, first, T::rows, head.length, queries);
    const int end = mine >= head.length                         ? 0
                    : causal && mine + T::of_warp < head.length ? mine + T::of_warp
                                                                : head.length;
    for (int c = 0; c < chunks; ++c) {
      if (c > 0) __syncthreads();  // and with the last chunk
      const int begin = c * chunk;
      if (chunks > 1 || pass == static_cast<int>(blockIdx.y)) {
        const int count = (head.length - begin < chunk ? head.length - begin : chunk);
        ask_for_head<width>(x + head.d, between, begin, (count + 63) / 64 * 64, head.length, keys);
        ask_for_head<width>(x + 2 * head.d, between, begin, (count + 63) / 64 * 64, head.length, values);
      }
      tile::copies_done();
      __syncthreads();
      const int until = end < begin + chunk ? end : begin + chunk;
      for (int k = begin; k < until; k += keys_of_tile) {
        const int count = until - k < keys_of_tile ? until - k : keys_of_tile;
        const auto go = [&]<int parts>(std::integral_constant<int, parts>) {
          float score[4][parts];
          set_zero(score);
          multiply<4, parts, width, T::stride>(own, keys + (k - begin) * T::stride, at, score);
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            float top = -INFINITY;
#pragma unroll
            for (int j = 0; j < parts; ++j) {
              const int key = k + at.column + 8 * j;
              if (key >= head.length || (causal && key > mine + at.row + 4 * i)) score[i][j] = -INFINITY;
              top = fmaxf(top, score[i][j]);
            }
            top = fmaxf(most[i], Strip::most_of_row(top));
            const float old = exp2f((most[i] - top) * factor);
            most[i] = top;
            total[i] *= old;
#pragma unroll
            for (int j = 0; j < columns; ++j) sum[i][j] *= old;
#pragma unroll
            for (int j = 0; j < parts; ++j) {
              const float weight = exp2f((score[i][j] - top) * factor);
              total[i] += weight;
              weights[(at.row + 4 * i) * weight_stride + at.column + 8 * j] = weight;
            }
          }
        };
        if (count > keys_of_tile / 2)
          go(std::integral_constant<int, keys_of_tile / 8>{});
        else
          go(std::integral_constant<int, keys_of_tile / 16>{});
        __syncwarp();
        multiply_by_rows<4, columns, weight_stride, T::stride>((count + 3) / 4 * 4, weights,
                                                               values + (k - begin) * T::stride, at, sum);
        __syncwarp();
      }
    }
    tile::copies_done();  // of queries without keys, too
    float* const to = head.of_map(o);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t = mine + at.row + 4 * i;
      const float inverse = 1 / Strip::sum_of_row(total[i]);
      if (t >= of.steps) continue;
      const bool here = t < head.length;
      if (!here)
#pragma unroll
        for (int j = 0; j < columns; ++j) sum[i][j] = 0;
      store_head<width>(sum[i], here ? inverse : 0.0F, at.column, to + static_cast<std::size_t>(t) * head.d, false);
      if (kept == nullptr || !here || at.column != 0) continue;
      float* const number = kept + (static_cast<std::size_t>(blockIdx.x) * of.steps + t) * statistics;
      number[0] = most[i];
      number[1] = inverse;
    }
  }
}

/// d_qkv of queries, written or added, and dots <do, o> [samples, heads, steps]; o and do [samples, steps, d].
template <int width, bool causal>
__global__ void __launch_bounds__(tile::threads, HeadTile<width>::blocks)
    attend_backward_queries(Sequences of, int chunk, float factor, float scale, const float* qkv, const float* o,
                            const float* d_o, const float* kept, float* dots, float* d_qkv, bool adds) {
  using T = HeadTile<width>;
  constexpr int keys_of_tile = T::tile_back, weight_stride = T::weight_stride(keys_of_tile), columns = T::columns,
                parts = keys_of_tile / 8;
  float* const keys = tile::shared_memory();
  float *const values = keys + chunk * T::stride, *const queries = values + chunk * T::stride;
  float* const ups = queries + T::rows * T::stride;
  const Strip at;
  float* const own = queries + at.warp * T::of_warp * T::stride;
  float* const own_ups = ups + at.warp * T::of_warp * T::stride;
  float* const slopes = ups + T::rows * T::stride + at.warp * T::of_warp * weight_stride;
  const Head<width> head(of, blockIdx.x);
  const float* const x = head.third(qkv, 0);
  const std::size_t between = 3 * head.d;
  const int chunks = (head.length + chunk - 1) / chunk, passes = (of.steps + T::rows - 1) / T::rows;

  for (int pass = static_cast<int>(blockIdx.y); pass < passes; pass += static_cast<int>(gridDim.y)) {
    const int first = pass * T::rows, mine = first + at.warp * T::of_warp;
    float sum[4][columns], most[4], inverse[4], dot[4];
    set_zero(sum);
#pragma unroll
    for (int i = 0; i < 4; ++i) most[i] = 0, inverse[i] = 0, dot[i] = 0;
    __syncthreads();  // all are done with the last queries
    ask_for_head<width>(x, between, first, T::rows, head.length, queries);
    ask_for_head<width>(head.of_map(d_o), head.d, first, T::rows, head.length, ups);
    const int end = mine >= head.length                         ? 0
                    : causal && mine + T::of_warp < head.length ? mine + T::of_warp
                                                                : head.length;
    for (int c = 0; c < chunks; ++c) {
      if (c > 0) __syncthreads();  // and with the last chunk
      const int begin = c * chunk;
      if (chunks > 1 || pass == static_cast<int>(blockIdx.y)) {
        const int count = head.length - begin < chunk ? head.length - begin : chunk;
        ask_for_head<width>(x + head.d, between, begin, (count + 63) / 64 * 64, head.length, keys);
        ask_for_head<width>(x + 2 * head.d, between, begin, (count + 63) / 64 * 64, head.length, values);
      }
      tile::copies_done();
      __syncthreads();
      if (c == 0) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int t = mine + at.row + 4 * i;
          const std::size_t number = static_cast<std::size_t>(blockIdx.x) * of.steps + t;
          if (t < head.length) {
            const float* const row = head.of_map(o) + static_cast<std::size_t>(t) * head.d;
            const float* const up = own_ups + (at.row + 4 * i) * T::stride;
            each_vector<columns>(at.column, width, [&](int f, int) {
#pragma unroll
              for (int q = 0; q < together(columns); ++q) dot[i] = fmaf(up[f + q], row[f + q], dot[i]);
            });
            most[i] = kept[number * statistics];
            inverse[i] = kept[number * statistics + 1];
          }
          dot[i] = Strip::sum_of_row(dot[i]);
          if (t < head.length && at.column == 0) dots[number] = dot[i];
        }
      }
      const int until = end < begin + chunk ? end : begin + chunk;
      for (int k = begin; k < until; k += keys_of_tile) {
        const int count = until - k < keys_of_tile ? until - k : keys_of_tile;
        float score[4][parts], slope[4][parts];
        set_zero(score);
        set_zero(slope);
        multiply<4, parts, width, T::stride>(own, keys + (k - begin) * T::stride, at, score);
        multiply<4, parts, width, T::stride>(own_ups, values + (k - begin) * T::stride, at, slope);
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
          for (int j = 0; j < parts; ++j) {
            const int key = k + at.column + 8 * j;
            const bool masked = key >= head.length || (causal && key > mine + at.row + 4 * i);
            const float weight = masked ? 0.0F : exp2f((score[i][j] - most[i]) * factor) * inverse[i];
            slopes[(at.row + 4 * i) * weight_stride + at.column + 8 * j] =
                masked ? 0.0F : weight * (slope[i][j] - dot[i]) * scale;
          }
        __syncwarp();
        multiply_by_rows<4, columns, weight_stride, T::stride>((count + 3) / 4 * 4, slopes,
                                                               keys + (k - begin) * T::stride, at, sum);
        __syncwarp();
      }
    }
    tile::copies_done();  // of queries without keys, too
    float* const to = head.third(d_qkv, 0);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t = mine + at.row + 4 * i;
      if (t >= of.steps || (adds && t >= head.length)) continue;
      if (t >= head.length)
#pragma unroll
        for (int j = 0; j < columns; ++j) sum[i][j] = 0;
      store_head<width>(sum[i], 1.0F, at.column, to + static_cast<std::size_t>(t) * between, adds);
    }
  }
}

/// The same of keys and values, with the dots that the queries' kernel has left.
template <int width, bool causal>
__global__ void __launch_bounds__(tile::threads, HeadTile<width>::blocks)
    attend_backward_keys(Sequences of, int chunk, float factor, float scale, const float* qkv, const float* d_o,
                         const float* kept, const float* dots, float* d_qkv, bool adds) {
  using T = HeadTile<width>;
  constexpr int queries_of_tile = T::tile_back, weight_stride = T::weight_stride(queries_of_tile), columns = T::columns,
                parts = queries_of_tile / 8;
  float* const queries = tile::shared_memory();
  float *const ups = queries + chunk * T::stride, *const keys = ups + chunk * T::stride;
  float* const values = keys + T::rows * T::stride;
  const Strip at;
  float* const own = keys + at.warp * T::of_warp * T::stride;
  float* const own_values = values + at.warp * T::of_warp * T::stride;
  float* const weights = values + T::rows * T::stride + at.warp * T::of_warp * weight_stride;
  float* const numbers = values + T::rows * T::stride + T::rows * weight_stride;  // [chunk, 3]
  const Head<width> head(of, blockIdx.x);
  const float* const x = head.third(qkv, 0);
  const std::size_t between = 3 * head.d;
  const int chunks = (head.length + chunk - 1) / chunk, passes = (of.steps + T::rows - 1) / T::rows;

  for (int pass = static_cast<int>(blockIdx.y); pass < passes; pass += static_cast<int>(gridDim.y)) {
    const int first = pass * T::rows, mine = first + at.warp * T::of_warp;
    float d_keys[4][columns], d_values[4][columns];
    set_zero(d_keys);
    set_zero(d_values);
    __syncthreads();  // all are done with the last keys
    ask_for_head<width>(x + head.d, between, first, T::rows, head.length, keys);
    ask_for_head<width>(x + 2 * head.d, between, first, T::rows, head.length, values);
    for (int c = 0; c < chunks; ++c) {
      if (c > 0) __syncthreads();  // and with the last chunk
      const int begin = c * chunk, count = head.length - begin < chunk ? head.length - begin : chunk;
      if (chunks > 1 || pass == static_cast<int>(blockIdx.y)) {
        ask_for_head<width>(x, between, begin, (count + 63) / 64 * 64, head.length, queries);
        ask_for_head<width>(head.of_map(d_o), head.d, begin, (count + 63) / 64 * 64, head.length, ups);
        for (int e = static_cast<int>(threadIdx.x); e < count; e += tile::threads) {
          const std::size_t number = static_cast<std::size_t>(blockIdx.x) * of.steps + begin + e;
          numbers[3 * e] = kept[number * statistics];
          numbers[3 * e + 1] = kept[number * statistics + 1];
          numbers[3 * e + 2] = dots[number];
        }
      }
      tile::copies_done();
      __syncthreads();
      if (mine >= head.length) continue;
      // Queries before a key do not see it.
      const int start = causal && mine > begin ? mine / queries_of_tile * queries_of_tile : begin;
      for (int k = start; k < begin + count; k += queries_of_tile) {
        const int here = begin + count - k < queries_of_tile ? begin + count - k : queries_of_tile;
        float score[4][parts], slope[4][parts];
        set_zero(score);
        set_zero(slope);
        const float *const of_queries = queries + (k - begin) * T::stride, *const of_ups =
                                                                               ups + (k - begin) * T::stride;
        multiply<4, parts, width, T::stride>(own, of_queries, at, score);
        multiply<4, parts, width, T::stride>(own_values, of_ups, at, slope);
#pragma unroll
        for (int j = 0; j < parts; ++j) {
          const int query = k + at.column + 8 * j;
          const float* const number = numbers + 3 * (query - begin);
          const bool is_one = query < head.length;
          const float most = is_one ? number[0] : 0.0F, inverse = is_one ? number[1] : 0.0F,
                      dot = is_one ? number[2] : 0.0F;
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            const bool masked = !is_one || (causal && query < mine + at.row + 4 * i);
            const float weight = masked ? 0.0F : exp2f((score[i][j] - most) * factor) * inverse;
            weights[(at.row + 4 * i) * weight_stride + at.column + 8 * j] = weight;
            score[i][j] = masked ? 0.0F : weight * (slope[i][j] - dot) * scale;
          }
        }
        __syncwarp();
        multiply_by_rows<4, columns, weight_stride, T::stride>((here + 3) / 4 * 4, weights, of_ups, at, d_values);
        __syncwarp();
#pragma unroll
        for (int j = 0; j < parts; ++j)
#pragma unroll
          for (int i = 0; i < 4; ++i) weights[(at.row + 4 * i) * weight_stride + at.column + 8 * j] = score[i][j];
        __syncwarp();
        multiply_by_rows<4, columns, weight_stride, T::stride>((here + 3) / 4 * 4, weights, of_queries, at, d_keys);
        __syncwarp();
      }
    }
    tile::copies_done();  // of keys without queries, too
    float *const to_keys = head.third(d_qkv, 1), *const to_values = head.third(d_qkv, 2);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t = mine + at.row + 4 * i;
      if (t >= of.steps || (adds && t >= head.length)) continue;
      if (t >= head.length)
#pragma unroll
        for (int j = 0; j < columns; ++j) d_keys[i][j] = d_values[i][j] = 0;
      store_head<width>(d_keys[i], 1.0F, at.column, to_keys + static_cast<std::size_t>(t) * between, adds);
      store_head<width>(d_values[i], 1.0F, at.column, to_values + static_cast<std::size_t>(t) * between, adds);
    }
  }
}

// ---- heads of any width: a block has one step of one head after the other, and room for a number or two of each step

/// f(sum) of all threads of a block, or of the greatest; `space` has a float of each warp. All threads call it.
template <class F>
__device__ float over_block(float x, float* space, F&& f) {
#pragma unroll
  for (int far = 16; far > 0; far /= 2) x = f(x, __shfl_xor_sync(0xffffffffU, x, far));
  __syncthreads();  // space may be in use
  if (threadIdx.x % 32 == 0) space[threadIdx.x / 32] = x;
  __syncthreads();
  float all = space[0];
  for (int w = 1; w < tile::threads / 32; ++w) all = f(all, space[w]);
  return all;
}
template <int width>
__device__ float dot_of_heads(const float* a, const float* b) {
  float sum = 0;
  for (int f = 0; f < width; ++f) sum = fmaf(a[f], b[f], sum);
  return sum;
}

template <int width, bool causal>
__global__ void __launch_bounds__(tile::threads)
    attend_plainly(Sequences of, float scale, const float* qkv, float* o, float* kept) {
  float* const space = tile::shared_memory();
  float* const weight = space + tile::threads / 32;
  const std::size_t all = of.samples * of.heads * of.steps;
  for (std::size_t one = blockIdx.x; one < all; one += gridDim.x) {
    const Head<width> head(of, one / of.steps);
    const int t = static_cast<int>(one % of.steps), count = causal ? t + 1 : head.length;
    float* const to = head.of_map(o) + t * head.d;
    if (t >= head.length) {
      for (int f = static_cast<int>(threadIdx.x); f < width; f += tile::threads) to[f] = 0;
      continue;
    }
    const float *const q = head.third(qkv, 0) + t * 3 * head.d, *const k = head.third(qkv, 1),
                       *const v = head.third(qkv, 2);
    float top = -INFINITY, sum = 0;
    __syncthreads();  // all are done with the last weights
    for (int s = static_cast<int>(threadIdx.x); s < count; s += tile::threads) {
      weight[s] = dot_of_heads<width>(q, k + s * 3 * head.d) * scale;
      top = fmaxf(top, weight[s]);
    }
    top = over_block(top, space, [](float a, float b) { return fmaxf(a, b); });
    for (int s = static_cast<int>(threadIdx.x); s < count; s += tile::threads) sum += weight[s] = expf(weight[s] - top);
    const float inverse = 1 / over_block(sum, space, [](float a, float b) { return a + b; });
    for (int f = static_cast<int>(threadIdx.x); f < width; f += tile::threads) {
      float mixture = 0;
      for (int s = 0; s < count; ++s) mixture = fmaf(weight[s], v[s * 3 * head.d + f], mixture);
      to[f] = mixture * inverse;
    }
    if (kept != nullptr && threadIdx.x == 0) {
      kept[one * statistics] = top;
      kept[one * statistics + 1] = inverse;
    }
  }
}

template <int width, bool causal>
__global__ void __launch_bounds__(tile::threads)
    attend_plainly_back_queries(Sequences of, float scale, const float* qkv, const float* d_o, const float* kept,
                                float* dots, float* d_qkv, bool adds) {
  float* const space = tile::shared_memory();
  float *const weight = space + tile::threads / 32, *const slope = weight + of.steps;
  const std::size_t all = of.samples * of.heads * of.steps;
  for (std::size_t one = blockIdx.x; one < all; one += gridDim.x) {
    const Head<width> head(of, one / of.steps);
    const int t = static_cast<int>(one % of.steps), count = t >= head.length ? 0 : causal ? t + 1 : head.length;
    const float *const q = head.third(qkv, 0) + t * 3 * head.d, *const k = head.third(qkv, 1),
                       *const v = head.third(qkv, 2), *const up = head.of_map(d_o) + t * head.d;
    float expected = 0;
    __syncthreads();  // all are done with the last slopes
    for (int s = static_cast<int>(threadIdx.x); s < count; s += tile::threads) {
      weight[s] = expf(dot_of_heads<width>(q, k + s * 3 * head.d) * scale - kept[one * statistics]) *
                  kept[one * statistics + 1];
      slope[s] = dot_of_heads<width>(up, v + s * 3 * head.d);
      expected = fmaf(weight[s], slope[s], expected);
    }
    expected = over_block(expected, space, [](float a, float b) { return a + b; });
    if (threadIdx.x == 0) dots[one] = expected;
    float* const to = head.third(d_qkv, 0) + t * 3 * head.d;
    for (int f = static_cast<int>(threadIdx.x); f < width; f += tile::threads) {
      float sum = 0;
      for (int s = 0; s < count; ++s) sum = fmaf(weight[s] * (slope[s] - expected) * scale, k[s * 3 * head.d + f], sum);
      to[f] = adds ? to[f] + sum : sum;
    }
  }
}

template <int width, bool causal>
__global__ void __launch_bounds__(tile::threads)
    attend_plainly_back_keys(Sequences of, float scale, const float* qkv, const float* d_o, const float* kept,
                             const float* dots, float* d_qkv, bool adds) {
  float *const weight = tile::shared_memory(), *const slope = weight + of.steps;
  const std::size_t all = of.samples * of.heads * of.steps;
  for (std::size_t one = blockIdx.x; one < all; one += gridDim.x) {
    const Head<width> head(of, one / of.steps);
    const int s = static_cast<int>(one % of.steps), begin = causal ? s : 0,
              end = s >= head.length ? begin : head.length;
    const float *const q = head.third(qkv, 0), *const k = head.third(qkv, 1) + s * 3 * head.d,
                       *const v = head.third(qkv, 2) + s * 3 * head.d, *const up = head.of_map(d_o);
    __syncthreads();  // all are done with the last slopes
    for (int t = begin + static_cast<int>(threadIdx.x); t < end; t += tile::threads) {
      const std::size_t number = one - s + t;
      weight[t] = expf(dot_of_heads<width>(q + t * 3 * head.d, k) * scale - kept[number * statistics]) *
                  kept[number * statistics + 1];
      slope[t] = weight[t] * (dot_of_heads<width>(up + t * head.d, v) - dots[number]) * scale;
    }
    __syncthreads();
    float *const to_key = head.third(d_qkv, 1) + s * 3 * head.d, *const to_value =
                                                                     head.third(d_qkv, 2) + s * 3 * head.d;
    for (int f = static_cast<int>(threadIdx.x); f < width; f += tile::threads) {
      float dk = 0, dv = 0;
      for (int t = begin; t < end; ++t) {
        dk = fmaf(slope[t], q[t * 3 * head.d + f], dk);
        dv = fmaf(weight[t], up[t * head.d + f], dv);
      }
      to_key[f] = adds ? to_key[f] + dk : dk;
      to_value[f] = adds ? to_value[f] + dv : dv;
    }
  }
}

// ---- from the host

/// Blocks: a head each, and where those are few, several that share its queries.
template <int width>
dim3 blocks_of_heads(const Sequences& of) {
  const std::size_t heads = of.samples * static_cast<std::size_t>(of.heads);
  const std::size_t passes = divide_up(static_cast<std::size_t>(of.steps), HeadTile<width>::rows);
  const std::size_t shares = heads == 0 ? 1 : std::clamp<std::size_t>(264 / heads, 1, passes);
  return dim3(static_cast<unsigned>(heads), static_cast<unsigned>(std::min<std::size_t>(shares, 65535)));
}
inline unsigned blocks_of_steps(const Sequences& of) {
  return static_cast<unsigned>(
      std::min<std::size_t>(of.samples * static_cast<std::size_t>(of.heads * of.steps), std::size_t{1} << 20));
}
inline std::size_t plain_bytes(const Sequences& of) {
  return (2 * static_cast<std::size_t>(of.steps) + tile::threads / 32) * sizeof(float);
}

/// o [samples, steps, heads width] of qkv [samples, steps, 3 heads width]; kept [samples, heads, steps, statistics], or
/// null.
template <int width, bool causal>
void forward(const Pass& pass, const Sequences& of, const float* qkv, float* o, float* kept) {
  const float scale = 1.0F / math::sqrt(static_cast<float>(width));
  if constexpr (HeadTile<width>::fits) {
    const int chunk = HeadTile<width>::chunk_of(of.steps, HeadTile<width>::ahead_floats);
    launch(pass, &attend_forward<width, causal>, blocks_of_heads<width>(of), tile::threads,
           HeadTile<width>::ahead_floats(chunk) * sizeof(float), of, chunk, scale * 1.44269504F, qkv, o, kept);
  } else {
    launch(pass, &attend_plainly<width, causal>, blocks_of_steps(of), tile::threads, plain_bytes(of), of, scale, qkv, o,
           kept);
  }
}

/// d_qkv, written (zeros behind the lengths) or added; dots [samples, heads, steps] is scratch.
template <int width, bool causal>
void backward(const Pass& pass, const Sequences& of, const float* qkv, const float* o, const float* d_o,
              const float* kept, float* dots, float* d_qkv, bool adds) {
  const float scale = 1.0F / math::sqrt(static_cast<float>(width));
  const float* const known = dots;
  if constexpr (HeadTile<width>::fits) {
    const int chunk = HeadTile<width>::chunk_of(of.steps, HeadTile<width>::back_floats);
    const std::size_t bytes = HeadTile<width>::back_floats(chunk) * sizeof(float);
    const dim3 blocks = blocks_of_heads<width>(of);
    launch(pass, &attend_backward_queries<width, causal>, blocks, tile::threads, bytes, of, chunk, scale * 1.44269504F,
           scale, qkv, o, d_o, kept, dots, d_qkv, adds);
    launch(pass, &attend_backward_keys<width, causal>, blocks, tile::threads, bytes, of, chunk, scale * 1.44269504F,
           scale, qkv, d_o, kept, known, d_qkv, adds);
  } else {
    launch(pass, &attend_plainly_back_queries<width, causal>, blocks_of_steps(of), tile::threads, plain_bytes(of), of,
           scale, qkv, d_o, kept, dots, d_qkv, adds);
    launch(pass, &attend_plainly_back_keys<width, causal>, blocks_of_steps(of), tile::threads, plain_bytes(of), of,
           scale, qkv, d_o, kept, known, d_qkv, adds);
  }
}

#endif

}  // namespace aila::inline v0::cuda::steps

#include "../../core/macros_back.hpp"
