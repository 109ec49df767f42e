// Attention pooling in plain loops.
#pragma once

#include "../../core/macros_aside.hpp"

#include <string>

#include "../../layer/attention_pooling.hpp"
#include "../kernel.hpp"
#include "reference.hpp"

namespace aila::inline v0 {

/// As in layer/attention_pooling.hpp. With u = tanh(W x + b): da_t = <dy, x_t>, ds = a (da - sum a da),
/// dz_t = ds_t v (1 - u_t^2), dx_t = a_t dy + W^T dz_t.
template <class S, std::size_t Width, class In>
struct ReferenceAttentionPooling : KernelDefaults<S> {
  static constexpr const char* name = "reference attention pooling";
  static constexpr std::size_t steps = In::positions, inputs = In::features;

  /// u [samples, steps, Width] and a [samples, steps].
  template <Capability C>
  struct Saved {
    S* u = nullptr;
    S* weight = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      u = arena.take(samples * steps * Width);
      weight = arena.take(samples * steps);
    }
  };
  static constexpr std::size_t scratch(std::size_t, Capability) { return steps; }

  /// The weights [samples, steps] of the last forward; 0 behind a sample's length.
  template <Capability C>
  static constexpr const S* weights(const Saved<C>& saved) {
    return saved.weight;
  }
  template <Capability C, class F>
  static void for_each_map(std::size_t samples, Saved<C>& saved, S*, const std::string& path, F&& f) {
    f(path + ".weights", static_cast<const S*>(saved.weight), samples * steps);
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, Saved<C>& saved, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, y += inputs) {
      const std::size_t length = pass.length(n, steps);
      S* weight = saved.weight + n * steps;
      S largest(0), sum(0);
      for (std::size_t t = 0; t < length; ++t) {
        S* u = saved.u + (n * steps + t) * Width;
        weight[t] = S(0);
        for (std::size_t k = 0; k < Width; ++k) {
          S z = w[1][k];
          for (std::size_t i = 0; i < inputs; ++i) z += w[0][k * inputs + i] * x[t * inputs + i];
          u[k] = math::tanh(z);
          weight[t] += w[2][k] * u[k];
        }
        largest = t == 0 ? weight[t] : math::max(largest, weight[t]);
      }
      for (std::size_t t = 0; t < length; ++t) sum += weight[t] = math::exp(weight[t] - largest);
      for (std::size_t i = 0; i < inputs; ++i) y[i] = S(0);
      for (std::size_t t = 0; t < steps; ++t) {
        weight[t] = t < length ? weight[t] / sum : S(0);
        if (t < length)
          for (std::size_t i = 0; i < inputs; ++i) y[i] += weight[t] * x[t * inputs + i];
      }
    }
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                                 Gradients<S> g, Saved<C>& saved, S* d_weight) {
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, dy += inputs) {
      const std::size_t length = pass.length(n, steps);
      const S* weight = saved.weight + n * steps;
      S expected(0);
      for (std::size_t t = 0; t < length; ++t) {
        d_weight[t] = S(0);
        for (std::size_t i = 0; i < inputs; ++i) d_weight[t] += dy[i] * x[t * inputs + i];
        expected += weight[t] * d_weight[t];
      }
      for (std::size_t t = 0; t < length; ++t) {
        const S* u = saved.u + (n * steps + t) * Width;
        const S d_score = weight[t] * (d_weight[t] - expected);
        S* d_step = dx == nullptr ? nullptr : dx + (n * steps + t) * inputs;
        if (d_step != nullptr)
          for (std::size_t i = 0; i < inputs; ++i) d_step[i] += weight[t] * dy[i];
        for (std::size_t k = 0; k < Width; ++k) {
          const S dz = d_score * w[2][k] * (S(1) - u[k] * u[k]);
          if (g) {
            g[1][k] += dz;
            g[2][k] += d_score * u[k];
          }
          for (std::size_t i = 0; i < inputs; ++i) {
            if (g) g[0][k * inputs + i] += dz * x[t * inputs + i];
            if (d_step != nullptr) d_step[i] += w[0][k * inputs + i] * dz;
          }
        }
      }
    }
  }
};

template <class S, std::size_t Width, class In>
ReferenceAttentionPooling<S, Width, In> select_kernel(rank::Layer, Placed<AttentionPooling<Width>, In>,
                                                      backend::Reference<S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
