// Linear integration on the CPU: see depth_linear.hpp for how, and for what bounds it.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../integrate/linear.hpp"
#include "../host/body.hpp"
#include "../kernel.hpp"
#include "depth_linear.hpp"

namespace aila::inline v0 {

/// What layers share that look back on different numbers of maps.
template <class S, class Arch, class P, class Own>
struct CpuLinearMixture {
  using Mixture = cpu::DepthLinear<S, Arch, P, Own::features>;
  struct Numbers {
    cpu::EarlierWidths before{};
    std::size_t scratch = 0;
  };

  static void pack(Numbers n, Weights<S> w, S* to) { Mixture::pack(n.before, w, to); }

  template <Capability C>
  struct Saved {
    typename Mixture::Buffers all;
  };
  template <Capability C>
  static constexpr void bind(Numbers n, Saved<C>& saved, Arena<S>& arena, std::size_t samples) {
    if constexpr (keeps_for_backward(C)) saved.all.bind(arena, n.before.count, samples * Own::positions);
  }
  static constexpr std::size_t scratch(Numbers n, std::size_t, Capability) { return n.scratch; }

  template <Capability C>
  static void forward(Numbers n, const Pass& pass, Weights<S> w, const S* packed_weights, const S* own,
                      const S* const* before, S* z, Saved<C>& saved, S* scratch) {
    Mixture::forward(n.before, pass.samples * Own::positions, w, packed_weights, own, before, z,
                     keeps_for_backward(C) ? &saved.all : nullptr, scratch);
  }
  template <Capability C>
  static void backward(Numbers n, const Pass& pass, Weights<S> w, const S* packed_weights, const S* own,
                       const S* const* before, const S* dz, S* d_own, S* const* d_before, Gradients<S> g,
                       Saved<C>& saved, S* scratch) {
    Mixture::backward(n.before, pass.samples * Own::positions, w, packed_weights, own, before, dz, d_own, d_before, g,
                      saved.all, scratch);
  }
};

template <class S, class Arch, class Part>
struct CpuLinearIntegration {
  using Scalar = S;
  using Own = typename Part::Own;
  using Before = typename Part::Before;
  static constexpr const char* name = "cpu linear integration, packed products";
  using SharesFor = CpuLinearIntegration;  ///< not for what derives from it
  using Shared = CpuLinearMixture<S, Arch, typename Part::Policy, Own>;
  using Body = PolicyBodyKernel<Part, backend::CpuOn<Arch, S>>;  ///< which tells the mixture
  static constexpr std::size_t count = Before::count;
  static constexpr auto widths = [] {
    std::array<std::size_t, count> of{};
    for (std::size_t i = 0; i < count; ++i) of[i] = Before::features(i);
    return of;
  }();
  static constexpr auto offsets = Shared::Mixture::offsets(widths);
  static constexpr
      typename Shared::Numbers numbers{{count, widths.data(), offsets.data()},
                                       std::max(Shared::Mixture::scratch(count), Body::scratch(1, Capability::train))};
  static constexpr std::size_t packed = offsets.back();
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

template <class H, class T, class Sees, class Own, class Before, class Arch, class S>
CpuLinearIntegration<S, Arch, Integration<integrate::LinearOf<H, T, Sees>, Own, Before>> select_kernel(
    rank::Layer, Integration<integrate::LinearOf<H, T, Sees>, Own, Before>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
