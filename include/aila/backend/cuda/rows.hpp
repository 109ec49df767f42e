// What kernels share that go through maps row by row: vectors of features, steps that count, sums in a fixed order.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "../kernel.hpp"
#include "launch.hpp"

namespace aila::inline v0::cuda {

/// Floats that a thread takes at once: every row of so many features begins at a multiple of them.
constexpr std::size_t vector_width(std::size_t features) {
  return features % 4 == 0 ? 4 : features % 2 == 0 ? 2 : 1;
}
/// The greatest power of two up to n; 1 for 0.
constexpr std::size_t power_of_two_within(std::size_t n) {
  std::size_t power = 1;
  while (2 * power <= n) power *= 2;
  return power;
}

template <std::size_t v>
struct alignas(v * sizeof(float)) RowVector {
  float at[v];
};

/// Which rows [samples, positions] of a map are steps that count.
template <class Map>
struct StepsOf {
  static constexpr bool are_steps = Map::is_tokens || Map::rank == 2;
  const std::int32_t* lengths = nullptr;

  constexpr StepsOf() = default;
  explicit constexpr StepsOf(const Pass& pass) : lengths(are_steps ? pass.lengths : nullptr) {}
  constexpr bool all() const { return !are_steps || lengths == nullptr; }
  constexpr std::size_t of(std::size_t sample) const {
    constexpr std::size_t positions = Map::positions;  // a value: a device does not have the object
    return all() ? positions : steps_within(lengths[sample], positions);
  }
  constexpr bool has(std::size_t row) const { return all() || row % Map::positions < of(row / Map::positions); }
};

/// What kernels of single rows know of a map: of an image, whose rows all count, nothing, so that its kernels are
/// compiled once for all sizes.
template <class Map>
using StepsKind = std::conditional_t<StepsOf<Map>::are_steps, Map, Shape<1, 1, 1>>;

/// How a block shares the rows of one sample of a map: a thread has a vector of features, and every `lanes`-th row.
template <class Map>
struct SamplePlan {
  static constexpr std::size_t v = vector_width(Map::features), vectors = Map::features / v;
  static constexpr std::size_t chunks = divide_up(vectors, 128), chunk = divide_up(vectors, chunks);
  static constexpr std::size_t lanes = std::min(256 / chunk, Map::positions), threads = chunk * lanes;
};

#ifdef __CUDACC__

template <std::size_t v>
__device__ const RowVector<v>* as_vectors(const float* p) {
  return reinterpret_cast<const RowVector<v>*>(p);
}
template <std::size_t v>
__device__ RowVector<v>* as_vectors(float* p) {
  return reinterpret_cast<RowVector<v>*>(p);
}
template <std::size_t v>
__device__ void add_to(RowVector<v>& sum, const RowVector<v>& x) {
#pragma unroll
  for (std::size_t i = 0; i < v; ++i) sum.at[i] += x.at[i];
}
/// `to` = x, or where `adds`, to += x.
template <std::size_t v>
__device__ void store_or_add(RowVector<v>* to, RowVector<v> x, bool adds) {
  if (adds) add_to(x, *to);
  *to = x;
}

/// What other blocks of this grid have written: of the second-level cache.
__device__ inline RowVector<4> load_written(const RowVector<4>* p) {
  const float4 x = __ldcg(reinterpret_cast<const float4*>(p));
  return {{x.x, x.y, x.z, x.w}};
}
__device__ inline RowVector<2> load_written(const RowVector<2>* p) {
  const float2 x = __ldcg(reinterpret_cast<const float2*>(p));
  return {{x.x, x.y}};
}
__device__ inline RowVector<1> load_written(const RowVector<1>* p) {
  return {{__ldcg(reinterpret_cast<const float*>(p))}};
}

/// combine(a, b) brings the numbers of all lanes together in lane 0: `of` has one of each thread, and the lanes of a
/// number stand `stride` threads apart. All threads of the block call it.
template <class T, class F>
__device__ void combine_lanes(T* of, unsigned lane, unsigned lanes, unsigned stride, F&& combine) {
  for (unsigned n = lanes; n > 1;) {
    const unsigned half = (n + 1) / 2;
    __syncthreads();
    if (lane + half < n) combine(of[threadIdx.x], of[threadIdx.x + half * stride]);
    n = half;
  }
  __syncthreads();
}

/// Whether this block is the last of the grid to come here: then it sees what all of them have written before. The
/// counter is 0 before the first and behind the last. All threads of the block call it.
__device__ inline bool is_last_block(unsigned* counter) {
  __shared__ bool is_last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    is_last = atomicAdd(counter, 1U) == gridDim.x - 1;
    if (is_last) *counter = 0;
  }
  __syncthreads();
  if (is_last) __threadfence();
  return is_last;
}

/// f(column, sum) for the vectors of columns [first, first + some): sums over the `count` rows of `partials`, whose
/// rows are `row` vectors. `some` is at most 256, as many as the block has threads; `shared` has a vector of each.
template <std::size_t v, class F>
__device__ void sum_partials(const float* partials, unsigned count, unsigned row, unsigned first, unsigned some,
                             RowVector<v>* shared, F&& f) {
  const unsigned lanes = 256 / some, lane = threadIdx.x / some, column = first + threadIdx.x % some;
  RowVector<v> sum{};
  if (lane < lanes) {
    const RowVector<v>* const from = as_vectors<v>(partials) + column;
#pragma unroll 8
    for (unsigned p = lane; p < count; p += lanes) add_to(sum, load_written(from + static_cast<std::size_t>(p) * row));
  }
  shared[threadIdx.x] = sum;
  combine_lanes(shared, lane, lanes, some, [](RowVector<v>& a, const RowVector<v>& b) { add_to(a, b); });
  if (lane == 0) f(column, shared[threadIdx.x]);
}

#endif

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
