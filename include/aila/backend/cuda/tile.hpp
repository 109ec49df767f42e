// Products of tiles in shared memory: what kernels are made of that keep rows of several maps at hand.
//
// A block of 256 threads stands in a square of 16 x 16: a thread has every 16th row of a result, or every 16th vector
// of rows, and so of columns. A warp covers 4 rows and 8 columns of that square, so that with rows `stride` apart every
// load of four floats is one of all banks. Plain float32; four loads of four floats for 32 multiply-adds and more.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstddef>
#include <cstdint>

#include "launch.hpp"

namespace aila::inline v0::cuda::tile {

inline constexpr int threads = 256;
/// Parts of so many threads that a width is shared by.
constexpr int parts_of(int width) {
  return (width + 15) / 16;
}
/// From a row in shared memory to the next one: rows that follow each other begin four banks apart, or twelve, ...
constexpr int stride(int width) {
  return parts_of(width) * 16 + 4;
}
/// Floats that follow one another of the columns that a thread has.
constexpr int together(int parts) {
  return parts % 4 == 0 ? 4 : parts % 2 == 0 ? 2 : 1;
}
/// Number j of the columns of the thread at `place` of so many, vectors of `together` columns.
template <int parts, int places = 16>
constexpr int column(int place, int j) {
  constexpr int v = together(parts);
  return v * (place + places * (j / v)) + j % v;
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

#ifdef __CUDACC__

/// All of a block's dynamic shared memory.
__device__ inline float* shared_memory() {
  extern __shared__ float4 aila_cuda_tile_memory[];
  return reinterpret_cast<float*>(aila_cuda_tile_memory);
}

/// Four floats from the device's memory to shared memory, zeros where they do not count. All that a thread has asked
/// for is there behind its `copies_done`.
__device__ inline void copy_four(float* to, const float* from, bool counts) {
  const auto at = static_cast<unsigned>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(at), "l"(from), "r"(counts ? 16 : 0) : "memory");
}
__device__ inline void copies_done() {
  asm volatile("cp.async.wait_all;\n" ::: "memory");
}

__device__ inline float4 load_four(const float* p) {
  return *reinterpret_cast<const float4*>(p);
}
__device__ inline void store_four(float* p, float4 x) {
  *reinterpret_cast<float4*>(p) = x;
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

/// Where the thread stands. Lanes that differ in their first bit share a column, those that differ in the second a row:
/// then loads of four floats by half a warp become one.
struct Place {
  int row, column;
  int half;        ///< of a row, in which of two warps
  bool is_leader;  ///< of the lanes of its row
  __device__ Place() {
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    row = warp / 2 * 4 + lane / 16 * 2 + lane % 2;
    column = warp % 2 * 8 + lane / 2 % 8;
    half = warp % 2;
    is_leader = lane / 2 % 8 == 0;
  }
  /// The sum over the lanes of a row in this warp, in all of them.
  __device__ static float sum_of_row(float x) {
#pragma unroll
    for (int far = 2; far < 16; far *= 2) x += __shfl_xor_sync(0xffffffffU, x, far);
    return x;
  }
};

/// Asks for rows [first, first + count) of x [., width]; zeros for those that do not count, or all where `counts` is
/// null.
template <int width>
__device__ void ask_for_rows(const float* x, std::size_t first, int count, const int* counts, float* to) {
  constexpr int vectors = width / 4;
  static_assert(width % 4 == 0);
  for (int e = static_cast<int>(threadIdx.x); e < count * vectors; e += threads) {
    const int r = e / vectors, f = 4 * (e % vectors);
    const bool here = counts == nullptr || counts[r] != 0;
    copy_four(to + r * stride(width) + f, here ? x + (first + static_cast<std::size_t>(r)) * width + f : x, here);
  }
}

/// sum[i][j] += sum over k of a[row + 16 i][k] b[column + 16 j][k], rows of both `stride` apart. Where a thread is not
/// one of 16 x 16, its rows and columns are others apart.
template <int rows, int columns, int depth, int stride_a, int stride_b, int row_step = 16, int column_step = 16,
          class At>
__device__ void multiply(const float* a, const float* b, const At& at, float (&sum)[rows][columns]) {
  static_assert(depth % 4 == 0);
  constexpr int at_once = row_step == 16 && rows * columns <= 16 ? 2 : 1;  // as registers go
  a += at.row * stride_a;
  b += at.column * stride_b;
#pragma unroll at_once
  for (int k = 0; k < depth; k += 4) {
    float4 x[rows], w[columns];
#pragma unroll
    for (int i = 0; i < rows; ++i) x[i] = load_four(a + row_step * i * stride_a + k);
#pragma unroll
    for (int j = 0; j < columns; ++j) w[j] = load_four(b + column_step * j * stride_b + k);
#pragma unroll
    for (int i = 0; i < rows; ++i)
#pragma unroll
      for (int j = 0; j < columns; ++j) {
        sum[i][j] = fmaf(x[i].x, w[j].x, sum[i][j]);
        sum[i][j] = fmaf(x[i].y, w[j].y, sum[i][j]);
        sum[i][j] = fmaf(x[i].z, w[j].z, sum[i][j]);
        sum[i][j] = fmaf(x[i].w, w[j].w, sum[i][j]);
      }
  }
}

/// The columns of a thread, of one row.
template <int columns, int places = 16>
__device__ void load_columns(const float* row, int place, float (&to)[columns]) {
  constexpr int v = together(columns);
#pragma unroll
  for (int j = 0; j < columns; j += v) {
    const float* const p = row + column<columns, places>(place, j);
    if constexpr (v == 4) {
      const float4 x = load_four(p);
      to[j] = x.x, to[j + 1] = x.y, to[j + 2] = x.z, to[j + 3] = x.w;
    } else if constexpr (v == 2) {
      const float2 x = *reinterpret_cast<const float2*>(p);
      to[j] = x.x, to[j + 1] = x.y;
    } else {
      to[j] = *p;
    }
  }
}
/// f(first, vector) for the vectors of columns of a thread that are below `width`, a multiple of 4; `from` has them.
template <int columns, int places = 16, class F>
__device__ void each_vector(int place, int width, F&& f) {
  constexpr int v = together(columns);
#pragma unroll
  for (int j = 0; j < columns; j += v)
    if (column<columns, places>(place, j) < width) f(column<columns, places>(place, j), j);
}

/// sum[i][j] += sum over k < depth, a multiple of 4, of a[row + 16 i][k] b[k][column j], columns as `column` has them.
template <int rows, int columns, int stride_a, int stride_b, int row_step = 16, int places = 16, class At>
__device__ void multiply_by_rows(int depth, const float* a, const float* b, const At& at, float (&sum)[rows][columns]) {
  constexpr int at_once = row_step == 16 && rows * columns <= 16 ? 2 : 1;  // as registers go
  a += at.row * stride_a;
#pragma unroll at_once
  for (int k = 0; k < depth; k += 4) {
    float4 x[rows];
#pragma unroll
    for (int i = 0; i < rows; ++i) x[i] = load_four(a + row_step * i * stride_a + k);
    const auto add = [&](int q, auto&& of) {
      float w[columns];
      load_columns<columns, places>(b + (k + q) * stride_b, at.column, w);
#pragma unroll
      for (int i = 0; i < rows; ++i)
#pragma unroll
        for (int j = 0; j < columns; ++j) sum[i][j] = fmaf(of(x[i]), w[j], sum[i][j]);
    };
    add(0, [](const float4& x) { return x.x; });
    add(1, [](const float4& x) { return x.y; });
    add(2, [](const float4& x) { return x.z; });
    add(3, [](const float4& x) { return x.w; });
  }
}

/// sum[i][j] += sum over r < count of a[r][row i] b[r][column j], rows and columns as `column` has them.
template <int rows, int columns, int stride_a, int stride_b>
__device__ void multiply_transposed(int count, const float* a, const float* b, const Place& at,
                                    float (&sum)[rows][columns]) {
#pragma unroll 4
  for (int r = 0; r < count; ++r) {
    float x[rows], w[columns];
    load_columns<rows>(a + r * stride_a, at.row, x);
    load_columns<columns>(b + r * stride_b, at.column, w);
#pragma unroll
    for (int i = 0; i < rows; ++i)
#pragma unroll
      for (int j = 0; j < columns; ++j) sum[i][j] = fmaf(x[i], w[j], sum[i][j]);
  }
}

template <int rows, int columns>
__device__ void set_zero(float (&sum)[rows][columns]) {
#pragma unroll
  for (int i = 0; i < rows; ++i)
#pragma unroll
    for (int j = 0; j < columns; ++j) sum[i][j] = 0;
}

/// Columns [j, j + together) as a vector of what they are: four, two or one floats that are loaded or stored at once.
template <int columns>
__device__ void store_columns(float* to, const float (&from)[columns], int j) {
  constexpr int v = together(columns);
  if constexpr (v == 4)
    store_four(to, make_float4(from[j], from[j + 1], from[j + 2], from[j + 3]));
  else if constexpr (v == 2)
    *reinterpret_cast<float2*>(to) = make_float2(from[j], from[j + 1]);
  else
    *to = from[j];
}
template <int columns>
__device__ void add_columns(float* to, const float (&what)[columns], int j) {
  constexpr int v = together(columns);
  if constexpr (v == 4) {
    const float4 x = load_four(to);
    store_four(to, make_float4(x.x + what[j], x.y + what[j + 1], x.z + what[j + 2], x.w + what[j + 3]));
  } else if constexpr (v == 2) {
    const float2 x = *reinterpret_cast<const float2*>(to);
    *reinterpret_cast<float2*>(to) = make_float2(x.x + what[j], x.y + what[j + 1]);
  } else {
    *to += what[j];
  }
}

/// A block's sums of gradients, `parts` matrices [16 rows, 16 columns] in the device's memory: in registers meanwhile
/// where those are few.
template <int parts, int rows, int columns, bool in_registers>
class Sums {
 public:
  static constexpr int size = 256 * rows * columns;  ///< of a matrix

  __device__ explicit Sums(float* memory) : memory_(memory) {
    if constexpr (in_registers)
#pragma unroll
      for (int p = 0; p < parts; ++p) set_zero(kept_[p]);
  }
  /// add(sum) of matrix p; `is_first`: nothing is there yet. Where they are in registers p is a constant.
  template <class F>
  __device__ void add(int p, const Place& at, bool is_first, F&& add) {
    if constexpr (in_registers) {
      add(kept_[p]);
    } else {
      float sum[rows][columns];
      if (is_first)
        set_zero(sum);
      else
#pragma unroll
        for (int i = 0; i < rows; ++i) load_columns<columns>(row_of(p, at, i), at.column, sum[i]);
      add(sum);
      store(p, at, sum);
    }
  }
  __device__ void finish(const Place& at) {
    if constexpr (in_registers)
#pragma unroll
      for (int p = 0; p < parts; ++p) store(p, at, kept_[p]);
  }

 private:
  __device__ float* row_of(int p, const Place& at, int i) const {
    return memory_ + static_cast<std::size_t>(p) * size + column<rows>(at.row, i) * (16 * columns);
  }
  __device__ void store(int p, const Place& at, const float (&sum)[rows][columns]) const {
#pragma unroll
    for (int i = 0; i < rows; ++i)
      each_vector<columns>(at.column, 16 * columns,
                           [&](int first, int j) { store_columns<columns>(row_of(p, at, i) + first, sum[i], j); });
  }

  float* memory_;
  float kept_[in_registers ? parts : 1][rows][columns];
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
