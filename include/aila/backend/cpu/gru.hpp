// GRU on the CPU: the kernel of the whole sequence, attached to the layer.
#pragma once

#include <algorithm>

#include "../../layer/gru.hpp"
#include "../kernel.hpp"
#include "cpu.hpp"
#include "gru_backward.hpp"

namespace aila::inline v0 {

/// See gru_forward.hpp and gru_backward.hpp for what bounds them.
template <class S, class Arch, std::size_t Units, class In>
struct CpuGru {
  using Scalar = S;
  static constexpr const char* name = "cpu gru, whole sequence";
  static constexpr cpu::GruSizes<S, Arch> sizes{{In::positions, In::features, Units}};
  static constexpr std::size_t packed = round_up(sizes.packed(), alignment_elements);

  static void pack(Weights<S> w, S* to) { cpu::pack_gru(sizes, w[0], w[1], w[2], w[3], to); }

  template <Capability C>
  struct Saved {
    S* kept = nullptr;  ///< gates
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) kept = arena.take(sizes.saved_size(samples));
    }
  };
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    const std::size_t forward = sizes.forward_scratch(samples);
    return keeps_for_backward(c) ? std::max(forward, sizes.backward_scratch(samples)) : forward;
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S* packed_weights, const S* x, S* y, Saved<C>& saved,
                      S* scratch) {
    cpu::gru_forward<keeps_for_backward(C)>(sizes, pass.samples, x, pass.lengths, packed_weights, y, saved.kept,
                                            scratch);
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S>, const S* packed_weights, const S* x, const S* y, const S* dy,
                       S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    const cpu::GruGradients<S> to = g ? cpu::GruGradients<S>{g[0], g[1], g[2], g[3]} : cpu::GruGradients<S>{};
    cpu::gru_backward(sizes, pass.samples, x, pass.lengths, packed_weights, y, dy, dx, to, saved.kept, scratch);
  }
};

template <std::size_t Units, class... Options, class In, class Arch, class S>
CpuGru<S, Arch, Units, In> select_kernel(rank::Layer, Placed<Gru<Units, Options...>, In>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0
