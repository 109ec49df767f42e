// Convolutions of many features where four warps multiply together (wgmma, compute capability 9.0): tiles of 64 rows by
// 64 columns, of which A, gathered from a map, is split into hi + lo in registers, and B, the weights, comes as hi and
// lo to shared memory.
//
// The sums are those of product.hpp: hi hi + hi lo + lo hi, 16 along k on tensor cores, the rest as float32 adds. B is
// split once for all tiles: images of the weights, each 64 columns by 32 along k of one tap, hi and then lo, in the
// order in which tensor cores read shared memory. Code for architectures without these instructions has empty kernels,
// and product.hpp's are started.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <mutex>
#include <utility>

#include "conv_operands.hpp"

namespace aila::inline v0::cuda::detail {

/// Whether y, and whether dx, may be made so: whole tiles of columns, and of k in one tap.
constexpr bool is_wide_forward(const ConvPlan& c) {
  return !is_depthwise(c) && !is_product(c) && c.group_inputs() % tile_k == 0 && c.group_outputs() % tile_side == 0;
}
constexpr bool is_wide_backward(const ConvPlan& c) {
  return !is_depthwise(c) && !is_product(c) && !has_patches(c) && c.group_outputs() % tile_k == 0 &&
         c.group_inputs() % tile_side == 0;
}
/// Floats of the images of one of them.
constexpr std::size_t image_floats(const ConvPlan& c) {
  return 2 * c.weights();
}

#ifdef __CUDACC__

inline constexpr unsigned image_size = 2 * tile_side * tile_k;  ///< floats of an image
inline constexpr unsigned wide_stages = 3;

/// The images of a kernel: [group, tile of columns, tap, 32 along k].
struct WeightImages {
  const float* at = nullptr;
  unsigned column_tiles = 1, taps = 1, tap_columns = 1, blocks = 1;  ///< blocks: of 32 along k
};
inline WeightImages weight_images(const ConvPlan& c, const float* at, bool is_backward) {
  const std::size_t columns = is_backward ? c.group_inputs() : c.group_outputs();
  const std::size_t along_k = is_backward ? c.group_outputs() : c.group_inputs();
  return {at, static_cast<unsigned>(columns / tile_side), static_cast<unsigned>(c.taps()),
          static_cast<unsigned>(c.x.kernel), static_cast<unsigned>(along_k / tile_k)};
}

/// What lies at place p of an image's 32 along k: a thread of A has four numbers that follow one another, of which
/// tensor cores take two at a time.
constexpr unsigned k_at_place(unsigned p) {
  return p / 16 * 16 + p % 4 * 4 + p / 4 % 2 + p / 8 % 2 * 2;
}

/// Blocks of threads, one an image: first of `forward` images with filters as columns, then with features as columns.
/// `from` is [group, filter, feature, tap].
template <unsigned threads>
__global__ void __launch_bounds__(threads) weight_images_kernel(const float* from, float* to, unsigned filters,
                                                                unsigned features, Divisor taps, unsigned forward) {
  const bool is_backward = blockIdx.x >= forward;
  const unsigned columns = is_backward ? features : filters, along_k = is_backward ? filters : features;
  const unsigned number = is_backward ? blockIdx.x - forward : blockIdx.x;
  const unsigned block = number % (along_k / tile_k), rest = number / (along_k / tile_k);
  const unsigned above = taps.divide(rest), tap = rest - above * taps.by;
  const unsigned group = above / (columns / tile_side), column_tile = above % (columns / tile_side);
  float* const hi_at = to + static_cast<std::size_t>(blockIdx.x) * image_size;
  for (unsigned i = threadIdx.x; i < tile_side * tile_k; i += threads) {
    const unsigned n = i / tile_k, p = i % tile_k;
    const unsigned column = column_tile * tile_side + n, k = block * tile_k + k_at_place(p);
    const std::size_t filter = is_backward ? k : column, feature = is_backward ? column : k;
    float hi = from[((group * filters + filter) * features + feature) * taps.by + tap], lo;
    split_number(hi, lo);
    float* const at = hi_at + n * tile_k + (p / 4 ^ n % 8) * 4 + p % 4;
    at[0] = hi;
    at[tile_side * tile_k] = lo;
  }
}
template <class = void>
void make_weight_images(const Pass& pass, const ConvPlan& c, const float* weights, float* to, bool forward,
                        bool backward) {
  const std::size_t images = image_floats(c) / image_size;
  launch(pass, &weight_images_kernel<256>, static_cast<unsigned>((forward + backward) * images), 256, 0, weights, to,
         static_cast<unsigned>(c.group_outputs()), static_cast<unsigned>(c.group_inputs()), Divisor(c.taps()),
         static_cast<unsigned>(forward ? images : 0));
}

/// Of A's tile in shared memory, rows of 32 numbers: the exclusive or spreads two rows over all banks.
constexpr unsigned wide_offset(unsigned row, unsigned four) {
  return row * tile_k + (four ^ row % 2 * 4) * 4;
}

/// The tiles along k of a phase one by one: all taps of 32 features, then of the next.
struct TapsInTurn {
  const ConvPhase& phase;
  int x = 0, y = 0;
  unsigned block = 0;
  __device__ void next() {
    if (++x < phase.x.taps) return;
    x = 0;
    if (++y < phase.y.taps) return;
    y = 0;
    ++block;
  }
};

#ifdef AILA_CUDA_MULTIPLIES_WIDE
/// sum = the `half`-th 16 along k of a tile, hi hi + hi lo + lo hi, of rows lo, lo, hi, hi of its two eights: under way
/// until it is added.
__device__ inline void start_products(float (&sum)[32], WideRows (&rows)[4], const WideTile& b_hi, const WideTile& b_lo,
                                      unsigned half) {
  begin_products(rows);
  multiply_wide<true>(sum, rows[0], b_hi, 2 * half);  // the small ones first: rounding them costs nothing
  multiply_wide<false>(sum, rows[1], b_hi, 2 * half + 1);
  multiply_wide<false>(sum, rows[2], b_lo, 2 * half);
  multiply_wide<false>(sum, rows[3], b_lo, 2 * half + 1);
  multiply_wide<false>(sum, rows[2], b_hi, 2 * half);
  multiply_wide<false>(sum, rows[3], b_hi, 2 * half + 1);
  end_products();
}
__device__ inline void add_products(float (&acc)[32], float (&sum)[32]) {
  wait_for_products(sum);
#pragma unroll
  for (unsigned i = 0; i < 32; ++i) acc[i] += sum[i];
}
#endif

/// y or dx: `groups` times four warps have 64 rows each.
template <unsigned groups>
__global__ void __launch_bounds__(groups * 128, groups == 1 ? 3 : 2)
    wide_conv_kernel([[maybe_unused]] const __grid_constant__ GatheredOperand a,
                     [[maybe_unused]] const __grid_constant__ WeightImages b,
                     [[maybe_unused]] const __grid_constant__ ConvPlaces to,
                     [[maybe_unused]] const __grid_constant__ ProductGrid grid) {
#ifdef AILA_CUDA_MULTIPLIES_WIDE
  constexpr unsigned rows = groups * tile_side, threads = groups * 128, size_a = rows * tile_k;
  constexpr unsigned stage = size_a + image_size;
  __shared__ GatheredRows<rows> shared;
  float* const stages = wide_aligned(dynamic_shared());

  const unsigned column_tile = blockIdx.x % grid.column_tiles, rest = blockIdx.x / grid.column_tiles;
  const unsigned row_tile = rest % grid.row_tiles, copy = rest / grid.row_tiles;
  const unsigned first_row = row_tile * rows, first_column = column_tile * tile_side;
  if (first_row >= a.rows_of(copy)) return;
  const ConvPhase& phase = a.phase_of(copy);
  const unsigned group = copy / a.windows.phase_count;
  if (threadIdx.x < rows) shared.prepare(a.windows, phase, group, first_row);
  __syncthreads();

  const unsigned k_tiles = phase.k / tile_k;
  const float* const images =
      b.at + static_cast<std::size_t>(group * b.column_tiles + column_tile) * b.taps * b.blocks * image_size;
  constexpr unsigned pass = threads / 8,
                     per_thread = rows / pass;  // pass is even: the same bit of the row in every one
  const ConvMap& map = a.windows.map;
  ConvWindow windows[per_thread];  // of the rows that this thread copies
#pragma unroll
  for (unsigned i = 0; i < per_thread; ++i) {
    windows[i] = shared.windows[threadIdx.x / 8 + i * pass];
    windows[i].offset += threadIdx.x % 8 * 4;
  }
  TapsInTurn taps{phase};
  const auto load = [&](unsigned stage_number) {
    float* const tile = stages + stage_number * stage;
    const unsigned id = anew(threadIdx.x);
    const int tap_y = taps.y * phase.y.tap_step, tap_x = taps.x * phase.x.tap_step;
    const std::int64_t delta =
        (static_cast<std::int64_t>(tap_y) * map.width + tap_x) * static_cast<std::int64_t>(map.channels) +
        taps.block * tile_k;
    float* const to_a = tile + wide_offset(id / 8, id % 8);
#pragma unroll
    for (unsigned i = 0; i < per_thread; ++i) {
      const bool some = windows[i].has(map, tap_y, tap_x);
      copy_16(to_a + i * pass * tile_k, some ? map.at + (windows[i].offset + delta) : map.at, some ? 16 : 0);
    }
    const int in_y = phase.y.kernel_first + taps.y * phase.y.kernel_step;
    const int in_x = phase.x.kernel_first + taps.x * phase.x.kernel_step;
    const auto in_kernel = static_cast<unsigned>(in_y) * b.tap_columns + static_cast<unsigned>(in_x);
    const float* const image = images + (static_cast<std::size_t>(in_kernel) * b.blocks + taps.block) * image_size;
    float* const to_b = tile + size_a;
#pragma unroll
    for (unsigned i = 0; i < image_size / 4 / threads; ++i)
      copy_16(to_b + (id + i * threads) * 4, image + (id + i * threads) * 4, 16);
    taps.next();
  };
#pragma unroll 1
  for (unsigned s = 0; s + 1 < wide_stages; ++s) {
    if (s < k_tiles) load(s);
    end_group_of_copies();
  }

  const unsigned warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const unsigned row = warp * 16 + g;
  float acc[32] = {};
  unsigned read = 0, write = wide_stages - 1;
#pragma unroll 1
  for (unsigned tile = 0; tile < k_tiles; ++tile) {
    wait_for_copies<wide_stages - 2>();
    copies_are_for_tensor_cores();
    __syncthreads();  // the tile is there, and nobody reads the one before
    if (tile + wide_stages - 1 < k_tiles) load(write);
    end_group_of_copies();

    const float* const tile_a = stages + read * stage;
    const WideTile b_hi(tile_a + size_a), b_lo(tile_a + size_a + tile_side * tile_k);
    float sum[32];
#pragma unroll
    for (unsigned half = 0; half < 2; ++half) {
      float x[2][4], lo[2][4];
#pragma unroll
      for (unsigned r = 0; r < 2; ++r) {
        const float4 q = *reinterpret_cast<const float4*>(tile_a + wide_offset(row + 8 * r, 4 * half + t));
        x[r][0] = q.x, x[r][1] = q.y, x[r][2] = q.z, x[r][3] = q.w;
      }
      split_numbers(x, lo);
      const auto pair = [](const float(&v)[2][4], unsigned s) {
        return WideRows{v[0][2 * s], v[1][2 * s], v[0][2 * s + 1], v[1][2 * s + 1]};
      };
      WideRows of[4] = {pair(lo, 0), pair(lo, 1), pair(x, 0), pair(x, 1)};
      if (half == 1) add_products(acc, sum);
      start_products(sum, of, b_hi, b_lo, half);
    }
    add_products(acc, sum);
    read = read + 1 == wide_stages ? 0 : read + 1;
    write = write + 1 == wide_stages ? 0 : write + 1;
  }

  // A thread has columns 8 j + 2 t and the next of two rows.
#pragma unroll
  for (unsigned r = 0; r < 2; ++r) {
    const RowPlace place = to.row_place(shared, copy, first_row, row + 8 * r);
    if (place.at == nullptr) continue;
    float* const at = place.at + first_column + 2 * t;
    float2 old[8] = {};
    if (to.adds)
#pragma unroll
      for (unsigned j = 0; j < 8; ++j) old[j] = *reinterpret_cast<const float2*>(at + 8 * j);
#pragma unroll
    for (unsigned j = 0; j < 8; ++j) {
      const unsigned column = first_column + 8 * j + 2 * t;
      float2 v{acc[4 * j + 2 * r] + to.bias_at(copy, column), acc[4 * j + 2 * r + 1] + to.bias_at(copy, column + 1)};
      v = {old[j].x + v.x, old[j].y + v.y};
      *reinterpret_cast<float2*>(at + 8 * j) = place.counts ? v : float2{0, 0};
    }
  }
#endif
}

/// Whether the thread's device has code of these kernels: where a kernel is empty it declares no shared memory.
template <class = void>
bool multiplies_wide() {
  static std::mutex mutex;
  static std::map<int, bool> known;
  const std::lock_guard<std::mutex> lock(mutex);
  const int device = current_device();
  if (const auto it = known.find(device); it != known.end()) return it->second;
  return known[device] = declared_shared(reinterpret_cast<const void*>(&wide_conv_kernel<1>)) > 0;
}

template <unsigned groups>
void start_wide_tiles(const Pass& pass, std::size_t rows, std::size_t copies, const ConvWindows& windows,
                      const WeightImages& images, const ConvPlaces& to) {
  constexpr std::size_t memory =
      wide_stages * (groups * tile_side * tile_k + image_size) * sizeof(float) + wide_alignment;
  const auto row_tiles = static_cast<unsigned>(divide_up(rows, groups * tile_side));
  launch(pass, &wide_conv_kernel<groups>, static_cast<unsigned>(row_tiles * images.column_tiles * copies), groups * 128,
         memory, GatheredOperand{windows}, images, to, ProductGrid{row_tiles, images.column_tiles, 0});
}
/// Two groups read an image once for 128 rows; a small map has them apart, on as many multiprocessors as there are.
template <class = void>
void start_wide(const Pass& pass, const ConvPlan& c, const ConvWindows& windows, const WeightImages& images,
                const ConvPlaces& places) {
  const std::size_t rows = windows.most_rows(), copies = c.groups * windows.phase_count;
  const ConvPlaces to = places.of(windows);
  if (divide_up(rows, 2 * tile_side) * images.column_tiles * copies >= 2 * multiprocessors)
    start_wide_tiles<2>(pass, rows, copies, windows, images, to);
  else
    start_wide_tiles<1>(pass, rows, copies, windows, images, to);
}

#endif

}  // namespace aila::inline v0::cuda::detail

#include "../../core/macros_back.hpp"
