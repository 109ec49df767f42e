// What kernels of linear integration on a GPU ask of every item, the vectors that scores are products with, and how
// they sum such numbers up.
#pragma once

#include "../../core/macros_aside.hpp"

#include "depth.hpp"

namespace aila::inline v0::cuda::depth {

/// The items of a row: number 0 is the own one; a task is the last.
struct LinearItems {
  Addresses<const float> of;
  int n;
};

#ifdef __CUDACC__

/// The vectors W_i^T w of all items and scores; of the own item and the task, w in its head's slice.
template <class Z>
__device__ void make_vectors(int n, const Addresses<const float>& maps, const float* score, float* to) {
  const int count = n - 1 - (Z::has_task ? 1 : 0);
  for (int e = static_cast<int>(threadIdx.x); e < Z::vectors(n) * Z::d; e += static_cast<int>(blockDim.x)) {
    const int f = e % Z::d, head = e / Z::d % Z::heads, which = e / (Z::d * Z::heads);
    const int item = Z::context ? which / n : which, of_score = Z::context ? which % n : which;
    const float* const w = score + Z::score_at(n, item, of_score, head);
    float sum = 0;
    if (item == 0 || item > count) {
      if (f / Z::slice == head) sum = w[f % Z::slice];
    } else {
      const float* const column = maps.of[item - 1] + head * Z::slice * Z::d + f;
#pragma unroll 16
      for (int s = 0; s < Z::slice; ++s) sum = fmaf(column[s * Z::d], w[s], sum);
    }
    to[e] = sum;
  }
}

/// The sums of `count` numbers over `lanes` lanes: number l % count in lane l where count is a power of two, else all
/// of them in all lanes.
template <int lanes, int count>
__device__ void sum_numbers(float (&x)[count], int lane) {
  if constexpr ((count & (count - 1)) == 0 && count <= lanes) {
    int far = 1;
#pragma unroll
    for (int left = count; left > 1; left /= 2, far *= 2) {
      const bool upper = (lane & far) != 0;
#pragma unroll
      for (int j = 0; j < left / 2; ++j) {
        const float mine = upper ? x[2 * j + 1] : x[2 * j], other = upper ? x[2 * j] : x[2 * j + 1];
        x[j] = mine + __shfl_xor_sync(0xffffffffU, other, far);
      }
    }
#pragma unroll
    for (int rest = count; rest < lanes; rest *= 2) x[0] += __shfl_xor_sync(0xffffffffU, x[0], rest);
  } else {
#pragma unroll
    for (int j = 0; j < count; ++j) x[j] = tile::sum_over<lanes>(x[j]);
  }
}
template <int lanes, int count>
inline constexpr bool spreads_numbers = (count & (count - 1)) == 0 && count <= lanes;

#endif

}  // namespace aila::inline v0::cuda::depth

#include "../../core/macros_back.hpp"
