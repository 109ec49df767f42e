// Linear in plain loops.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/linear.hpp"
#include "../kernel.hpp"
#include "reference.hpp"

namespace aila::inline v0 {

/// y = W x + b at each position; dW = dy x^T, db = dy, dx = W^T dy, summed over positions.
template <class S, std::size_t Features, class In>
struct ReferenceLinear : KernelDefaults<S> {
  static constexpr const char* name = "reference linear";
  static constexpr std::size_t inputs = In::features;

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    const std::size_t rows = pass.samples * In::positions;
    for (std::size_t p = 0; p < rows; ++p)
      for (std::size_t o = 0; o < Features; ++o) {
        S sum = w[1][o];
        for (std::size_t i = 0; i < inputs; ++i) sum += w[0][o * inputs + i] * x[p * inputs + i];
        y[p * Features + o] = sum;
      }
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                                 Gradients<S> g, NothingSaved&, S*) {
    const std::size_t rows = pass.samples * In::positions;
    for (std::size_t p = 0; p < rows; ++p)
      for (std::size_t o = 0; o < Features; ++o) {
        const S d = dy[p * Features + o];
        if (g) g[1][o] += d;
        for (std::size_t i = 0; i < inputs; ++i) {
          if (g) g[0][o * inputs + i] += d * x[p * inputs + i];
          if (dx != nullptr) dx[p * inputs + i] += w[0][o * inputs + i] * d;
        }
      }
  }
};

template <class S, std::size_t Features, class... Options, class In>
ReferenceLinear<S, Features, In> select_kernel(rank::Layer, Placed<Linear<Features, Options...>, In>,
                                               backend::Reference<S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
