// Stochastic depth on the host: one draw a sample, and a scaled copy, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/stochastic_depth.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

/// Backward draws again: nothing is kept.
template <class L, class In, class Backend>
struct StochasticDepthKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host stochastic depth";
  static constexpr bool stays_normal = true;
  static constexpr bool copies = true;
  using S = typename Backend::Scalar;
  static constexpr double probability = L::probability;
  static constexpr std::uint32_t threshold = static_cast<std::uint32_t>(probability * 4294967296.0);

  /// What sample n of the group is multiplied by.
  static constexpr S factor(const Pass& pass, std::size_t n) {
    if (!pass.training) return S(1);
    const Random random(pass.seed, Purpose::dropout, pass.step, pass.path);
    return random.bits(pass.first_sample + n, 0) < threshold ? S(0) : S(1 / (1 - probability));
  }
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const S scale = factor(pass, n);
      for (std::size_t i = n * In::elements; i < (n + 1) * In::elements; ++i) y[i] = scale * x[i];
    }
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const S scale = factor(pass, n);
      for (std::size_t i = n * In::elements; i < (n + 1) * In::elements; ++i) dx[i] += scale * dy[i];
    }
  }
};

template <std::size_t Part, std::size_t Of, class In, HostBackend Backend>
StochasticDepthKernel<StochasticDepth<Part, Of>, In, Backend> select_kernel(rank::Layer,
                                                                            Placed<StochasticDepth<Part, Of>, In>,
                                                                            Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
