// Kernels with one fault each, named on the command line: the emulated device says which and where.
#include <aila/backend/cuda/launch.hpp>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace faults {  // with a name: a kernel is named where it fails

using namespace aila;

__global__ void meets_elsewhere(float*) {
  if (threadIdx.x < 32)
    __syncthreads();
  else
    __syncthreads();
}
__global__ void leaves_others_waiting(float*) {
  if (threadIdx.x == 40) return;
  __syncthreads();
}
__global__ void reads_behind_an_array(float* x) {
  x[threadIdx.x] = x[threadIdx.x + 100];
}
__global__ void writes_behind_an_array(float* x) {
  x[threadIdx.x + 1] = 0.5F;
}
__global__ void goes_behind_shared_memory(float* x) {
  x[threadIdx.x] = cuda::dynamic_shared()[threadIdx.x + 1];
}
__global__ void lacks_a_barrier(float* x) {
  __shared__ float all[64];
  all[threadIdx.x] = 1;
  x[threadIdx.x] = all[63 - threadIdx.x];
}
__global__ void does_not_wait_for_a_copy(float* x) {
  float* const own = cuda::dynamic_shared() + threadIdx.x;
  cuda::detail::copy_4(own, x + threadIdx.x, 4);
  cuda::detail::end_group_of_copies();
  x[threadIdx.x] = *own;
}
__global__ void waits_for_another_block(float* x) {
  volatile float* const of = x;
  of[blockIdx.x] = 1;
  while (of[1 - blockIdx.x] != 1) {
  }
}

constexpr struct {
  std::string_view name;
  void (*kernel)(float*);
} kernels[] = {
    {"meets_elsewhere", &meets_elsewhere},
    {"leaves_others_waiting", &leaves_others_waiting},
    {"reads_behind_an_array", &reads_behind_an_array},
    {"writes_behind_an_array", &writes_behind_an_array},
    {"goes_behind_shared_memory", &goes_behind_shared_memory},
    {"lacks_a_barrier", &lacks_a_barrier},
    {"does_not_wait_for_a_copy", &does_not_wait_for_a_copy},
    {"waits_for_another_block", &waits_for_another_block},
};

}  // namespace faults

int main(int, char** arguments) {
  using namespace faults;
  const cuda::Queue queue;
  Pass pass;
  pass.queue = const_cast<cuda::Queue*>(&queue);
  cuda::Array<float> x(64);
  float found[64];
  emulated::set_patience(0.5);
  for (const auto& of : kernels)
    if (of.name == arguments[1])
      cuda::launch(pass, of.kernel, of.kernel == &waits_for_another_block ? 2 : 1, 64, 256, x.data());
  queue.to_host(x.data(), 64, found);
  for (const float number : found)
    if (std::isnan(number)) return std::puts("poison was read"), 1;
  return std::puts("nothing was found"), 1;
}
