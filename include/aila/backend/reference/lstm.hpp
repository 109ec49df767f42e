// LSTM in plain loops.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/lstm.hpp"
#include "../kernel.hpp"
#include "reference.hpp"

namespace aila::inline v0 {

/// Forward as in layer/lstm.hpp; backward through time, last step first.
template <class S, std::size_t Units, class In>
struct ReferenceLstm : KernelDefaults<S> {
  static constexpr const char* name = "reference lstm";
  static constexpr bool takes_blocks = true;
  static constexpr std::size_t steps = In::positions;
  static constexpr std::size_t inputs = In::features;
  static constexpr std::size_t gates = 4 * Units;

  /// Activated gates [samples, steps, 4 Units] and cells [samples, steps, Units]; of a stream also h and c [Units]
  /// of the step before.
  template <Capability C>
  struct Saved {
    S* gate = nullptr;
    S* cell = nullptr;
    S* carried = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      gate = arena.take(samples * steps * gates);
      cell = arena.take(samples * steps * Units);
      if constexpr (C == Capability::stream) carried = arena.take(2 * Units);
    }
  };
  static constexpr std::size_t scratch(std::size_t, Capability) { return gates + 2 * Units; }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, Saved<C>& saved, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t length = pass.length(n, steps);
      for (std::size_t t = 0; t < steps; ++t) {
        S* h = y + (n * steps + t) * Units;
        if (t >= length) {
          for (std::size_t u = 0; u < Units; ++u) h[u] = S(0);
          continue;
        }
        const bool follows = C == Capability::stream || t > 0;
        const S* previous = C == Capability::stream ? saved.carried : t > 0 ? h - Units : h;
        S* gate = saved.gate + (n * steps + t) * gates;
        S* cell = saved.cell + (n * steps + t) * Units;
        for (std::size_t k = 0; k < gates; ++k) {
          S sum = w[2][k];
          for (std::size_t i = 0; i < inputs; ++i) sum += w[0][k * inputs + i] * x[(n * steps + t) * inputs + i];
          if (follows)
            for (std::size_t u = 0; u < Units; ++u) sum += w[1][k * Units + u] * previous[u];
          gate[k] = k / Units == 2 ? math::tanh(sum) : math::sigmoid(sum);
        }
        const S* cell_before = C == Capability::stream ? saved.carried + Units : t > 0 ? cell - Units : cell;
        for (std::size_t u = 0; u < Units; ++u) {
          const S before = follows ? cell_before[u] : S(0);
          cell[u] = gate[Units + u] * before + gate[u] * gate[2 * Units + u];
          h[u] = gate[3 * Units + u] * math::tanh(cell[u]);
          if constexpr (C == Capability::stream) {
            saved.carried[u] = h[u];
            saved.carried[Units + u] = cell[u];
          }
        }
      }
    }
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S* y, const S* dy, S* dx,
                                 Gradients<S> g, Saved<C>& saved, S* scratch) {
    S* d_gate = scratch;
    S* dh = d_gate + gates;  // from the step after
    S* dc = dh + Units;
    for (std::size_t n = 0; n < pass.samples; ++n) {
      for (std::size_t u = 0; u < 2 * Units; ++u) dh[u] = S(0);
      for (std::size_t t = pass.length(n, steps); t-- > 0;) {
        const std::size_t at = n * steps + t;
        const S* gate = saved.gate + at * gates;
        const S* cell = saved.cell + at * Units;
        const S* cell_before = t > 0 ? cell - Units : cell;
        for (std::size_t u = 0; u < Units; ++u) {
          const S i = gate[u], f = gate[Units + u], c = gate[2 * Units + u], o = gate[3 * Units + u];
          const S squashed = math::tanh(cell[u]);
          const S d_h = dh[u] + dy[at * Units + u];
          const S d_c = dc[u] + d_h * o * (S(1) - squashed * squashed);
          d_gate[u] = d_c * c * i * (S(1) - i);
          d_gate[Units + u] = t > 0 ? d_c * cell_before[u] * f * (S(1) - f) : S(0);
          d_gate[2 * Units + u] = d_c * i * (S(1) - c * c);
          d_gate[3 * Units + u] = d_h * squashed * o * (S(1) - o);
          dc[u] = d_c * f;
          dh[u] = S(0);
        }
        for (std::size_t k = 0; k < gates; ++k) {
          const S d = d_gate[k];
          if (g) g[2][k] += d;
          for (std::size_t i = 0; i < inputs; ++i) {
            if (g) g[0][k * inputs + i] += d * x[at * inputs + i];
            if (dx != nullptr) dx[at * inputs + i] += w[0][k * inputs + i] * d;
          }
          if (t > 0)
            for (std::size_t u = 0; u < Units; ++u) {
              if (g) g[1][k * Units + u] += d * y[(at - 1) * Units + u];
              dh[u] += w[1][k * Units + u] * d;
            }
        }
      }
    }
  }
};

template <class S, std::size_t Units, class... Options, class In>
ReferenceLstm<S, Units, In> select_kernel(rank::Layer, Placed<Lstm<Units, Options...>, In>, backend::Reference<S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
