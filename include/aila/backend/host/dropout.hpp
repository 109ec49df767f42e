// Dropout and stochastic depth on the host: elements of a draw are kept and scaled, or zero. Bound by the generator
// where each element has a draw of its own, ten rounds of Philox for four of them, and else by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/dropout.hpp"
#include "../../layer/stochastic_depth.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

/// `Draws` of a sample, each for as many of its elements. Backward draws again: nothing is kept.
template <class L, std::size_t Draws, class In, class Backend>
struct DropoutKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host dropout";
  static constexpr bool stays_normal = true;
  static constexpr bool copies = true;
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr bool sets_input_gradient = true;
  using S = typename Backend::Scalar;
  static constexpr S kept = S(1 / (1 - L::probability));
  static constexpr std::uint32_t threshold = static_cast<std::uint32_t>(L::probability * 4294967296.0);

  /// f(element, factor) for every element of the group.
  template <class F>
  static constexpr void for_each_factor(const Pass& pass, F&& f) {
    const Random random(pass.seed, Purpose::dropout, pass.step, pass.path);
    constexpr std::size_t each = In::elements / Draws;
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t draw = 0; draw < Draws; draw += 4) {
        const auto words = random.block(pass.first_sample + n, draw / 4);
        for (std::size_t k = 0; k < 4 && draw + k < Draws; ++k) {
          const S factor = words[k] < threshold ? S(0) : kept;
          const std::size_t first = n * In::elements + (draw + k) * each;
          if constexpr (each == 1)  // a loop would keep g++ from writing out the four
            f(first, factor);
          else
            for (std::size_t i = first; i < first + each; ++i) f(i, factor);
        }
      }
  }
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    if (pass.training)
      for_each_factor(pass, [&](std::size_t i, S factor) { y[i] = factor * x[i]; });
    else if (x != y)
      for (std::size_t i = 0; i < pass.samples * In::elements; ++i) y[i] = x[i];
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved& nothing, S*) {
    if (dx == nullptr) return;
    if (pass.sets_input_gradient)
      return forward<C>(pass, Weights<S>(nullptr, nullptr), nullptr, dy, dx, nothing, nullptr);
    if (pass.training)
      for_each_factor(pass, [&](std::size_t i, S factor) { dx[i] += factor * dy[i]; });
    else
      for (std::size_t i = 0; i < pass.samples * In::elements; ++i) dx[i] += dy[i];
  }
};

template <class L, class In, class Backend>
struct StochasticDepthKernel : DropoutKernel<L, 1, In, Backend> {
  static constexpr const char* name = "host stochastic depth";
};

template <std::size_t Percent, class In, HostBackend Backend>
DropoutKernel<Dropout<Percent>, In::elements, In, Backend> select_kernel(rank::Layer, Placed<Dropout<Percent>, In>,
                                                                         Backend);
template <std::size_t Part, std::size_t Of, class In, HostBackend Backend>
StochasticDepthKernel<StochasticDepth<Part, Of>, In, Backend> select_kernel(rank::Layer,
                                                                            Placed<StochasticDepth<Part, Of>, In>,
                                                                            Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
