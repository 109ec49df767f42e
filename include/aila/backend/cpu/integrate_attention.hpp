// Attention integration on the CPU: see depth_attention.hpp for how, and for what bounds it.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../integrate/attention.hpp"
#include "../host/body.hpp"
#include "../kernel.hpp"
#include "depth_attention.hpp"

namespace aila::inline v0 {

/// What layers share that look back on different numbers of equal maps.
template <class S, class Arch, class P, class Own, std::size_t BeforeWidth, bool Asks>
struct CpuAttention {
  using Attention = cpu::DepthAttention<S, Arch, P, Own::features, BeforeWidth, Asks>;
  struct Numbers {
    std::size_t maps = 0, scratch = 0;
  };

  static void pack(Numbers n, Weights<S> w, S* to) { Attention::pack(n.maps, w, to); }

  template <Capability C>
  struct Saved {
    typename Attention::Buffers all;
  };
  template <Capability C>
  static constexpr void bind(Numbers n, Saved<C>& saved, Arena<S>& arena, std::size_t samples) {
    if constexpr (keeps_for_backward(C)) saved.all.bind(arena, n.maps, samples * Own::positions);
  }
  static constexpr std::size_t scratch(Numbers n, std::size_t, Capability) { return n.scratch; }

  template <Capability C>
  static void forward(Numbers n, const Pass& pass, Weights<S>, const S* packed_weights, const S* own,
                      const S* const* before, S* z, Saved<C>& saved, S* scratch) {
    Attention::forward(n.maps, pass.samples * Own::positions, packed_weights, own, before, z,
                       keeps_for_backward(C) ? &saved.all : nullptr, scratch);
  }
  template <Capability C>
  static void backward(Numbers n, const Pass& pass, Weights<S> w, const S* packed_weights, const S* own,
                       const S* const* before, const S* dz, S* d_own, S* const* d_before, Gradients<S> g,
                       Saved<C>& saved, S* scratch) {
    Attention::backward(n.maps, pass.samples * Own::positions, w, packed_weights, own, before, dz, d_own, d_before, g,
                        saved.all, scratch);
  }
};

template <class S, class Arch, class Part>
struct CpuAttentionIntegration {
  using Scalar = S;
  using P = typename Part::Policy;
  using Own = typename Part::Own;
  using Before = typename Part::Before;
  static constexpr const char* name = "cpu attention integration, packed products";
  using SharesFor = CpuAttentionIntegration;  ///< not for what derives from it
  using Shared = CpuAttention<S, Arch, P, Own, Before::features(0), P::template has_query<Before>>;
  using Body = PolicyBodyKernel<Part, backend::CpuOn<Arch, S>>;  ///< which tells the mixture
  static constexpr typename Shared::Numbers numbers{
      Before::count, std::max(Shared::Attention::scratch(Before::count), Body::scratch(1, Capability::train))};
  static constexpr std::size_t packed = Shared::Attention::packed(Before::count);
  static void pack(Weights<S> w, S* to) { Shared::pack(numbers, w, to); }

  template <Capability C>
  struct Saved : Shared::template Saved<C> {
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      Shared::template bind<C>(numbers, *this, arena, samples);
    }
  };
  static constexpr std::size_t scratch(std::size_t, Capability) { return numbers.scratch; }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                      S* z, Saved<C>& saved, S* scratch) {
    Shared::template forward<C>(numbers, pass, w, packed_weights, own, before, z, saved, scratch);
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                       const S* dz, S* d_own, S* const* d_before, Gradients<S> g, Saved<C>& saved, S* scratch) {
    Shared::template backward<C>(numbers, pass, w, packed_weights, own, before, dz, d_own, d_before, g, saved, scratch);
  }

  /// weights [rows, heads, items]
  static void mixture(const Pass& pass, Weights<S> w, const S* own, const S* const* before, S* weights, S* scratch) {
    Body::mixture(pass, w, own, before, weights, scratch);
  }
};

template <class H, class K, class Vs, class Cb, class Own, class Before, class Arch, class S>
CpuAttentionIntegration<S, Arch, Integration<integrate::AttentionOf<H, K, Vs, Cb>, Own, Before>> select_kernel(
    rank::Layer, Integration<integrate::AttentionOf<H, K, Vs, Cb>, Own, Before>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
