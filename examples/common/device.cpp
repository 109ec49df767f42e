#include "device.hpp"

#include "command_line.hpp"

namespace example {

Device device_of(const std::string& name) {
#if defined(AILA_EXAMPLES_CUDA)
  require_one_of("--device", name, device_names());
  if (name == "cpu") return Device::cpu;
  int count = 0;
  aila::cuda::check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (count == 0) throw aila::Error("--device: expected an NVIDIA GPU, found none");
  return Device::cuda;
#else
  if (name == "cuda")
    throw aila::Error("--device: expected a program that was compiled with -DAILA_CUDA=ON, found one without CUDA");
  require_one_of("--device", name, device_names());
  return Device::cpu;
#endif
}

}  // namespace example
