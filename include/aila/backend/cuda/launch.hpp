// How kernels are started, in code that nvcc compiles. A host compiler sees what kernels say of themselves, and that
// their functions are there.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <mutex>
#include <utility>

#include "instructions.hpp"
#include "queue.hpp"

namespace aila::inline v0::cuda {

constexpr std::size_t divide_up(std::size_t n, std::size_t by) {
  return (n + by - 1) / by;
}

/// Blocks of `threads` for n elements; more than `most` are gone through in a loop (for_each_element).
constexpr unsigned blocks_for(std::size_t n, std::size_t threads, std::size_t most = 132 * 16) {
  return static_cast<unsigned>(std::min(divide_up(n, threads), most));
}

/// Allows a kernel on the thread's device so many bytes of dynamic shared memory. What was allowed once stays: another
/// thread may be about to start the kernel with as many.
inline void allow_shared(const void* kernel, std::size_t bytes) {
  static std::mutex mutex;
  static std::map<std::pair<const void*, int>, std::size_t> allowed;
  const std::lock_guard<std::mutex> lock(mutex);
  std::size_t& most = allowed[{kernel, current_device()}];
  if (bytes <= most) return;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
        "cudaFuncSetAttribute");
  most = bytes;
}

/// Whether a block may have so many bytes of shared memory on the device of the thread.
inline bool gives_shared(std::size_t bytes) {
  int device = 0, most = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), "cudaDeviceGetAttribute");
  return bytes <= static_cast<std::size_t>(most);
}

#ifdef __CUDACC__
/// Starts kernel<<<blocks, threads, shared>>>(arguments...) on the pass's stream; nothing for no blocks.
template <class... P, class... A>
void launch(const Pass& pass, void (*kernel)(P...), dim3 blocks, dim3 threads, std::size_t shared, A&&... arguments) {
  if (blocks.x == 0 || blocks.y == 0 || blocks.z == 0) return;
  if (shared > 16 * 1024)  // beside what a kernel declares, all of it may be more than 48 KiB
    allow_shared(reinterpret_cast<const void*>(kernel), shared);
  start(kernel, blocks, threads, shared, stream_of(pass), static_cast<P>(arguments)...);
  check(cudaGetLastError(), "a kernel's start");
}

/// f(i) for all i < n, by all threads of the grid.
template <class F>
__device__ void for_each_element(std::size_t n, F&& f) {
  const std::size_t all = static_cast<std::size_t>(gridDim.x) * blockDim.x;
  for (std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += all) f(i);
}
template <class F>
__global__ void element_kernel(std::size_t n, F f) {
  for_each_element(n, f);
}
/// The same from the host: f is a struct with `__device__ void operator()(std::size_t i) const`, copied to the device.
template <class F>
void over_elements(const Pass& pass, std::size_t n, F f) {
  launch(pass, &element_kernel<F>, blocks_for(n, 256), 256, 0, n, f);
}
#endif

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
