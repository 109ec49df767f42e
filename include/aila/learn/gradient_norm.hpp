// The length of a gradient, and the factor that cuts it to a maximum.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include "../core/config.hpp"

namespace aila::inline v0 {

/// The Euclidean norm, summed in double in eight lanes of fixed order: the same bits however the caller is threaded.
/// Tag is any type; a backend gives its own, so that code compiled for two architectures has two symbols.
template <class Tag = void, class Scalar>
double gradient_norm(std::span<const Scalar> gradients) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> sums{};
  const Scalar* g = gradients.data();
  const std::size_t count = gradients.size();
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (std::size_t k = 0; k < lanes; ++k) {
      const auto x = static_cast<double>(g[i + k]);
      sums[k] += x * x;
    }
  }
  for (; i < count; ++i) {
    const auto x = static_cast<double>(g[i]);
    sums[i % lanes] += x * x;
  }
  for (std::size_t half = lanes / 2; half > 0; half /= 2)
    for (std::size_t k = 0; k < half; ++k) sums[k] += sums[k + half];
  return std::sqrt(sums[0]);
}

/// The factor that brings a gradient of this norm to at most max_norm: min(1, max_norm / (norm + 1e-6)), as PyTorch's
/// clip_grad_norm_. 1 where max_norm is not positive (no clipping) or the norm is not a number.
constexpr double clip_factor(double norm, double max_norm) {
  if (!(max_norm > 0)) return 1;
  const double factor = max_norm / (norm + 1e-6);
  return factor < 1 ? factor : 1;
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
