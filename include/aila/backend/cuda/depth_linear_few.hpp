// Linear integration over one to three earlier maps of 64 features on a GPU: see depth_linear.hpp for what is computed.
//
// One block of 16 warps stays on a multiprocessor, with all projections in shared memory, as operands of tensor cores
// in their order. Rows of all items of a tile come there once, those of the next tile while one is computed; scores,
// slopes and products take them from there. Of the way back, W_i^T da stays in registers until the slopes are known, so
// that gradients of maps are read and written once, and the sums of the parameters' gradients stay there until the
// end. Bound by the device's memory, n + 1 maps forward and 3 n + 1 back, and by three products of TF32 for each.
#pragma once

#include "../../core/macros_aside.hpp"

#include "depth_linear_vectors.hpp"

namespace aila::inline v0::cuda::depth {

/// Linear sizes Z over so many maps.
template <class Z, int Count>
struct FewSizes {
  static constexpr int count = Count, n = 1 + Count, d = 64, threads = 512;
  static constexpr int rows = 64, map = rows * d;  ///< of a tile
  static constexpr int heads = 4;                  ///< in shared memory: those that are not there have no weight
  static constexpr int column_groups = 4;          ///< of 16

  static constexpr int counts_of = 4;  ///< tiles: those before are in use

  // In shared memory: maps of two tiles.
  struct Ahead {
    static constexpr int maps = n, value = 2 * maps * map, vector = value + count * d * d,
                         score = vector + n * Z::heads * d, mean = score + n * rows * heads, counts = mean + n * rows,
                         size = counts + counts_of * rows;
  };
  struct Back {
    static constexpr int maps = 1 + n, value = 2 * maps * map, vector = value + count * d * d,
                         slope = vector + n * Z::heads * d, mean = slope + n * rows * heads, dots = mean + n * rows,
                         counts = dots + column_groups * rows * 4, size = counts + counts_of * rows;
  };
  static constexpr std::size_t ahead_bytes = Ahead::size * sizeof(float), back_bytes = Back::size * sizeof(float);
  /// Blocks of a multiprocessor.
  static constexpr int ahead_blocks = 2 * ahead_bytes <= 220 * 1024 ? 2 : 1;
};

/// Whether these kernels are made for layers of such sizes, whatever the number of maps.
template <class Z>
inline constexpr bool may_be_few = Z::d == 64 && Z::heads <= 4 && !Z::context && !Z::has_task;

/// f with FewSizes where kernels over few maps serve, and this device gives a block `bytes` of them; else false.
template <class Z, class Bytes, class F>
bool with_few(std::size_t count, Bytes&& bytes, F&& f) {
  if constexpr (may_be_few<Z>) {
    const auto start = [&](auto sizes) {
      if (!gives_shared(bytes(sizes))) return false;
      f(sizes);
      return true;
    };
    if (count == 1) return start(FewSizes<Z, 1>{});
    if (count == 2) return start(FewSizes<Z, 2>{});
    if (count == 3) return start(FewSizes<Z, 3>{});
  }
  return false;
}

#ifdef __CUDACC__

namespace few {

/// Where number f of row r of a tile is: in the banks of its vectors, so that the lanes of a warp find what they ask
/// for in banks of their own, along rows and across.
__device__ inline int place(int r, int f) {
  return r * 64 + (f ^ ((r & 1) << 4 | (r & 2) << 2));
}
/// Where the number of row r of a tile is in lists that products across rows take four numbers of at once: of rows t,
/// t + 4, t + 8 and t + 12.
__device__ inline int place_across(int r) {
  return r / 16 * 16 + r % 4 * 4 + r % 16 / 4;
}

/// A warp's operands of two products, [16, 8] each: numbers of rows g and g + 8 along k.
struct Operand {
  float hi[2][4], lo[2][4];

  /// Four numbers of each: of the first product x and y, of the second z and w.
  __device__ void take(float4 upper, float4 lower) {
    tile::split(upper.x, hi[0][0], lo[0][0]);
    tile::split(lower.x, hi[0][1], lo[0][1]);
    tile::split(upper.y, hi[0][2], lo[0][2]);
    tile::split(lower.y, hi[0][3], lo[0][3]);
    tile::split(upper.z, hi[1][0], lo[1][0]);
    tile::split(lower.z, hi[1][1], lo[1][1]);
    tile::split(upper.w, hi[1][2], lo[1][2]);
    tile::split(lower.w, hi[1][3], lo[1][3]);
  }
};

/// A warp's part of a product: 16 rows, and 8 columns of each of `tiles` tiles. 16 products follow one another on
/// tensor cores; the rest is added as float32 is.
template <int tiles>
struct Part {
  float of[tiles][4];

  __device__ void clear() {
#pragma unroll
    for (int q = 0; q < tiles; ++q)
#pragma unroll
      for (int e = 0; e < 4; ++e) of[q][e] = 0;
  }
  __device__ void add(const Operand& a, const float4 (&b)[tiles]) {
    float c[tiles][4], hi[tiles][2][2], lo[tiles][2][2];
#pragma unroll
    for (int q = 0; q < tiles; ++q) {
#pragma unroll
      for (int e = 0; e < 4; ++e) c[q][e] = 0;
      tile::split(b[q].x, hi[q][0][0], lo[q][0][0]);
      tile::split(b[q].y, hi[q][0][1], lo[q][0][1]);
      tile::split(b[q].z, hi[q][1][0], lo[q][1][0]);
      tile::split(b[q].w, hi[q][1][1], lo[q][1][1]);
    }
#pragma unroll
    for (int s = 0; s < 2; ++s) {
#pragma unroll
      for (int q = 0; q < tiles; ++q) tile::multiply_add(c[q], a.lo[s], hi[q][s]);
#pragma unroll
      for (int q = 0; q < tiles; ++q) tile::multiply_add(c[q], a.hi[s], lo[q][s]);
#pragma unroll
      for (int q = 0; q < tiles; ++q) tile::multiply_add(c[q], a.hi[s], hi[q][s]);
    }
#pragma unroll
    for (int q = 0; q < tiles; ++q)
#pragma unroll
      for (int e = 0; e < 4; ++e) of[q][e] += c[q][e];
  }
};

/// What a thread has of a tile of 64 rows and 64 columns: of rows row(0) and row(1), four columns from `column` on.
/// Of products along rows, lanes take k four at a time; columns of their tiles are shared so that a lane's follow one
/// another.
struct Lane {
  int g, t, row_tile, column_group, column;

  __device__ Lane() {
    const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
    g = thread % 32 / 4, t = thread % 4, row_tile = warp % 4, column_group = warp / 4;
    column = 16 * column_group + 4 * t;
  }
  __device__ int row(int h) const { return 16 * row_tile + g + 8 * h; }
  __device__ static float4 numbers_of_row(const Part<2>& of, int h) {
    return make_float4(of.of[0][2 * h], of.of[0][2 * h + 1], of.of[1][2 * h], of.of[1][2 * h + 1]);
  }
};

/// The projections as operands: of each map, group of 16 columns, tile of 8 of them and 16 numbers of k, four of each
/// lane. Columns are those of the result, features of the layer, or where `transposed` those of the maps.
template <class F, bool transposed>
__device__ void take_projections(const Addresses<const float>& maps, float* to) {
  for (int e = static_cast<int>(threadIdx.x); e < F::count * 1024; e += F::threads) {
    const int lane = e % 32, k = e / 32 % 4 * 16 + lane % 4 * 4, q = e / 128 % 2, group = e / 256 % 4;
    const int g = lane / 4, column = 16 * group + g / 2 * 4 + 2 * q + g % 2;
    const float* const from = maps.of[e / 1024];
    tile::store_four(to + 4 * e, transposed ? make_float4(from[k * 64 + column], from[(k + 1) * 64 + column],
                                                          from[(k + 2) * 64 + column], from[(k + 3) * 64 + column])
                                            : tile::load_four(from + column * 64 + k));
  }
}
/// Of map i, those of a lane for numbers [16 c, 16 c + 16) of k.
__device__ inline void load_projection(const float* from, int i, int c, const Lane& lane, float4 (&to)[2]) {
  from += ((i * 4 + lane.column_group) * 2 * 4 + c) * 128 + static_cast<int>(threadIdx.x) % 32 * 4;
  to[0] = tile::load_four(from);
  to[1] = tile::load_four(from + 512);
}

/// Which rows of a tile count, by the threads from `from` on: its turn among the block's.
template <class F>
__device__ void find_counts(const tile::Rows& rows, int turn, int from, int* counts) {
  const int r = static_cast<int>(threadIdx.x) - from;
  if (r < 0 || r >= F::rows) return;
  const std::size_t t = blockIdx.x + static_cast<std::size_t>(turn) * gridDim.x;
  counts[turn % F::counts_of * F::rows + r] = rows.counts(t * F::rows + static_cast<std::size_t>(r)) ? 1 : 0;
}
/// Asks for the rows of one map.
template <class F>
__device__ void ask_for_map(const float* x, std::size_t first, const int* counts, float* to) {
  const int v = static_cast<int>(threadIdx.x) % 16;
#pragma unroll
  for (int r = static_cast<int>(threadIdx.x) / 16, m = 0; m < 2; ++m, r += 32) {
    const bool here = counts[r] != 0;
    tile::copy_four(to + place(r, 4 * v), here ? x + (first + static_cast<std::size_t>(r)) * F::d + 4 * v : x, here);
  }
}

/// The weights of the items of a row and head, by the thread that has these; to `mean` those over the heads.
template <class F, class Z>
__device__ void average_heads(const float (&weight)[F::n], float* mean, int at) {
#pragma unroll
  for (int i = 0; i < F::n; ++i) {
    const float sum = tile::sum_over<F::heads>(weight[i]);
    if (threadIdx.x % F::heads == 0) mean[i * F::rows + at] = sum * Z::share;
  }
}

}  // namespace few

/// z = own + a; no z: nobody wants it.
template <class Z, class F>
__global__ void __launch_bounds__(F::threads, F::ahead_blocks)
    linear_forward_few(tile::Rows rows, const __grid_constant__ LinearItems items,
                       const __grid_constant__ Addresses<const float> maps, const float* score, float* z,
                       float* weights) {
  using L = typename F::Ahead;
  constexpr int n = F::n, count = F::count;
  float* const memory = tile::shared_memory();
  float *const value = memory + L::value, *const vector = memory + L::vector, *const scores = memory + L::score;
  float* const mean = memory + L::mean;
  int* const all_counts = reinterpret_cast<int*>(memory + L::counts);
  const int thread = static_cast<int>(threadIdx.x);
  const few::Lane lane;
  const auto ask = [&](int turn, std::size_t t) {
#pragma unroll
    for (int i = 0; i < n; ++i)
      few::ask_for_map<F>(items.of.of[i], t * F::rows, all_counts + turn % F::counts_of * F::rows,
                          memory + (turn % 2 * n + i) * F::map);
  };
  few::find_counts<F>(rows, 0, 0, all_counts);
  few::find_counts<F>(rows, 1, F::rows, all_counts);
  __syncthreads();
  const std::size_t tiles = divide_up(rows.count, F::rows);
  if (blockIdx.x < tiles) ask(0, blockIdx.x);
  if (z != nullptr) few::take_projections<F, false>(maps, value);
  make_vectors<Z>(n, maps, score, vector);

  int turn = 0;
  for (std::size_t t = blockIdx.x; t < tiles; t += gridDim.x, ++turn) {
    const std::size_t first = t * F::rows;
    const float* const of_items = memory + turn % 2 * n * F::map;
    const int* const counts = all_counts + turn % F::counts_of * F::rows;
    tile::copies_done();
    __syncthreads();  // rows are there, and all are done with the tile before
    if (t + gridDim.x < tiles) ask(turn + 1, t + gridDim.x);

    // Scores: a warp has 16 rows of an item, its heads are the columns of a tile.
    if (lane.column_group < n) {
      const float* const item = of_items + lane.column_group * F::map;
      const float* const of_head = vector + (lane.column_group * Z::heads + lane.g) * F::d;
      few::Part<1> sum;
      sum.clear();
#pragma unroll 1
      for (int k = 4 * lane.t; k < F::d; k += 16) {
        few::Operand a;
        a.take(tile::load_four(item + few::place(lane.row(0), k)), tile::load_four(item + few::place(lane.row(1), k)));
        const float4 b[1] = {lane.g < Z::heads ? tile::load_four(of_head + k) : zero_four()};
        sum.add(a, b);
      }
      if (lane.t < 2)
#pragma unroll
        for (int h = 0; h < 2; ++h)
          tile::store_two(scores + (lane.column_group * F::rows + lane.row(h)) * F::heads + 2 * lane.t,
                          sum.of[0][2 * h], sum.of[0][2 * h + 1]);
    }
    __syncthreads();

    // Weights: a thread has a row and a head, others look which rows of the tile after the next one count.
    if (thread < F::rows * F::heads) {
      const int r = thread / F::heads, head = thread % F::heads;
      const bool has_weight = counts[r] != 0 && head < Z::heads;
      float weight[n];
#pragma unroll
      for (int i = 0; i < n; ++i) weight[i] = scores[i * F::rows * F::heads + thread];
      float most = weight[0], sum = 0;
#pragma unroll
      for (int i = 1; i < n; ++i) most = fmaxf(most, weight[i]);
#pragma unroll
      for (int i = 0; i < n; ++i) sum += weight[i] = expf(weight[i] - most);
      const float inverse = 1 / sum;
#pragma unroll
      for (int i = 0; i < n; ++i) weight[i] = has_weight ? weight[i] * inverse : 0.0F;
      const std::size_t row = first + static_cast<std::size_t>(r);
      if (weights != nullptr && row < rows.count && head < Z::heads)
#pragma unroll
        for (int i = 0; i < n; ++i)
          weights[(row * Z::heads + static_cast<std::size_t>(head)) * n + static_cast<std::size_t>(i)] = weight[i];
      few::average_heads<F, Z>(weight, mean, r);
    } else {
      few::find_counts<F>(rows, turn + 2, F::rows * F::heads, all_counts);
    }
    if (z == nullptr) continue;
    __syncthreads();

    few::Part<2> sum;
    sum.clear();
#pragma unroll
    for (int i = 0; i < count; ++i) {
      const float* const item = of_items + (1 + i) * F::map;
      const float upper = mean[(1 + i) * F::rows + lane.row(0)], lower = mean[(1 + i) * F::rows + lane.row(1)];
#pragma unroll 1
      for (int c = 0; c < 4; ++c) {
        const int k = 16 * c + 4 * lane.t;
        few::Operand a;
        a.take(tile::times(upper, tile::load_four(item + few::place(lane.row(0), k))),
               tile::times(lower, tile::load_four(item + few::place(lane.row(1), k))));
        float4 b[2];
        few::load_projection(value, i, c, lane, b);
        sum.add(a, b);
      }
    }
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int r = lane.row(h);
      const std::size_t row = first + static_cast<std::size_t>(r);
      if (row >= rows.count) continue;
      const float4 own = tile::load_four(of_items + few::place(r, lane.column));
      tile::store_four(
          z + row * F::d + lane.column,
          counts[r] != 0 ? tile::add_times(lane.numbers_of_row(sum, h), 1.0F + mean[r], own) : zero_four());
    }
  }
}

/// Adds to d_own and d_maps, and to this block's sums of the gradients of the parameters; no sums: nobody asks.
template <class Z, class F>
__global__ void __launch_bounds__(F::threads, 1)
    linear_backward_few(tile::Rows rows, const __grid_constant__ LinearItems items,
                        const __grid_constant__ Addresses<const float> maps, const float* score, const float* dz,
                        float* d_own, const __grid_constant__ Addresses<float> d_maps, const float* weights,
                        float* sums) {
  using L = typename F::Back;
  constexpr int n = F::n, count = F::count;
  float* const memory = tile::shared_memory();
  float *const value = memory + L::value, *const vector = memory + L::vector, *const slopes = memory + L::slope;
  float *const mean = memory + L::mean, *const dots = memory + L::dots;
  int* const all_counts = reinterpret_cast<int*>(memory + L::counts);
  const int thread = static_cast<int>(threadIdx.x);
  const few::Lane lane;
  const bool asked = sums != nullptr, writes_own = d_own == dz;
  // Sums of ds h: a thread has a column, and eight rows of a tile.
  const int sum_column = thread % F::d, sum_rows = thread / F::d * 8;
  few::Part<2> matrix_sum[count];
  float own_sum = 0, head_sum[count][F::heads];
#pragma unroll
  for (int i = 0; i < count; ++i) {
    matrix_sum[i].clear();
#pragma unroll
    for (int k = 0; k < F::heads; ++k) head_sum[i][k] = 0;
  }
  const auto ask = [&](int turn, std::size_t t) {
    float* const to = memory + turn % 2 * L::maps * F::map;
    const int* const counts = all_counts + turn % F::counts_of * F::rows;
    few::ask_for_map<F>(dz, t * F::rows, counts, to);
#pragma unroll
    for (int i = 0; i < n; ++i) few::ask_for_map<F>(items.of.of[i], t * F::rows, counts, to + (1 + i) * F::map);
  };
  few::find_counts<F>(rows, 0, 0, all_counts);
  few::find_counts<F>(rows, 1, F::rows, all_counts);
  __syncthreads();
  const std::size_t tiles = divide_up(rows.count, F::rows);
  if (blockIdx.x < tiles) ask(0, blockIdx.x);
  few::take_projections<F, true>(maps, value);
  make_vectors<Z>(n, maps, score, vector);

  int turn = 0;
  for (std::size_t t = blockIdx.x; t < tiles; t += gridDim.x, ++turn) {
    const std::size_t first = t * F::rows;
    const float* const up = memory + turn % 2 * L::maps * F::map;
    const float* const of_items = up + F::map;
    const int* const counts = all_counts + turn % F::counts_of * F::rows;
    tile::copies_done();
    __syncthreads();  // rows are there, and all are done with the tile before
    if (t + gridDim.x < tiles) ask(turn + 1, t + gridDim.x);
    const int r_of_weights = thread / F::heads, head = thread % F::heads;
    const bool has_weight = r_of_weights < F::rows && head < Z::heads && counts[r_of_weights % F::rows] != 0;
    float weight[n];
#pragma unroll
    for (int i = 0; i < n; ++i)
      weight[i] =
          has_weight
              ? weights[((first + static_cast<std::size_t>(r_of_weights)) * Z::heads + static_cast<std::size_t>(head)) *
                            n +
                        static_cast<std::size_t>(i)]
              : 0.0F;

    // W_i^T da, and the slopes of weights <da, own> and <W_i^T da, h_i>.
    few::Part<2> e[count];
#pragma unroll
    for (int i = 0; i < count; ++i) e[i].clear();
#pragma unroll 1
    for (int c = 0; c < 4; ++c) {
      const int k = 16 * c + 4 * lane.t;
      few::Operand a;
      a.take(tile::load_four(up + few::place(lane.row(0), k)), tile::load_four(up + few::place(lane.row(1), k)));
#pragma unroll
      for (int i = 0; i < count; ++i) {
        float4 b[2];
        few::load_projection(value, i, c, lane, b);
        e[i].add(a, b);
      }
    }
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int at = few::place(lane.row(h), lane.column);
      float dot[4] = {tile::dot(tile::load_four(up + at), tile::load_four(of_items + at)), 0, 0, 0};
#pragma unroll
      for (int i = 0; i < count; ++i)
        dot[1 + i] = tile::dot(lane.numbers_of_row(e[i], h), tile::load_four(of_items + (1 + i) * F::map + at));
#pragma unroll
      for (int i = 0; i < n; ++i) dot[i] = tile::sum_over<4>(dot[i]);
      if (lane.t == 0)
        tile::store_four(dots + (lane.column_group * F::rows + lane.row(h)) * 4,
                         make_float4(dot[0], dot[1], dot[2], dot[3]));
    }
    // What gradients are added to comes while slopes are computed.
    float4 old[count][2];
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const bool here = counts[lane.row(h)] != 0;
      const std::size_t at = (first + static_cast<std::size_t>(lane.row(h))) * F::d + lane.column;
#pragma unroll
      for (int i = 0; i < count; ++i)
        old[i][h] = here && d_maps.of[i] != nullptr ? tile::load_four(d_maps.of[i] + at) : zero_four();
    }
    __syncthreads();

    // From weights to their slopes ds: a thread has a row and a head.
    if (thread < F::rows * F::heads) {
      float dot[4] = {0, 0, 0, 0}, expected = 0;
#pragma unroll
      for (int group = 0; group < F::column_groups; ++group) {
        const float4 x = tile::load_four(dots + (group * F::rows + r_of_weights) * 4);
        dot[0] += x.x, dot[1] += x.y, dot[2] += x.z, dot[3] += x.w;
      }
      few::average_heads<F, Z>(weight, mean, few::place_across(r_of_weights));
#pragma unroll
      for (int i = 0; i < n; ++i) expected = fmaf(weight[i], dot[i], expected);
#pragma unroll
      for (int i = 0; i < n; ++i)
        slopes[i * F::rows * F::heads + thread] = weight[i] * (Z::share * (dot[i] - expected));
    } else {
      few::find_counts<F>(rows, turn + 2, F::rows * F::heads, all_counts);
    }
    __syncthreads();

    // d_own += (1 + mean) da + ds w
    if (d_own != nullptr)
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int r = lane.row(h), of_head = lane.column / Z::slice;
        const std::size_t row = first + static_cast<std::size_t>(r);
        float4 to = zero_four();
        if (counts[r] != 0) {
          if (!writes_own) to = tile::load_four(d_own + row * F::d + lane.column);
          to = tile::add_times(to, 1.0F + mean[few::place_across(r)], tile::load_four(up + few::place(r, lane.column)));
          to = tile::add_times(to, slopes[r * F::heads + of_head],
                               tile::load_four(vector + of_head * F::d + lane.column));
        } else if (!writes_own || row >= rows.count) {
          continue;
        }
        tile::store_four(d_own + row * F::d + lane.column, to);
      }
    // d_map += mean W_i^T da + sum over heads of ds W_i^T w
#pragma unroll
    for (int i = 0; i < count; ++i) {
      if (d_maps.of[i] == nullptr) continue;
      float4 of_head[Z::heads];
#pragma unroll
      for (int k = 0; k < Z::heads; ++k)
        of_head[k] = tile::load_four(vector + ((1 + i) * Z::heads + k) * F::d + lane.column);
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int r = lane.row(h);
        if (counts[r] == 0) continue;
        const float4 slope = tile::load_four(slopes + ((1 + i) * F::rows + r) * F::heads);
        const float of[4] = {slope.x, slope.y, slope.z, slope.w};
        float4 to =
            tile::add_times(old[i][h], mean[(1 + i) * F::rows + few::place_across(r)], lane.numbers_of_row(e[i], h));
#pragma unroll
        for (int k = 0; k < Z::heads; ++k) to = tile::add_times(to, of[k], of_head[k]);
        tile::store_four(d_maps.of[i] + (first + static_cast<std::size_t>(r)) * F::d + lane.column, to);
      }
    }
    if (!asked) continue;

#pragma unroll 2
    for (int r = sum_rows; r < sum_rows + 8; ++r) {
      const int at = few::place(r, sum_column);
      own_sum = fmaf(slopes[r * F::heads + sum_column / Z::slice], of_items[at], own_sum);
#pragma unroll
      for (int i = 0; i < count; ++i) {
        const float4 slope = tile::load_four(slopes + ((1 + i) * F::rows + r) * F::heads);
        const float x = of_items[(1 + i) * F::map + at], of[4] = {slope.x, slope.y, slope.z, slope.w};
#pragma unroll
        for (int k = 0; k < Z::heads; ++k) head_sum[i][k] = fmaf(of[k], x, head_sum[i][k]);
      }
    }
    // da^T (mean h_i): lanes take pairs of columns, of rows t, t + 4, t + 8 and t + 12.
#pragma unroll 1
    for (int c = 0; c < F::rows; c += 16) {
      const auto pairs = [&](const float* from, int column_tile, float2(&x)[4]) {
#pragma unroll
        for (int m = 0; m < 4; ++m)
          x[m] = tile::load_two(from + few::place(c + lane.t + 4 * m, 16 * column_tile + 2 * lane.g));
      };
      float2 x[4];
      pairs(up, lane.row_tile, x);
      few::Operand a;
      a.take(make_float4(x[0].x, x[1].x, x[2].x, x[3].x), make_float4(x[0].y, x[1].y, x[2].y, x[3].y));
#pragma unroll
      for (int i = 0; i < count; ++i) {
        const float4 by = tile::load_four(mean + (1 + i) * F::rows + c + 4 * lane.t);
        pairs(of_items + (1 + i) * F::map, lane.column_group, x);
        const float4 b[2] = {make_float4(by.x * x[0].x, by.y * x[1].x, by.z * x[2].x, by.w * x[3].x),
                             make_float4(by.x * x[0].y, by.y * x[1].y, by.z * x[2].y, by.w * x[3].y)};
        matrix_sum[i].add(a, b);
      }
    }
  }
  if (!asked) return;

  sums += blockIdx.x * Z::sums(count);
#pragma unroll
  for (int i = 0; i < count; ++i)
#pragma unroll
    for (int h = 0; h < 2; ++h)
      tile::store_four(sums + i * Z::matrix_sum + (16 * lane.row_tile + 2 * lane.g + h) * F::d + lane.column,
                       make_float4(matrix_sum[i].of[0][2 * h], matrix_sum[i].of[1][2 * h],
                                   matrix_sum[i].of[0][2 * h + 1], matrix_sum[i].of[1][2 * h + 1]));
  // The eight threads of a column put theirs beside each other.
  __syncthreads();
  float* const of_threads = memory;
  constexpr int vectors = 1 + count * F::heads;
  of_threads[thread] = own_sum;
#pragma unroll
  for (int i = 0; i < count; ++i)
#pragma unroll
    for (int k = 0; k < F::heads; ++k) of_threads[(1 + i * F::heads + k) * F::threads + thread] = head_sum[i][k];
  __syncthreads();
  float* const to = sums + static_cast<std::size_t>(count) * Z::matrix_sum;
  for (int v = thread; v < vectors * F::d; v += F::threads) {
    const int which = v / F::d - 1, f = v % F::d, head = which < 0 ? f / Z::slice : which % F::heads;
    if (head >= Z::heads) continue;
    float sum = 0;
#pragma unroll
    for (int m = 0; m < F::threads / F::d; ++m) sum += of_threads[(1 + which) * F::threads + m * F::d + f];
    to[Z::vector(n, which < 0 ? 0 : 1 + which / F::heads, 0, head) * F::d + f] = sum;
  }
}

#endif

}  // namespace aila::inline v0::cuda::depth

#include "../../core/macros_back.hpp"
