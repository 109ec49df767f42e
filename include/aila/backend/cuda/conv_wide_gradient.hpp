// The gradient of a convolution's weights where four warps multiply together, see conv_wide.hpp.
//
// Rows are taps and features, columns filters, and k goes through the positions of all samples, which blocks share. In
// a block `groups` times four warps have 64 features of one tap each; all read the same dy, which is turned and split
// into hi and lo in shared memory while tensor cores are at work on what was turned before.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>

#include "conv_wide.hpp"

namespace aila::inline v0::cuda::detail {

constexpr bool is_wide_gradient(const ConvPlan& c) {
  return is_wide_forward(c) && c.group_inputs() % tile_side == 0;
}

#ifdef __CUDACC__

/// Two blocks on a multiprocessor: one turns and copies while the other's products are under way, for a warp that
/// starts products waits until tensor cores take them.
inline constexpr unsigned gradient_groups = 2, gradient_stages = 2, gradient_blocks = 2 * multiprocessors;
inline constexpr unsigned gradient_pitch = tile_side + 8;  ///< floats of a line: reads along k and along lines spread
inline constexpr unsigned gradient_array = tile_k * gradient_pitch;

template <unsigned groups>
__global__ void __launch_bounds__(groups * 128, 2)
    wide_gradient_kernel([[maybe_unused]] const __grid_constant__ WindowOperand a,
                         [[maybe_unused]] const __grid_constant__ PlainOperand<false> b,
                         [[maybe_unused]] const __grid_constant__ Places to,
                         [[maybe_unused]] const __grid_constant__ ProductGrid grid) {
#ifdef AILA_CUDA_MULTIPLIES_WIDE
  constexpr unsigned threads = groups * 128, stage = (groups + 1) * gradient_array, stages = gradient_stages;
  constexpr unsigned ahead = 4;  // tiles whose windows are known
  __shared__ typename WindowOperand::Shared shared;
  float* const images = wide_aligned(dynamic_shared());
  float* const staged = images + 2 * image_size;

  const unsigned column_tile = blockIdx.x % grid.column_tiles, rest = blockIdx.x / grid.column_tiles;
  const unsigned row_groups = (grid.row_tiles + groups - 1) / groups;
  const unsigned row_group = rest % row_groups, copy = rest / row_groups;
  const unsigned group = threadIdx.x / 128, row_tile = row_group * groups + group;
  const unsigned first_row = row_tile * tile_side, first_column = column_tile * tile_side;
  const bool is_there = row_tile < grid.row_tiles;
  const unsigned k_tiles = (a.k + tile_k - 1) / tile_k;
  const unsigned begin = blockIdx.y * grid.k_tiles_each, end = min(k_tiles, begin + grid.k_tiles_each);

  const typename WindowOperand::Reader windows(a, shared, copy, first_row);
  if (threadIdx.x < ahead * tile_k) windows.prepare_one(a, shared, begin * tile_k + threadIdx.x);
  const unsigned tap = a.order.features.divide(first_row), row_of_tap = a.order.columns.divide(tap);
  const int tap_y = static_cast<int>(row_of_tap) * a.dilation_y;
  const int tap_x = static_cast<int>(tap - row_of_tap * a.order.columns.by) * a.dilation_x;
  const unsigned part = threadIdx.x % 16 * 4, line = threadIdx.x % 128 / 16;
  const std::int64_t delta =
      (static_cast<std::int64_t>(tap_y) * a.map.width + tap_x) * static_cast<std::int64_t>(a.map.channels) +
      (first_row - tap * a.order.features.by) + part;
  const float* const from_b = b.at + static_cast<std::ptrdiff_t>(copy) * b.copy + first_column;
  __syncthreads();

  const auto load = [&](unsigned stage_number, unsigned tile) {
    float* const at = staged + stage_number * stage;
    if (is_there) {
      float* const to_a = at + group * gradient_array + line * gradient_pitch + part;
      const ConvWindow* const of_lines = shared.windows[tile % ahead];
#pragma unroll
      for (unsigned i = 0; i < tile_k / 8; ++i) {
        const ConvWindow window = of_lines[line + 8 * i];
        const bool some = window.has(a.map, tap_y, tap_x);
        copy_16_cached(to_a + 8 * i * gradient_pitch, some ? a.map.at + (window.offset + delta) : a.map.at,
                       some ? 16 : 0);
      }
    }
    float* const to_b = at + groups * gradient_array;
#pragma unroll 1
    for (unsigned i = threadIdx.x; i < tile_k * tile_side / 4; i += threads) {
      const unsigned its_line = i / 16, k = tile * tile_k + its_line;
      const bool some = k < b.k && b.valid(k);
      copy_16(to_b + its_line * gradient_pitch + i % 16 * 4,
              some ? from_b + static_cast<std::size_t>(k) * b.step + i % 16 * 4 : b.at, some ? 16 : 0);
    }
  };
  float column_sum = 0;  // of column threadIdx.x % 64
  const auto turn = [&](unsigned stage_number, unsigned image) {
    const float* const from = staged + stage_number * stage + groups * gradient_array;
    float* const hi_at = images + image * image_size;
#pragma unroll 1
    for (unsigned i = anew(threadIdx.x); i < tile_side * tile_k / 4; i += threads) {
      const unsigned n = i % tile_side, four = i / tile_side;
      float hi[1][4], lo[1][4];
#pragma unroll
      for (unsigned e = 0; e < 4; ++e) hi[0][e] = from[(4 * four + e) * gradient_pitch + n];
      column_sum += (hi[0][0] + hi[0][1]) + (hi[0][2] + hi[0][3]);
      split_numbers(hi, lo);
      float* const at = hi_at + n * tile_k + (four ^ n % 8) * 4;
      *reinterpret_cast<float4*>(at) = float4{hi[0][0], hi[0][1], hi[0][2], hi[0][3]};
      *reinterpret_cast<float4*>(at + tile_side * tile_k) = float4{lo[0][0], lo[0][1], lo[0][2], lo[0][3]};
    }
  };
#pragma unroll 1
  for (unsigned s = 0; s < stages; ++s) {
    if (begin + s < end) load(s, begin + s);
    end_group_of_copies();
  }
  wait_for_copies<stages - 1>();
  __syncthreads();
  if (begin < end) turn(0, 0);
  copies_are_for_tensor_cores();
  __syncthreads();

  const unsigned warp = threadIdx.x % 128 / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  float acc[32] = {};
#pragma unroll 1
  for (unsigned tile = begin; tile < end; ++tile) {
    const unsigned here = (tile - begin) % stages, image = (tile - begin) % 2;
    const float* const tile_a = staged + here * stage + group * gradient_array + warp * 16 + g;
    const WideTile b_hi(images + image * image_size), b_lo(images + image * image_size + tile_side * tile_k);
    float x[2][2][4], sum[32];
#pragma unroll
    for (unsigned s = 0; s < 4; ++s)
#pragma unroll
      for (unsigned e = 0; e < 4; ++e)
        x[s / 2][s % 2][e] = tile_a[(8 * s + t + e / 2 * 4) * gradient_pitch + e % 2 * 8];
    const auto start_half = [&](unsigned half) {
      float(&hi)[2][4] = x[half], lo[2][4];
      split_numbers(hi, lo);
      const auto eight = [](const float(&v)[4]) { return WideRows{v[0], v[1], v[2], v[3]}; };
      WideRows of[4] = {eight(lo[0]), eight(lo[1]), eight(hi[0]), eight(hi[1])};
      start_products(sum, of, b_hi, b_lo, half);
    };
    start_half(0);
    wait_for_copies<stages - 2>();
    __syncthreads();  // the next tile is there, and everybody has this one's A
    if (tile + stages < end) load(here, tile + stages);
    end_group_of_copies();
    const unsigned id = anew(threadIdx.x);
    if (id < tile_k) windows.prepare_one(a, shared, (tile + stages + 1) * tile_k + id);
    add_products(acc, sum);
    start_half(1);
    if (tile + 1 < end) turn((here + 1) % stages, 1 - image);
    add_products(acc, sum);
    copies_are_for_tensor_cores();
    __syncthreads();  // what was turned is there
  }

  if (is_there)
#pragma unroll
    for (unsigned r = 0; r < 2; ++r)
#pragma unroll
      for (unsigned j = 0; j < 8; ++j) {
        const unsigned row = first_row + warp * 16 + g + 8 * r, column = first_column + 8 * j + 2 * t;
        const RowVector<2> v{{acc[4 * j + 2 * r], acc[4 * j + 2 * r + 1]}};
        if (to.wide) {
          to.store_vector<2>(copy, row, column, v);
        } else {
          to.store_one(copy, row, column, v.at[0]);
          to.store_one(copy, row, column + 1, v.at[1]);
        }
      }
  if (to.sums_of == SumsOf::columns && row_group == 0) {
    images[threadIdx.x] = column_sum;
    __syncthreads();
    if (threadIdx.x < tile_side) {
      float sum = column_sum;
#pragma unroll
      for (unsigned s = 1; s < threads / tile_side; ++s) sum += images[threadIdx.x + s * tile_side];
      to.store_sum(copy, first_column + threadIdx.x, sum);
    }
  }
#endif
}

/// C on tiles, as start_tiles; k is shared by as many blocks as fill a GPU.
template <class = void>
void start_wide_gradient(const Pass& pass, const ProductCut& cut, std::size_t copies, const WindowOperand& a,
                         const PlainOperand<false>& b, const Places& to) {
  constexpr std::size_t memory =
      (2 * image_size + gradient_stages * (gradient_groups + 1) * gradient_array) * sizeof(float) + wide_alignment;
  const std::size_t row_groups = divide_up(cut.row_tiles, gradient_groups);
  launch(pass, &wide_gradient_kernel<gradient_groups>,
         dim3(static_cast<unsigned>(row_groups * cut.column_tiles * copies), cut.splits), gradient_groups * 128, memory,
         a, b, to,
         ProductGrid{static_cast<unsigned>(cut.row_tiles), static_cast<unsigned>(cut.column_tiles), cut.k_tiles_each});
}
/// No more parts than product.hpp would have, for which there is scratch.
constexpr ProductCut cut_wide_gradient(std::size_t m, std::size_t n, std::size_t k, std::size_t copies) {
  ProductCut cut = cut_product(m, n, k, copies);
  const std::size_t blocks = divide_up(cut.row_tiles, gradient_groups) * cut.column_tiles * copies;
  const std::size_t k_tiles = divide_up(k, tile_k);
  const std::size_t splits = std::clamp<std::size_t>(gradient_blocks / blocks, 1, cut.splits);
  cut.k_tiles_each = static_cast<unsigned>(divide_up(k_tiles, splits));
  cut.splits = static_cast<unsigned>(k_tiles == 0 ? 1 : divide_up(k_tiles, cut.k_tiles_each));
  return cut;
}

#endif

}  // namespace aila::inline v0::cuda::detail

#include "../../core/macros_back.hpp"
