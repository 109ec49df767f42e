// The gradients behind the gradients of a recurrent layer's sums: those of biases, from sums over the samples of each
// block, and where there are few rows (a row is a step of a sample) all others in the same launch.
#pragma once

#include "../../core/macros_aside.hpp"

#include "product.hpp"
#include "recurrent_step.hpp"

namespace aila::inline v0::cuda::recurrent {

/// So few rows that one launch is faster than several that share out the rows.
inline constexpr std::size_t few_rows = 1536;
inline constexpr std::size_t tile_width = 32, tile_depth = 64;

}  // namespace aila::inline v0::cuda::recurrent

#ifdef __CUDACC__

namespace aila::inline v0::cuda::recurrent {

struct GradientArguments {
  std::size_t rows = 0, inputs = 0, units = 0, steps = 1;
  const std::int32_t* lengths = nullptr;
  std::size_t blocks = 0;
  const float* d_sums = nullptr;     ///< [rows, 4 units]
  const float* bias_sums = nullptr;  ///< [blocks, 4 units]
  const float* x = nullptr;
  const float* before = nullptr;
  const float* weight_ih = nullptr;
  float* dx = nullptr;  ///< null: not asked for
  bool sets_dx = false;
  float* d_weight_ih = nullptr;  ///< null: none of the parameters' gradients is asked for
  float* d_weight_hh = nullptr;
  float* d_bias = nullptr;
  float* d_state_bias = nullptr;
};

/// Columns [32 part, 32 part + 32) of the biases' sums, by 256 threads.
template <class Cell>
__device__ void add_bias_gradients(const GradientArguments& a, std::size_t part) {
  __shared__ float sums[8][tile_width];
  const std::size_t all = 4 * a.units, column = part * tile_width + threadIdx.x % tile_width;
  const unsigned slice = threadIdx.x / tile_width;
  float sum = 0.0F;
  if (column < all)
#pragma unroll 4
    for (std::size_t block = slice; block < a.blocks; block += 8) sum += a.bias_sums[block * all + column];
  sums[slice][threadIdx.x % tile_width] = sum;
  __syncthreads();
  if (slice > 0 || column >= all) return;
#pragma unroll
  for (unsigned i = 1; i < 8; ++i) sum += sums[i][threadIdx.x];
  const unsigned place = static_cast<unsigned>(column / a.units);
  const std::size_t unit = column % a.units;
  if (place < Cell::gates) a.d_bias[column] += sum;
  if (a.d_state_bias != nullptr && StepOf<Cell>::has_state(place))
    a.d_state_bias[StepOf<Cell>::state_gate(place) * a.units + unit] += sum;
}
template <class Cell>
__global__ void __launch_bounds__(256) bias_gradients(const GradientArguments a) {
  add_bias_gradients<Cell>(a, blockIdx.x);
}

struct TileMemory {
  static constexpr unsigned row = tile_width + 4;
  alignas(16) float a[tile_depth][row];
  alignas(16) float b[tile_depth][row];
  float sums[4][tile_width][tile_width + 1];
};
/// One tile [32, 32] of a product over `inner`: left(k, i) and right(k, j) are zero beyond their matrices' ends, put(i,
/// j, sum) takes the result. 256 threads: each 64 of them a quarter of k, a thread 4 x 4 of the tile.
template <bool left_by_k, class Left, class Right, class Put>
__device__ void multiply_tile(TileMemory& memory, std::size_t inner, Left&& left, Right&& right, Put&& put) {
  auto& [a, b, sums] = memory;
  const unsigned fast = threadIdx.x % tile_width, slow = threadIdx.x / tile_width;  // eight slow ones
  const unsigned quarter = threadIdx.x / 64, i0 = threadIdx.x % 64 / 8 * 4, j0 = threadIdx.x % 8 * 4;
  constexpr unsigned each = tile_depth / 8;  // of each matrix a thread fetches so many numbers, all at once
  float next_a[each], next_b[each], sum[4][4] = {};
  const auto k_of_left = [&](unsigned e) {
    return left_by_k ? fast + e / 4 * static_cast<unsigned>(tile_width) : slow + 8 * e;
  };
  const auto i_of_left = [&](unsigned e) { return left_by_k ? slow + e % 4 * 8 : fast; };
  const auto fetch = [&](std::size_t k0) {
#pragma unroll
    for (unsigned e = 0; e < each; ++e) {
      next_a[e] = left(k0 + k_of_left(e), i_of_left(e));
      next_b[e] = right(k0 + slow + 8 * e, fast);
    }
  };
  fetch(0);
  for (std::size_t k0 = 0; k0 < inner; k0 += tile_depth) {
#pragma unroll
    for (unsigned e = 0; e < each; ++e) {
      a[k_of_left(e)][i_of_left(e)] = next_a[e];
      b[slow + 8 * e][fast] = next_b[e];
    }
    __syncthreads();
    if (k0 + tile_depth < inner) fetch(k0 + tile_depth);
#pragma unroll
    for (unsigned k = 0; k < tile_depth / 4; ++k) {
      const float4 p = *reinterpret_cast<const float4*>(&a[quarter * (tile_depth / 4) + k][i0]);
      const float4 q = *reinterpret_cast<const float4*>(&b[quarter * (tile_depth / 4) + k][j0]);
      const float of_a[4] = {p.x, p.y, p.z, p.w}, of_b[4] = {q.x, q.y, q.z, q.w};
#pragma unroll
      for (unsigned i = 0; i < 4; ++i)
#pragma unroll
        for (unsigned j = 0; j < 4; ++j) sum[i][j] = fmaf(of_a[i], of_b[j], sum[i][j]);
    }
    __syncthreads();
  }
#pragma unroll
  for (unsigned i = 0; i < 4; ++i)
#pragma unroll
    for (unsigned j = 0; j < 4; ++j) sums[quarter][i0 + i][j0 + j] = sum[i][j];
  __syncthreads();
#pragma unroll
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned of = slow + 8 * i;
    put(of, fast, (sums[0][of][fast] + sums[1][of][fast]) + (sums[2][of][fast] + sums[3][of][fast]));
  }
}

/// How blocks of gradients_of_few are shared out.
template <class Cell>
struct FewPlan {
  std::size_t weight_rows, of_inputs, of_units, weight_ih, weight_hh, bias, dx;  ///< tiles
  constexpr FewPlan(std::size_t rows, std::size_t inputs, std::size_t units, bool parameters, bool input_gradient)
      : weight_rows(divide_up(Cell::gates * units, tile_width)),
        of_inputs(divide_up(inputs, tile_width)),
        of_units(divide_up(units, tile_width)),
        weight_ih(parameters ? weight_rows * of_inputs : 0),
        weight_hh(parameters ? weight_rows * of_units : 0),
        bias(parameters ? divide_up(4 * units, tile_width) : 0),
        dx(input_gradient ? divide_up(rows, tile_width) * of_inputs : 0) {}
  constexpr std::size_t blocks() const { return weight_ih + weight_hh + bias + dx; }
};

template <class Cell>
__global__ void __launch_bounds__(256) gradients_of_few(const GradientArguments a) {
  using Step = StepOf<Cell>;
  __shared__ TileMemory memory;
  const FewPlan<Cell> plan(a.rows, a.inputs, a.units, a.d_weight_ih != nullptr, a.dx != nullptr);
  const std::size_t row = 4 * a.units, gates = Cell::gates * a.units;
  std::size_t block = blockIdx.x;
  if (block < plan.weight_ih + plan.weight_hh) {
    const bool of_state = block >= plan.weight_ih;
    if (of_state) block -= plan.weight_ih;
    const std::size_t columns = of_state ? a.units : a.inputs, tiles = of_state ? plan.of_units : plan.of_inputs;
    const float* const from = of_state ? a.before : a.x;
    float* const to = of_state ? a.d_weight_hh : a.d_weight_ih;
    const std::size_t i0 = block / tiles * tile_width, j0 = block % tiles * tile_width;
    const auto column_of = [&](std::size_t i) {  // in d_sums, of a row of weights
      return of_state ? Step::place_of_state(static_cast<unsigned>(i / a.units)) * a.units + i % a.units : i;
    };
    const auto is_valid = [&](std::size_t k) {  // what lies at padded steps of x may be no number
      if (of_state || a.lengths == nullptr) return true;
      const unsigned row_number = static_cast<unsigned>(k), steps = static_cast<unsigned>(a.steps);
      return row_number % steps < valid_steps(a.lengths, row_number / steps, steps);
    };
    const std::size_t mine = i0 + threadIdx.x % tile_width < gates ? column_of(i0 + threadIdx.x % tile_width) : row;
    multiply_tile<false>(
        memory, a.rows,
        [&](std::size_t k, unsigned) { return k < a.rows && mine < row ? a.d_sums[k * row + mine] : 0.0F; },
        [&](std::size_t k, unsigned j) {
          return k < a.rows && j0 + j < columns && is_valid(k) ? from[k * columns + j0 + j] : 0.0F;
        },
        [&](unsigned i, unsigned j, float sum) {
          if (i0 + i < gates && j0 + j < columns) to[(i0 + i) * columns + j0 + j] += sum;
        });
    return;
  }
  block -= plan.weight_ih + plan.weight_hh;
  if (block < plan.bias) {
    add_bias_gradients<Cell>(a, block);
    return;
  }
  block -= plan.bias;
  const std::size_t i0 = block / plan.of_inputs * tile_width, j0 = block % plan.of_inputs * tile_width;
  multiply_tile<true>(
      memory, gates,
      [&](std::size_t k, unsigned i) { return k < gates && i0 + i < a.rows ? a.d_sums[(i0 + i) * row + k] : 0.0F; },
      [&](std::size_t k, unsigned j) {
        return k < gates && j0 + j < a.inputs ? a.weight_ih[k * a.inputs + j0 + j] : 0.0F;
      },
      [&](unsigned i, unsigned j, float sum) {
        if (i0 + i >= a.rows || j0 + j >= a.inputs) return;
        float& to = a.dx[(i0 + i) * a.inputs + j0 + j];
        to = a.sets_dx ? sum : to + sum;
      });
}

/// d_weight_ih [outputs, inputs] += what the rows of d_sums give with x, whose padded steps may hold what is no number.
/// Where `before` is given, d_weight_hh [outputs, inputs] += the same of the states before, in the same launch.
inline void add_gradients_with_sums(const Pass& pass, std::size_t rows, std::size_t steps, std::size_t inputs,
                                    std::size_t outputs, const float* x, const float* before, const float* d_sums,
                                    std::size_t d_sums_row, float* d_weight_ih, float* d_weight_hh, float* scratch) {
  const detail::ValidSteps valid = detail::valid_steps(pass.lengths, steps);
  auto of_x = detail::plain_operand<false>(x, inputs, inputs, rows);
  auto of_d = detail::plain_operand<false>(d_sums, d_sums_row, outputs, rows);
  of_x.valid = valid;
  of_d.valid = valid;
  auto to = detail::places({d_weight_ih, inputs, nullptr, true}, outputs, inputs);
  if (before != nullptr) {
    // The second copy of the product is as far away as one array is from the other.
    of_x.wide = of_x.wide && detail::is_aligned(before);
    to.wide = to.wide && detail::is_aligned(d_weight_hh);
    of_x.copy = (reinterpret_cast<std::intptr_t>(before) - reinterpret_cast<std::intptr_t>(x)) /
                static_cast<std::ptrdiff_t>(sizeof(float));
    to.copy = static_cast<std::size_t>(d_weight_hh - d_weight_ih);
  }
  detail::multiply_tiles(pass, rows, before != nullptr ? 2 : 1, of_d, of_x, to, scratch);
}

}  // namespace aila::inline v0::cuda::recurrent

#endif

#include "../../core/macros_back.hpp"
