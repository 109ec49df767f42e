// How kernels are started, in code that nvcc compiles. A host compiler sees what kernels say of themselves, and that
// their functions are there.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "instructions.hpp"
#include "queue.hpp"

namespace aila::inline v0::cuda {

constexpr std::size_t divide_up(std::size_t n, std::size_t by) {
  return (n + by - 1) / by;
}

/// Of the device that grids are cut for. Another one, or a part of one, takes its blocks in more rounds or fewer; the
/// order in which numbers are summed follows from this number and from the kernels that the device has. No block waits
/// for another one of its grid, which might not run yet: what needs all of them is another kernel's, or the last
/// block's.
inline constexpr std::size_t multiprocessors = 132;

/// Blocks of `threads` for n elements; more than `most` are gone through in a loop (for_each_element).
constexpr unsigned blocks_for(std::size_t n, std::size_t threads, std::size_t most = multiprocessors * 16) {
  return static_cast<unsigned>(std::min(divide_up(n, threads), most));
}

/// Bytes of shared memory that a kernel declares itself, as it was compiled for the thread's device.
inline std::size_t declared_shared(const void* kernel) {
  cudaFuncAttributes of{};
  check(cudaFuncGetAttributes(&of, kernel), "cudaFuncGetAttributes");
  return of.sharedSizeBytes;
}

/// Whether a block may have so many bytes of shared memory on the device of the thread.
inline bool gives_shared(std::size_t bytes) {
  int device = 0, most = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), "cudaDeviceGetAttribute");
  return bytes <= static_cast<std::size_t>(most);
}

/// Allows a kernel on the thread's device so many bytes of dynamic shared memory. What was allowed once stays: another
/// thread may be about to start the kernel with as many.
inline void allow_shared(const void* kernel, std::size_t bytes) {
  static std::mutex mutex;
  static std::map<std::pair<const void*, int>, std::size_t> allowed;
  const std::lock_guard<std::mutex> lock(mutex);
  std::size_t& most = allowed[{kernel, current_device()}];
  if (bytes <= most) return;
  const auto size = static_cast<int>(bytes);
  const cudaError_t answer = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, size);
  if (answer == cudaErrorInvalidValue) cudaGetLastError();
  if (answer == cudaErrorInvalidValue && !gives_shared(bytes + declared_shared(kernel))) {
    throw_error("cuda: expected a GPU that gives a block ", bytes, " bytes of shared memory, found ",
                device_text(current_device()));
  }
  check(answer, "cudaFuncSetAttribute");
  most = bytes;
}

/// The pass of a kernel's start, and where in the program that is.
struct From {
  const Pass& pass;
  const char* file;
  int line;
  From(const Pass& of, const char* at = __builtin_FILE(), int number = __builtin_LINE())
      : pass(of), file(at), line(number) {}
};

/// The last name of a mangled one, without parameters: "element_kernel".
constexpr std::string_view last_name(std::string_view mangled) {
  std::string_view last;
  std::size_t at = mangled.find_first_of("0123456789");
  while (at < mangled.size() && mangled[at] >= '0' && mangled[at] <= '9') {
    std::size_t size = 0;
    while (at < mangled.size() && mangled[at] >= '0' && mangled[at] <= '9')
      size = 10 * size + static_cast<std::size_t>(mangled[at++] - '0');
    last = mangled.substr(std::min(at, mangled.size()), size);
    at += size;
  }
  return last;
}
[[gnu::cold, gnu::noinline]] inline void refuse_start(cudaError_t error, const void* kernel, const char* file,
                                                      int line) {
  const char* mangled = nullptr;
  const bool known = cudaFuncGetName(&mangled, kernel) == cudaSuccess && mangled != nullptr;
  const std::string call = "the start of " + (known ? std::string(last_name(mangled)) : std::string("a kernel"));
  check(error, call.c_str(), file, line);
}

#ifdef __CUDACC__
/// Starts kernel<<<blocks, threads, shared>>>(arguments...) on the pass's stream; nothing for no blocks.
template <class... P, class... A>
void launch(const From& from, void (*kernel)(P...), dim3 blocks, dim3 threads, std::size_t shared, A&&... arguments) {
  if (blocks.x == 0 || blocks.y == 0 || blocks.z == 0) return;
  if (shared > 16 * 1024)  // beside what a kernel declares, all of it may be more than 48 KiB
    allow_shared(reinterpret_cast<const void*>(kernel), shared);
  start(kernel, blocks, threads, shared, stream_of(from.pass), static_cast<P>(arguments)...);
  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess)
    refuse_start(error, reinterpret_cast<const void*>(kernel), from.file, from.line);
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
void over_elements(const From& from, std::size_t n, F f) {
  launch(from, &element_kernel<F>, blocks_for(n, 256), 256, 0, n, f);
}
#endif

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
