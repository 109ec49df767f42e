// Attention integration on the CPU: see depth_attention.hpp for how, and for what bounds it.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../integrate/attention.hpp"
#include "../host/body.hpp"
#include "../kernel.hpp"
#include "depth_attention.hpp"

namespace aila::inline v0 {

template <class S, class Arch, class Part>
struct CpuAttentionIntegration {
  using Scalar = S;
  using P = typename Part::Policy;
  using Own = typename Part::Own;
  using Before = typename Part::Before;
  static constexpr const char* name = "cpu attention integration, packed products";
  static constexpr std::size_t n = Before::count;
  using Attention = cpu::DepthAttention<S, Arch, P, Own::features, Before::features(0), P::template has_query<Before>>;
  static constexpr std::size_t packed = Attention::packed(n);
  static void pack(Weights<S> w, S* to) { Attention::pack(n, w, to); }

  template <Capability C>
  struct Saved {
    typename Attention::Buffers all;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) all.bind(arena, n, samples * Own::positions);
    }
  };

  using Body = PolicyBodyKernel<Part, backend::CpuOn<Arch, S>>;  ///< which tells the mixture
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return std::max(Attention::scratch(n), Body::scratch(samples, c));
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S* packed_weights, const S* own, const S* const* before, S* z,
                      Saved<C>& saved, S* scratch) {
    Attention::forward(n, pass.samples * Own::positions, packed_weights, own, before, z,
                       keeps_for_backward(C) ? &saved.all : nullptr, scratch);
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                       const S* dz, S* d_own, S* const* d_before, Gradients<S> g, Saved<C>& saved, S* scratch) {
    Attention::backward(n, pass.samples * Own::positions, w, packed_weights, own, before, dz, d_own, d_before, g,
                        saved.all, scratch);
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
