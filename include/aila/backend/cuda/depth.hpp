// What kernels of integrations over depth share on a GPU: the items of a layer, rows of them as vectors of lanes, and
// how layers that differ in numbers alone share their code.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../core/arena.hpp"
#include "../../core/parameter.hpp"
#include "cuda.hpp"
#include "tile.hpp"

namespace aila::inline v0 {

namespace cuda::depth {

/// Most items of a mixture: their addresses travel with a kernel's arguments.
inline constexpr int most_items = 64;
/// Addresses of maps or tensors, by item.
template <class T>
struct Addresses {
  T* of[most_items];
};
template <class T>
Addresses<T> addresses_of(std::size_t n, T* const* from) {
  Addresses<T> all{};
  for (std::size_t i = 0; i < n; ++i) all.of[i] = from[i];
  return all;
}
/// Those of n tensors of a part.
template <class T, class Tensors>
Addresses<T> tensors_from(Tensors w, std::size_t first, std::size_t n) {
  Addresses<T> all{};
  for (std::size_t i = 0; i < n; ++i) all.of[i] = w[first + i];
  return all;
}

/// Most shared memory of a block, and what leaves room for a second one.
inline constexpr std::size_t most_bytes = 160 * 1024, bytes_of_two = 112 * 1024;
/// Blocks that go through the tiles of rows.
inline constexpr std::size_t most_blocks = 2 * multiprocessors;
/// Of a layout in shared memory, whose size is in floats.
template <class Layout>
constexpr std::size_t bytes_of(const Layout& layout) {
  return static_cast<std::size_t>(layout.size) * sizeof(float);
}
/// Blocks that share a multiprocessor as memory goes: more than that leave registers idle and make them spill.
constexpr unsigned blocks_at_once(std::size_t bytes) {
  return bytes <= bytes_of_two ? 2 : 1;
}
/// At most so many for each number of rows: what holds for n rows holds for fewer.
constexpr std::size_t blocks_of(std::size_t rows) {
  return std::min(divide_up(rows, 16), most_blocks);
}
/// Rows of a tile: 64, fewer where two blocks would not fit. `bytes(rows, items)` of shared memory are needed.
template <class F>
constexpr int large_tile(F&& bytes) {
  for (const int rows : {64, 32})
    if (bytes(rows, 8) <= bytes_of_two) return rows;
  return 16;
}
/// f with the rows of a tile for so many rows, as a constant: `large` of them, or 16 where there are blocks enough for
/// small tiles.
template <int large, class Bytes, class F>
constexpr void with_tile(std::size_t rows, int items, Bytes&& bytes, F&& f) {
  if (rows > most_blocks * 16 && bytes(large, items) <= most_bytes)
    f(std::integral_constant<int, large>{});
  else
    f(std::integral_constant<int, 16>{});
}
/// Widths that rows of lanes and tiles are made for.
constexpr bool fits_width(std::size_t width) {
  return width >= 16 && width <= 128 && width % 4 == 0;
}
constexpr int lanes_of(int width) {
  int lanes = 4;
  while (4 * lanes < width) lanes *= 2;
  return lanes;
}

#ifdef __CUDACC__
/// Row r of a tile is that of the lanes `slot`, and of every `slots`-th row behind it; a lane has four features.
template <int width>
struct RowLanes {
  static constexpr int lanes = lanes_of(width), slots = tile::threads / lanes;
  int slot, lane, feature;
  bool has;  ///< features there
  __device__ RowLanes()
      : slot(static_cast<int>(threadIdx.x) / lanes),
        lane(static_cast<int>(threadIdx.x) % lanes),
        feature(4 * lane),
        has(4 * lane < width) {}
  __device__ static float sum(float x) { return tile::sum_over<lanes>(x); }
};
__device__ inline float4 zero_four() {
  return make_float4(0, 0, 0, 0);
}

/// What rows of so many features are gone through by.
template <std::size_t features>
using VectorOf = std::conditional_t<features % 4 == 0, float4, float>;
template <class T>
__host__ __device__ const T* as(const float* p) {
  return reinterpret_cast<const T*>(p);
}
template <class T>
__host__ __device__ T* as(float* p) {
  return reinterpret_cast<T*>(p);
}
__device__ inline float sum_of(float a, float b) {
  return a + b;
}
__device__ inline float4 sum_of(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}
__device__ inline float dot_of(float a, float b) {
  return a * b;
}
__device__ inline float dot_of(float4 a, float4 b) {
  return tile::dot(a, b);
}
/// s + a x
__device__ inline float add_times(float s, float a, float x) {
  return fmaf(a, x, s);
}
__device__ inline float4 add_times(float4 s, float a, float4 x) {
  return tile::add_times(s, a, x);
}

/// The sum over a block of 256 threads, in thread 0; `space` has a float of each warp. All threads call it.
__device__ inline float sum_of_block(float x, float* space) {
  x = tile::sum_over<32>(x);
  __syncthreads();  // space may be in use
  if (threadIdx.x % 32 == 0) space[threadIdx.x / 32] = x;
  __syncthreads();
  if (threadIdx.x < 32) x = tile::sum_over<8>(threadIdx.x < 8 ? space[threadIdx.x] : 0.0F);
  return x;
}
#endif

}  // namespace cuda::depth

namespace cuda {
inline tile::Rows rows_of(const Pass& pass, std::size_t positions, bool are_steps) {
  return {pass.samples * positions, are_steps ? pass.lengths : nullptr, static_cast<unsigned>(positions)};
}
}  // namespace cuda

/// Of a kernel K that has `Shared` and `static constexpr Shared::Numbers numbers`: the calls that a single layer gets.
template <class K, class SharedType>
struct CudaSharedMixture {
  using Scalar = float;
  using SharesFor = K;  ///< not for what derives from it
  using Shared = SharedType;
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr std::size_t packed = 0;
  static constexpr void pack(Weights<float>, float*) {}

  template <Capability C>
  struct Saved : Shared::template Saved<C> {
    constexpr void bind(Arena<float>& arena, std::size_t samples) {
      Shared::template bind<C>(K::numbers, *this, arena, samples);
    }
  };
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return Shared::scratch(K::numbers, samples, c);
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<float> w, const float*, const float* own, const float* const* before,
                      float* z, Saved<C>& saved, float* scratch);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float> w, const float*, const float* own, const float* const* before,
                       const float* dz, float* d_own, float* const* d_before, Gradients<float> g, Saved<C>& saved,
                       float* scratch);
  /// weights [rows, heads, items]
  static void mixture(const Pass& pass, Weights<float> w, const float* own, const float* const* before, float* weights,
                      float* scratch);

 private:
  CudaSharedMixture() = default;
  friend K;
};

#ifdef __CUDACC__
template <class K, class SharedType>
template <Capability C>
[[gnu::used]] void CudaSharedMixture<K, SharedType>::forward(const Pass& pass, Weights<float> w,
                                                             const float* packed_weights, const float* own,
                                                             const float* const* before, float* z, Saved<C>& saved,
                                                             float* scratch) {
  Shared::template forward<C>(K::numbers, pass, w, packed_weights, own, before, z, saved, scratch);
}
template <class K, class SharedType>
template <Capability C>
[[gnu::used]] void CudaSharedMixture<K, SharedType>::backward(const Pass& pass, Weights<float> w,
                                                              const float* packed_weights, const float* own,
                                                              const float* const* before, const float* dz, float* d_own,
                                                              float* const* d_before, Gradients<float> g,
                                                              Saved<C>& saved, float* scratch) {
  Shared::template backward<C>(K::numbers, pass, w, packed_weights, own, before, dz, d_own, d_before, g, saved,
                               scratch);
}
template <class K, class SharedType>
[[gnu::used]] void CudaSharedMixture<K, SharedType>::mixture(const Pass& pass, Weights<float> w, const float* own,
                                                             const float* const* before, float* weights,
                                                             float* scratch) {
  Shared::mixture(K::numbers, pass, w, own, before, weights, scratch);
}
#endif

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
