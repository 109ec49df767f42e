// The Cuda backend: float32 on an NVIDIA GPU.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../backend.hpp"
#include "../host/lanes.hpp"
#include "graph.hpp"
#include "memory.hpp"
#include "queue.hpp"

namespace aila::inline v0 {
namespace backend {

/// A batch is one group: a device has its own ways to share it.
struct WholeBatch {
  std::size_t groups;
  std::size_t samples;
  static constexpr std::size_t evaluation = 256;
  static constexpr std::size_t most = 1;
  static constexpr WholeBatch of(std::size_t batch, std::size_t = 0) { return {batch > 0 ? 1U : 0U, batch}; }
  static constexpr std::size_t most_samples(std::size_t batch, std::size_t = 0) { return batch; }
  static constexpr std::size_t most_groups(std::size_t, std::size_t = 0) { return 1; }
};

struct CudaMemory {
  static constexpr bool is_host = false;
  template <class T>
  using Array = cuda::Array<T>;
  template <class T>
  using HostArray = cuda::PinnedArray<T>;
};

/// Of the device that is the thread's (cudaSetDevice).
struct Cuda {
  using Scalar = float;
  using Types = backend::Types<float>;
  using Memory = CudaMemory;
  using Queue = cuda::Queue;
  using Split = WholeBatch;
  struct FloatMode {
    constexpr FloatMode() = default;
  };
  static constexpr bool is_host = false;
  static constexpr bool runs_plans = true, is_cuda = true;
  static constexpr bool pools_in_steps = true;  ///< the largest maps are read once, and their gradients written once
  static constexpr const char* name = "cuda";
};

}  // namespace backend

/// Bodies are run for one position, or one sample, by one thread.
template <>
struct Lanes<backend::Cuda> {
  using V = float;
  static constexpr std::size_t count = 1;
};

/// Kernels of this folder are for these; in templates, of which a host compiler sees that they are there.
template <class B>
concept CudaBackend = requires { requires B::is_cuda; };

static_assert(ComputeBackend<backend::Cuda>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
