// Batch normalisation on a GPU: it sees the whole batch, so that there are no phases. Few rows are one launch, of a
// block for a few features, that reads them twice; else sums of blocks, one sum of these, and a pass over the rows.
// Bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/batch_norm.hpp"
#include "cuda.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

namespace cuda {

/// How 256 threads share rows of features: a thread has one vector of V of them, of every `lanes`-th row. Numbers, not
/// a type: a network has dozens of widths.
template <std::size_t V>
struct FeatureBlock {
  static constexpr std::size_t v = V;
  unsigned features, vectors, chunks, chunk, lanes;
  constexpr FeatureBlock(std::size_t count, std::size_t most_vectors)
      : features(static_cast<unsigned>(count)),
        vectors(static_cast<unsigned>(count / v)),
        chunks(static_cast<unsigned>(divide_up(vectors, most_vectors))),
        chunk(static_cast<unsigned>(divide_up(vectors, chunks))),
        lanes(256 / chunk) {}
};
/// Vectors of a block that reads few rows.
constexpr std::size_t few_vectors(std::size_t v) {
  return v == 4 ? 4 : 8;
}

template <std::size_t F>
struct BatchNormPlan {
  static constexpr std::size_t v = vector_width(F);
  using Block = FeatureBlock<v>;
  static constexpr Block large() { return Block(F, 128); }
  static constexpr Block few() { return Block(F, few_vectors(v)); }
  /// A block that goes through so many rows alone is done before three launches are.
  static constexpr bool are_few(std::size_t rows) { return rows <= 1024; }
  /// Blocks along the rows that make sums.
  static constexpr std::size_t parts(std::size_t rows) {
    return are_few(rows) ? 0
                         : std::min<std::size_t>(divide_up(rows, 4 * large().lanes),
                                                 std::max<std::size_t>(264 / large().chunks, 1));
  }
};

/// Kept between forward and backward: a number for each feature, and how many rows the batch has.
struct BatchNormKept {
  float *mean = nullptr, *inverse = nullptr, *variance = nullptr, *count = nullptr;
  constexpr void bind(Arena<float>& arena, std::size_t features) {
    for (float** of : {&mean, &inverse, &variance}) *of = arena.take(features);
    count = arena.take(2);  // a double
  }
};

}  // namespace cuda

template <class L, class In>
struct CudaBatchNorm : KernelDefaults<float> {
  static constexpr const char* name = "cuda batch norm";
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr bool sets_input_gradient = true;
  static constexpr std::size_t F = In::features;
  using Plan = cuda::BatchNormPlan<F>;

  template <Capability C>
  struct Saved {
    cuda::BatchNormKept kept;
    constexpr void bind([[maybe_unused]] Arena<float>& arena, std::size_t) {
      if constexpr (C != Capability::stream) kept.bind(arena, F);
    }
  };
  /// Two doubles a feature and block, and two numbers a feature.
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return c == Capability::stream ? 0 : means_offset(samples) + 2 * F;
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float* packed, const float* x, float* y,
                      Saved<C>& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float* packed, const float* x, const float* y,
                       const float* dy, float* dx, Gradients<float> g, Saved<C>& saved, float* scratch);

 private:
  static constexpr std::size_t means_offset(std::size_t samples) {
    return Plan::parts(samples * In::positions) * 4 * F;
  }
  /// Whether this is a step that takes the batch's statistics, if there are any: its running ones are not frozen.
  template <Capability C>
  static bool learns_statistics(const Pass& pass, Weights<float> w) {
    return C != Capability::stream && pass.training && !pass.freezes(w, 2) && !pass.freezes(w, 3);
  }
};

template <class... Options, class In>
CudaBatchNorm<BatchNorm<Options...>, In> select_kernel(rank::Layer, Placed<BatchNorm<Options...>, In>, backend::Cuda);

#ifdef __CUDACC__

namespace cuda {

/// The statistics to normalise by: mean and 1 / sqrt(variance + epsilon), or where they are the running ones, mean and
/// variance.
struct BatchStatistics {
  const float *mean, *second;
  bool running;
  float epsilon;
  __device__ float inverse(float of) const { return running ? 1.0F / sqrtf(of + epsilon) : of; }
};
struct BatchNormTensors {
  const float *weight, *bias, *running_mean, *running_variance;
};
/// Null: nobody asks. `rate` is 0 where statistics are not collected.
struct BatchNormGradients {
  float *weight, *bias, *running_mean, *running_variance;
  float rate;
};

/// Where a thread stands in a block that shares the features of rows.
template <class Block>
struct FeaturePlace {
  Block block;
  unsigned lane, column;
  __device__ explicit FeaturePlace(const Block& of)
      : block(of), lane(threadIdx.x / of.chunk), column(threadIdx.x % of.chunk) {}
  /// Whether the thread has a vector of this chunk of the features.
  __device__ bool has(unsigned chunk) const { return lane < block.lanes && vector(chunk) < block.vectors; }
  __device__ unsigned vector(unsigned chunk) const { return chunk * block.chunk + column; }
};

/// f(rows as numbers, whether they count) for four rows at a time, every step-th from the first on.
template <class Valid, class F>
__device__ void over_rows(std::size_t first, std::size_t rows, std::size_t step, const Valid& valid, F&& f) {
  for (std::size_t row = first; row < rows; row += 4 * step) {
    std::size_t number[4];
    bool counts[4];
#pragma unroll
    for (unsigned u = 0; u < 4; ++u) {
      number[u] = row + u * step;
      counts[u] = number[u] < rows && valid.has(number[u]);
    }
    f(number, counts);
  }
}

/// Two sums a feature, in floats over 32 rows and in double beyond.
template <std::size_t v>
struct SumPair {
  RowVector<v> first{}, second{};
  double total[2 * v] = {};
  unsigned tiles = 0;
  __device__ void flush() {
#pragma unroll
    for (std::size_t i = 0; i < v; ++i) {
      total[i] += static_cast<double>(first.at[i]);
      total[v + i] += static_cast<double>(second.at[i]);
      first.at[i] = second.at[i] = 0;
    }
  }
  __device__ void next_tile() {
    if (++tiles % 8 == 0) flush();
  }
};

/// Sums of x and of x^2 over the rows of a thread, made about its first one: what is about zero then cancels in double
/// only.
template <class Block, class Valid>
__device__ void sum_moments(const Block& block, const float* __restrict__ x, std::size_t first, std::size_t rows,
                            std::size_t step, unsigned vector, const Valid& valid, double (&total)[2 * Block::v]) {
  constexpr std::size_t v = Block::v;
  SumPair<v> sums;
  RowVector<v> origin{};
  unsigned long long count = 0;
  over_rows(first, rows, step, valid, [&](const std::size_t(&number)[4], const bool(&counts)[4]) {
    RowVector<v> value[4];
#pragma unroll
    for (unsigned u = 0; u < 4; ++u)
      value[u] = counts[u] ? as_vectors<v>(x)[number[u] * block.vectors + vector] : RowVector<v>{};
#pragma unroll
    for (unsigned u = 0; u < 4; ++u) {
      if (!counts[u]) continue;
      if (count++ == 0) origin = value[u];
#pragma unroll
      for (std::size_t i = 0; i < v; ++i) {
        const float d = value[u].at[i] - origin.at[i];
        sums.first.at[i] += d;
        sums.second.at[i] += d * d;
      }
    }
    sums.next_tile();
  });
  sums.flush();
#pragma unroll
  for (std::size_t i = 0; i < v; ++i) {
    const auto n = static_cast<double>(count), o = static_cast<double>(origin.at[i]);
    const double sum = sums.total[i];
    total[i] = sum + n * o;
    total[v + i] = sums.total[v + i] + o * (2 * sum + n * o);
  }
}

/// Sums of dy and of dy times normalised x over the rows of a thread.
template <class Block, class Valid>
__device__ void sum_gradients(const Block& block, const float* __restrict__ x, const float* __restrict__ dy,
                              std::size_t first, std::size_t rows, std::size_t step, unsigned vector,
                              const RowVector<Block::v>& mean, const RowVector<Block::v>& inverse, const Valid& valid,
                              double (&total)[2 * Block::v]) {
  constexpr std::size_t v = Block::v;
  SumPair<v> sums;
  over_rows(first, rows, step, valid, [&](const std::size_t(&number)[4], const bool(&counts)[4]) {
    RowVector<v> value[4], up[4];
#pragma unroll
    for (unsigned u = 0; u < 4; ++u) {
      value[u] = counts[u] ? as_vectors<v>(x)[number[u] * block.vectors + vector] : RowVector<v>{};
      up[u] = counts[u] ? as_vectors<v>(dy)[number[u] * block.vectors + vector] : RowVector<v>{};
    }
#pragma unroll
    for (unsigned u = 0; u < 4; ++u) {
      if (!counts[u]) continue;
#pragma unroll
      for (std::size_t i = 0; i < v; ++i) {
        sums.first.at[i] += up[u].at[i];
        sums.second.at[i] += up[u].at[i] * ((value[u].at[i] - mean.at[i]) * inverse.at[i]);
      }
    }
    sums.next_tile();
  });
  sums.flush();
#pragma unroll
  for (std::size_t i = 0; i < 2 * v; ++i) total[i] = sums.total[i];
}

/// Memory for the sums of a block: number i of thread t at [i][t].
template <std::size_t v>
using BlockSums = double[2 * v][256];

/// The sums over the lanes of a block, in lane 0. All its threads call it.
template <class Block>
__device__ void add_lanes(const Block& block, double (&total)[2 * Block::v], unsigned lane,
                          BlockSums<Block::v>& shared) {
  constexpr std::size_t v = Block::v;
#pragma unroll
  for (std::size_t i = 0; i < 2 * v; ++i) shared[i][threadIdx.x] = total[i];
  for (unsigned n = block.lanes; n > 1;) {
    const unsigned half = (n + 1) / 2;
    __syncthreads();
    if (lane + half < n)
#pragma unroll
      for (std::size_t i = 0; i < 2 * v; ++i) shared[i][threadIdx.x] += shared[i][threadIdx.x + half * block.chunk];
    n = half;
  }
  __syncthreads();
  if (lane == 0)
#pragma unroll
    for (std::size_t i = 0; i < 2 * v; ++i) total[i] = shared[i][threadIdx.x];
}

/// Rows of the batch that count, told to all threads of the block.
template <class Valid>
__device__ double count_rows(std::size_t samples, std::size_t rows, const Valid& valid) {
  __shared__ unsigned long long shared[8];
  if (valid.all()) return static_cast<double>(rows);
  unsigned long long count = 0;
  for (std::size_t n = threadIdx.x; n < samples; n += 256) count += valid.of(n);
  for (unsigned apart = 16; apart > 0; apart /= 2) count += __shfl_xor_sync(0xffffffffU, count, apart);
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = count;
  __syncthreads();
  count = 0;
  for (unsigned warp = 0; warp < 8; ++warp) count += shared[warp];
  return static_cast<double>(count);
}

/// What a batch's sums make of one feature: kept, and 1 / sqrt(variance + epsilon). Of one row, or none, there are no
/// statistics: then it is the running ones.
__device__ inline void keep_moments(double sum, double squares, double count, unsigned f, double epsilon,
                                    const BatchNormTensors& w, const BatchNormKept& kept, float& mean, float& inverse) {
  if (count > 1) {
    const double share = 1 / count, middle = sum * share, of_squares = squares * share - middle * middle;
    const double variance = of_squares < 0 ? 0 : of_squares;  // what is no number stays
    mean = static_cast<float>(middle);
    inverse = static_cast<float>(1 / sqrt(variance + epsilon));
    kept.variance[f] = static_cast<float>(variance);
  } else {
    mean = w.running_mean[f];
    inverse = 1.0F / sqrtf(w.running_variance[f] + static_cast<float>(epsilon));
    kept.variance[f] = 0;
  }
  kept.mean[f] = mean;
  kept.inverse[f] = inverse;
}

/// Adds a feature's sums to the gradients, and by how much the running statistics are to change.
__device__ inline void add_gradients(double bias, double weight, double count, unsigned f, const BatchNormTensors& w,
                                     const float* mean, const float* variance, const BatchNormGradients& g) {
  if (g.weight == nullptr) return;
  g.weight[f] += static_cast<float>(weight);
  g.bias[f] += static_cast<float>(bias);
  if (g.running_mean == nullptr || !(count > 1)) return;
  g.running_mean[f] += g.rate * (mean[f] - w.running_mean[f]);
  g.running_variance[f] += g.rate * (variance[f] * static_cast<float>(count / (count - 1)) - w.running_variance[f]);
}

/// y = (x - mean) inverse weight + bias for the rows of a thread.
template <class Block>
__device__ void normalise_rows(const Block& block, const float* __restrict__ x, float* __restrict__ y,
                               std::size_t first, std::size_t rows, std::size_t step, unsigned vector,
                               const RowVector<Block::v>& mean, const RowVector<Block::v>& scale,
                               const RowVector<Block::v>& bias) {
  constexpr std::size_t v = Block::v;
#pragma unroll 4
  for (std::size_t row = first; row < rows; row += step) {
    RowVector<v> value = as_vectors<v>(x)[row * block.vectors + vector];
#pragma unroll
    for (std::size_t i = 0; i < v; ++i) value.at[i] = (value.at[i] - mean.at[i]) * scale.at[i] + bias.at[i];
    as_vectors<v>(y)[row * block.vectors + vector] = value;
  }
}

/// dx = scale (dy - mean of dy - normalised x times mean of dy times normalised x), or where it `adds`, dx += it.
template <class Block, class Valid>
__device__ void input_gradient_rows(const Block& block, const float* __restrict__ x, const float* __restrict__ dy,
                                    float* __restrict__ dx, bool adds, std::size_t first, std::size_t rows,
                                    std::size_t step, unsigned vector, const Valid& valid,
                                    const RowVector<Block::v>& mean, const RowVector<Block::v>& inverse,
                                    const RowVector<Block::v>& weight, const RowVector<Block::v>& bias_mean,
                                    const RowVector<Block::v>& weight_mean) {
  constexpr std::size_t v = Block::v;
#pragma unroll 2
  for (std::size_t row = first; row < rows; row += step) {
    const std::size_t at = row * block.vectors + vector;
    const bool counts = valid.has(row);
    if (!counts && adds) continue;
    RowVector<v> to{};
    if (counts) {
      const RowVector<v> value = as_vectors<v>(x)[at], up = as_vectors<v>(dy)[at];
#pragma unroll
      for (std::size_t i = 0; i < v; ++i) {
        const float normal = (value.at[i] - mean.at[i]) * inverse.at[i];
        to.at[i] = inverse.at[i] * weight.at[i] * (up.at[i] - bias_mean.at[i] - normal * weight_mean.at[i]);
      }
    }
    store_or_add(as_vectors<v>(dx) + at, to, adds);
  }
}

/// Sums of x and of x^2 of each block, [parts, 2, features].
template <class Block, class Valid>
__global__ void __launch_bounds__(256, 2) batch_norm_moments(const Block block, std::size_t rows, Valid valid,
                                                             const float* __restrict__ x, double* partials) {
  constexpr std::size_t v = Block::v;
  __shared__ BlockSums<v> shared;
  const FeaturePlace<Block> at(block);
  double total[2 * v] = {};
  const std::size_t step = static_cast<std::size_t>(gridDim.x) * block.lanes;
  if (at.has(blockIdx.y))
    sum_moments(block, x, blockIdx.x * block.lanes + at.lane, rows, step, at.vector(blockIdx.y), valid, total);
  add_lanes(block, total, at.lane, shared);
  if (at.lane > 0 || !at.has(blockIdx.y)) return;
  double* const own = partials + blockIdx.x * 2 * block.features + at.vector(blockIdx.y) * v;
#pragma unroll
  for (std::size_t i = 0; i < v; ++i) {
    own[i] = total[i];
    own[block.features + i] = total[v + i];
  }
}

/// The same of dy and of dy times normalised x.
template <class Block, class Valid>
__global__ void __launch_bounds__(256, 2)
    batch_norm_gradients(const Block block, std::size_t rows, Valid valid, BatchStatistics by,
                         const float* __restrict__ x, const float* __restrict__ dy, double* partials) {
  constexpr std::size_t v = Block::v;
  __shared__ BlockSums<v> shared;
  const FeaturePlace<Block> at(block);
  double total[2 * v] = {};
  const std::size_t step = static_cast<std::size_t>(gridDim.x) * block.lanes;
  if (at.has(blockIdx.y)) {
    const unsigned vector = at.vector(blockIdx.y);
    const RowVector<v> mean = as_vectors<v>(by.mean)[vector];
    RowVector<v> inverse = as_vectors<v>(by.second)[vector];
#pragma unroll
    for (std::size_t i = 0; i < v; ++i) inverse.at[i] = by.inverse(inverse.at[i]);
    sum_gradients(block, x, dy, blockIdx.x * block.lanes + at.lane, rows, step, vector, mean, inverse, valid, total);
  }
  add_lanes(block, total, at.lane, shared);
  if (at.lane > 0 || !at.has(blockIdx.y)) return;
  double* const own = partials + blockIdx.x * 2 * block.features + at.vector(blockIdx.y) * v;
#pragma unroll
  for (std::size_t i = 0; i < v; ++i) {
    own[i] = total[i];
    own[block.features + i] = total[v + i];
  }
}

/// A block's 16 features: their two sums over all parts, in lane 0 of 16.
struct FeatureSums {
  double first, second;
};
__device__ inline FeatureSums sum_parts(const double* __restrict__ partials, unsigned parts, unsigned features,
                                        unsigned f, FeatureSums (&shared)[256]) {
  const unsigned lane = threadIdx.x / 16;
  FeatureSums sum{};
  if (f < features)
#pragma unroll 4
    for (unsigned p = lane; p < parts; p += 16) {
      const double* const of = partials + static_cast<std::size_t>(p) * 2 * features + f;
      sum.first += of[0];
      sum.second += of[features];
    }
  shared[threadIdx.x] = sum;
  combine_lanes(shared, lane, 16, 16, [](FeatureSums& a, const FeatureSums& b) {
    a.first += b.first;
    a.second += b.second;
  });
  return shared[threadIdx.x];
}

template <class Valid>
__global__ void __launch_bounds__(256)
    batch_norm_keep_moments(unsigned features, std::size_t samples, std::size_t rows, Valid valid,
                            const double* __restrict__ partials, unsigned parts, double epsilon, BatchNormTensors w,
                            BatchNormKept kept) {
  __shared__ FeatureSums shared[256];
  const unsigned f = blockIdx.x * 16 + threadIdx.x % 16;
  const double count = count_rows(samples, rows, valid);
  const FeatureSums sums = sum_parts(partials, parts, features, f, shared);
  if (blockIdx.x == 0 && threadIdx.x == 0) *reinterpret_cast<double*>(kept.count) = count;
  float mean, inverse;
  if (threadIdx.x < 16 && f < features)
    keep_moments(sums.first, sums.second, count, f, epsilon, w, kept, mean, inverse);
}

/// `means` [2, features] become the means over the batch, or zeros where it has no statistics.
template <class = void>
__global__ void __launch_bounds__(256)
    batch_norm_add_gradients(unsigned features, const double* __restrict__ partials, unsigned parts, bool learns,
                             BatchNormTensors w, BatchNormKept kept, BatchNormGradients g, float* means) {
  __shared__ FeatureSums shared[256];
  const unsigned f = blockIdx.x * 16 + threadIdx.x % 16;
  const FeatureSums sums = sum_parts(partials, parts, features, f, shared);
  if (threadIdx.x >= 16 || f >= features) return;
  const double count = learns ? *reinterpret_cast<const double*>(kept.count) : 0;
  const double share = count > 1 ? 1 / count : 0;
  means[f] = count > 1 ? static_cast<float>(sums.first * share) : 0.0F;
  means[features + f] = count > 1 ? static_cast<float>(sums.second * share) : 0.0F;
  add_gradients(sums.first, sums.second, count, f, w, kept.mean, kept.variance, g);
}

template <class Block>
__global__ void __launch_bounds__(256)
    batch_norm_apply(const Block block, std::size_t rows, BatchStatistics by, const float* __restrict__ weight,
                     const float* __restrict__ bias, const float* __restrict__ x, float* __restrict__ y) {
  constexpr std::size_t v = Block::v;
  const FeaturePlace<Block> at(block);
  if (!at.has(blockIdx.y)) return;
  const unsigned vector = at.vector(blockIdx.y);
  RowVector<v> scale = as_vectors<v>(by.second)[vector];
  const RowVector<v> factor = as_vectors<v>(weight)[vector];
#pragma unroll
  for (std::size_t i = 0; i < v; ++i) scale.at[i] = by.inverse(scale.at[i]) * factor.at[i];
  normalise_rows(block, x, y, blockIdx.x * block.lanes + at.lane, rows,
                 static_cast<std::size_t>(gridDim.x) * block.lanes, vector, as_vectors<v>(by.mean)[vector], scale,
                 as_vectors<v>(bias)[vector]);
}

/// Without `means` those of the batch are zero.
template <class Block, class Valid>
__global__ void __launch_bounds__(256)
    batch_norm_input_gradient(const Block block, std::size_t rows, Valid valid, BatchStatistics by,
                              const float* __restrict__ weight, const float* __restrict__ means,
                              const float* __restrict__ x, const float* __restrict__ dy, float* __restrict__ dx,
                              bool adds) {
  constexpr std::size_t v = Block::v;
  const FeaturePlace<Block> at(block);
  if (!at.has(blockIdx.y)) return;
  const unsigned vector = at.vector(blockIdx.y);
  RowVector<v> inverse = as_vectors<v>(by.second)[vector], bias_mean{}, weight_mean{};
#pragma unroll
  for (std::size_t i = 0; i < v; ++i) inverse.at[i] = by.inverse(inverse.at[i]);
  if (means != nullptr) {
    bias_mean = as_vectors<v>(means)[vector];
    weight_mean = as_vectors<v>(means + block.features)[vector];
  }
  input_gradient_rows(block, x, dy, dx, adds, blockIdx.x * block.lanes + at.lane, rows,
                      static_cast<std::size_t>(gridDim.x) * block.lanes, vector, valid, as_vectors<v>(by.mean)[vector],
                      inverse, as_vectors<v>(weight)[vector], bias_mean, weight_mean);
}

/// The whole forward by the batch's statistics, of few rows: a block for each chunk of the features.
template <class Block, class Valid>
__global__ void __launch_bounds__(256, 2)
    batch_norm_few(const Block block, std::size_t samples, std::size_t rows, Valid valid, double epsilon,
                   BatchNormTensors w, BatchNormKept kept, const float* __restrict__ x, float* __restrict__ y) {
  constexpr std::size_t v = Block::v;
  __shared__ BlockSums<v> shared;
  __shared__ RowVector<v> mean[few_vectors(v)], inverse[few_vectors(v)];
  const FeaturePlace<Block> at(block);
  const bool has = at.has(blockIdx.x);
  const unsigned vector = at.vector(blockIdx.x);
  const double count = count_rows(samples, rows, valid);
  double total[2 * v] = {};
  if (has) sum_moments(block, x, at.lane, rows, block.lanes, vector, valid, total);
  add_lanes(block, total, at.lane, shared);
  if (blockIdx.x == 0 && threadIdx.x == 0) *reinterpret_cast<double*>(kept.count) = count;
  if (has && at.lane == 0)
#pragma unroll
    for (unsigned i = 0; i < v; ++i)
      keep_moments(total[i], total[v + i], count, vector * v + i, epsilon, w, kept, mean[at.column].at[i],
                   inverse[at.column].at[i]);
  __syncthreads();
  if (!has) return;
  RowVector<v> scale = inverse[at.column];
  const RowVector<v> factor = as_vectors<v>(w.weight)[vector];
#pragma unroll
  for (std::size_t i = 0; i < v; ++i) scale.at[i] *= factor.at[i];
  normalise_rows(block, x, y, at.lane, rows, block.lanes, vector, mean[at.column], scale,
                 as_vectors<v>(w.bias)[vector]);
}

/// The whole backward of few rows.
template <class Block, class Valid>
__global__ void __launch_bounds__(256, 2)
    batch_norm_few_backward(const Block block, std::size_t rows, Valid valid, bool learns, BatchStatistics by,
                            BatchNormTensors w, BatchNormKept kept, BatchNormGradients g, const float* __restrict__ x,
                            const float* __restrict__ dy, float* __restrict__ dx, bool adds) {
  constexpr std::size_t v = Block::v;
  __shared__ BlockSums<v> shared;
  __shared__ RowVector<v> bias_mean[few_vectors(v)], weight_mean[few_vectors(v)];
  const FeaturePlace<Block> at(block);
  const bool has = at.has(blockIdx.x);
  const unsigned vector = at.vector(blockIdx.x);
  RowVector<v> mean{}, inverse{};
  double total[2 * v] = {};
  if (has) {
    mean = as_vectors<v>(by.mean)[vector];
    inverse = as_vectors<v>(by.second)[vector];
#pragma unroll
    for (std::size_t i = 0; i < v; ++i) inverse.at[i] = by.inverse(inverse.at[i]);
    sum_gradients(block, x, dy, at.lane, rows, block.lanes, vector, mean, inverse, valid, total);
  }
  add_lanes(block, total, at.lane, shared);
  if (has && at.lane == 0) {
    const double count = learns ? *reinterpret_cast<const double*>(kept.count) : 0;
    const double share = count > 1 ? 1 / count : 0;
#pragma unroll
    for (unsigned i = 0; i < v; ++i) {
      bias_mean[at.column].at[i] = count > 1 ? static_cast<float>(total[i] * share) : 0.0F;
      weight_mean[at.column].at[i] = count > 1 ? static_cast<float>(total[v + i] * share) : 0.0F;
      add_gradients(total[i], total[v + i], count, vector * v + i, w, kept.mean, kept.variance, g);
    }
  }
  __syncthreads();
  if (!has || dx == nullptr) return;
  input_gradient_rows(block, x, dy, dx, adds, at.lane, rows, block.lanes, vector, valid, mean, inverse,
                      as_vectors<v>(w.weight)[vector], bias_mean[at.column], weight_mean[at.column]);
}

}  // namespace cuda

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaBatchNorm<L, In>::forward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                                 float* y, Saved<C>& saved, float* scratch) {
  using Block = typename Plan::Block;
  using Valid = cuda::StepsOf<cuda::StepsKind<In>>;
  constexpr Block large = Plan::large(), few = Plan::few();
  const std::size_t rows = pass.samples * In::positions;
  if (rows == 0) return;
  const cuda::BatchNormTensors tensors{w[0], w[1], w[2], w[3]};
  const bool learns = learns_statistics<C>(pass, w);
  constexpr double epsilon = L::epsilon;
  if (learns && Plan::are_few(rows))
    return cuda::launch(pass, &cuda::batch_norm_few<Block, Valid>, few.chunks, 256, 0, few, pass.samples, rows,
                        Valid(pass), epsilon, tensors, saved.kept, x, y);
  if (learns) {
    auto* const partials = reinterpret_cast<double*>(scratch);
    const auto parts = static_cast<unsigned>(Plan::parts(rows));
    cuda::launch(pass, &cuda::batch_norm_moments<Block, Valid>, dim3(parts, large.chunks), 256, 0, large, rows,
                 Valid(pass), x, partials);
    cuda::launch(pass, &cuda::batch_norm_keep_moments<Valid>, static_cast<unsigned>(cuda::divide_up(F, 16)), 256, 0,
                 large.features, pass.samples, rows, Valid(pass), partials, parts, epsilon, tensors, saved.kept);
  }
  const cuda::BatchStatistics by{learns ? saved.kept.mean : w[2], learns ? saved.kept.inverse : w[3], !learns,
                                 static_cast<float>(epsilon)};
  cuda::launch(pass, &cuda::batch_norm_apply<Block>,
               dim3(cuda::blocks_for(rows, large.lanes, cuda::multiprocessors * 8), large.chunks), 256, 0, large, rows,
               by, w[0], w[1], x, y);
}

template <class L, class In>
template <Capability C>
[[gnu::used]] void CudaBatchNorm<L, In>::backward(const Pass& pass, Weights<float> w, const float*, const float* x,
                                                  const float*, const float* dy, float* dx, Gradients<float> g,
                                                  Saved<C>& saved, float* scratch) {
  using Block = typename Plan::Block;
  using Valid = cuda::StepsOf<cuda::StepsKind<In>>;
  constexpr Block large = Plan::large(), few = Plan::few();
  const std::size_t rows = pass.samples * In::positions;
  const bool learns = learns_statistics<C>(pass, w), adds = !pass.sets_input_gradient;
  if (rows == 0 || (!g && dx == nullptr)) return;
  const cuda::BatchNormTensors tensors{w[0], w[1], w[2], w[3]};
  const cuda::BatchStatistics by{learns ? saved.kept.mean : w[2], learns ? saved.kept.inverse : w[3], !learns,
                                 static_cast<float>(L::epsilon)};
  const bool collects = g && learns && pass.collects && pass.first_sample == 0;
  const cuda::BatchNormGradients gradients{g ? g[0] : nullptr, g ? g[1] : nullptr, collects ? g[2] : nullptr,
                                           collects ? g[3] : nullptr, static_cast<float>(L::rate)};
  if (Plan::are_few(rows))
    return cuda::launch(pass, &cuda::batch_norm_few_backward<Block, Valid>, few.chunks, 256, 0, few, rows, Valid(pass),
                        learns, by, tensors, saved.kept, gradients, x, dy, dx, adds);
  float* const means = learns || g ? scratch + means_offset(pass.samples) : nullptr;
  if (means != nullptr) {
    auto* const partials = reinterpret_cast<double*>(scratch);
    const auto parts = static_cast<unsigned>(Plan::parts(rows));
    cuda::launch(pass, &cuda::batch_norm_gradients<Block, Valid>, dim3(parts, large.chunks), 256, 0, large, rows,
                 Valid(pass), by, x, dy, partials);
    cuda::launch(pass, &cuda::batch_norm_add_gradients<>, static_cast<unsigned>(cuda::divide_up(F, 16)), 256, 0,
                 large.features, partials, parts, learns, tensors, saved.kept, gradients, means);
  }
  if (dx == nullptr) return;
  cuda::launch(pass, &cuda::batch_norm_input_gradient<Block, Valid>,
               dim3(cuda::blocks_for(rows, large.lanes, cuda::multiprocessors * 8), large.chunks), 256, 0, large, rows,
               Valid(pass), by, w[0], means, x, dy, dx, adds);
}

#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
