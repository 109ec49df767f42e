// Convolutions of few terms, as the first one of a network over images: taps times features are 28 at most.
//
// Tiles of tensor cores would be empty for a part and made of single numbers, so these are plain float32: bound by its
// multiplications, and nearly by the memory of y. y: a block has the windows of 128 positions in shared memory, a
// thread eight positions by four filters. dW: a warp has all terms by 64 filters of every eighth position, blocks share
// the positions.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "conv_operands.hpp"

namespace aila::inline v0::cuda::detail {

inline constexpr unsigned most_terms = 28;
constexpr bool has_few_terms(const ConvPlan& c) {
  return !is_depthwise(c) && !is_product(c) && c.groups == 1 && c.group_inputs() * c.taps() <= most_terms &&
         c.outputs % tile_side == 0;
}

#ifdef __CUDACC__

/// Where a term, number q along k, lies from the window's first tap on.
struct Term {
  std::int64_t delta;
  int y, x;
};
/// Of all of them, by the first threads of a block.
__device__ inline void find_terms(Term* terms, const ConvMap& map, const TapOrder& order, unsigned count, int step_y,
                                  int step_x) {
  if (threadIdx.x >= count) return;
  const unsigned tap = order.features.divide(threadIdx.x), feature = threadIdx.x - tap * order.features.by;
  const unsigned row = order.columns.divide(tap);
  const int y = static_cast<int>(row) * step_y, x = static_cast<int>(tap - row * order.columns.by) * step_x;
  terms[threadIdx.x] = {
      (static_cast<std::int64_t>(y) * map.width + x) * static_cast<std::int64_t>(map.channels) + feature, y, x};
}
/// Starts to copy a term of a window to shared memory, zero where the map has none.
__device__ inline void copy_term(float* to, const ConvMap& map, const ConvWindow& window, const Term& term) {
  const bool some = window.has(map, term.y, term.x);
  copy_4(to, some ? map.at + (window.offset + term.delta) : map.at, some ? 4 : 0);
}

inline constexpr unsigned few_rows = 128, few_row_pitch = few_rows + 4;

/// y; `weights` [terms, filters].
template <unsigned threads>
__global__ void __launch_bounds__(threads)
    few_terms_kernel(const __grid_constant__ GatheredOperand a, const float* weights,
                     const __grid_constant__ ConvPlaces to, unsigned row_tiles) {
  static_assert(threads == 256);
  __shared__ GatheredRows<few_rows> rows;
  __shared__ Term terms[most_terms];
  __shared__ __align__(16) float patch[most_terms][few_row_pitch];
  __shared__ __align__(16) float of_filters[most_terms][tile_side];
  const ConvPhase& phase = a.phase_of(0);
  const unsigned count = phase.k, first_column = blockIdx.y * tile_side;
  find_terms(terms, a.windows.map, phase.order, count, phase.y.tap_step, phase.x.tap_step);
  for (unsigned i = threadIdx.x; i < count * tile_side; i += threads)
    of_filters[i / tile_side][i % tile_side] = weights[i / tile_side * to.columns + first_column + i % tile_side];
  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const unsigned row = (warp / 2 * 4 + lane / 8) * 8, column = (warp % 2 * 8 + lane % 8) * 4;
  float bias[4];
#pragma unroll
  for (unsigned c = 0; c < 4; ++c) bias[c] = to.bias_at(0, first_column + column + c);
#pragma unroll 1
  for (unsigned tile = blockIdx.x; tile < row_tiles; tile += gridDim.x) {
    __syncthreads();  // nobody reads the tile before
    if (threadIdx.x < few_rows) rows.prepare(a.windows, phase, 0, tile * few_rows);
    __syncthreads();
    const ConvWindow window = rows.windows[threadIdx.x % few_rows];
    for (unsigned q = threadIdx.x / few_rows; q < count; q += threads / few_rows)
      copy_term(&patch[q][threadIdx.x % few_rows], a.windows.map, window, terms[q]);
    end_group_of_copies();
    wait_for_copies<0>();
    __syncthreads();
    float sum[8][4] = {};
#pragma unroll 3
    for (unsigned q = 0; q < count; ++q) {
      const float4 w = *reinterpret_cast<const float4*>(&of_filters[q][column]);
      const float4 p = *reinterpret_cast<const float4*>(&patch[q][row]);
      const float4 r = *reinterpret_cast<const float4*>(&patch[q][row + 4]);
      const float x[8] = {p.x, p.y, p.z, p.w, r.x, r.y, r.z, r.w}, y[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
      for (unsigned i = 0; i < 8; ++i)
#pragma unroll
        for (unsigned c = 0; c < 4; ++c) sum[i][c] = fmaf(x[i], y[c], sum[i][c]);
    }
#pragma unroll
    for (unsigned i = 0; i < 8; ++i) {
      const RowPlace place = to.row_place(rows, 0, 0, row + i);
      if (place.at == nullptr) continue;
      *reinterpret_cast<float4*>(place.at + first_column + column) =
          place.counts ? float4{sum[i][0] + bias[0], sum[i][1] + bias[1], sum[i][2] + bias[2], sum[i][3] + bias[3]}
                       : float4{0, 0, 0, 0};
    }
  }
}
template <class = void>
void start_few_terms(const Pass& pass, const ConvWindows& windows, const float* weights, const ConvPlaces& places) {
  const auto row_tiles = static_cast<unsigned>(divide_up(windows.most_rows(), few_rows));
  const ConvPlaces to = places.of(windows);
  launch(pass, &few_terms_kernel<256>,
         dim3(static_cast<unsigned>(std::min<std::size_t>(row_tiles, 4 * multiprocessors)), to.columns / tile_side),
         256, 0, GatheredOperand{windows}, weights, to, row_tiles);
}

inline constexpr unsigned few_positions = 64, few_groups = 4, few_each = most_terms / few_groups;
/// Floats of a tile: of a position its terms, seven by seven in eights, and its filters.
inline constexpr unsigned few_stage = few_positions * (few_groups * 8 + tile_side);

/// dW as a product's parts, and the sums of dy.
template <unsigned threads>
__global__ void __launch_bounds__(threads, 2)
    few_terms_gradient_kernel(const __grid_constant__ WindowOperand a, const __grid_constant__ PlainOperand<false> b,
                              const __grid_constant__ Places to, unsigned tiles_each) {
  static_assert(threads == 256);
  __shared__ typename WindowOperand::Shared shared;  // of two tiles
  __shared__ Term terms[most_terms];
  __shared__ float total[most_terms + 1][tile_side];
  float* const stages = dynamic_shared();
  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32, first_column = blockIdx.x * tile_side;
  const unsigned tiles = (a.k + few_positions - 1) / few_positions;
  const unsigned begin = blockIdx.y * tiles_each, end = min(tiles, begin + tiles_each);
  const typename WindowOperand::Reader windows(a, shared, 0, 0);
  find_terms(terms, a.map, a.order, a.rows, a.dilation_y, a.dilation_x);
  if (threadIdx.x < 2 * few_positions) windows.prepare_one(a, shared, begin * few_positions + threadIdx.x);
  for (unsigned i = threadIdx.x; i < 2 * few_positions * few_groups * 8; i += threads)  // places of no term stay zero
    stages[i / (few_positions * few_groups * 8) * few_stage + i % (few_positions * few_groups * 8)] = 0;
  for (unsigned i = threadIdx.x; i < (most_terms + 1) * tile_side; i += threads)
    total[i / tile_side][i % tile_side] = 0;
  __syncthreads();

  const auto load = [&](unsigned stage, unsigned tile) {
    float* const at = stages + stage * few_stage;
    const unsigned id = anew(threadIdx.x), position = id % few_positions, k = tile * few_positions + position;
    const ConvWindow window = shared.windows[k / tile_k % 4][k % tile_k];
#pragma unroll 1
    for (unsigned q = id / few_positions; q < a.rows; q += threads / few_positions)
      copy_term(at + position * few_groups * 8 + q / few_each * 8 + q % few_each, a.map, window, terms[q]);
    float* const to_b = at + few_positions * few_groups * 8;
#pragma unroll 1
    for (unsigned i = id; i < few_positions * tile_side / 4; i += threads) {
      const unsigned its_k = tile * few_positions + i / 16;
      const bool some = its_k < b.k && b.valid(its_k);
      copy_16(to_b + i * 4, some ? b.at + static_cast<std::size_t>(its_k) * b.step + first_column + i % 16 * 4 : b.at,
              some ? 16 : 0);
    }
  };
  if (begin < end) load(0, begin);
  end_group_of_copies();

  const unsigned group = lane / 8, column = lane % 8 * 4;  // and 32 behind
  float sum[few_each][8] = {}, of_columns[8] = {};
#pragma unroll 1
  for (unsigned tile = begin; tile < end; ++tile) {
    const unsigned stage = (tile - begin) % 2;
    wait_for_copies<0>();
    __syncthreads();  // the tile is there, and nobody reads the one before
    if (tile + 1 < end) load(1 - stage, tile + 1);
    end_group_of_copies();
    if (threadIdx.x < few_positions) windows.prepare_one(a, shared, (tile + 2) * few_positions + threadIdx.x);
    const float* const of_terms = stages + stage * few_stage + group * 8;
    const float* const of_filters = stages + stage * few_stage + few_positions * few_groups * 8 + column;
#pragma unroll 2
    for (unsigned i = warp; i < few_positions; i += threads / 32) {
      const float4 p = *reinterpret_cast<const float4*>(of_terms + i * few_groups * 8);
      const float4 r = *reinterpret_cast<const float4*>(of_terms + i * few_groups * 8 + 4);
      const float4 v = *reinterpret_cast<const float4*>(of_filters + i * tile_side);
      const float4 w = *reinterpret_cast<const float4*>(of_filters + i * tile_side + 32);
      const float x[few_each] = {p.x, p.y, p.z, p.w, r.x, r.y, r.z}, y[8] = {v.x, v.y, v.z, v.w, w.x, w.y, w.z, w.w};
#pragma unroll
      for (unsigned c = 0; c < 8; ++c) {
        of_columns[c] += y[c];
#pragma unroll
        for (unsigned e = 0; e < few_each; ++e) sum[e][c] = fmaf(x[e], y[c], sum[e][c]);
      }
    }
  }
#pragma unroll 1
  for (unsigned w = 0; w < threads / 32; ++w) {  // one after the other, in this order
    if (warp == w)
#pragma unroll
      for (unsigned c = 0; c < 8; ++c) {
        const unsigned j = column + c % 4 + c / 4 * 32;
#pragma unroll
        for (unsigned e = 0; e < few_each; ++e) total[group * few_each + e][j] += sum[e][c];
        if (group == 0) total[most_terms][j] += of_columns[c];
      }
    __syncthreads();
  }
  for (unsigned i = threadIdx.x; i < a.rows * tile_side; i += threads)
    to.store_one(0, i / tile_side, first_column + i % tile_side, total[i / tile_side][i % tile_side]);
  if (to.sums_of == SumsOf::columns && threadIdx.x < tile_side)
    to.store_sum(0, first_column + threadIdx.x, total[most_terms][threadIdx.x]);
}
template <class = void>
void start_few_terms_gradient(const Pass& pass, const ProductCut& cut, const WindowOperand& a,
                              const PlainOperand<false>& b, const Places& to) {
  launch(pass, &few_terms_gradient_kernel<256>, dim3(static_cast<unsigned>(cut.column_tiles), cut.splits), 256,
         2 * few_stage * sizeof(float), a, b, to, cut.k_tiles_each);
}
/// Tiles of k are of 64 positions here; no more parts than product.hpp would have, for which there is scratch.
constexpr ProductCut cut_few_terms_gradient(std::size_t m, std::size_t n, std::size_t k) {
  ProductCut cut = cut_product(m, n, k);
  const std::size_t tiles = std::max<std::size_t>(divide_up(k, few_positions), 1);
  const std::size_t splits = std::clamp<std::size_t>(2 * multiprocessors / cut.column_tiles, 1, cut.splits);
  cut.k_tiles_each = static_cast<unsigned>(divide_up(tiles, splits));
  cut.splits = static_cast<unsigned>(divide_up(tiles, cut.k_tiles_each));
  return cut;
}

#endif

}  // namespace aila::inline v0::cuda::detail

#include "../../core/macros_back.hpp"
