// The kernel of an integration of all earlier layers, whose mixture is cpu::DepthAttention or cpu::DepthLinear.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "shared_mixture.hpp"

namespace aila::inline v0 {

/// What layers share that look back on different maps: which these are, and how much scratch they need, are numbers.
template <class S, class Mixture, std::size_t Positions>
struct SharedDepthIntegration {
  struct Numbers {
    typename Mixture::Earlier earlier{};
    std::size_t scratch_of_body = 0;
  };

  static void pack(Numbers n, Weights<S> w, S* to) { Mixture::pack(n.earlier, w, to); }

  template <Capability C>
  struct Saved {
    typename Mixture::Buffers all;
  };
  template <Capability C>
  static constexpr void bind(Numbers n, Saved<C>& saved, Arena<S>& arena, std::size_t samples) {
    if constexpr (keeps_for_backward(C)) saved.all.bind(arena, n.earlier, samples * Positions);
  }
  static constexpr std::size_t scratch(Numbers n, std::size_t samples, Capability c) {
    const std::size_t own = Mixture::scratch(n.earlier, samples * Positions, keeps_for_backward(c));
    return keeps_for_backward(c) ? std::max(own, n.scratch_of_body) : own;  // tools ask after a forward that kept
  }

  template <Capability C>
  static void forward(Numbers n, const Pass& pass, Weights<S> w, const S* packed_weights, const S* own,
                      const S* const* before, S* z, Saved<C>& saved, S* scratch) {
    Mixture::forward(n.earlier, pass.samples * Positions, w, packed_weights, own, before, z,
                     keeps_for_backward(C) ? &saved.all : nullptr, scratch);
  }
  template <Capability C>
  static void backward(Numbers n, const Pass& pass, Weights<S> w, const S* packed_weights, const S* own,
                       const S* const* before, const S* dz, S* d_own, S* const* d_before, Gradients<S> g,
                       Saved<C>& saved, S* scratch) {
    Mixture::backward(n.earlier, pass.samples * Positions, w, packed_weights, own, before, dz, d_own, d_before, g,
                      saved.all, scratch);
  }
};

template <class S, class Arch, class Part, class Mixture>
struct CpuDepthIntegration : SharedMixture<CpuDepthIntegration<S, Arch, Part, Mixture>, S, Arch, Part,
                                           SharedDepthIntegration<S, Mixture, Part::Own::positions>> {
  static constexpr const char* name = Mixture::name;
  static constexpr InPlace in_place{.backward = true};
  static constexpr auto earlier = Mixture::template earlier<typename Part::Before>;
  static constexpr typename CpuDepthIntegration::Shared::Numbers numbers{
      earlier, CpuDepthIntegration::Body::scratch(1, Capability::train)};
  static constexpr std::size_t packed = Mixture::packed(earlier);
};

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
