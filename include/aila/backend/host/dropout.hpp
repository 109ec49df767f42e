// Dropout on the host. Bound by the generator: ten rounds of Philox for four elements.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/dropout.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

/// Backward draws the mask again: nothing is kept.
template <std::size_t Percent, class In, class Backend>
struct DropoutKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host dropout";
  static constexpr bool stays_normal = true;
  static constexpr bool copies = true;
  using S = typename Backend::Scalar;
  static constexpr S kept = S(1 / (1 - Dropout<Percent>::probability));
  static constexpr std::uint32_t threshold = static_cast<std::uint32_t>(Dropout<Percent>::probability * 4294967296.0);

  /// f(element, factor) for every element of the group.
  template <class F>
  static constexpr void for_each_factor(const Pass& pass, F&& f) {
    const Random random(pass.seed, Purpose::dropout, pass.step, pass.path);
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t e = 0; e < In::elements; e += 4) {
        const auto words = random.block(pass.first_sample + n, e / 4);
        for (std::size_t k = 0; k < 4 && e + k < In::elements; ++k)
          f(n * In::elements + e + k, words[k] < threshold ? S(0) : kept);
      }
  }
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    if (pass.training)
      for_each_factor(pass, [&](std::size_t i, S factor) { y[i] = factor * x[i]; });
    else
      for (std::size_t i = 0; i < pass.samples * In::elements; ++i) y[i] = x[i];
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    if (pass.training)
      for_each_factor(pass, [&](std::size_t i, S factor) { dx[i] += factor * dy[i]; });
    else
      for (std::size_t i = 0; i < pass.samples * In::elements; ++i) dx[i] += dy[i];
  }
};

template <std::size_t Percent, class In, HostBackend Backend>
DropoutKernel<Percent, In, Backend> select_kernel(rank::Layer, Placed<Dropout<Percent>, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
