// GRU in plain loops.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/gru.hpp"
#include "../kernel.hpp"
#include "reference.hpp"

namespace aila::inline v0 {

/// Forward as in layer/gru.hpp; backward through time, last step first.
template <class S, std::size_t Units, class In>
struct ReferenceGru : KernelDefaults<S> {
  static constexpr const char* name = "reference gru";
  static constexpr bool takes_blocks = true;
  static constexpr std::size_t steps = In::positions;
  static constexpr std::size_t inputs = In::features;
  static constexpr std::size_t gates = 3 * Units;

  /// [samples, steps, 4 Units]: r, z, n, and R_n h + c_n, which r multiplies; of a stream also h [Units] of the step
  /// before.
  template <Capability C>
  struct Saved {
    S* gate = nullptr;
    S* carried = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      gate = arena.take(samples * steps * 4 * Units);
      if constexpr (C == Capability::stream) carried = arena.take(Units);
    }
  };
  static constexpr std::size_t scratch(std::size_t, Capability) { return 2 * gates + Units; }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, Saved<C>& saved, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t length = pass.length(n, steps);
      for (std::size_t t = 0; t < steps; ++t) {
        const std::size_t at = n * steps + t;
        S* h = y + at * Units;
        if (t >= length) {
          for (std::size_t u = 0; u < Units; ++u) h[u] = S(0);
          continue;
        }
        const bool follows = C == Capability::stream || t > 0;
        const S* previous = C == Capability::stream ? saved.carried : t > 0 ? h - Units : h;
        S* gate = saved.gate + at * 4 * Units;
        for (std::size_t k = 0; k < gates; ++k) {
          S from_input = w[2][k], from_state = w[3][k];
          for (std::size_t i = 0; i < inputs; ++i) from_input += w[0][k * inputs + i] * x[at * inputs + i];
          if (follows)
            for (std::size_t u = 0; u < Units; ++u) from_state += w[1][k * Units + u] * previous[u];
          if (k < 2 * Units) {
            gate[k] = math::sigmoid(from_input + from_state);
          } else {
            gate[k] = math::tanh(from_input + gate[k - 2 * Units] * from_state);
            gate[k + Units] = from_state;
          }
        }
        for (std::size_t u = 0; u < Units; ++u) {
          const S z = gate[Units + u];
          h[u] = (S(1) - z) * gate[2 * Units + u] + (follows ? z * previous[u] : S(0));
        }
        if constexpr (C == Capability::stream)
          for (std::size_t u = 0; u < Units; ++u) saved.carried[u] = h[u];
      }
    }
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S* y, const S* dy, S* dx,
                                 Gradients<S> g, Saved<C>& saved, S* scratch) {
    S* from_input = scratch;  // gradients of the sums over the input and over the state
    S* from_state = from_input + gates;
    S* dh = from_state + gates;  // from the step after
    for (std::size_t n = 0; n < pass.samples; ++n) {
      for (std::size_t u = 0; u < Units; ++u) dh[u] = S(0);
      for (std::size_t t = pass.length(n, steps); t-- > 0;) {
        const std::size_t at = n * steps + t;
        const S* gate = saved.gate + at * 4 * Units;
        for (std::size_t u = 0; u < Units; ++u) {
          const S r = gate[u], z = gate[Units + u], c = gate[2 * Units + u], state = gate[3 * Units + u];
          const S before = t > 0 ? y[(at - 1) * Units + u] : S(0);
          const S d_h = dh[u] + dy[at * Units + u];
          const S d_c = d_h * (S(1) - z) * (S(1) - c * c);
          from_input[u] = from_state[u] = d_c * state * r * (S(1) - r);
          from_input[Units + u] = from_state[Units + u] = d_h * (before - c) * z * (S(1) - z);
          from_input[2 * Units + u] = d_c;
          from_state[2 * Units + u] = d_c * r;
          dh[u] = d_h * z;
        }
        for (std::size_t k = 0; k < gates; ++k) {
          if (g) {
            g[2][k] += from_input[k];
            g[3][k] += from_state[k];
          }
          for (std::size_t i = 0; i < inputs; ++i) {
            if (g) g[0][k * inputs + i] += from_input[k] * x[at * inputs + i];
            if (dx != nullptr) dx[at * inputs + i] += w[0][k * inputs + i] * from_input[k];
          }
          if (t > 0)
            for (std::size_t u = 0; u < Units; ++u) {
              if (g) g[1][k * Units + u] += from_state[k] * y[(at - 1) * Units + u];
              dh[u] += w[1][k * Units + u] * from_state[k];
            }
        }
      }
    }
  }
};

template <class S, std::size_t Units, class... Options, class In>
ReferenceGru<S, Units, In> select_kernel(rank::Layer, Placed<Gru<Units, Options...>, In>, backend::Reference<S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
