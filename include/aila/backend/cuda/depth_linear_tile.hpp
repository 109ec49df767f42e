// Products of warps on tiles of 64 rows and 64 columns in shared memory, for linear integration over few maps.
//
// Each of 16 warps has 16 rows and 16 columns of a result, by three products of TF32 as tile.hpp says. Tiles lie in
// shared memory without gaps, and lanes take two or four numbers at once: of k and of columns, which of them stand in
// one operand is free where both sides agree.
#pragma once

#include "../../core/macros_aside.hpp"

#include "depth.hpp"

namespace aila::inline v0::cuda::depth::few {

#ifdef __CUDACC__

/// Where number f of row r of a tile is: in the banks of its vectors, so that the lanes of a warp find what they ask
/// for in banks of their own, along rows and across.
__device__ inline int place(int r, int f) {
  return r * 64 + (f ^ ((r & 1) << 4 | (r & 2) << 2));
}
/// Where the number of row r of a tile is in lists that products across rows take four numbers of at once: of rows t,
/// t + 4, t + 8 and t + 12.
__device__ inline int place_across(int r) {
  return (r & ~15) | (r & 3) << 2 | (r >> 2 & 3);
}

/// A warp's operands of two products, [16, 8] each: numbers of rows g and g + 8 along k.
struct Operand {
  float hi[2][4], lo[2][4];

  /// Four numbers of each: of the first product x and y, of the second z and w.
  __device__ void take(float4 upper, float4 lower) {
    tile::split(upper.x, hi[0][0], lo[0][0]);
    tile::split(lower.x, hi[0][1], lo[0][1]);
    tile::split(upper.y, hi[0][2], lo[0][2]);
    tile::split(lower.y, hi[0][3], lo[0][3]);
    tile::split(upper.z, hi[1][0], lo[1][0]);
    tile::split(lower.z, hi[1][1], lo[1][1]);
    tile::split(upper.w, hi[1][2], lo[1][2]);
    tile::split(lower.w, hi[1][3], lo[1][3]);
  }
};

/// The other operands of these, [8, 8 tiles] each: a lane's column of each tile along k, in the same order.
template <int tiles>
struct Columns {
  float hi[2][tiles][2], lo[2][tiles][2];

  __device__ void take(const float4 (&x)[tiles]) {
#pragma unroll
    for (int q = 0; q < tiles; ++q) {
      tile::split(x[q].x, hi[0][q][0], lo[0][q][0]);
      tile::split(x[q].y, hi[0][q][1], lo[0][q][1]);
      tile::split(x[q].z, hi[1][q][0], lo[1][q][0]);
      tile::split(x[q].w, hi[1][q][1], lo[1][q][1]);
    }
  }
};

/// A warp's part of a product: 16 rows, and 8 columns of each of `tiles` tiles. 16 products follow one another on
/// tensor cores; the rest is added as float32 is.
template <int tiles>
struct Part {
  float of[tiles][4];

  __device__ void clear() {
#pragma unroll
    for (int q = 0; q < tiles; ++q)
#pragma unroll
      for (int e = 0; e < 4; ++e) of[q][e] = 0;
  }
  __device__ void add(const Part& other) {
#pragma unroll
    for (int q = 0; q < tiles; ++q)
#pragma unroll
      for (int e = 0; e < 4; ++e) of[q][e] += other.of[q][e];
  }
  __device__ void add(const Operand& a, const float4 (&x)[tiles]) {
    Columns<tiles> b;
    b.take(x);
    Part c;
    c.clear();
#pragma unroll
    for (int s = 0; s < 2; ++s) {
      c.multiply_add(a.lo[s], b.hi[s]);
      c.multiply_add(a.hi[s], b.lo[s]);
      c.multiply_add(a.hi[s], b.hi[s]);
    }
    add(c);
  }
  __device__ void multiply_add(const float (&a)[4], const float (&b)[tiles][2]) {
#pragma unroll
    for (int q = 0; q < tiles; ++q) tile::multiply_add(of[q], a, b[q]);
  }
};

/// A product along heads: lane t of a row has a head's number of rows g and g + 8, and of two columns.
__device__ inline Part<2> multiply_heads(float upper, float lower, float2 columns) {
  float hi[4] = {0, 0, 0, 0}, lo[4] = {0, 0, 0, 0}, b_hi[2][2] = {}, b_lo[2][2] = {};
  tile::split(upper, hi[0], lo[0]);
  tile::split(lower, hi[1], lo[1]);
  tile::split(columns.x, b_hi[0][0], b_lo[0][0]);
  tile::split(columns.y, b_hi[1][0], b_lo[1][0]);
  Part<2> sum;
  sum.clear();
  sum.multiply_add(lo, b_hi);
  sum.multiply_add(hi, b_lo);
  sum.multiply_add(hi, b_hi);
  return sum;
}

/// What a thread has of a tile of 64 rows and 64 columns: of rows row(0) and row(1), four columns from `column` on.
/// Of products along rows, lanes take k four at a time; columns of their tiles are shared so that a lane's follow one
/// another.
struct Lane {
  int g, t, row_tile, column_group, column;

  __device__ Lane() {
    const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
    g = thread % 32 / 4, t = thread % 4, column_group = warp / 4;
    row_tile = (warp + column_group) % 4;  // every fourth warp has the same scheduler, which gets all kinds of them
    column = 16 * column_group + 4 * t;
  }
  __device__ int row(int h) const { return 16 * row_tile + g + 8 * h; }
  /// Where number k of such a row is in a tile, and the row's number in a list across rows.
  __device__ int place_in_row(int h, int k) const { return place(row(0), k) + 8 * h * 64; }
  __device__ int place_of_row(int h) const { return place_across(row(0)) + 2 * h; }
  __device__ static float4 numbers_of_row(const Part<2>& of, int h) {
    return make_float4(of.of[0][2 * h], of.of[0][2 * h + 1], of.of[1][2 * h], of.of[1][2 * h + 1]);
  }
  /// The same where an operand's columns are pairs, one of each tile.
  __device__ static float4 numbers_of_pairs(const Part<2>& of, int h) {
    return make_float4(of.of[0][2 * h], of.of[1][2 * h], of.of[0][2 * h + 1], of.of[1][2 * h + 1]);
  }
  /// The column that lane `lane` has of an operand, of tile q of a group.
  __device__ static int operand_column(int group, int q, int lane) {
    return 16 * group + lane / 4 / 2 * 4 + 2 * q + lane / 4 % 2;
  }
};

#endif

}  // namespace aila::inline v0::cuda::depth::few

#include "../../core/macros_back.hpp"
