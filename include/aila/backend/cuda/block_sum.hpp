// The sum over the threads of a block, in one order.
#pragma once

#include "../../core/macros_aside.hpp"

#include "launch.hpp"

#ifdef __CUDACC__
namespace aila::inline v0::cuda {

/// In a tree of the threads' places, for all of them. Threads is a power of two, and all threads of the block call it.
template <unsigned Threads>
__device__ double sum_of_block(double own) {
  __shared__ double all[Threads];
  all[threadIdx.x] = own;
  for (unsigned half = Threads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) all[threadIdx.x] += all[threadIdx.x + half];
  }
  __syncthreads();
  const double sum = all[0];
  __syncthreads();  // another sum may follow
  return sum;
}

}  // namespace aila::inline v0::cuda
#endif

#include "../../core/macros_back.hpp"
