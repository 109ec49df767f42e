// LayerNorm, and ReLU before it, on a GPU: a row lies in the registers of a part of a warp, or of a block where it is
// wide, and is read once. Bound by memory; moments are computed again in backward, as to keep them would only add to
// what is read.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/layer_norm.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

namespace cuda {

/// How threads share rows of d features: `lanes` of them a row, each with the vectors number lane, lane + lanes, ... of
/// it. Two vectors or more a thread, so that there are few steps in a sum over the lanes and enough loads under way.
template <std::size_t d>
struct NormPlan {
  static constexpr std::size_t v = vector_width(d), vectors = d / v;
  static constexpr std::size_t within_warp = std::min<std::size_t>(32, power_of_two_within(vectors / 2));
  static constexpr bool wide = divide_up(vectors, within_warp) * v > 16;  // a block a row
  static constexpr std::size_t of_thread =
      wide ? std::max(8 / v, divide_up(vectors, 256)) : divide_up(vectors, within_warp);
  static constexpr std::size_t lanes = wide ? round_up(divide_up(vectors, of_thread), 32) : within_warp;
  static constexpr std::size_t threads = wide ? lanes : 256;
  static constexpr std::size_t groups = threads / lanes;  ///< rows of a block at a time
  static constexpr bool full = lanes * of_thread == vectors;
  /// Blocks that make sums over rows: as few as keep the memory busy.
  static constexpr std::size_t most_summing = cuda::multiprocessors * (512 / threads);
  static constexpr std::size_t blocks(std::size_t rows, std::size_t most) {
    return std::min(divide_up(rows, groups), most);
  }
  /// Sums of so many blocks are added up by the last of them; of more, or of wider rows, by a launch of their own.
  static constexpr bool ends_in_last(std::size_t blocks) { return d <= 128 && blocks * d <= 4096; }
};

}  // namespace cuda

template <class L, class In>
struct CudaNorm : KernelDefaults<float> {
  static constexpr const char* name = "cuda layer norm";
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr bool sets_input_gradient = true;
  using First = typename L::First;
  static constexpr std::size_t d = In::features;
  using Plan = cuda::NormPlan<d>;

  /// Blocks of a backward that have come to their end; forward sets it to 0.
  template <Capability C>
  struct Saved {
    float* counter = nullptr;
    constexpr void bind([[maybe_unused]] Arena<float>& arena, std::size_t) {
      if constexpr (C == Capability::train) counter = arena.take(1);
    }
  };
  /// The sums of each block for the gradients of weight and bias.
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return c == Capability::train ? Plan::blocks(samples * In::positions, Plan::most_summing) * 2 * d : 0;
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      Saved<C>& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, Saved<C>& saved, float* scratch);
};

template <class In>
CudaNorm<LayerNorm, In> select_kernel(rank::Layer, Placed<LayerNorm, In>, backend::Cuda);
template <class In>
CudaNorm<ReluLayerNorm, In> select_kernel(rank::Layer, Placed<ReluLayerNorm, In>, backend::Cuda);

#ifdef __CUDACC__

namespace cuda {

/// Memory for sums over the warps of a block: of each of up to three sums that follow one another, of up to two
/// numbers. A sum writes where the last but one was read, and between those all threads have met.
using NormSums = float[3][2][8];

/// x[i] becomes its sum over the lanes of a row, in all of them.
template <class Plan, std::size_t count>
__device__ void sum_over_row(float (&x)[count], [[maybe_unused]] float (*shared)[8]) {
  constexpr unsigned within = Plan::wide ? 32 : static_cast<unsigned>(Plan::lanes);
#pragma unroll
  for (unsigned apart = within / 2; apart > 0; apart /= 2) {
#pragma unroll
    for (std::size_t i = 0; i < count; ++i) x[i] += __shfl_xor_sync(0xffffffffU, x[i], apart);
  }
  if constexpr (Plan::wide) {
    if (threadIdx.x % 32 == 0)
      for (std::size_t i = 0; i < count; ++i) shared[i][threadIdx.x / 32] = x[i];
    __syncthreads();
#pragma unroll
    for (std::size_t i = 0; i < count; ++i) {
      x[i] = shared[i][0];
      for (std::size_t warp = 1; warp < Plan::threads / 32; ++warp) x[i] += shared[i][warp];
    }
  }
}

/// A thread's part of a row, and the row's moments.
template <class First, std::size_t d>
struct NormRow {
  using Plan = NormPlan<d>;
  static constexpr std::size_t v = Plan::v, count = Plan::of_thread;
  RowVector<v> x[count];
  float mean, inverse;

  static __device__ bool has(unsigned lane, std::size_t j) {
    return Plan::full || lane + j * Plan::lanes < Plan::vectors;
  }
  static __device__ void load(const float* row, unsigned lane, bool counts, RowVector<v> (&to)[count]) {
#pragma unroll
    for (std::size_t j = 0; j < count; ++j)
      to[j] = counts && has(lane, j) ? as_vectors<v>(row)[lane + j * Plan::lanes] : RowVector<v>{};
  }
  __device__ float value(std::size_t j, std::size_t i) const { return First::template value<float>(x[j].at[i]); }
  __device__ float slope(std::size_t j, std::size_t i) const {
    return First::template slope<float>(x[j].at[i], value(j, i));
  }
  __device__ float normal(std::size_t j, std::size_t i) const { return (value(j, i) - mean) * inverse; }
  __device__ void take_moments(unsigned lane, float epsilon, NormSums& shared) {
    constexpr float share = 1.0F / static_cast<float>(d);
    float sum[1] = {0}, squares[1] = {0};
#pragma unroll
    for (std::size_t j = 0; j < count; ++j)
#pragma unroll
      for (std::size_t i = 0; i < v; ++i) sum[0] += value(j, i);  // First(0) = 0
    sum_over_row<Plan>(sum, shared[0]);
    mean = sum[0] * share;
#pragma unroll
    for (std::size_t j = 0; j < count; ++j)
#pragma unroll
      for (std::size_t i = 0; i < v; ++i) {
        const float centred = has(lane, j) ? value(j, i) - mean : 0.0F;
        squares[0] += centred * centred;
      }
    sum_over_row<Plan>(squares, shared[1]);
    inverse = rsqrtf(squares[0] * share + epsilon);
  }
};

template <class First, std::size_t d>
__global__ void __launch_bounds__(NormPlan<d>::threads)
    layer_norm_forward(std::size_t rows, float epsilon, const float* __restrict__ weight,
                       const float* __restrict__ bias, const float* x, float* y, unsigned* counter) {
  using Row = NormRow<First, d>;
  constexpr std::size_t v = Row::v;
  constexpr unsigned lanes = NormPlan<d>::lanes, groups = NormPlan<d>::groups;
  __shared__ NormSums shared;
  const unsigned lane = threadIdx.x % lanes;
  if (counter != nullptr && blockIdx.x == 0 && threadIdx.x == 0) *counter = 0;
  RowVector<v> scale[Row::count], shift[Row::count];
  Row::load(weight, lane, true, scale);
  Row::load(bias, lane, true, shift);
  const std::size_t step = static_cast<std::size_t>(gridDim.x) * groups;
  for (std::size_t first = static_cast<std::size_t>(blockIdx.x) * groups; first < rows; first += step) {
    const std::size_t number = first + threadIdx.x / lanes;
    Row row;
    Row::load(x + number * d, lane, number < rows, row.x);
    row.take_moments(lane, epsilon, shared);
#pragma unroll
    for (std::size_t j = 0; j < Row::count; ++j) {
      if (number >= rows || !Row::has(lane, j)) continue;
      RowVector<v> to;
#pragma unroll
      for (std::size_t i = 0; i < v; ++i) to.at[i] = row.normal(j, i) * scale[j].at[i] + shift[j].at[i];
      as_vectors<v>(y + number * d)[lane + j * lanes] = to;
    }
  }
}

/// Adds a sum of column c of 2 d to the gradient of weight or bias.
template <std::size_t d>
struct AddToNorm {
  float *weight, *bias;
  template <std::size_t v>
  __device__ void operator()(unsigned number, const RowVector<v>& sum) const {
#pragma unroll
    for (unsigned i = 0; i < v; ++i) {
      const unsigned c = number * v + i;
      *(c < d ? weight + c : bias + (c - d)) += sum.at[i];
    }
  }
};

/// With `sums` those of each block go to `partials` [blocks, 2 d], or those of a single block to the gradients; with a
/// counter the last block adds them up.
template <class First, std::size_t d, bool sums, class Valid>
__global__ void __launch_bounds__(NormPlan<d>::threads, 2)
    layer_norm_backward(std::size_t rows, float epsilon, Valid valid, const float* __restrict__ weight, const float* x,
                        const float* dy, float* dx, bool adds, float* partials, AddToNorm<d> gradients,
                        unsigned* counter) {
  using Plan = NormPlan<d>;
  using Row = NormRow<First, d>;
  constexpr std::size_t v = Row::v, count = Row::count;
  constexpr unsigned lanes = Plan::lanes, groups = Plan::groups, threads = Plan::threads;
  constexpr float share = 1.0F / static_cast<float>(d);
  __shared__ NormSums shared;
  const unsigned lane = threadIdx.x % lanes;
  RowVector<v> scale[count];
  Row::load(weight, lane, true, scale);
  [[maybe_unused]] RowVector<v> to_weight[count], to_bias[count];
  if constexpr (sums)
#pragma unroll
    for (std::size_t j = 0; j < count; ++j) to_weight[j] = to_bias[j] = RowVector<v>{};
  const std::size_t step = static_cast<std::size_t>(gridDim.x) * groups;
  for (std::size_t first = static_cast<std::size_t>(blockIdx.x) * groups; first < rows; first += step) {
    const std::size_t number = first + threadIdx.x / lanes;
    const bool counts = number < rows && valid.has(number);
    Row row;
    RowVector<v> up[count];
    Row::load(x + number * d, lane, counts, row.x);
    Row::load(dy + number * d, lane, counts, up);
    row.take_moments(lane, epsilon, shared);
    if constexpr (sums)
#pragma unroll
      for (std::size_t j = 0; j < count; ++j)
#pragma unroll
        for (std::size_t i = 0; i < v; ++i) {
          to_weight[j].at[i] += up[j].at[i] * row.normal(j, i);
          to_bias[j].at[i] += up[j].at[i];
        }
    if (dx == nullptr) continue;
    float along[2] = {0, 0};  // of 1, and of what is normalised
#pragma unroll
    for (std::size_t j = 0; j < count; ++j)
#pragma unroll
      for (std::size_t i = 0; i < v; ++i) {
        const float scaled = up[j].at[i] * scale[j].at[i];  // zero beyond the end of the row
        along[0] += scaled;
        along[1] += scaled * row.normal(j, i);
      }
    sum_over_row<Plan>(along, shared[2]);
    if (number >= rows || (adds && !counts)) continue;
#pragma unroll
    for (std::size_t j = 0; j < count; ++j) {
      if (!Row::has(lane, j)) continue;
      RowVector<v> to;
#pragma unroll
      for (std::size_t i = 0; i < v; ++i) {
        const float centred = up[j].at[i] * scale[j].at[i] - share * (along[0] + row.normal(j, i) * along[1]);
        to.at[i] = row.inverse * centred * row.slope(j, i);
      }
      store_or_add(as_vectors<v>(dx + number * d) + lane + j * lanes, to, adds);
    }
  }
  if constexpr (sums) {
    if constexpr (Plan::wide) {
#pragma unroll
      for (std::size_t j = 0; j < count; ++j) {
        const unsigned at = static_cast<unsigned>(lane + j * lanes);
        if (!Row::has(lane, j)) continue;
        if (gridDim.x == 1) {
#pragma unroll
          for (unsigned i = 0; i < v; ++i) {
            gradients.weight[at * v + i] += to_weight[j].at[i];
            gradients.bias[at * v + i] += to_bias[j].at[i];
          }
        } else {
          float* const own = partials + static_cast<std::size_t>(blockIdx.x) * 2 * d;
#pragma unroll
          for (unsigned i = 0; i < v; ++i) {
            own[at * v + i] = to_weight[j].at[i];
            own[d + at * v + i] = to_bias[j].at[i];
          }
        }
      }
    } else {
      // The rows of a warp, then the warps.
      __shared__ float of_warp[threads / 32][2 * d];
#pragma unroll
      for (std::size_t j = 0; j < count; ++j)
#pragma unroll
        for (std::size_t i = 0; i < v; ++i) {
#pragma unroll
          for (unsigned apart = lanes; apart < 32; apart *= 2) {
            to_weight[j].at[i] += __shfl_xor_sync(0xffffffffU, to_weight[j].at[i], apart);
            to_bias[j].at[i] += __shfl_xor_sync(0xffffffffU, to_bias[j].at[i], apart);
          }
          if (threadIdx.x % 32 < lanes && Row::has(lane, j)) {
            of_warp[threadIdx.x / 32][(lane + j * lanes) * v + i] = to_weight[j].at[i];
            of_warp[threadIdx.x / 32][d + (lane + j * lanes) * v + i] = to_bias[j].at[i];
          }
        }
      __syncthreads();
      for (unsigned c = threadIdx.x; c < 2 * d; c += threads) {
        RowVector<1> sum{{of_warp[0][c]}};
        for (unsigned warp = 1; warp < threads / 32; ++warp) sum.at[0] += of_warp[warp][c];
        if (gridDim.x == 1)
          gradients(c, sum);
        else
          partials[static_cast<std::size_t>(blockIdx.x) * 2 * d + c] = sum.at[0];
      }
      if constexpr (Plan::ends_in_last(2)) {
        if (gridDim.x == 1 || counter == nullptr || !is_last_block(counter)) return;
        constexpr std::size_t wide = vector_width(2 * d);
        __shared__ RowVector<wide> lanes_of_sum[threads];
        sum_partials<wide>(partials, gridDim.x, 2 * d / wide, 0, 2 * d / wide, lanes_of_sum, gradients);
      }
    }
  }
}

template <std::size_t d>
__global__ void __launch_bounds__(256)
    layer_norm_sums(const float* partials, unsigned count, unsigned some, AddToNorm<d> gradients) {
  constexpr std::size_t v = vector_width(2 * d);
  constexpr unsigned row = 2 * d / v;
  __shared__ RowVector<v> shared[256];
  const unsigned first = blockIdx.x * some;
  sum_partials<v>(partials, count, row, first, first + some < row ? some : row - first, shared, gradients);
}

}  // namespace cuda

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaNorm<L, In>::forward(const Pass& pass, Weights<float> w, const float*, const float* x, float* y,
                                            Saved<C>& saved, float*) {
  const std::size_t rows = pass.samples * In::positions;
  cuda::launch(pass, &cuda::layer_norm_forward<First, d>,
               static_cast<unsigned>(Plan::blocks(rows, cuda::multiprocessors * 8)),
               static_cast<unsigned>(Plan::threads), 0, rows, static_cast<float>(L::epsilon), w[0], w[1], x, y,
               reinterpret_cast<unsigned*>(saved.counter));
}

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaNorm<L, In>::backward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                             const float*, const float* dy, float* dx, Gradients<float> g,
                                             Saved<C>& saved, float* scratch) {
  const std::size_t rows = pass.samples * In::positions;
  const bool adds = !pass.sets_input_gradient;
  const cuda::StepsOf<In> valid(pass);
  const auto threads = static_cast<unsigned>(Plan::threads);
  constexpr auto epsilon = static_cast<float>(L::epsilon);
  if (!g) {
    if (dx == nullptr) return;
    return cuda::launch(pass, &cuda::layer_norm_backward<First, d, false, cuda::StepsOf<In>>,
                        static_cast<unsigned>(Plan::blocks(rows, cuda::multiprocessors * 8)), threads, 0, rows, epsilon,
                        valid, w[0], x, dy, dx, adds, nullptr, cuda::AddToNorm<d>{}, nullptr);
  }
  const std::size_t blocks = Plan::blocks(rows, Plan::most_summing);
  const cuda::AddToNorm<d> gradients{g[0], g[1]};
  auto* const counter = Plan::ends_in_last(blocks) ? reinterpret_cast<unsigned*>(saved.counter) : nullptr;
  cuda::launch(pass, &cuda::layer_norm_backward<First, d, true, cuda::StepsOf<In>>, static_cast<unsigned>(blocks),
               threads, 0, rows, epsilon, valid, w[0], x, dy, dx, adds, scratch, gradients, counter);
  if (blocks <= 1 || counter != nullptr) return;
  constexpr unsigned some = 8;  // vectors of a line of memory
  constexpr unsigned row = 2 * d / cuda::vector_width(2 * d);
  cuda::beside(pass, [&](const Pass& on) {
    cuda::launch(on, &cuda::layer_norm_sums<d>, (row + some - 1) / some, 256, 0, scratch, static_cast<unsigned>(blocks),
                 some, gradients);
  });
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
