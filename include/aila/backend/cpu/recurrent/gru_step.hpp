// One step of the GRU for one sample, from a carried state: what a Stream runs. 6 units (units + features) operations,
// and three gates a unit; see step_vectors.hpp for what bounds them.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <array>

#include "gru_sequence.hpp"
#include "step_vectors.hpp"

namespace aila::inline v0::cpu {

/// Beside the three sums over h there is that of the new gate over the input, the fourth in `sums`.
template <class S, class ArchType, std::size_t Features, std::size_t Units>
struct GruCell {
  using Arch = ArchType;
  using Sequence = GruSequence<S, Arch>;
  static constexpr RecurrentSizes<Sequence> sizes{1, Features, Units};
  static constexpr std::size_t gates = Sequence::gates, new_gate = Sequence::new_gate, new_input = gates;
  using Vectors = StepVectors<S, Arch, Units>;
  using V = typename Vectors::V;
  using Gates = StepGates<Vectors>;
  using Step = OneStep<GruCell>;

  /// Where each register of the input's weights begins, and how far it is to that of the next feature.
  struct InputPlace {
    std::size_t first, stride;
  };
  static constexpr auto input_places = [] {
    constexpr Parts panels(gates * sizes.vectors(), panel_vectors);
    std::array<InputPlace, gates * sizes.vectors()> places{};
    for (std::size_t p = 0; p < panels.count; ++p)
      for (std::size_t i = 0; i < panels.size(p); ++i)
        places[panels.begin(p) + i] = {sizes.input_at() + (panels.begin(p) * Features + i) * sizes.W,
                                       panels.size(p) * sizes.W};
    return places;
  }();

  /// Sums of the gates of `Count` vectors of units from vector v on.
  template <std::size_t Count, bool Backward>
  [[gnu::always_inline]] static void add_up(std::size_t v, const S* x, const S* packed, const S* h, S* sums) noexcept {
    typename Step::template Sums<Count> all;
    AILA_UNROLL
    for (std::size_t j = 0; j < Count; ++j) {
      AILA_UNROLL
      for (std::size_t g = 0; g < gates; ++g) {
        const std::size_t i = Step::in_register(g, v + j);
        const S* weights = packed + input_places[i].first + Step::within(v + j);
        V sum = Vectors::load(Step::inputs_first ? sums + Step::place(g, v + j)
                                                 : packed + i * sizes.W + Step::within(v + j));
        for (std::size_t k = 0; k < Features && !Step::inputs_first; ++k)
          sum = Vectors::fmadd(Vectors::all(x[k]), Vectors::load(weights + k * input_places[i].stride), sum);
        if (g == new_gate) {
          Vectors::store(sums + Step::place(new_input, v + j), sum);
          sum = Vectors::load(packed + sizes.state_bias_at() + Step::place(0, v + j));
        }
        all.begin(j, g, sum);
      }
    }
    all.template add_state<Backward>(v, h, packed);
    all.store(v, sums);
  }

  /// Outputs of `Count` vectors of units.
  template <std::size_t Count>
  [[gnu::always_inline]] static void activate(std::size_t v, const S* sums, const S* state, S* to, S*, S* y) noexcept {
    const auto sum = [&](std::size_t g, std::size_t j)
                         __attribute__((always_inline)) { return Vectors::load(sums + Step::place(g, v + j)); };
    V inner[Count];
    AILA_UNROLL
    for (std::size_t j = 0; j < Count; ++j)
      inner[j] = sum(new_input, j) + sum(new_gate, j) / Gates::sigmoid(sum(Sequence::reset_gate, j));
    AILA_UNROLL
    for (std::size_t j = 0; j < Count; ++j) {
      const V update = Vectors::all(S(1)) / Gates::sigmoid(sum(Sequence::update_gate, j));
      const typename Gates::Quotient n = Gates::tanh(inner[j]);
      const V fresh = n.above / n.below;
      const V before = Vectors::load(state + Step::place(0, v + j));
      const V h = Vectors::large_or_zero(Vectors::fmadd(update, before - fresh, fresh));
      Vectors::store(to + Step::place(0, v + j), h);
      Step::store_output(y, v + j, h);
    }
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
