// Self-attention in plain loops.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/self_attention.hpp"
#include "../kernel.hpp"
#include "reference.hpp"

namespace aila::inline v0 {

/// The attention of one sample in plain loops. With P the softmax of the scores s and o = P v: dv = P^T do, dP = do
/// v^T, ds = P (dP - sum P dP), dq = ds k / sqrt(w), dk = ds^T q / sqrt(w).
template <class S, std::size_t steps, std::size_t d, std::size_t heads, bool causal>
struct ReferenceAttention {
  static constexpr std::size_t width = d / heads, weights = heads * steps * steps;
  /// Steps that step t attends to.
  static constexpr std::size_t seen(std::size_t t, std::size_t length) { return causal ? t + 1 : length; }
  static constexpr S scale() { return S(1) / math::sqrt(S(width)); }

  /// qkv [steps, 3 d] -> the probabilities P [heads, steps, steps] and o [steps, d].
  static constexpr void forward(std::size_t length, const S* qkv, S* P, S* o) {
    for (std::size_t h = 0; h < heads; ++h)
      for (std::size_t t = 0; t < length; ++t) {
        S* weight = P + (h * steps + t) * steps;
        const S* q = qkv + t * 3 * d + h * width;
        const std::size_t count = seen(t, length);
        S largest(0), sum(0);
        for (std::size_t s = 0; s < count; ++s) {
          S score(0);
          for (std::size_t f = 0; f < width; ++f) score += q[f] * qkv[s * 3 * d + d + h * width + f];
          weight[s] = score * scale();
          largest = s == 0 ? weight[s] : math::max(largest, weight[s]);
        }
        for (std::size_t s = 0; s < count; ++s) sum += weight[s] = math::exp(weight[s] - largest);
        for (std::size_t f = 0; f < width; ++f) o[t * d + h * width + f] = S(0);
        for (std::size_t s = 0; s < count; ++s) {
          weight[s] = weight[s] / sum;
          for (std::size_t f = 0; f < width; ++f)
            o[t * d + h * width + f] += weight[s] * qkv[s * 3 * d + 2 * d + h * width + f];
        }
      }
  }

  /// Adds to d_qkv; d_weight holds a row of P.
  static constexpr void backward(std::size_t length, const S* qkv, const S* P, const S* d_o, S* d_qkv, S* d_weight) {
    for (std::size_t h = 0; h < heads; ++h)
      for (std::size_t t = 0; t < length; ++t) {
        const S* weight = P + (h * steps + t) * steps;
        const std::size_t count = seen(t, length), q = t * 3 * d + h * width;
        S expected(0);
        for (std::size_t s = 0; s < count; ++s) {
          const std::size_t v = s * 3 * d + 2 * d + h * width;
          d_weight[s] = S(0);
          for (std::size_t f = 0; f < width; ++f) {
            d_weight[s] += d_o[t * d + h * width + f] * qkv[v + f];
            d_qkv[v + f] += weight[s] * d_o[t * d + h * width + f];
          }
          expected += weight[s] * d_weight[s];
        }
        for (std::size_t s = 0; s < count; ++s) {
          const S d_score = scale() * weight[s] * (d_weight[s] - expected);
          const std::size_t k = s * 3 * d + d + h * width;
          for (std::size_t f = 0; f < width; ++f) {
            d_qkv[q + f] += d_score * qkv[k + f];
            d_qkv[k + f] += d_score * qkv[q + f];
          }
        }
      }
  }
};

/// As in layer/attend.hpp.
template <class S, class L, class In>
struct ReferenceAttend : KernelDefaults<S> {
  static constexpr const char* name = "reference attention";
  static constexpr std::size_t steps = In::positions, d = In::features / 3;
  using Attention = ReferenceAttention<S, steps, d, L::heads, L::causal>;

  template <Capability C>
  struct Saved {
    S* weight = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t samples) { weight = arena.take(samples * Attention::weights); }
  };
  static constexpr std::size_t scratch(std::size_t, Capability) { return steps; }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, Saved<C>& saved, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t length = pass.length(n, steps);
      Attention::forward(length, x + n * In::elements, saved.weight + n * Attention::weights, y + n * steps * d);
      for (std::size_t i = length * d; i < steps * d; ++i) y[n * steps * d + i] = S(0);
    }
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S* x, const S*, const S* dy, S* dx,
                                 Gradients<S>, Saved<C>& saved, S* scratch) {
    if (dx == nullptr) return;
    for (std::size_t n = 0; n < pass.samples; ++n)
      Attention::backward(pass.length(n, steps), x + n * In::elements, saved.weight + n * Attention::weights,
                          dy + n * steps * d, dx + n * In::elements, scratch);
  }
};

/// As in layer/self_attention.hpp.
template <class S, class L, class In>
struct ReferenceSelfAttention : KernelDefaults<S> {
  static constexpr const char* name = "reference self-attention";
  static constexpr std::size_t steps = In::positions, d = In::features;
  using Attention = ReferenceAttention<S, steps, d, L::heads, L::causal>;

  /// q, k, v [samples, steps, 3 d]; the probabilities P [samples, heads, steps, steps]; o [samples, steps, d].
  template <Capability C>
  struct Saved {
    S* qkv = nullptr;
    S* weight = nullptr;
    S* o = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      qkv = arena.take(samples * steps * 3 * d);
      weight = arena.take(samples * Attention::weights);
      o = arena.take(samples * steps * d);
    }
  };
  /// Gradients of o, of q, k, v, and of a row of P, of one sample.
  static constexpr std::size_t scratch(std::size_t, Capability) { return steps * 4 * d + steps; }

  /// y [rows, outputs] = x [rows, inputs] W^T + b.
  static constexpr void map(std::size_t rows, std::size_t inputs, std::size_t outputs, const S* W, const S* b,
                            const S* x, S* y) {
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t o = 0; o < outputs; ++o) {
        S sum = b[o];
        for (std::size_t i = 0; i < inputs; ++i) sum += W[o * inputs + i] * x[r * inputs + i];
        y[r * outputs + o] = sum;
      }
  }
  /// Adds to dW, db (null: nobody asks) and dx (likewise).
  static constexpr void map_backward(std::size_t rows, std::size_t inputs, std::size_t outputs, const S* W, const S* x,
                                     const S* dy, S* dW, S* db, S* dx) {
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t o = 0; o < outputs; ++o) {
        const S g = dy[r * outputs + o];
        if (db != nullptr) db[o] += g;
        for (std::size_t i = 0; i < inputs; ++i) {
          if (dW != nullptr) dW[o * inputs + i] += g * x[r * inputs + i];
          if (dx != nullptr) dx[r * inputs + i] += g * W[o * inputs + i];
        }
      }
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, Saved<C>& saved, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t length = pass.length(n, steps);
      S* qkv = saved.qkv + n * steps * 3 * d;
      S* o = saved.o + n * steps * d;
      map(length, d, 3 * d, w[0], w[1], x + n * steps * d, qkv);
      Attention::forward(length, qkv, saved.weight + n * Attention::weights, o);
      map(length, d, d, w[2], w[3], o, y + n * steps * d);
      for (std::size_t i = length * d; i < steps * d; ++i) y[n * steps * d + i] = S(0);
    }
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                                 Gradients<S> g, Saved<C>& saved, S* scratch) {
    S* d_o = scratch;
    S* d_qkv = d_o + steps * d;
    S* d_weight = d_qkv + steps * 3 * d;
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t length = pass.length(n, steps);
      const S* qkv = saved.qkv + n * steps * 3 * d;
      for (std::size_t i = 0; i < steps * 4 * d; ++i) scratch[i] = S(0);
      map_backward(length, d, d, w[2], saved.o + n * steps * d, dy + n * steps * d, g ? g[2] : nullptr,
                   g ? g[3] : nullptr, d_o);
      Attention::backward(length, qkv, saved.weight + n * Attention::weights, d_o, d_qkv, d_weight);
      map_backward(length, d, 3 * d, w[0], x + n * steps * d, d_qkv, g ? g[0] : nullptr, g ? g[1] : nullptr,
                   dx == nullptr ? nullptr : dx + n * steps * d);
    }
  }
};

template <class S, std::size_t HeadCount, class... Options, class In>
ReferenceSelfAttention<S, SelfAttention<HeadCount, Options...>, In> select_kernel(
    rank::Layer, Placed<SelfAttention<HeadCount, Options...>, In>, backend::Reference<S>);

template <class S, std::size_t HeadCount, class... Options, class In>
ReferenceAttend<S, Attend<HeadCount, Options...>, In> select_kernel(rank::Layer,
                                                                    Placed<Attend<HeadCount, Options...>, In>,
                                                                    backend::Reference<S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
