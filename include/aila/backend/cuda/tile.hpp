// Products of tiles in shared memory: what kernels are made of that keep rows of several maps at hand.
//
// A number is the sum of two of TF32, hi + lo, and a product lo hi + hi lo + hi hi on tensor cores. These round their
// sums towards zero, so that only 16 products follow one another there; the rest is added as float32 is. A block of 256
// threads makes a product of [rows, depth] and [depth, columns]: its warps share the result, 16 rows by 8 columns at a
// time. Rows in shared memory are `stride` apart, so that the lanes of a warp find their numbers in banks of their own:
// along k a lane takes numbers t and t + 4 of eight, and where k goes across rows, 2 t and 2 t + 1.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>

#include "instructions.hpp"
#include "launch.hpp"

namespace aila::inline v0::cuda::tile {

inline constexpr int threads = 256;
/// Of 16 rows or columns each.
constexpr int parts_of(int width) {
  return (width + 15) / 16;
}
/// From a row in shared memory to the next one: rows that follow each other begin four banks apart, or twenty.
constexpr int stride(int width) {
  return parts_of(width) * 16 + 4;
}

/// Rows [samples, steps] of maps, and which of them count.
struct Rows {
  std::size_t count = 0;
  const std::int32_t* lengths = nullptr;  ///< null: all
  unsigned steps = 1;

  constexpr bool counts(std::size_t row) const {
    if (row >= count) return false;
    if (lengths == nullptr) return true;
    return static_cast<std::int64_t>(row % steps) < lengths[row / steps];
  }
};

/// How the eight warps of a block share a product of so many rows and columns: row groups of 16 rows, and in each of
/// these every so manyth 8 columns.
template <int rows, int columns>
struct Shares {
  static constexpr int row_tiles = parts_of(rows), column_tiles = 2 * parts_of(columns);
  static_assert(row_tiles <= 8);
  static constexpr int row_groups = row_tiles <= 1 ? 1 : row_tiles <= 2 ? 2 : row_tiles <= 4 ? 4 : 8;
  static constexpr int column_groups = 8 / row_groups;
  static constexpr int tiles = (column_tiles + column_groups - 1) / column_groups;  ///< of a warp
};

#ifdef __CUDACC__

/// All of a block's dynamic shared memory.
__device__ inline float* shared_memory() {
  return dynamic_shared();
}
/// x = hi + lo, hi rounded to TF32. Of infinity and of what is no number lo is no number.
__device__ inline void split(float x, float& hi, float& lo) {
  hi = __uint_as_float((__float_as_uint(x) + 0x1000U) & 0xffffe000U);
  lo = x - hi;
}

__device__ inline float4 load_four(const float* p) {
  return *reinterpret_cast<const float4*>(p);
}
__device__ inline void store_four(float* p, float4 x) {
  *reinterpret_cast<float4*>(p) = x;
}
__device__ inline float2 load_two(const float* p) {
  return *reinterpret_cast<const float2*>(p);
}
__device__ inline void store_two(float* p, float x, float y) {
  *reinterpret_cast<float2*>(p) = make_float2(x, y);
}
__device__ inline float4 times(float a, float4 x) {
  return make_float4(a * x.x, a * x.y, a * x.z, a * x.w);
}
/// s + a x
__device__ inline float4 add_times(float4 s, float a, float4 x) {
  return make_float4(fmaf(a, x.x, s.x), fmaf(a, x.y, s.y), fmaf(a, x.z, s.z), fmaf(a, x.w, s.w));
}
__device__ inline float dot(float4 a, float4 b) {
  return fmaf(a.x, b.x, fmaf(a.y, b.y, fmaf(a.z, b.z, a.w * b.w)));
}
/// The sum over `lanes` lanes that follow one another, in all of them.
template <int lanes>
__device__ float sum_over(float x) {
#pragma unroll
  for (int far = lanes / 2; far > 0; far /= 2) x += __shfl_xor_sync(0xffffffffU, x, far);
  return x;
}

/// Asks for rows [first, first + count) of x [., width]; zeros for those of which counts(r), r < count, is false.
template <int width, class F>
__device__ void ask_for_rows(const float* x, std::size_t first, int count, F&& counts, float* to) {
  constexpr int vectors = width / 4;
  static_assert(width % 4 == 0);
#pragma unroll 2  // all at once their addresses take so many registers that those of an A100 spill
  for (int e = static_cast<int>(threadIdx.x); e < count * vectors; e += threads) {
    const int r = e / vectors, f = 4 * (e % vectors);
    const bool here = counts(r);
    copy_four(to + r * stride(width) + f, here ? x + (first + static_cast<std::size_t>(r)) * width + f : x, here);
  }
}
/// Of a matrix of weights.
template <int width>
__device__ void ask_for_matrix(const float* x, std::size_t first, int count, float* to) {
  ask_for_rows<width>(x, first, count, [](int) { return true; }, to);
}

/// What a thread has of a product [rows, columns]. Of tile j, numbers 2 h and 2 h + 1 are those of row(h) and columns
/// column(j) and the next one.
template <int rows, int columns>
struct Product {
  using S = Shares<rows, columns>;
  static constexpr int tiles = S::tiles, column_groups = S::column_groups;
  float of[tiles][4];

  __device__ static int warp() { return static_cast<int>(threadIdx.x) / 32; }
  __device__ static int lane() { return static_cast<int>(threadIdx.x) % 32; }
  __device__ static int column_group() { return warp() % column_groups; }
  __device__ static int row(int h) { return warp() / column_groups * 16 + lane() / 4 + 8 * h; }
  __device__ static int column(int j) { return (column_group() + j * column_groups) * 8 + lane() % 4 * 2; }
  /// Whether the warp has rows of the result, and a tile number j: the same for all lanes.
  __device__ static bool has_rows() { return S::row_tiles == S::row_groups || warp() / column_groups < S::row_tiles; }
  __device__ static bool has_tile(int j) {
    return S::column_tiles % column_groups == 0 || column_group() + j * column_groups < S::column_tiles;
  }
  /// f(j, h, row, column) for the pairs of numbers that are of the result.
  template <class F>
  __device__ static void for_each(F&& f) {
    if (!has_rows()) return;
#pragma unroll
    for (int j = 0; j < tiles; ++j)
#pragma unroll
      for (int h = 0; h < 2; ++h)
        if (has_tile(j) && column(j) < columns && row(h) < rows) f(j, h, row(h), column(j));
  }
  /// The sum over the lanes that have a row, in all of them.
  __device__ static float sum_of_row(float x) { return sum_over<4>(x); }

  __device__ void clear() {
#pragma unroll
    for (int j = 0; j < tiles; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) of[j][e] = 0;
  }
  __device__ void scale(float factor) {
#pragma unroll
    for (int j = 0; j < tiles; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) of[j][e] *= factor;
  }

  /// += sum over k < depth of a[row][k] b[column][k]
  template <int depth, int stride_a, int stride_b>
  __device__ void multiply(const float* a, const float* b) {
    add<depth, false>([&](int r, int first, int second) { return along<stride_a, false>(a, r, first, second); },
                      [&](int c, int first, int second) { return along<stride_b, false>(b, c, first, second); });
  }
  /// += sum over k < depth of a[row][k] b[k][column]
  template <int depth, int stride_a, int stride_b>
  __device__ void multiply_by_rows(const float* a, const float* b) {
    add<depth, true>([&](int r, int first, int second) { return along<stride_a, true>(a, r, first, second); },
                     [&](int c, int first, int second) { return across<stride_b>(b, c, first, second); });
  }
  /// += sum over k < depth of a[k][row] b[k][column]
  template <int depth, int stride_a, int stride_b>
  __device__ void multiply_transposed(const float* a, const float* b) {
    add<depth, true>([&](int r, int first, int second) { return across<stride_a>(a, r, first, second); },
                     [&](int c, int first, int second) { return across<stride_b>(b, c, first, second); });
  }

 private:
  /// Numbers `first` and `second` of a row; of no second one (-1), zero.
  template <int stride_of, bool pairs>
  __device__ static float2 along(const float* from, int row, int first, int second) {
    from += row * stride_of;
    if (second < 0) return make_float2(from[first], 0);
    if constexpr (pairs) return load_two(from + first);
    return make_float2(from[first], from[second]);
  }
  /// The same of a column.
  template <int stride_of>
  __device__ static float2 across(const float* from, int column, int first, int second) {
    from += column;
    return make_float2(from[first * stride_of], second < 0 ? 0.0F : from[second * stride_of]);
  }

  template <int depth, bool pairs, class A, class B>
  __device__ void add(A&& a, B&& b) {
    static_assert(depth % 4 == 0);
    if (!has_rows()) return;
    const int t = lane() % 4;
#pragma unroll 1
    for (int k = 0; k < depth; k += 16) {
      float c[tiles][4];
#pragma unroll
      for (int j = 0; j < tiles; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) c[j][e] = 0;
#pragma unroll
      for (int half = 0; half < 16; half += 8) {
        const int from = k + half;
        if (from >= depth) continue;
        const bool whole = depth % 8 == 0 || from + 8 <= depth;
        const int first = from + (pairs && whole ? 2 * t : t), second = !whole ? -1 : pairs ? first + 1 : first + 4;
        float a_hi[4], a_lo[4], b_hi[tiles][2], b_lo[tiles][2];
#pragma unroll
        for (int h = 0; h < 2; ++h) {
          const float2 x = a(row(h), first, second);
          split(x.x, a_hi[h], a_lo[h]);
          split(x.y, a_hi[2 + h], a_lo[2 + h]);
        }
#pragma unroll
        for (int j = 0; j < tiles; ++j) {
          const float2 x =
              has_tile(j) ? b((column_group() + j * column_groups) * 8 + lane() / 4, first, second) : make_float2(0, 0);
          split(x.x, b_hi[j][0], b_lo[j][0]);
          split(x.y, b_hi[j][1], b_lo[j][1]);
        }
#pragma unroll
        for (int j = 0; j < tiles; ++j) multiply_add(c[j], a_lo, b_hi[j]);
#pragma unroll
        for (int j = 0; j < tiles; ++j) multiply_add(c[j], a_hi, b_lo[j]);
#pragma unroll
        for (int j = 0; j < tiles; ++j) multiply_add(c[j], a_hi, b_hi[j]);
      }
#pragma unroll
      for (int j = 0; j < tiles; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) of[j][e] += c[j][e];
    }
  }
};

/// A block's sums of gradients, `count` matrices [rows, columns] in the device's memory, in registers meanwhile where
/// those are few. There, rows are `row` floats apart.
template <int count, int rows, int columns, bool in_registers>
class Sums {
 public:
  static constexpr int row = parts_of(columns) * 16, size = parts_of(rows) * 16 * row;  ///< size of a matrix

  __device__ explicit Sums(float* memory) : memory_(memory) {
    if constexpr (in_registers)
#pragma unroll
      for (int p = 0; p < count; ++p) kept_[p].clear();
  }
  /// add(product) of matrix p; `is_first`: nothing is there yet. Where they are in registers p is a constant.
  template <class F>
  __device__ void add(int p, bool is_first, F&& add) {
    if constexpr (in_registers) {
      add(kept_[p]);
    } else {
      Product<rows, columns> sum;
      sum.clear();
      float* const of = memory_ + static_cast<std::size_t>(p) * size;
      if (!is_first)
        sum.for_each([&](int j, int h, int r, int c) {
          const float2 x = load_two(of + r * row + c);
          sum.of[j][2 * h] = x.x;
          sum.of[j][2 * h + 1] = x.y;
        });
      add(sum);
      store(p, sum);
    }
  }
  __device__ void finish() {
    if constexpr (in_registers)
#pragma unroll
      for (int p = 0; p < count; ++p) store(p, kept_[p]);
  }

 private:
  __device__ void store(int p, const Product<rows, columns>& sum) const {
    float* const of = memory_ + static_cast<std::size_t>(p) * size;
    sum.for_each(
        [&](int j, int h, int r, int c) { store_two(of + r * row + c, sum.of[j][2 * h], sum.of[j][2 * h + 1]); });
  }

  float* memory_;
  Product<rows, columns> kept_[in_registers ? count : 1];
};

/// Of what `sum_blocks` needs, its space and its result.
inline constexpr std::size_t sum_bytes = 2 * threads * sizeof(float4);
/// The sums over `count` blocks' numbers, `between` floats apart, in a fixed order: vector number v of the result is
/// that of at(v), and all of them are in `to` at the end, vectors <= 256. All threads of the block call it; `space` has
/// a float4 of each thread.
template <class At>
__device__ void sum_blocks(int vectors, std::size_t count, std::size_t between, At&& at, float4* space, float4* to) {
  const int groups = threads / vectors, v = static_cast<int>(threadIdx.x) % vectors,
            group = static_cast<int>(threadIdx.x) / vectors;
  float4 sum = make_float4(0, 0, 0, 0);
  if (group < groups) {
    const float* from = at(v);
#pragma unroll 8
    for (std::size_t b = static_cast<std::size_t>(group); b < count; b += static_cast<std::size_t>(groups)) {
      const float4 x = load_four(from + b * between);
      sum.x += x.x, sum.y += x.y, sum.z += x.z, sum.w += x.w;
    }
    space[threadIdx.x] = sum;
  }
  __syncthreads();
  if (group == 0) {
    for (int g = 1; g < groups; ++g) {
      const float4 x = space[g * vectors + v];
      sum.x += x.x, sum.y += x.y, sum.z += x.z, sum.w += x.w;
    }
    to[v] = sum;
  }
  __syncthreads();
}

#endif

}  // namespace aila::inline v0::cuda::tile

#include "../../core/macros_back.hpp"
