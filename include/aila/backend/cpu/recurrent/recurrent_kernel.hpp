// LSTM and GRU on the CPU: the kernel of the whole sequence.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../kernel.hpp"
#include "../simd/cpu.hpp"
#include "recurrent_backward.hpp"
#include "step_vectors.hpp"

namespace aila::inline v0 {

/// `CellType` is one step of the sequence, for a stream. See recurrent_forward.hpp, recurrent_backward.hpp and
/// step_vectors.hpp for what bounds them.
template <class CellType, class In>
struct CpuRecurrent {
  using Cell = CellType;
  using Sequence = typename Cell::Sequence;
  using Scalar = typename Sequence::Scalar;
  using S = Scalar;
  using Sizes = cpu::RecurrentSizes<Sequence>;
  static constexpr const char* name = Sequence::name;
  static constexpr Sizes sizes{In::positions, In::features, Cell::sizes.units};
  static constexpr std::size_t packed = round_up(sizes.packed(), alignment_elements);

  /// One step of a stream keeps clear of denormal numbers by itself.
  static constexpr bool stays_normal = std::is_same_v<S, float>;
  static constexpr bool takes_blocks = true;
  static constexpr bool sets_input_gradient = true;
  static constexpr bool sets_gradients = true;

  static void pack(Weights<S> w, S* to) { cpu::pack_recurrent(sizes, tensors<const S>(w), to); }

  template <Capability C>
  struct Saved {
    S* kept = nullptr;  ///< gates and cells; of a stream its state
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C))
        kept = arena.take(sizes.saved_size(samples));
      else if constexpr (C == Capability::stream)
        kept = arena.take(cpu::OneStep<Cell>::state_size);
    }
  };
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    if (c == Capability::stream)
      return std::max(cpu::one_step_scratch<Cell>(), samples > 1 ? block(samples).forward_scratch(1, false) : 0);
    const std::size_t forward = sizes.forward_scratch(samples, keeps_for_backward(c));
    return keeps_for_backward(c) ? std::max(forward, sizes.backward_scratch(samples)) : forward;
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S* packed_weights, const S* x, S* y, Saved<C>& saved,
                      S* scratch) {
    if constexpr (C != Capability::stream) {
      cpu::recurrent_forward<Sequence, keeps_for_backward(C)>(sizes, pass.samples, x, pass.lengths, packed_weights, y,
                                                              saved.kept, scratch, {});
    } else if (pass.samples == 1) {
      cpu::one_step<Cell>(x, packed_weights, saved.kept, y, scratch, pass.step);
    } else {
      forward_block(pass, packed_weights, x, y, saved.kept, scratch);
    }
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, const S* y, const S* dy,
                       S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    cpu::recurrent_backward(sizes, pass.samples, x, pass.lengths, tensors<const S>(w), packed_weights, y, dy, dx,
                            pass.sets_input_gradient, g ? tensors<S>(g) : cpu::RecurrentTensors<S>{},
                            pass.zeroes_gradients, saved.kept, scratch);
  }

 private:
  template <class T, class Tensors>
  static constexpr cpu::RecurrentTensors<T> tensors(const Tensors& of) {
    constexpr bool one_bias = Sequence::over_input == Sequence::over_state;
    return {of[0], of[1], of[2], one_bias ? nullptr : of[3]};
  }
  static constexpr Sizes block(std::size_t count) { return {count, In::features, sizes.units}; }
  /// Several steps of a stream. By itself, so that the code of one step has all registers.
  [[gnu::noinline]] static void forward_block(const Pass& pass, const S* packed_weights, const S* x, S* y, S* state,
                                              S* scratch) {
    const std::int32_t valid = cpu::valid_in_block(pass.lengths, pass.samples);
    cpu::with_carried<Cell>(state, pass.step, pass.samples, [&](cpu::CarriedState<S> carried) {
      cpu::recurrent_forward<Sequence, false>(block(pass.samples), 1, x, &valid, packed_weights, y,
                                              static_cast<S*>(nullptr), scratch, carried);
    });
  }
};

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
