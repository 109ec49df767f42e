// What kernels of linear integration on a GPU ask of every item: the vectors that scores are products with.
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

#endif

}  // namespace aila::inline v0::cuda::depth

#include "../../core/macros_back.hpp"
