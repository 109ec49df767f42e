// ClassToken and FirstStep on the host: copies, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/class_token.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

template <class In, class Backend>
struct ClassTokenKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host class token";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  using S = typename Backend::Scalar;
  static constexpr std::size_t d = In::features, out = In::elements + d;

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      for (std::size_t f = 0; f < d; ++f) y[n * out + f] = w[0][f];
      for (std::size_t i = 0; i < In::elements; ++i) y[n * out + d + i] = x[n * In::elements + i];
    }
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S> g, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      if (g)
        for (std::size_t f = 0; f < d; ++f) g[0][f] += dy[n * out + f];
      if (dx != nullptr)
        for (std::size_t i = 0; i < In::elements; ++i) dx[n * In::elements + i] += dy[n * out + d + i];
    }
  }
};

template <class In, class Backend>
struct FirstStepKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host first step";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  using S = typename Backend::Scalar;
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t f = 0; f < In::features; ++f) y[n * In::features + f] = x[n * In::elements + f];
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t f = 0; f < In::features; ++f) dx[n * In::elements + f] += dy[n * In::features + f];
  }
};

template <class In, HostBackend Backend>
ClassTokenKernel<In, Backend> select_kernel(rank::Layer, Placed<ClassToken, In>, Backend);
template <class In, HostBackend Backend>
FirstStepKernel<In, Backend> select_kernel(rank::Layer, Placed<FirstStep, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
