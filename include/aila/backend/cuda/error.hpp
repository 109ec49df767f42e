// Answers of the CUDA runtime: each call is looked at, and what fails says which call, on which device, and where.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cuda_runtime_api.h>

#include <new>
#include <source_location>
#include <string>

#include "../../core/error.hpp"

namespace aila::inline v0::cuda {

/// The sentence of a call that failed. What is wrong with the machine is said as what to do about it.
[[gnu::cold, gnu::noinline]] inline std::string error_sentence(cudaError_t error, const char* call,
                                                               const std::source_location& where) {
  if (error == cudaErrorNoDevice) return "cuda: expected an NVIDIA GPU, found none";
  if (error == cudaErrorInsufficientDriver) {
    int driver = 0, runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    const auto version = [](int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); };
    return "cuda: expected a driver for CUDA " + version(runtime) + " or newer, found " +
           (driver == 0 ? std::string("none") : "one for CUDA " + version(driver));
  }
  int device = -1;
  cudaGetDevice(&device);
  const std::string_view file = where.file_name();
  const std::size_t slash = file.find_last_of('/');
  if (error == cudaErrorNoKernelImageForDevice)
    return "cuda: this program was compiled for other GPUs than device " + std::to_string(device) +
           "; add its architecture to CMAKE_CUDA_ARCHITECTURES";
  return std::string("cuda: ") + call + " failed on device " + std::to_string(device) + ": " +
         cudaGetErrorString(error) + " (" + std::string(file.substr(slash == file.npos ? 0 : slash + 1)) + ":" +
         std::to_string(where.line()) + ")";
}

/// Throws std::bad_alloc where the device has no memory left, Error where a call failed otherwise. After an error of a
/// kernel (an address that is none, for example) every later call of the process fails, and says the same.
inline void check(cudaError_t error, const char* call,
                  const std::source_location& where = std::source_location::current()) {
  if (error == cudaSuccess) [[likely]]
    return;
  cudaGetLastError();  // what can be forgotten is forgotten
  if (error == cudaErrorMemoryAllocation) aila::detail::throw_as<std::bad_alloc>();
  throw_error(error_sentence(error, call, where));
}

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
