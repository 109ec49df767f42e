// Attention pooling on the CPU: one packed product for the scores, then rows as vectors.
//
// Bound by fused multiply-adds and Width tanh a step. Only valid steps are read, sample by sample.
// Measured on a core of Zen 4 (AVX-512), 200 steps of 64 features, width 64: 63 % of the peak of fused multiply-
// adds forward, 89 % backward.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>
#include <string>

#include "../../../layer/attention_pooling.hpp"
#include "../../kernel.hpp"
#include "../product/product.hpp"
#include "../rows/row.hpp"

namespace aila::inline v0 {

template <class S, class Arch, std::size_t Width, class In>
struct CpuAttentionPooling : KernelDefaults<S> {
  static constexpr const char* name = "cpu attention pooling";
  static constexpr std::size_t steps = In::positions, inputs = In::features;
  using Hidden = cpu::Row<S, Arch, Width>;
  using Features = cpu::Row<S, Arch, inputs>;
  using V = typename Hidden::V;

  static constexpr std::size_t back_at = round_up(cpu::packed_size<S, Arch>(inputs, Width), alignment_elements);
  static constexpr std::size_t packed =
      back_at + round_up(cpu::packed_size<S, Arch>(Width, inputs), alignment_elements);
  static void pack(Weights<S> w, S* to) {
    cpu::pack<S, Arch>(w[0], 1, inputs, inputs, Width, to);
    cpu::pack<S, Arch>(w[0], inputs, 1, Width, inputs, to + back_at);
  }

  /// The weights [samples, steps], and for backward tanh(W x + b) [samples, steps, Width].
  template <Capability C>
  struct Saved {
    S* weight = nullptr;
    S* u = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      weight = arena.take(samples * steps);
      if constexpr (keeps_for_backward(C)) u = arena.take(samples * steps * Width);
    }
  };
  /// One sample's tanh(W x + b); its gradient and that of the weights.
  static constexpr std::size_t hidden_size = round_up(steps * Width, alignment_elements);
  static constexpr std::size_t scratch(std::size_t, Capability) { return hidden_size + steps; }

  /// The weights [samples, steps] of the last forward; 0 behind a sample's length.
  template <Capability C>
  static const S* weights(const Saved<C>& saved) {
    return saved.weight;
  }
  template <Capability C, class F>
  static void for_each_map(std::size_t samples, Saved<C>& saved, S*, const std::string& path, F&& f) {
    f(path + ".weights", static_cast<const S*>(saved.weight), samples * steps);
  }

  /// Sums of so many vectors are on the stack at a time: f(first, count) for one part of a row after the other.
  template <std::size_t vectors>
  static constexpr std::size_t part_of = std::min<std::size_t>(vectors, 32);
  template <std::size_t vectors, class F>
  [[gnu::always_inline]] static void for_each_part(F&& f) {
    constexpr std::size_t part = part_of<vectors>, rest = vectors % part;
    for (std::size_t first = 0; first + part <= vectors; first += part) f(first, part);
    if constexpr (rest > 0) f(vectors - rest, rest);
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, S* y, Saved<C>& saved,
                      S* scratch) {
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, y += inputs) {
      const std::size_t length = pass.length(n, steps);
      S* const u = keeps_for_backward(C) ? saved.u + n * steps * Width : scratch;
      S* const weight = saved.weight + n * steps;
      cpu::multiply_packed<S, Arch>(length, inputs, Width, x, inputs, 1, packed_weights, w[1], u, Width, false);
      for (std::size_t t = 0; t < length; ++t) {
        V score(S(0));
        for (std::size_t k = 0; k < Hidden::vectors; ++k) {
          const V squashed = math::tanh(Hidden::load(u + t * Width, k));
          Hidden::store(u + t * Width, k, squashed);
          score = simd::fmadd(squashed, Hidden::load(w[2], k), score);
        }
        weight[t] = math::reduce_add(score);
      }
      if (length > 0) cpu::softmax_row<Arch>(weight, length);
      std::fill(weight + length, weight + steps, S(0));
      for_each_part<Features::vectors>([&](std::size_t first, std::size_t count) __attribute__((always_inline)) {
        V sum[part_of<Features::vectors>];
        for (V& v : sum) v = V(S(0));
        for (std::size_t t = 0; t < length; ++t)
          for (std::size_t k = 0; k < count; ++k)
            sum[k] = simd::fmadd(V(weight[t]), Features::load(x + t * inputs, first + k), sum[k]);
        for (std::size_t k = 0; k < count; ++k) Features::store(y, first + k, sum[k]);
      });
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, const S*, const S* dy,
                       S* dx, Gradients<S> g, Saved<C>& saved, S* dz) {
    S* const d_score = dz + hidden_size;
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, dy += inputs) {
      const std::size_t length = pass.length(n, steps);
      const S* const u = saved.u + n * steps * Width;
      const S* const weight = saved.weight + n * steps;
      S expected(0);
      for (std::size_t t = 0; t < length; ++t) {
        V dot(S(0));
        for (std::size_t k = 0; k < Features::vectors; ++k)
          dot = simd::fmadd(Features::load(dy, k), Features::load(x + t * inputs, k), dot);
        d_score[t] = math::reduce_add(dot);
        expected += weight[t] * d_score[t];
      }
      for_each_part<Hidden::vectors>([&](std::size_t first, std::size_t count) __attribute__((always_inline)) {
        V d_vector[part_of<Hidden::vectors>];
        for (V& v : d_vector) v = V(S(0));
        for (std::size_t t = 0; t < length; ++t) {
          const V d(weight[t] * (d_score[t] - expected));
          for (std::size_t k = 0; k < count; ++k) {
            const V squashed = Hidden::load(u + t * Width, first + k);
            d_vector[k] = simd::fmadd(d, squashed, d_vector[k]);
            Hidden::store(dz + t * Width, first + k,
                          d * Hidden::load(w[2], first + k) * (V(S(1)) - squashed * squashed));
          }
        }
        if (g)
          for (std::size_t k = 0; k < count; ++k)
            Hidden::store(g[2], first + k, Hidden::load(g[2], first + k) + d_vector[k]);
      });
      if (dx != nullptr) {
        S* const d_steps = dx + n * In::elements;
        for (std::size_t t = 0; t < length; ++t)
          for (std::size_t k = 0; k < Features::vectors; ++k)
            Features::store(d_steps + t * inputs, k,
                            simd::fmadd(V(weight[t]), Features::load(dy, k), Features::load(d_steps + t * inputs, k)));
        cpu::multiply_packed<S, Arch>(length, Width, inputs, dz, Width, 1, packed_weights + back_at, nullptr, d_steps,
                                      inputs, true);
      }
      if (!g) continue;
      cpu::multiply_transposed_add<S, Arch>(length, Width, inputs, dz, Width, x, inputs, g[0], inputs);
      cpu::add_columns<S, Arch>(length, Width, dz, Width, g[1]);
    }
  }
};

template <std::size_t Width, class In, class Arch, class S>
CpuAttentionPooling<S, Arch, Width, In> select_kernel(rank::Layer, Placed<AttentionPooling<Width>, In>,
                                                      backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
