// One step of the LSTM for one sample, from a carried state: what a Stream runs. 8 units (units + features) operations,
// and five gates a unit; see step_vectors.hpp for what bounds them.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "lstm_sequence.hpp"
#include "step_vectors.hpp"

namespace aila::inline v0::cpu {

template <class S, class ArchType, std::size_t Features, std::size_t Units>
struct LstmCell {
  using Arch = ArchType;
  using Sequence = LstmSequence<S, Arch>;
  static constexpr RecurrentSizes<Sequence> sizes{1, Features, Units};
  static constexpr std::size_t gates = Sequence::gates;
  using Vectors = StepVectors<S, Arch, Units>;
  using V = typename Vectors::V;
  using Gates = StepGates<Vectors>;
  using Step = OneStep<LstmCell>;

  /// Sums of the gates of `Count` vectors of units from vector v on.
  template <std::size_t Count, bool Backward>
  [[gnu::always_inline]] static void add_up(std::size_t v, const S* x, const S* packed, const S* h, S* sums) noexcept {
    constexpr std::size_t W = sizes.W, panel = panel_vectors;
    typename Step::template Sums<Count> all;
    const S* weights[Count][gates];
    AILA_UNROLL
    for (std::size_t j = 0; j < Count; ++j) {
      AILA_UNROLL
      for (std::size_t g = 0; g < gates; ++g) {
        const std::size_t i = Step::in_register(g, v + j), within = Step::within(v + j);
        weights[j][g] = packed + sizes.input_at() + (i / panel * Features * panel + i % panel) * W + within;
        all.begin(j, g, Vectors::load(Step::inputs_first ? sums + Step::place(g, v + j) : packed + i * W + within));
      }
    }
    // The processor sees x long before h while a step is short, and after it else.
    constexpr bool early = Step::count <= 2;
    if constexpr (!Step::inputs_first && early) all.template add<Features>(x, weights, panel * W);
    all.template add_state<Backward>(v, h, packed);
    if constexpr (!Step::inputs_first && !early) all.template add<Features>(x, weights, panel * W);
    all.store(v, sums);
  }

  /// Cells and outputs of `Count` vectors of units.
  template <std::size_t Count>
  [[gnu::always_inline]] static void activate(std::size_t v, const S* sums, const S*, S* to, S* kept_cells,
                                              S* y) noexcept {
    const auto sum = [&](std::size_t g, std::size_t j)
                         __attribute__((always_inline)) { return Vectors::load(sums + Step::place(g, v + j)); };
    V cell[Count];
    AILA_UNROLL
    for (std::size_t j = 0; j < Count; ++j) {
      const typename Gates::Quotient g = Gates::tanh(sum(Sequence::cell_gate, j));
      const V i = Gates::sigmoid(sum(Sequence::input_gate, j)), f = Gates::sigmoid(sum(Sequence::forget_gate, j));
      // Of few units one division more is done while the input gate is waited for, of many there are enough of them.
      const V fresh = sizes.units <= 16 ? g.above / g.below / i : g.above / (g.below * i);
      cell[j] = Vectors::load(kept_cells + Step::place(0, v + j)) / f + fresh;
    }
    AILA_UNROLL
    for (std::size_t j = 0; j < Count; ++j) {
      const V o = Gates::sigmoid(sum(Sequence::output_gate, j));
      const V kept = Vectors::large_or_zero(cell[j]);
      const typename Gates::Quotient c = Gates::tanh(cell[j], kept, o);
      const V h = c.above / c.below;
      Vectors::store(to + Step::place(0, v + j), h);
      Vectors::store(kept_cells + Step::place(0, v + j), kept);
      Step::store_output(y, v + j, h);
    }
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
