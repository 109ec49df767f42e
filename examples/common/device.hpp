// Where networks are trained and predict: on the host's processors, or on an NVIDIA GPU where the program was compiled
// for one (AILA_CUDA=ON).
#pragma once

#include <aila/any_model.hpp>
#include <memory>
#include <string>
#include <vector>

#if defined(AILA_EXAMPLES_CUDA)
#include <aila/backend/cuda/cuda.hpp>
#endif

namespace example {

enum class Device { cpu, cuda };

/// The devices that this program was compiled for.
inline const std::vector<std::string>& device_names() {
#if defined(AILA_EXAMPLES_CUDA)
  static const std::vector<std::string> names{"cpu", "cuda"};
#else
  static const std::vector<std::string> names{"cpu"};
#endif
  return names;
}
/// The device of that name. Throws aila::Error for another, and where there is no GPU.
Device device_of(const std::string& name);

/// A model of a network that is compiled in a unit of its own.
template <class Net, class Loss = aila::MeanSquaredError>
auto make_model([[maybe_unused]] Device device, aila::Seed seed, const Loss& loss = {}) {
#if defined(AILA_EXAMPLES_CUDA)
  if (device == Device::cuda) return aila::NetworkUnit<Net, Loss, aila::backend::Cuda>::make_with(seed, loss);
#endif
  return aila::NetworkUnit<Net, Loss>::make_with(seed, loss);
}

}  // namespace example
