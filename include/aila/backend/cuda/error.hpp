// Answers of the CUDA runtime: each call is looked at, and what fails says which call, on which device, and where.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cuda_runtime_api.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../../core/no_memory.hpp"

namespace aila::inline v0::cuda {

/// "device 0 (NVIDIA H200)".
[[gnu::cold, gnu::noinline]] inline std::string device_text(int device) {
  cudaDeviceProp of{};
  const bool known = cudaGetDeviceProperties(&of, device) == cudaSuccess;
  return "device " + std::to_string(device) + (known ? std::string(" (") + of.name + ")" : "");
}

/// "queue.hpp:52".
[[gnu::cold, gnu::noinline]] inline std::string place_text(std::string_view file, int line) {
  const std::size_t slash = file.find_last_of('/');
  return std::string(file.substr(slash == file.npos ? 0 : slash + 1)) + ":" + std::to_string(line);
}

/// The sentence of a call that failed. What is wrong with the machine is said as what to do about it.
[[gnu::cold, gnu::noinline]] inline std::string error_sentence(cudaError_t error, const char* call, const char* file,
                                                               int line) {
  if (error == cudaErrorNoDevice) return "cuda: expected an NVIDIA GPU, found none";
  if (error == cudaErrorInsufficientDriver || error == cudaErrorUnsupportedPtxVersion ||
      error == cudaErrorCallRequiresNewerDriver) {
    int driver = 0, runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    const auto version = [](int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); };
    return "cuda: expected a driver for CUDA " + version(runtime) + " or newer, found " +
           (driver == 0 ? std::string("none") : "one for CUDA " + version(driver));
  }
  int device = -1;
  cudaGetDevice(&device);
  if (error == cudaErrorNoKernelImageForDevice)
    return "cuda: this program was compiled for other GPUs than device " + std::to_string(device) +
           "; add its architecture to CMAKE_CUDA_ARCHITECTURES";
  return std::string("cuda: ") + call + " failed on device " + std::to_string(device) + ": " +
         cudaGetErrorString(error) + " (" + place_text(file, line) + ")";
}

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_no_memory(const std::string& where, const std::string& asked) {
  const std::string sentence = "cuda: expected no more than " + where + " has memory for, found " + asked;
  aila::detail::throw_as<aila::detail::NoMemory>(sentence, where, asked);
}
/// Of the thread's device, which was asked for `what`.
[[noreturn, gnu::cold, gnu::noinline]] inline void throw_no_device_memory(const std::string& what) {
  int device = -1;
  cudaGetDevice(&device);
  std::size_t free = 0, all = 0;
  const bool known = cudaMemGetInfo(&free, &all) == cudaSuccess;
  throw_no_memory(device_text(device), what + (known ? ", " + std::to_string(free) + " bytes free" : ""));
}

/// Throws Error where a call failed, one that is NoMemory where the device had no memory for it. After an error of a
/// kernel (an address that is none, for example) every later call of the process fails, and says the same.
inline void check(cudaError_t error, const char* call, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  if (error == cudaSuccess) [[likely]]
    return;
  cudaGetLastError();  // what can be forgotten is forgotten
  if (error == cudaErrorMemoryAllocation)
    throw_no_device_memory(std::string("what ") + call + " takes (" + place_text(file, line) + ")");
  throw_error(error_sentence(error, call, file, line));
}

[[gnu::cold, gnu::noinline]] inline void expect_new_enough(int device) {
  int major = 0, minor = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "cudaDeviceGetAttribute");
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "cudaDeviceGetAttribute");
  if (major < 8)
    throw_error("cuda: expected a GPU of compute capability 8.0 or newer, found ", major, ".", minor, " of ",
                device_text(device));
}
/// The thread's. Throws Error where kernels do not run on it, which is asked once of each device.
inline int current_device() {
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  static std::atomic<std::uint64_t> new_enough{0};
  const std::uint64_t bit = device < 64 ? std::uint64_t{1} << device : 0;
  if ((new_enough.load(std::memory_order_relaxed) & bit) == 0) {
    expect_new_enough(device);
    new_enough.fetch_or(bit, std::memory_order_relaxed);
  }
  return device;
}

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
