// Linear integration over one to three earlier maps of 64 features on a GPU: see depth_linear.hpp for what is computed.
//
// One block of 16 warps stays on a multiprocessor, with all projections in shared memory, as operands of tensor cores
// in their order. Rows of all items of a tile come there once, those of the next tile while one is computed; scores,
// slopes and products take them from there. Of the way back, W_i^T da stays in registers until the slopes are known, so
// that gradients of maps are read and written once, and the sums of the parameters' gradients stay there until the
// end. Bound by the device's memory, n + 1 maps forward and 3 n + 1 back, and by three products of TF32 for each.
#pragma once

#include "../../core/macros_aside.hpp"

#include "depth_linear_tile.hpp"
#include "depth_linear_vectors.hpp"

namespace aila::inline v0::cuda::depth {

/// Linear sizes Z over so many maps.
template <class Z, int Count>
struct FewSizes {
  static constexpr int count = Count, n = 1 + Count, d = 64, threads = 512;
  static constexpr int rows = 64, map = rows * d;  ///< of a tile
  static constexpr int heads = 4;                  ///< in shared memory: those that are not there have no weight
  static constexpr int column_groups = 4;          ///< of 16

  static constexpr int counts_of = 4;  ///< tiles it is known of which of their rows count: of one, and of the next two

  // In shared memory: maps of two tiles, projections, and what groups of columns have of scores and of slopes of
  // weights.
  struct Ahead {
    static constexpr int maps = n, value = 2 * maps * map, vector = value + count * d * d,
                         score = vector + n * Z::heads * d, counts = score + column_groups * n * rows * heads,
                         size = counts + counts_of * rows;
  };
  struct Back {
    static constexpr int maps = 1 + n, value = 2 * maps * map, vector = value + count * d * d,
                         slope = vector + n * heads * d, mean = slope + n * rows * heads, dots = mean + n * rows,
                         counts = dots + column_groups * rows * 4, size = counts + counts_of * rows;
  };
  static constexpr std::size_t ahead_bytes = Ahead::size * sizeof(float), back_bytes = Back::size * sizeof(float);
  /// Blocks of a multiprocessor.
  static constexpr int ahead_blocks = 2 * ahead_bytes <= 220 * 1024 ? 2 : 1;
  /// Whether threads have registers left on the way back.
  static constexpr bool has_registers = count == 1;
};

/// Whether these kernels are made for layers of such sizes, whatever the number of maps.
template <class Z>
inline constexpr bool may_be_few = Z::d == 64 && Z::heads <= 4 && !Z::context && !Z::has_task;

/// Rows below which the other kernels' smaller tiles keep more multiprocessors at work.
inline constexpr std::size_t fewest_rows = 2048;

/// f with FewSizes where kernels over few maps serve so many rows, and this device gives a block `bytes` of them; else
/// false.
template <class Z, class Bytes, class F>
bool with_few(std::size_t rows, std::size_t count, Bytes&& bytes, F&& f) {
  if constexpr (may_be_few<Z>) {
    if (rows < fewest_rows) return false;
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

/// What a block may have of shared memory on the devices that code is compiled for: what needs more is not started
/// there, and has no code.
__device__ constexpr std::size_t shared_of_devices() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  return (__CUDA_ARCH__ == 800 || __CUDA_ARCH__ == 870 ? 163 : 99) * 1024;
#else
  return 227 * 1024;
#endif
}

/// The projections as operands: of each map, group of 16 columns, tile of 8 of them and 16 numbers of k, four of each
/// lane. Columns are those of the result, features of the layer, or where `transposed` those of the maps.
template <class F, bool transposed>
__device__ void take_projections(const Addresses<const float>& maps, float* to) {
  for (int e = static_cast<int>(threadIdx.x); e < F::count * 1024; e += F::threads) {
    const int lane = e % 32, k = e / 32 % 4 * 16 + lane % 4 * 4, q = e / 128 % 2, group = e / 256 % 4;
    const int column = Lane::operand_column(group, q, lane);
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

/// Which rows of the block's tile number `turn` count: the threads from `from` on find out.
template <class F>
__device__ void find_counts(const tile::Rows& rows, int turn, int from, int* counts) {
  const int r = static_cast<int>(threadIdx.x) - from;
  if (r < 0 || r >= F::rows) return;
  const std::size_t t = blockIdx.x + static_cast<std::size_t>(turn) * gridDim.x;
  counts[turn % F::counts_of * F::rows + r] = rows.counts(t * F::rows + static_cast<std::size_t>(r)) ? 1 : 0;
}
/// How a thread asks for its vectors of the rows of a tile, of one map after the other: of two rows, 32 apart.
template <class F>
struct Asking {
  std::size_t from;
  int to;
  bool here[2];

  __device__ Asking(std::size_t first, const int* counts)
      : from(first * F::d + 4 * threadIdx.x),
        to(place(static_cast<int>(threadIdx.x) / 16, static_cast<int>(threadIdx.x) % 16 * 4)) {
#pragma unroll
    for (int m = 0; m < 2; ++m) here[m] = counts[static_cast<int>(threadIdx.x) / 16 + 32 * m] != 0;
  }
  __device__ void ask(const float* x, float* map) const {
#pragma unroll
    for (int m = 0; m < 2; ++m) tile::copy_four(map + to + m * 32 * F::d, x + from + m * 32 * F::d, here[m]);
  }
};

/// Vectors of heads as operands: a lane has its head's numbers of two columns, zeros of a head that is not there.
template <class F, class Z>
__device__ void take_vectors(const float* from, float* to) {
  for (int e = static_cast<int>(threadIdx.x); e < F::n * 128; e += F::threads) {
    const int lane = e % 32, group = e / 32 % 4, head = lane % 4;
    const float* const of_head = from + (e / 128 * Z::heads + head) * F::d;
    const auto number = [&](int q) { return head < Z::heads ? of_head[Lane::operand_column(group, q, lane)] : 0.0F; };
    tile::store_two(to + 2 * e, number(0), number(1));
  }
}

}  // namespace few

/// z = own + a; no z: nobody wants it.
template <class Z, class F>
__global__ void __launch_bounds__(F::threads, F::ahead_blocks)
    linear_forward_few(tile::Rows rows, const __grid_constant__ LinearItems items,
                       const __grid_constant__ Addresses<const float> maps, const float* score, float* z,
                       float* weights) {
  if constexpr (F::ahead_bytes <= few::shared_of_devices()) {
    using L = typename F::Ahead;
    constexpr int n = F::n, count = F::count;
    float* const memory = tile::shared_memory();
    float *const value = memory + L::value, *const vector = memory + L::vector, *const scores = memory + L::score;
    int* const all_counts = reinterpret_cast<int*>(memory + L::counts);
    const few::Lane lane;
    const auto ask = [&](int turn, std::size_t t) {
      const few::Asking<F> rows_of(t * F::rows, all_counts + turn % F::counts_of * F::rows);
#pragma unroll
      for (int i = 0; i < n; ++i) rows_of.ask(items.of.of[i], memory + (turn % 2 * n + i) * F::map);
    };
    few::find_counts<F>(rows, 0, 0, all_counts);
    few::find_counts<F>(rows, 1, F::rows, all_counts);
    __syncthreads();
    const std::size_t tiles = divide_up(rows.count, F::rows);
    if (blockIdx.x < tiles) ask(0, blockIdx.x);
    few::take_projections<F, false>(maps, value);
    make_vectors<Z>(n, maps, score, vector);

    int turn = 0;
    for (std::size_t t = blockIdx.x; t < tiles; t += gridDim.x, ++turn) {
      const std::size_t first = t * F::rows;
      const float* const of_items = memory + turn % 2 * n * F::map;
      const int* const counts = all_counts + turn % F::counts_of * F::rows;
      tile::copies_done();
      __syncthreads();  // rows are there, and all are done with the tile before
      if (t + gridDim.x < tiles) ask(turn + 1, t + gridDim.x);
      few::find_counts<F>(rows, turn + 2, 0, all_counts);

      const auto take = [&](int i, int k, few::Operand& a) {
        const float* const item = of_items + i * F::map;
        a.take(tile::load_four(item + lane.place_in_row(0, k)), tile::load_four(item + lane.place_in_row(1, k)));
      };
      // Scores: heads are the columns of a tile, and a group of columns sums over 16 numbers.
      const auto add_to_scores = [&](int i, int k, const few::Operand& a) {
        const float4 b[1] = {lane.g < Z::heads ? tile::load_four(vector + (i * Z::heads + lane.g) * F::d + k)
                                               : zero_four()};
        few::Part<1> sum;
        sum.clear();
        sum.add(a, b);
        if (lane.t < 2)
#pragma unroll
          for (int h = 0; h < 2; ++h)
            tile::store_two(scores + ((lane.column_group * n + i) * F::rows + lane.row(h)) * F::heads + 2 * lane.t,
                            sum.of[0][2 * h], sum.of[0][2 * h + 1]);
      };
      few::Operand own;
      take(0, lane.column, own);
      add_to_scores(0, lane.column, own);
      few::Part<2> v[count];
#pragma unroll
      for (int i = 0; i < count; ++i) {
        v[i].clear();
#pragma unroll 1
        for (int c = 0; c < 4; ++c) {
          const int k = 16 * c + 4 * lane.t;
          few::Operand a;
          take(1 + i, k, a);
          float4 b[2];
          few::load_projection(value, i, c, lane, b);
          v[i].add(a, b);
          if (c == lane.column_group) add_to_scores(1 + i, k, a);
        }
      }
      __syncthreads();

      // Weights: the four lanes of a row have a head each.
      const std::size_t first_row = first + static_cast<std::size_t>(lane.row(0));
      float* const to_weights = weights + (first_row * Z::heads + static_cast<std::size_t>(lane.t)) * n;
      float* const to_z = z + first_row * F::d + lane.column;
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int r = lane.row(h);
        const bool here = counts[r] != 0, is_row = first_row + 8 * h < rows.count;
        float weight[n], sum = 0;
#pragma unroll
        for (int i = 0; i < n; ++i) {
          const float* const of_groups = scores + (i * F::rows + r) * F::heads + lane.t;
          weight[i] = of_groups[0];
#pragma unroll
          for (int group = 1; group < F::column_groups; ++group) weight[i] += of_groups[group * n * F::rows * F::heads];
        }
        float most = weight[0];
#pragma unroll
        for (int i = 1; i < n; ++i) most = fmaxf(most, weight[i]);
#pragma unroll
        for (int i = 0; i < n; ++i) sum += weight[i] = expf(weight[i] - most);
        const float inverse = here && lane.t < Z::heads ? 1 / sum : 0.0F;
#pragma unroll
        for (int i = 0; i < n; ++i) weight[i] *= inverse;
        if (weights != nullptr && lane.column_group == h && is_row && lane.t < Z::heads)
#pragma unroll
          for (int i = 0; i < n; ++i) to_weights[8 * h * Z::heads * n + i] = weight[i];
#pragma unroll
        for (int i = 0; i < n; ++i) weight[i] = tile::sum_over<F::heads>(weight[i]) * Z::share;
        if (z == nullptr || !is_row) continue;
        float4 to = zero_four();
        if (here) {
          to = tile::times(1.0F + weight[0], tile::load_four(of_items + lane.place_in_row(h, lane.column)));
#pragma unroll
          for (int i = 0; i < count; ++i) to = tile::add_times(to, weight[1 + i], lane.numbers_of_row(v[i], h));
        }
        tile::store_four(to_z + 8 * h * F::d, to);
      }
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
  if constexpr (F::back_bytes <= few::shared_of_devices()) {
    using L = typename F::Back;
    constexpr int n = F::n, count = F::count;
    float* const memory = tile::shared_memory();
    float *const value = memory + L::value, *const vector = memory + L::vector, *const slopes = memory + L::slope;
    float *const mean = memory + L::mean, *const dots = memory + L::dots;
    int* const all_counts = reinterpret_cast<int*>(memory + L::counts);
    const int thread = static_cast<int>(threadIdx.x);
    const few::Lane lane;
    const bool asked = sums != nullptr, writes_own = d_own == dz;
    few::Part<2> matrix_sum[count];
#pragma unroll
    for (int i = 0; i < count; ++i) matrix_sum[i].clear();
    // Sums of ds h: a warp has an item and all rows of a tile or half of them, lanes have a head and four columns.
    constexpr int parts = n == 2 ? 2 : 1, rows_of_part = F::rows / parts;
    float4 head_sum = zero_four();
    const int head_item = lane.row_tile / parts, head_rows = lane.row_tile % parts * rows_of_part;
    const auto ask = [&](int turn, std::size_t t) {
      const few::Asking<F> rows_of(t * F::rows, all_counts + turn % F::counts_of * F::rows);
      float* const to = memory + turn % 2 * L::maps * F::map;
      rows_of.ask(dz, to);
#pragma unroll
      for (int i = 0; i < n; ++i) rows_of.ask(items.of.of[i], to + (1 + i) * F::map);
    };
    few::find_counts<F>(rows, 0, 0, all_counts);
    few::find_counts<F>(rows, 1, F::rows, all_counts);
    __syncthreads();
    const std::size_t tiles = divide_up(rows.count, F::rows);
    if (blockIdx.x < tiles) ask(0, blockIdx.x);
    few::take_projections<F, true>(maps, value);
    make_vectors<Z>(n, maps, score, slopes);
    __syncthreads();
    few::take_vectors<F, Z>(slopes, vector);

    int turn = 0;
    for (std::size_t t = blockIdx.x; t < tiles; t += gridDim.x, ++turn) {
      const std::size_t first = t * F::rows;
      const float* const up = memory + turn % 2 * L::maps * F::map;
      const float* const of_items = up + F::map;
      const int* const counts = all_counts + turn % F::counts_of * F::rows;
      tile::copies_done();
      __syncthreads();  // rows are there, and all are done with the tile before
      if (t + gridDim.x < tiles) ask(turn + 1, t + gridDim.x);
      few::find_counts<F>(rows, turn + 2, 0, all_counts);
      // Of weights a thread has those of its rows and of one head; of its group's item for the mean over the heads.
      const std::size_t first_row = first + static_cast<std::size_t>(lane.row(0)), at = first_row * F::d + lane.column;
      const bool here[2] = {counts[lane.row(0)] != 0, counts[lane.row(1)] != 0};
      const float* const of_rows = weights + (first_row * Z::heads + static_cast<std::size_t>(lane.t)) * n;
      const auto load_weight = [&](int h, int i) {
        return here[h] && lane.t < Z::heads ? of_rows[8 * h * Z::heads * n + i] : 0.0F;
      };
      float of_group[2] = {0, 0};
      if (lane.column_group < n)
#pragma unroll
        for (int h = 0; h < 2; ++h) of_group[h] = load_weight(h, lane.column_group);

      // What gradients of maps are added to comes early where registers are free, else while slopes are computed.
      constexpr bool is_early = F::has_registers;
      float4 old[count][2];
      const auto load_old = [&] {
#pragma unroll
        for (int h = 0; h < 2; ++h)
#pragma unroll
          for (int i = 0; i < count; ++i)
            old[i][h] =
                here[h] && d_maps.of[i] != nullptr ? tile::load_four(d_maps.of[i] + at + 8 * h * F::d) : zero_four();
      };
      if (is_early) load_old();

      // W_i^T da, and the slopes of weights <da, own> and <W_i^T da, h_i>.
      few::Part<2> e[count];
#pragma unroll
      for (int i = 0; i < count; ++i) e[i].clear();
#pragma unroll F::has_registers ? 2 : 1
      for (int c = 0; c < 4; ++c) {
        const int k = 16 * c + 4 * lane.t;
        few::Operand a;
        a.take(tile::load_four(up + lane.place_in_row(0, k)), tile::load_four(up + lane.place_in_row(1, k)));
#pragma unroll
        for (int i = 0; i < count; ++i) {
          float4 b[2];
          few::load_projection(value, i, c, lane, b);
          e[i].add(a, b);
        }
      }
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int in_tile = lane.place_in_row(h, lane.column);
        float dot[4] = {tile::dot(tile::load_four(up + in_tile), tile::load_four(of_items + in_tile)), 0, 0, 0};
#pragma unroll
        for (int i = 0; i < count; ++i)
          dot[1 + i] = tile::dot(lane.numbers_of_row(e[i], h), tile::load_four(of_items + (1 + i) * F::map + in_tile));
        sum_numbers<4>(dot, lane.t);
        dots[(lane.column_group * F::rows + lane.row(h)) * 4 + lane.t] = dot[0];
        of_group[h] = tile::sum_over<F::heads>(of_group[h]) * Z::share;
        if (lane.t == 0 && lane.column_group < n)
          mean[lane.column_group * F::rows + lane.place_of_row(h)] = of_group[h];
      }
      if (!is_early) load_old();
      float weight[2][n];  // near by now
#pragma unroll
      for (int h = 0; h < 2; ++h)
#pragma unroll
        for (int i = 0; i < n; ++i) weight[h][i] = load_weight(h, i);
      __syncthreads();

      // From weights to their slopes ds.
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int r = lane.row(h);
        float4 sum = tile::load_four(dots + 4 * r);
#pragma unroll
        for (int group = 1; group < F::column_groups; ++group)
          sum = sum_of(sum, tile::load_four(dots + (group * F::rows + r) * 4));
        const float dot[4] = {sum.x, sum.y, sum.z, sum.w};
        float expected = 0, of_item = 0;
#pragma unroll
        for (int i = 0; i < n; ++i) expected = fmaf(weight[h][i], dot[i], expected);
#pragma unroll
        for (int i = 0; i < n; ++i) {
          weight[h][i] *= Z::share * (dot[i] - expected);
          if (lane.column_group == i) of_item = weight[h][i];
        }
        if (lane.column_group < n) slopes[(lane.column_group * F::rows + r) * F::heads + lane.t] = of_item;
      }
      // d_own += (1 + mean) da and d_map += mean W_i^T da, and to each the sum over heads of ds W_i^T w.
#pragma unroll
      for (int i = 0; i < n; ++i) {
        float* const to = i == 0 ? d_own : d_maps.of[i - 1];
        if (to == nullptr) continue;
        const few::Part<2> of_scores = few::multiply_heads(
            weight[0][i], weight[1][i],
            tile::load_two(vector + ((i * F::column_groups + lane.column_group) * 32 + thread % 32) * 2));
#pragma unroll
        for (int h = 0; h < 2; ++h) {
          float* const of_row = to + at + 8 * h * F::d;
          if (!here[h]) {
            if (i == 0 && writes_own && first_row + 8 * h < rows.count) tile::store_four(of_row, zero_four());
            continue;
          }
          const float share = mean[i * F::rows + lane.place_of_row(h)];
          float4 sum = lane.numbers_of_row(of_scores, h);
          if (i > 0)
            sum = tile::add_times(sum_of(sum, old[i - 1][h]), share, lane.numbers_of_row(e[i - 1], h));
          else
            sum = tile::add_times(sum_of(sum, writes_own ? zero_four() : tile::load_four(of_row)), 1.0F + share,
                                  tile::load_four(up + lane.place_in_row(h, lane.column)));
          tile::store_four(of_row, sum);
        }
      }
      if (!asked) continue;

      // da^T (mean h_i): lanes take pairs of columns, of rows t, t + 4, t + 8 and t + 12.
      const auto pairs = [&](const float* from, int c, int column_tile, float2(&x)[4]) {
#pragma unroll
        for (int m = 0; m < 4; ++m)
          x[m] = tile::load_two(from + few::place(lane.t, 16 * column_tile + 2 * lane.g) + (c + 4 * m) * F::d);
      };
#pragma unroll F::has_registers ? 2 : 1
      for (int c = 0; c < F::rows; c += 16) {
        float2 x[4];
        pairs(up, c, lane.row_tile, x);
        few::Operand a;
        a.take(make_float4(x[0].x, x[1].x, x[2].x, x[3].x), make_float4(x[0].y, x[1].y, x[2].y, x[3].y));
#pragma unroll
        for (int i = 0; i < count; ++i) {
          const float4 by = tile::load_four(mean + (1 + i) * F::rows + c + 4 * lane.t);
          pairs(of_items + (1 + i) * F::map, c, lane.column_group, x);
          const float4 b[2] = {make_float4(by.x * x[0].x, by.y * x[1].x, by.z * x[2].x, by.w * x[3].x),
                               make_float4(by.x * x[0].y, by.y * x[1].y, by.z * x[2].y, by.w * x[3].y)};
          matrix_sum[i].add(a, b);
        }
      }
      __syncthreads();  // slopes of all rows are there
      // Rows g of an operand are heads, and rows g + 8 what rounding the same to TF32 left.
      if (head_item < n)
#pragma unroll F::has_registers ? 2 : 1
        for (int c = head_rows; c < head_rows + rows_of_part; c += 16) {
          float2 x[4];
          pairs(of_items + head_item * F::map, c, lane.column_group, x);
          const float4 columns[2] = {make_float4(x[0].x, x[1].x, x[2].x, x[3].x),
                                     make_float4(x[0].y, x[1].y, x[2].y, x[3].y)};
          few::Columns<2> b;
          b.take(columns);
          few::Part<2> sum;
          sum.clear();
#pragma unroll
          for (int s = 0; s < 2; ++s) {
            float a[4] = {0, 0, 0, 0};
            if (lane.g < F::heads)
#pragma unroll
              for (int m = 0; m < 2; ++m)
                tile::split(slopes[(head_item * F::rows + c + lane.t + 8 * s + 4 * m) * F::heads + lane.g], a[2 * m],
                            a[2 * m + 1]);
            sum.multiply_add(a, b.lo[s]);
            sum.multiply_add(a, b.hi[s]);
          }
          head_sum = sum_of(head_sum, sum_of(lane.numbers_of_pairs(sum, 0), lane.numbers_of_pairs(sum, 1)));
        }
    }
    if (!asked) return;

    sums += blockIdx.x * Z::sums(count);
#pragma unroll
    for (int i = 0; i < count; ++i)
#pragma unroll
      for (int h = 0; h < 2; ++h)
        tile::store_four(sums + i * Z::matrix_sum + (16 * lane.row_tile + 2 * lane.g + h) * F::d + lane.column,
                         lane.numbers_of_pairs(matrix_sum[i], h));
    if constexpr (parts == 2) {
      float* const of_lane = memory + ((lane.column_group * 4 + lane.row_tile) * 32 + thread % 32) * 4;
      __syncthreads();
      tile::store_four(of_lane, head_sum);
      __syncthreads();
      if (head_rows > 0) return;
      head_sum = sum_of(head_sum, tile::load_four(of_lane + 32 * 4));
    }
    if (head_item < n && lane.g < Z::heads)
      tile::store_four(sums + static_cast<std::size_t>(count) * Z::matrix_sum +
                           Z::vector(n, head_item, 0, lane.g) * F::d + lane.column,
                       head_sum);
  }
}

#endif

}  // namespace aila::inline v0::cuda::depth

#include "../../core/macros_back.hpp"
