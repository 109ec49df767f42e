// Flatten, LastStep and MeanOverPositions on the host: copies and sums, bound by memory.
#pragma once

#include "../../layer/readout.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

template <class In, class Backend>
struct FlattenKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host flatten";
  using S = typename Backend::Scalar;
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t i = 0; i < pass.samples * In::elements; ++i) y[i] = x[i];
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    for (std::size_t i = 0; i < pass.samples * In::elements; ++i) dx[i] += dy[i];
  }
};

/// A sample of length 0 reads its first step.
template <class In, class Backend>
struct LastStepKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host last step";
  using S = typename Backend::Scalar;
  static constexpr std::size_t row(const Pass& pass, std::size_t n) {
    const std::size_t length = pass.length(n, In::positions);
    return n * In::positions + (length > 0 ? length - 1 : 0);
  }
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t f = 0; f < In::features; ++f) y[n * In::features + f] = x[row(pass, n) * In::features + f];
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t f = 0; f < In::features; ++f) dx[row(pass, n) * In::features + f] += dy[n * In::features + f];
  }
};

/// Only sequences have lengths. A sample of length 0 has the mean 0.
template <class In, class Backend>
struct MeanKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host mean";
  using S = typename Backend::Scalar;
  static constexpr std::size_t valid(const Pass& pass, std::size_t n) {
    return In::rank == 2 ? pass.length(n, In::positions) : In::positions;
  }
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t count = valid(pass, n);
      const S share = count > 0 ? S(1) / S(count) : S(0);
      S* mean = y + n * In::features;
      for (std::size_t f = 0; f < In::features; ++f) mean[f] = S(0);
      for (std::size_t p = 0; p < count; ++p)
        for (std::size_t f = 0; f < In::features; ++f) mean[f] += x[(n * In::positions + p) * In::features + f];
      for (std::size_t f = 0; f < In::features; ++f) mean[f] *= share;
    }
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t count = valid(pass, n);
      const S share = count > 0 ? S(1) / S(count) : S(0);
      for (std::size_t p = 0; p < count; ++p)
        for (std::size_t f = 0; f < In::features; ++f)
          dx[(n * In::positions + p) * In::features + f] += share * dy[n * In::features + f];
    }
  }
};

template <class In, HostBackend Backend>
FlattenKernel<In, Backend> select_kernel(rank::Layer, Placed<Flatten, In>, Backend);
template <class In, HostBackend Backend>
LastStepKernel<In, Backend> select_kernel(rank::Layer, Placed<LastStep, In>, Backend);
template <class In, HostBackend Backend>
MeanKernel<In, Backend> select_kernel(rank::Layer, Placed<MeanOverPositions, In>, Backend);

}  // namespace aila::inline v0
