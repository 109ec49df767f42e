// A layer of a user that carries a state from step to step, by a kernel that knows nothing of blocks of steps.
#pragma once

#include <aila/aila.hpp>

namespace aila {

/// y_t = x_t + 0.5 y_{t-1}; the kernel keeps y in what a stream saves.
struct Decay {
  template <SequenceShape In>
  using Out = In;
  template <class In>
  static constexpr bool streams = true;
};
template <class In, class Backend>
struct DecayKernel : KernelDefaults<typename Backend::Scalar> {
  using S = typename Backend::Scalar;
  template <Capability C>
  struct Saved {
    S* last = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t samples) { last = arena.take(samples * In::features); }
  };
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, Saved<C>& saved, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      S* const last = saved.last + n * In::features;
      for (std::size_t f = 0; f < In::features && C != Capability::stream; ++f) last[f] = S(0);
      for (std::size_t t = 0; t < In::positions; ++t)
        for (std::size_t f = 0; f < In::features; ++f) *y++ = last[f] = *x++ + S(0.5) * last[f];
    }
  }
};
template <class In, HostBackend Backend>
DecayKernel<In, Backend> select_kernel(rank::Layer, Placed<Decay, In>, Backend);

}  // namespace aila
