// Matrix products on a GPU, and sums over rows.
//
// A number is the sum of two of TF32, hi + lo, and a product is hi hi + hi lo + lo hi on tensor cores: what is left out
// is 2^-22 of it. Tensor cores round their sums towards zero, so that only 16 products follow one another there; the
// rest is added as float32 is. Bound by tensor cores, three mma.sync m16n8k8 for 1,024 fused multiply-adds, unless k or
// a side is small: then by memory, and plain float32 does.
//
// A block makes a tile of C, 64 rows by 64 columns, a warp 32 by 32 of it, and goes along k by 32: tiles of A
// and B come to shared memory by cp.async, two ahead of the one that is worked on. Sixteen warps are on a
// multiprocessor at once, for each waits most of its time. Where C has too few tiles to fill a GPU and k is long,
// blocks share k, and a second kernel sums what they have in a fixed order. Convolutions are the same product: their
// operands read the tiles elsewhere (conv.hpp).
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "instructions.hpp"
#include "launch.hpp"
#include "rows.hpp"

namespace aila::inline v0::cuda {

/// Element (i, j) is at[i row + j column]; one of the steps is 1.
struct Matrix {
  const float* at;
  std::size_t row, column;
};
/// Element (i, j) is at[i row + j].
struct Target {
  float* at;
  std::size_t row;
  const float* bias = nullptr;  ///< one a column, added
  bool adds = false;            ///< to what is there
};

namespace detail {

inline constexpr unsigned tile_side = 64, tile_k = 32, tile_threads = 128, tile_stages = 3;

/// n / by for n < 2^31, by a multiplication.
struct Divisor {
  std::uint32_t by = 1, factor = 1, shift = 0;
  constexpr Divisor() = default;
  constexpr explicit Divisor(std::size_t divisor) : by(static_cast<std::uint32_t>(divisor)) {
    while ((std::uint64_t{1} << shift) < by) ++shift;
    factor = static_cast<std::uint32_t>((std::uint64_t{1} << 32) * ((std::uint64_t{1} << shift) - by) / by +
                                        std::uint64_t{1});
  }
  constexpr std::uint32_t divide(std::uint32_t n) const {
    return (static_cast<std::uint32_t>(std::uint64_t{n} * factor >> 32) + n) >> shift;
  }
};

/// How valid steps behind a window come from those before it, see WindowAxis::out.
struct StepAxis {
  int in = 1, span = 1;
  Divisor stride;
  int padding = 0;
  constexpr int clamp(int n) const { return steps_within(n, in); }
  constexpr int out(int n) const {
    return n == 0 || n + 2 * padding < span
               ? 0
               : static_cast<int>(stride.divide(static_cast<std::uint32_t>(n + 2 * padding - span))) + 1;
  }
};

/// Of rows [samples, steps]: whether row number i counts. All do where there are no lengths.
struct ValidSteps {
  const std::int32_t* lengths = nullptr;
  Divisor steps;
  StepAxis axis;
  constexpr bool valid(unsigned i) const {
    const unsigned sample = steps.divide(i);
    return static_cast<int>(i - sample * steps.by) < axis.out(axis.clamp(lengths[sample]));
  }
  constexpr bool operator()(unsigned i) const { return lengths == nullptr || valid(i); }
};
/// Of a map of `steps` steps as it is.
inline ValidSteps valid_steps(const std::int32_t* lengths, std::size_t steps) {
  return {lengths, Divisor(steps), {static_cast<int>(steps), 1, Divisor(1), 0}};
}

/// A tile of an operand in shared memory: rows of A, or columns of B, by 32 along k. A thread reads 4 x 4 numbers of
/// it, rows 4 g to 4 g + 3 by 4 t to 4 t + 3 along k, as vectors of four; the exclusive or spreads those of eight
/// threads over all banks.
template <bool k_runs>
constexpr unsigned tile_offset(unsigned row, unsigned k) {
  return k_runs ? row * tile_k + ((k / 4 ^ (row & 4)) * 4 + k % 4)
                : k * tile_side + ((row / 4 ^ (k / 4 % 4 * 2)) * 4 + row % 4);
}

/// How a product is cut into blocks. It depends on sizes alone, so that its bits do.
struct ProductCut {
  std::size_t row_tiles = 0, column_tiles = 0;
  unsigned splits = 1;        ///< blocks that share k
  unsigned k_tiles_each = 0;  ///< of which each has so many tiles
};
/// Blocks that a multiprocessor holds, and that fill a GPU.
inline constexpr unsigned tiles_at_once = 4;
inline constexpr std::size_t most_tiles = cuda::multiprocessors * tiles_at_once;
/// Of how many numbers C is small: the partial sums of larger ones cost more than sharing k among more blocks gains.
inline constexpr std::size_t small_c = tile_side * tile_side;
constexpr std::size_t most_splits(std::size_t m, std::size_t n, std::size_t k) {
  return k < 512 ? 1 : k / (m * n <= small_c ? 64 : 128);
}
constexpr ProductCut cut_product(std::size_t m, std::size_t n, std::size_t k, std::size_t copies = 1) {
  ProductCut cut;
  cut.row_tiles = divide_up(m, tile_side);
  cut.column_tiles = divide_up(n, tile_side);
  const std::size_t tiles = std::max<std::size_t>(cut.row_tiles * cut.column_tiles * copies, 1);
  const std::size_t k_tiles = divide_up(k, tile_k);
  const std::size_t splits = std::clamp<std::size_t>(most_tiles / tiles, 1, most_splits(m, n, k));
  cut.k_tiles_each = static_cast<unsigned>(divide_up(k_tiles, splits));
  cut.splits = static_cast<unsigned>(k_tiles == 0 ? 1 : divide_up(k_tiles, cut.k_tiles_each));
  return cut;
}
/// Floats of the partial sums of `copies` products and of max(m, n) sums beside each.
constexpr std::size_t partial_scratch(std::size_t m, std::size_t n, std::size_t k, std::size_t copies = 1) {
  if (most_splits(m, n, k) == 1) return 0;
  const auto parts = [&](std::size_t c, std::size_t longest) { return copies * (c + longest + 3); };
  const std::size_t most = most_tiles * (tile_side + 1) * (tile_side + 1);  // see cut_product: tiles x splits
  const std::size_t all = most_splits(m, n, k) * parts(m * n, std::max(m, n));
  // What holds for some sizes serves smaller ones too, of which small C are shared by more blocks.
  const std::size_t of_small =
      most_splits(1, 1, k) * parts(std::min(m * n, small_c), std::min(std::max(m, n), small_c));
  return std::min(most, std::max(all, of_small));
}

inline bool is_aligned(const void* at) {
  return reinterpret_cast<std::uintptr_t>(at) % 16 == 0;
}

}  // namespace detail

/// Floats of scratch for so many products [m, k] x [k, n] in one launch; what holds for some sizes serves smaller ones
/// too.
constexpr std::size_t product_scratch(std::size_t m, std::size_t n, std::size_t k, std::size_t copies = 1) {
  return detail::partial_scratch(m, n, k, copies);
}
/// Floats of scratch for the gradients of a weight [outputs, inputs] and its bias over so many rows.
constexpr std::size_t weight_gradient_scratch(std::size_t rows, std::size_t inputs, std::size_t outputs) {
  return detail::partial_scratch(outputs, inputs, rows);
}

namespace detail {
/// Rows are summed by blocks of some, and what they have by one more kernel.
constexpr std::size_t sum_chunks(std::size_t rows, std::size_t columns) {
  if (rows <= 1024) return 1;
  return std::min(divide_up(rows, 512), std::max<std::size_t>(528 / divide_up(columns, 128), 16));
}
}  // namespace detail
constexpr std::size_t column_sum_scratch(std::size_t rows, std::size_t columns) {
  const std::size_t chunks = detail::sum_chunks(rows, columns);
  return chunks == 1 ? 0 : chunks * columns;
}

// Functions that start kernels are templates, so that who does not call them does not compile these.

/// C [m, n] = A [m, k] B [k, n] + bias; m and k below 2^31. Scratch as product_scratch says; null: k is not shared.
template <class = void>
void product(const Pass& pass, std::size_t m, std::size_t n, std::size_t k, Matrix a, Matrix b, Target c,
             float* scratch);
/// to[c] += the sum of x[r row_stride + c] over all rows. Scratch as column_sum_scratch says; null: one block sums.
template <class = void>
void column_sum(const Pass& pass, std::size_t rows, std::size_t columns, const float* x, std::size_t row_stride,
                float* to, float* scratch);

#ifdef __CUDACC__
namespace detail {

/// x = hi + lo, hi rounded to TF32. Of infinity and of what is no number lo is no number.
__device__ inline void split_number(float& x, float& lo) {
  const float hi = __uint_as_float((__float_as_uint(x) + 0x1000U) & 0xffffe000U);
  lo = x - hi;
  x = hi;
}
template <unsigned rows>
__device__ inline void split_numbers(float (&x)[rows][4], float (&lo)[rows][4]) {
#pragma unroll
  for (unsigned j = 0; j < rows; ++j)
#pragma unroll
    for (unsigned e = 0; e < 4; ++e) split_number(x[j][e], lo[j][e]);
}

/// v[j][e] is row `first` + 4 g + from + j by 16 half + 4 t + e along k, g = lane / 4 and t = lane % 4.
template <bool k_runs, unsigned count>
__device__ inline void read_tile(const float* tile, unsigned first, unsigned from, unsigned half,
                                 float (&v)[count][4]) {
  const unsigned lane = threadIdx.x % 32, row = first + lane / 4 * 4, k = 16 * half + lane % 4 * 4;
  if constexpr (k_runs) {
#pragma unroll
    for (unsigned j = 0; j < count; ++j) {
      const float4 q = *reinterpret_cast<const float4*>(tile + tile_offset<true>(row + from + j, k));
      v[j][0] = q.x, v[j][1] = q.y, v[j][2] = q.z, v[j][3] = q.w;
    }
  } else {
#pragma unroll
    for (unsigned e = 0; e < 4; ++e) {
      const float4 q = *reinterpret_cast<const float4*>(tile + tile_offset<false>(row, k + e));
      const float of[4] = {q.x, q.y, q.z, q.w};
#pragma unroll
      for (unsigned j = 0; j < count; ++j) v[j][e] = of[from + j];
    }
  }
}

/// to[j] += the sum of v[j].
template <unsigned count>
__device__ inline void add_sums(const float (&v)[count][4], float* to) {
#pragma unroll
  for (unsigned j = 0; j < count; ++j) to[j] += (v[j][0] + v[j][1]) + (v[j][2] + v[j][3]);
}

/// acc += A B over 16 of k, for 32 rows of A by 16 columns of B: acc[i][j] are the sums of a tile of tensor cores, with
/// rows 4 g + 2 i (and + 1) and columns 8 t + first + j (and + 4).
template <int first>
__device__ inline void multiply_add(const float (&a)[4][4], const float (&a_lo)[4][4], const float (&b)[2][4],
                                    const float (&b_lo)[2][4], float (&acc)[2][4][4]) {
  float sum[2][2][4] = {};
  const auto add = [&](const float(&x)[4][4], const float(&y)[2][4], int s) {
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int j = 0; j < 2; ++j)
        multiply_tile(sum[i][j], x[2 * i][2 * s], x[2 * i + 1][2 * s], x[2 * i][2 * s + 1], x[2 * i + 1][2 * s + 1],
                      y[j][2 * s], y[j][2 * s + 1], sum[i][j]);
  };
  add(a_lo, b, 0);  // the small ones first: rounding them costs nothing
  add(a, b_lo, 0);
  add(a_lo, b, 1);
  add(a, b_lo, 1);
  add(a, b, 0);
  add(a, b, 1);
#pragma unroll
  for (int i = 0; i < 2; ++i)
#pragma unroll
    for (int j = 0; j < 2; ++j)
#pragma unroll
      for (int c = 0; c < 4; ++c) acc[i][first + j][c] += sum[i][j][c];
}

// An operand gives tiles of A, or of B's columns. It has
//   static constexpr bool k_runs;              numbers that follow one another in memory do along k, not along rows
//   struct Shared;                             what its block keeps in shared memory
//   unsigned rows_of(copy), k_of(copy);        its size, in copy number `copy` of the product
//   struct Reader;                             a thread's: Reader(operand, shared, copy, first row), by all threads
//       load(operand, shared, tile, k)         starts to copy the tile that begins at k
//   static constexpr bool prepares;            Reader::prepare(operand, shared, k) comes before that, a barrier between

struct NothingShared {};

/// A matrix in memory: of A, rows and k; of B, its columns and k.
template <bool runs_along_k>
struct PlainOperand {
  static constexpr bool k_runs = runs_along_k;
  static constexpr bool prepares = false;
  const float* at = nullptr;
  std::size_t step = 0;     ///< of a row where k runs, else of k
  std::ptrdiff_t copy = 0;  ///< from one copy's matrix to the next
  unsigned rows = 0, k = 0;
  bool wide = false;  ///< vectors of four lie at 16 bytes
  ValidSteps valid;   ///< where rows run, of k: others count as zero

  __device__ unsigned rows_of(unsigned) const { return rows; }
  __device__ unsigned k_of(unsigned) const { return k; }

  using Shared = NothingShared;

  struct Reader {
    unsigned copy, first;
    __device__ Reader(const PlainOperand&, const NothingShared&, unsigned its_copy, unsigned first_row)
        : copy(its_copy), first(first_row) {}

    __device__ void load(const PlainOperand& o, const NothingShared&, float* tile, unsigned k_first) const {
      const unsigned id = anew(threadIdx.x);
      const float* const at = o.at + static_cast<std::ptrdiff_t>(copy) * o.copy;
      if constexpr (k_runs) {
        if (o.wide) {
          constexpr unsigned pass = tile_threads / 8;
          const unsigned row = id / 8, part = id % 8 * 4, k_at = k_first + part;
          const unsigned bytes = k_at < o.k ? min(o.k - k_at, 4U) * 4 : 0;
          float* to = tile + tile_offset<true>(row, part);  // the same bit of the row in every pass
          const float* from = at + static_cast<std::size_t>(first + row) * o.step + k_at;
#pragma unroll
          for (unsigned i = 0; i < tile_side / pass; ++i, from += pass * o.step) {
            const bool some = bytes > 0 && first + row + i * pass < o.rows;
            copy_16(to + i * pass * tile_k, some ? from : o.at, some ? bytes : 0);
          }
        } else {
          constexpr unsigned pass = tile_threads / tile_k;
          const unsigned row = id / tile_k, part = id % tile_k, k_at = k_first + part;
          const float* from = at + static_cast<std::size_t>(first + row) * o.step + k_at;
#pragma unroll 1
          for (unsigned i = 0; i < tile_side / pass; ++i, from += pass * o.step) {
            const bool some = k_at < o.k && first + row + i * pass < o.rows;
            copy_4(tile + tile_offset<true>(row + i * pass, part), some ? from : o.at, some ? 4 : 0);
          }
        }
      } else {
        if (o.wide) {
          constexpr unsigned across = tile_side / 4, pass = tile_threads / across;
          const unsigned part = id % across * 4, line = id / across, row = first + part;
          const unsigned bytes = row < o.rows ? min(o.rows - row, 4U) * 4 : 0;
          const float* from = at + static_cast<std::size_t>(k_first + line) * o.step + row;
#pragma unroll
          for (unsigned i = 0; i < tile_k / pass; ++i, from += pass * o.step) {
            const unsigned k_at = k_first + line + i * pass;
            const bool some = bytes > 0 && k_at < o.k && o.valid(k_at);
            copy_16(tile + tile_offset<false>(part, line + i * pass), some ? from : o.at, some ? bytes : 0);
          }
        } else {
          constexpr unsigned pass = tile_threads / tile_side;
          const unsigned part = id % tile_side, line = id / tile_side, row = first + part;
          const float* from = at + static_cast<std::size_t>(k_first + line) * o.step + row;
#pragma unroll 1
          for (unsigned i = 0; i < tile_k / pass; ++i, from += pass * o.step) {
            const unsigned k_at = k_first + line + i * pass;
            const bool some = row < o.rows && k_at < o.k && o.valid(k_at);
            copy_4(tile + tile_offset<false>(part, line + i * pass), some ? from : o.at, some ? 4 : 0);
          }
        }
      }
    }
  };
};

/// Sums over k of an operand, beside the product.
enum class SumsOf : unsigned { nothing, rows, columns };

/// Of C: a row of a tile, and where its columns go.
struct RowPlace {
  float* at = nullptr;  ///< null: nowhere
  bool counts = false;  ///< else it becomes zero
  float bias = 0;
};

/// Where C goes: element (i, j) is at[row i + column j]. Rows taken apart, i = a inner + b with b < inner, lie at
/// outer_row a + row b instead, and columns likewise.
struct Places {
  float* at = nullptr;
  std::size_t row = 0, column = 1;
  Divisor inner{}, run{};
  std::size_t outer_row = 0, outer_column = 0;
  bool takes_rows_apart = false, takes_columns_apart = false;
  std::size_t copy = 0, split = 0;  ///< from one to the next
  unsigned rows = 0, columns = 0;
  const float* bias = nullptr;
  bool bias_of_rows = false;  ///< one a row
  bool adds = false;
  bool wide = false;  ///< vectors of four columns lie at 16 bytes
  ValidSteps valid;   ///< of rows: others become zero, or stay where C is added to
  float* sums = nullptr;
  SumsOf sums_of = SumsOf::nothing;
  bool adds_sums = false;
  std::size_t sums_copy = 0, sums_split = 0;

  __device__ std::size_t row_offset(unsigned i) const {
    if (!takes_rows_apart) return i * row;
    const unsigned part = inner.divide(i);
    return part * outer_row + (i - part * inner.by) * row;
  }
  __device__ std::size_t column_offset(unsigned j) const {
    if (!takes_columns_apart) return j * column;
    const unsigned part = run.divide(j);
    return part * outer_column + (j - part * run.by) * column;
  }
  __device__ float* at_copy(unsigned its_copy) const { return at + its_copy * copy + blockIdx.y * split; }
  __device__ static void put(float* to, float value, bool adds) { *to = adds ? *to + value : value; }

  template <class Shared>
  __device__ RowPlace row_place(const Shared&, unsigned its_copy, unsigned first_row, unsigned row_in_tile) const {
    const unsigned i = first_row + row_in_tile;
    if (i >= rows) return {};
    const bool counts = valid(i);
    if (!counts && adds) return {};
    return {at_copy(its_copy) + row_offset(i), counts, bias != nullptr && bias_of_rows ? bias[i] : 0};
  }
  __device__ float bias_at(unsigned, unsigned j) const { return bias != nullptr && !bias_of_rows ? bias[j] : 0; }
  __device__ void store_one(unsigned its_copy, unsigned i, unsigned j, float value) const {
    store_vector<1>(its_copy, i, j, {{value}});
  }
  /// Of columns from j on, which is a multiple of v; four where C is `wide`.
  template <std::size_t v>
  __device__ void store_vector(unsigned its_copy, unsigned i, unsigned j, RowVector<v> values) const {
    const bool counts = valid(i);
    if (!counts && adds) return;
#pragma unroll
    for (unsigned c = 0; c < v; ++c) {
      if (bias != nullptr) values.at[c] += bias[bias_of_rows ? i : j + c];
      if (!counts) values.at[c] = 0;
    }
    store_or_add(as_vectors<v>(at_copy(its_copy) + row_offset(i) + column_offset(j)), values, adds);
  }
  __device__ void store_sum(unsigned its_copy, unsigned i, float value) const {
    put(sums + its_copy * sums_copy + blockIdx.y * sums_split + i, value, adds_sums);
  }
};

/// Blocks: x goes through columns, rows and copies, y through the splits of k.
struct ProductGrid {
  unsigned row_tiles = 1, column_tiles = 1, k_tiles_each = 0;
};

inline constexpr unsigned stage_size = 2 * tile_side * tile_k;  ///< floats of a tile of A and one of B

/// A thread's part of a tile to its places: rows `row` to `row` + 3, columns `column` to `column` + 7. What is there
/// already is loaded for several rows before any is stored, so that one wait is for all. Tiles that are not whole, and
/// places one by one, go by way of shared memory: their code is short, and fetching it takes longer than running it.
template <class To, class SharedOfA>
__device__ inline void store_tile(const float (&acc)[2][4][4], float* tile, unsigned row, unsigned column, const To& to,
                                  const SharedOfA& shared, unsigned copy, unsigned first_row, unsigned first_column) {
  const auto part = [&](unsigned r, unsigned h) {
    const auto v = [&](unsigned c) { return acc[r / 2][c][r % 2 * 2 + h]; };
    return float4{v(0), v(1), v(2), v(3)};
  };
  if (to.wide && first_column + tile_side <= to.columns) {
    const unsigned j = first_column + column;
    float bias[8];
#pragma unroll
    for (unsigned c = 0; c < 8; ++c) bias[c] = to.bias_at(copy, j + c);
#pragma unroll
    for (unsigned pair = 0; pair < 4; pair += 2) {
      RowPlace place[2];
      float4 old[2][2];
#pragma unroll
      for (unsigned r = 0; r < 2; ++r) {
        place[r] = to.row_place(shared, copy, first_row, row + pair + r);
#pragma unroll
        for (unsigned h = 0; h < 2; ++h) {
          old[r][h] = {0, 0, 0, 0};
          if (to.adds && place[r].at != nullptr)
            old[r][h] = *reinterpret_cast<const float4*>(place[r].at + to.column_offset(j + 4 * h));
        }
      }
#pragma unroll
      for (unsigned r = 0; r < 2; ++r) {
        if (place[r].at == nullptr) continue;
        const float b = place[r].bias;
#pragma unroll
        for (unsigned h = 0; h < 2; ++h) {
          const float4 v = part(pair + r, h), o = old[r][h];
          const float4 sum = {o.x + (v.x + bias[4 * h] + b), o.y + (v.y + bias[4 * h + 1] + b),
                              o.z + (v.z + bias[4 * h + 2] + b), o.w + (v.w + bias[4 * h + 3] + b)};
          *reinterpret_cast<float4*>(place[r].at + to.column_offset(j + 4 * h)) =
              place[r].counts ? sum : float4{0, 0, 0, 0};
        }
      }
    }
    return;
  }
  constexpr unsigned stride = tile_side + 4;
  wait_for_copies<0>();
  __syncthreads();  // nobody reads tiles any more
#pragma unroll
  for (unsigned r = 0; r < 4; ++r)
#pragma unroll
    for (unsigned h = 0; h < 2; ++h)
      *reinterpret_cast<float4*>(tile + (row + r) * stride + column + 4 * h) = part(r, h);
  __syncthreads();
  const unsigned mine = threadIdx.x % tile_side, j = first_column + mine;
  if (j >= to.columns) return;
  const float bias = to.bias_at(copy, j);
#pragma unroll 1
  for (unsigned i = threadIdx.x / tile_side; i < tile_side; i += tile_threads / tile_side) {
    const RowPlace place = to.row_place(shared, copy, first_row, i);
    if (place.at == nullptr) continue;
    float* const at = place.at + to.column_offset(j);
    const float sum = tile[i * stride + mine] + bias + place.bias;
    *at = !place.counts ? 0 : to.adds ? *at + sum : sum;
  }
}

template <class A, class B, class To>
__global__ void __launch_bounds__(tile_threads, tiles_at_once)
    product_kernel(const __grid_constant__ A a, const __grid_constant__ B b, const __grid_constant__ To to,
                   const __grid_constant__ ProductGrid grid) {
  constexpr bool sums_up = !A::k_runs && !B::k_runs;
  __shared__ typename A::Shared shared_a;
  __shared__ typename B::Shared shared_b;
  float* const stages = dynamic_shared();

  const unsigned column_tile = blockIdx.x % grid.column_tiles, rest = blockIdx.x / grid.column_tiles;
  const unsigned row_tile = rest % grid.row_tiles, copy = rest / grid.row_tiles;
  const unsigned first_row = row_tile * tile_side, first_column = column_tile * tile_side;
  if (first_row >= a.rows_of(copy)) return;

  typename A::Reader reader_a(a, shared_a, copy, first_row);
  typename B::Reader reader_b(b, shared_b, copy, first_column);
  const unsigned k_tiles = (a.k_of(copy) + tile_k - 1) / tile_k;
  const unsigned begin = blockIdx.y * grid.k_tiles_each, end = min(k_tiles, begin + grid.k_tiles_each);
  if constexpr (A::prepares) reader_a.prepare_first(a, shared_a, begin * tile_k);
  __syncthreads();

  const auto load = [&](unsigned stage, unsigned tile) {
    float* const at = stages + stage * stage_size;
    reader_a.load(a, shared_a, at, tile * tile_k);
    reader_b.load(b, shared_b, at + tile_side * tile_k, tile * tile_k);
  };
#pragma unroll 1
  for (unsigned s = 0; s + 1 < tile_stages; ++s) {
    if (begin + s < end) load(s, begin + s);
    end_group_of_copies();
  }

  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
  const unsigned warp_row = warp / 2 * 32, warp_column = warp % 2 * 32;
  [[maybe_unused]] bool sums_rows = false, sums_columns = false;
  [[maybe_unused]] float sums[4] = {};
  if constexpr (sums_up) {
    sums_rows = to.sums_of == SumsOf::rows && column_tile == 0 && warp_column == 0;
    sums_columns = to.sums_of == SumsOf::columns && row_tile == 0 && warp_row == 0;
  }
  float acc[2][4][4] = {};
  unsigned read = 0, write = tile_stages - 1;
#pragma unroll 1
  for (unsigned tile = begin; tile < end; ++tile) {
    wait_for_copies<tile_stages - 2>();
    __syncthreads();  // the tile is there, and nobody reads the one before
    if (tile + tile_stages - 1 < end) load(write, tile + tile_stages - 1);
    end_group_of_copies();
    if constexpr (A::prepares) reader_a.prepare(a, shared_a, (tile + tile_stages) * tile_k);

    const float* const tile_a = stages + read * stage_size;
    const float* const tile_b = tile_a + tile_side * tile_k;
#pragma unroll 1
    for (unsigned half = 0; half < 2; ++half) {
      float x[4][4], x_lo[4][4];
      read_tile<A::k_runs>(tile_a, warp_row, 0, half, x);
      if constexpr (sums_up)
        if (sums_rows) add_sums(x, sums);
      split_numbers(x, x_lo);
      const auto multiply = [&](auto columns) {  // two of four at a time: more would not fit the registers
        constexpr int of = decltype(columns)::value;
        float y[2][4], y_lo[2][4];
        read_tile<B::k_runs>(tile_b, warp_column, of, half, y);
        if constexpr (sums_up)
          if (sums_columns) add_sums(y, sums + of);
        split_numbers(y, y_lo);
        multiply_add<of>(x, x_lo, y, y_lo, acc);
      };
      multiply(std::integral_constant<int, 0>{});
      multiply(std::integral_constant<int, 2>{});
    }
    read = read + 1 == tile_stages ? 0 : read + 1;
    write = write + 1 == tile_stages ? 0 : write + 1;
  }

  if constexpr (sums_up)
    if (sums_rows || sums_columns)
#pragma unroll
      for (unsigned j = 0; j < 4; ++j) {
        float sum = sums[j];
        sum += __shfl_xor_sync(0xffffffffU, sum, 1);
        sum += __shfl_xor_sync(0xffffffffU, sum, 2);
        const unsigned i = (sums_rows ? first_row + warp_row : first_column + warp_column) + 4 * g + j;
        if (t == 0 && i < (sums_rows ? to.rows : to.columns)) to.store_sum(copy, i, sum);
      }
  store_tile(acc, stages, warp_row + 4 * g, warp_column + 8 * t, to, shared_a, copy, first_row, first_column);
}

/// What the blocks that shared k have: parts [splits, copies, m n rounded up to four], sums [splits, copies, count].
struct PartialSums {
  const float* parts = nullptr;
  const float* sums = nullptr;
  unsigned splits = 1;
  std::size_t copies = 1, part = 0;  ///< part: floats of a copy
  std::size_t count = 0;             ///< of sums
  Places to{};                       ///< of the result
};
/// Blocks of 32 elements by 8 threads each: thread number i has splits i, i + 8, ...
template <unsigned threads>
__global__ void __launch_bounds__(threads) sum_parts_kernel(const __grid_constant__ PartialSums p) {
  __shared__ float shared[8][33];
  const unsigned column = threadIdx.x % 32, slice = threadIdx.x / 32;
  const std::size_t size = static_cast<std::size_t>(p.to.rows) * p.to.columns, all = p.copies * size;
  const std::size_t element = static_cast<std::size_t>(blockIdx.x) * 32 + column;
  const bool is_sum = element >= all, is_there = element < all + p.copies * p.count;
  const std::size_t one = is_sum ? p.count : size, number = is_sum ? element - all : element;
  const std::size_t copy = is_there ? number / one : 0, within = number - copy * one;
  float sum = 0;
  if (is_there) {
    const std::size_t step = p.copies * (is_sum ? p.count : p.part);
    const float* from = (is_sum ? p.sums + copy * p.count : p.parts + copy * p.part) + within;
#pragma unroll 4
    for (unsigned s = slice; s < p.splits; s += 8) sum += from[s * step];
  }
  shared[slice][column] = sum;
  __syncthreads();
  if (slice != 0 || !is_there) return;
#pragma unroll
  for (unsigned s = 1; s < 8; ++s) sum += shared[s][column];
  if (is_sum) {
    p.to.store_sum(static_cast<unsigned>(copy), static_cast<unsigned>(within), sum);
  } else {
    const auto i = static_cast<unsigned>(within / p.to.columns);
    p.to.store_one(static_cast<unsigned>(copy), i,
                   static_cast<unsigned>(within - static_cast<std::size_t>(i) * p.to.columns), sum);
  }
}
template <class = void>
void sum_parts(const Pass& pass, const PartialSums& p) {
  const std::size_t elements = p.copies * (static_cast<std::size_t>(p.to.rows) * p.to.columns + p.count);
  launch(pass, &sum_parts_kernel<256>, static_cast<unsigned>(divide_up(elements, 32)), 256, 0, p);
}

/// C on tiles. Where k is split, `scratch` takes the parts.
template <class A, class B, class To>
void start_tiles(const Pass& pass, const ProductCut& cut, std::size_t copies, const A& a, const B& b, const To& to) {
  const dim3 blocks(static_cast<unsigned>(cut.row_tiles * cut.column_tiles * copies), cut.splits);
  const ProductGrid grid{static_cast<unsigned>(cut.row_tiles), static_cast<unsigned>(cut.column_tiles),
                         cut.k_tiles_each};
  launch(pass, &product_kernel<A, B, To>, blocks, tile_threads, tile_stages * stage_size * sizeof(float), a, b, to,
         grid);
}
/// start(cut, to) makes C, or where k is shared the parts of it in `scratch`, which are summed then. Without scratch k
/// is not shared.
template <class Start>
void multiply_in_parts(const Pass& pass, ProductCut cut, std::size_t k, std::size_t copies, const Places& to,
                       float* scratch, const Start& start) {
  const std::size_t m = to.rows, n = to.columns;
  if (m == 0 || n == 0 || copies == 0) return;
  if (scratch == nullptr && cut.splits > 1) {
    cut.splits = 1;
    cut.k_tiles_each = static_cast<unsigned>(divide_up(k, tile_k));
  }
  if (cut.splits == 1) return start(cut, to);
  const std::size_t part = round_up(m * n, 4);
  const std::size_t count = to.sums_of == SumsOf::rows ? m : to.sums_of == SumsOf::columns ? n : 0;
  Places parts;
  parts.at = scratch;
  parts.row = n;
  parts.copy = part;
  parts.split = copies * part;
  parts.rows = to.rows;
  parts.columns = to.columns;
  parts.wide = n % 4 == 0 && is_aligned(scratch);
  parts.sums = scratch + cut.splits * parts.split;
  parts.sums_of = to.sums_of;
  parts.sums_copy = count;
  parts.sums_split = copies * count;
  start(cut, parts);
  sum_parts(pass, {scratch, parts.sums, cut.splits, copies, part, count, to});
}
template <class A, class B>
void multiply_tiles(const Pass& pass, std::size_t k, std::size_t copies, const A& a, const B& b, const Places& to,
                    float* scratch) {
  multiply_in_parts(pass, cut_product(to.rows, to.columns, k, copies), k, copies, to, scratch,
                    [&](const ProductCut& cut, const Places& places) { start_tiles(pass, cut, copies, a, b, places); });
}

/// A matrix as an operand of `rows` rows: of B, its columns.
template <bool k_runs>
PlainOperand<k_runs> plain_operand(const float* at, std::size_t step, std::size_t rows, std::size_t k) {
  PlainOperand<k_runs> o;
  o.at = at;
  o.step = step;
  o.rows = static_cast<unsigned>(rows);
  o.k = static_cast<unsigned>(k);
  o.wide = is_aligned(at) && step % 4 == 0;
  return o;
}
inline Places places(const Target& c, std::size_t m, std::size_t n) {
  Places to;
  to.at = c.at;
  to.row = c.row;
  to.rows = static_cast<unsigned>(m);
  to.columns = static_cast<unsigned>(n);
  to.bias = c.bias;
  to.adds = c.adds;
  to.wide = is_aligned(c.at) && c.row % 4 == 0;
  return to;
}

/// Inner products of rows of A and columns of B, both of which lie along k: a warp has one column and eight rows.
template <unsigned threads>
__global__ void __launch_bounds__(threads)
    inner_products_kernel(const __grid_constant__ PlainOperand<true> a, const __grid_constant__ PlainOperand<true> b,
                          const __grid_constant__ Places to) {
  const std::size_t warp = static_cast<std::size_t>(blockIdx.x) * 8 + threadIdx.x / 32;
  const unsigned lane = threadIdx.x % 32;
  const auto column = static_cast<unsigned>(warp % b.rows);
  const std::size_t first = warp / b.rows * 8;
  if (first >= a.rows) return;
  const float* x[8];
#pragma unroll
  for (unsigned r = 0; r < 8; ++r) x[r] = a.at + min(first + r, static_cast<std::size_t>(a.rows - 1)) * a.step;
  const float* y = b.at + column * b.step;
  float sums[8] = {};
  if (a.wide && b.wide && a.k % 4 == 0) {
    for (unsigned k = 4 * lane; k < a.k; k += 128) {
      const float4 w = *reinterpret_cast<const float4*>(y + k);
#pragma unroll
      for (unsigned r = 0; r < 8; ++r) {
        const float4 v = *reinterpret_cast<const float4*>(x[r] + k);
        sums[r] = fmaf(v.w, w.w, fmaf(v.z, w.z, fmaf(v.y, w.y, fmaf(v.x, w.x, sums[r]))));
      }
    }
  } else {
    for (unsigned k = lane; k < a.k; k += 32) {
      const float w = y[k];
#pragma unroll
      for (unsigned r = 0; r < 8; ++r) sums[r] = fmaf(x[r][k], w, sums[r]);
    }
  }
  float mine = 0;
#pragma unroll
  for (unsigned r = 0; r < 8; ++r) {
    float sum = sums[r];
#pragma unroll
    for (unsigned across = 16; across > 0; across /= 2) sum += __shfl_xor_sync(0xffffffffU, sum, across);
    if (lane == r) mine = sum;
  }
  if (lane < 8 && first + lane < a.rows) to.store_one(0, static_cast<unsigned>(first + lane), column, mine);
}
/// Where tiles would be empty for the most part.
constexpr bool uses_inner_products(std::size_t m, std::size_t n) {
  return m <= 8 || n <= 4 || (n <= 16 && m * n <= 16384);
}

/// Sums of so few products are float32's, and bound by memory: a thread has v columns, of which it keeps what B has,
/// and one row of C, or of a long C every so manyth.
inline constexpr unsigned most_few = 8;
template <std::size_t v>
__global__ void __launch_bounds__(256)
    few_products_kernel(const __grid_constant__ PlainOperand<true> a, const __grid_constant__ PlainOperand<false> b,
                        const __grid_constant__ Places to, unsigned lanes, unsigned column_blocks) {
  const unsigned row_block = blockIdx.x / column_blocks, row_blocks = gridDim.x / column_blocks, rows = 256 / lanes;
  const unsigned j = ((blockIdx.x - row_block * column_blocks) * lanes + threadIdx.x % lanes) * v;
  if (j >= to.columns) return;
  RowVector<v> y[most_few];
#pragma unroll
  for (unsigned k = 0; k < most_few; ++k)
    if (k < b.k) y[k] = *as_vectors<v>(b.at + k * b.step + j);
  for (unsigned i = row_block * rows + threadIdx.x / lanes; i < to.rows; i += row_blocks * rows) {
    const float* const x = a.at + i * a.step;
    RowVector<v> sum{};
#pragma unroll
    for (unsigned k = 0; k < most_few; ++k) {
      if (k >= a.k) break;
      const float of_a = x[k];
#pragma unroll
      for (unsigned c = 0; c < v; ++c) sum.at[c] = fmaf(of_a, y[k].at[c], sum.at[c]);
    }
    to.store_vector(0, i, j, sum);
  }
}
template <class = void>
void few_products(const Pass& pass, const PlainOperand<true>& a, const PlainOperand<false>& b, const Places& to) {
  const bool wide = b.wide && to.wide && to.columns % 4 == 0;
  const unsigned vectors = wide ? to.columns / 4 : to.columns;
  unsigned lanes = 1;
  while (lanes < 32 && lanes < vectors) lanes *= 2;
  const auto column_blocks = static_cast<unsigned>(divide_up(vectors, lanes));
  const unsigned row_blocks = blocks_for(to.rows, 256 / lanes, std::max<std::size_t>(most_tiles / column_blocks, 1));
  launch(pass, wide ? &few_products_kernel<4> : &few_products_kernel<1>, row_blocks * column_blocks, 256, 0, a, b, to,
         lanes, column_blocks);
}

/// C = A B to any places. Of the four ways in which A and B may lie, the one where A runs along its rows and B along k
/// is made as its transpose: there all of C's rows have to be valid.
template <class = void>
void multiply(const Pass& pass, std::size_t k, Matrix a, Matrix b, Places to, float* scratch) {
  const std::size_t m = to.rows, n = to.columns;
  if (m == 0 || n == 0) return;
  if (a.column != 1 && b.column != 1) {
    std::swap(a, b);
    std::swap(a.row, a.column);
    std::swap(b.row, b.column);
    std::swap(to.row, to.column);
    std::swap(to.inner, to.run);
    std::swap(to.outer_row, to.outer_column);
    std::swap(to.takes_rows_apart, to.takes_columns_apart);
    std::swap(to.rows, to.columns);
    to.bias_of_rows = !to.bias_of_rows;
    to.wide = false;
    return multiply(pass, k, a, b, to, scratch);
  }
  if (a.column == 1 && b.row == 1) {
    const auto x = plain_operand<true>(a.at, a.row, m, k);
    const auto y = plain_operand<true>(b.at, b.column, n, k);
    if (uses_inner_products(m, n)) {
      launch(pass, &inner_products_kernel<256>, static_cast<unsigned>(divide_up(divide_up(m, 8) * n, 8)), 256, 0, x, y,
             to);
      return;
    }
    return multiply_tiles(pass, k, 1, x, y, to, scratch);
  }
  const auto y = plain_operand<false>(b.at, b.row, n, k);
  if (a.column == 1) {
    const auto x = plain_operand<true>(a.at, a.row, m, k);
    if (k <= most_few) return few_products(pass, x, y, to);
    return multiply_tiles(pass, k, 1, x, y, to, scratch);
  }
  multiply_tiles(pass, k, 1, plain_operand<false>(a.at, a.column, m, k), y, to, scratch);
}

}  // namespace detail

template <class>
void product(const Pass& pass, std::size_t m, std::size_t n, std::size_t k, Matrix a, Matrix b, Target c,
             float* scratch) {
  detail::multiply(pass, k, a, b, detail::places(c, m, n), scratch);
}

namespace detail {
/// dW [outputs, inputs] += dy^T x and db [outputs] += the sum of dy over `rows` rows, of which those that are not valid
/// count as zero whatever they hold. db may be null.
template <class = void>
void weight_gradient(const Pass& pass, std::size_t rows, std::size_t inputs, std::size_t outputs, const float* x,
                     const float* dy, float* dw, float* db, const ValidSteps& valid, float* scratch) {
  auto of_x = plain_operand<false>(x, inputs, inputs, rows), of_dy = plain_operand<false>(dy, outputs, outputs, rows);
  of_x.valid = of_dy.valid = valid;
  const bool is_transposed = outputs < inputs;  // the longer side goes down
  Places to = places({dw, inputs, nullptr, true}, outputs, inputs);
  if (is_transposed) {
    std::swap(to.row, to.column);
    std::swap(to.rows, to.columns);
    to.wide = false;
  }
  if (db != nullptr) {
    to.sums = db;
    to.sums_of = is_transposed ? SumsOf::columns : SumsOf::rows;
    to.adds_sums = true;
  }
  if (is_transposed)
    multiply_tiles(pass, rows, 1, of_x, of_dy, to, scratch);
  else
    multiply_tiles(pass, rows, 1, of_dy, of_x, to, scratch);
}

/// Sums of a block's rows, a thread for `vector` columns and every so manyth row: to[block row, column].
template <unsigned vector>
__global__ void __launch_bounds__(256)
    column_sum_kernel(std::size_t rows, unsigned columns, const float* x, std::size_t row_stride, float* to,
                      std::size_t rows_each, unsigned lanes, bool adds) {
  __shared__ float shared[256 * vector];
  const unsigned lane = threadIdx.x % lanes, slice = threadIdx.x / lanes, slices = 256 / lanes;
  const unsigned column = (blockIdx.x * lanes + lane) * vector;
  const std::size_t begin = blockIdx.y * rows_each, end = min(rows, begin + rows_each);
  float sum[vector] = {};
  if (column < columns) {
#pragma unroll 4
    for (std::size_t r = begin + slice; r < end; r += slices) {
      const float* from = x + r * row_stride + column;
      if constexpr (vector == 4) {
        const float4 q = *reinterpret_cast<const float4*>(from);
        sum[0] += q.x;
        sum[1] += q.y;
        sum[2] += q.z;
        sum[3] += q.w;
      } else {
        sum[0] += *from;
      }
    }
  }
  float* const mine = shared + threadIdx.x * vector;
#pragma unroll
  for (unsigned c = 0; c < vector; ++c) mine[c] = sum[c];
  for (unsigned half = slices / 2; half > 0; half /= 2) {
    __syncthreads();
    if (slice < half)
#pragma unroll
      for (unsigned c = 0; c < vector; ++c) mine[c] += mine[half * lanes * vector + c];
  }
  if (slice != 0 || column >= columns) return;
#pragma unroll
  for (unsigned c = 0; c < vector; ++c)
    Places::put(to + static_cast<std::size_t>(blockIdx.y) * columns + column + c, mine[c], adds);
}
template <class = void>
void sum_columns(const Pass& pass, std::size_t rows, std::size_t columns, const float* x, std::size_t row_stride,
                 float* to, std::size_t chunks, bool adds) {
  const bool wide = is_aligned(x) && row_stride % 4 == 0 && columns % 4 == 0;
  const std::size_t vectors = wide ? columns / 4 : columns;
  unsigned lanes = 1;
  while (lanes < 32 && lanes < vectors) lanes *= 2;
  const dim3 blocks(static_cast<unsigned>(divide_up(vectors, lanes)), static_cast<unsigned>(chunks));
  const std::size_t rows_each = divide_up(rows, chunks);
  const auto count = static_cast<unsigned>(columns);
  if (wide)
    launch(pass, &column_sum_kernel<4>, blocks, 256, 0, rows, count, x, row_stride, to, rows_each, lanes, adds);
  else
    launch(pass, &column_sum_kernel<1>, blocks, 256, 0, rows, count, x, row_stride, to, rows_each, lanes, adds);
}
}  // namespace detail

template <class>
void column_sum(const Pass& pass, std::size_t rows, std::size_t columns, const float* x, std::size_t row_stride,
                float* to, float* scratch) {
  const std::size_t chunks = scratch == nullptr ? 1 : detail::sum_chunks(rows, columns);
  if (chunks == 1) return detail::sum_columns(pass, rows, columns, x, row_stride, to, 1, true);
  detail::sum_columns(pass, rows, columns, x, row_stride, scratch, chunks, false);
  detail::sum_columns(pass, chunks, columns, scratch, columns, to, 1, true);
}
#endif

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
