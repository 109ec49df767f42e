// Linear integration on the CPU: see depth_linear.hpp for how, and for what bounds it.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../integrate/linear.hpp"
#include "../host/body.hpp"
#include "../kernel.hpp"
#include "depth_linear.hpp"

namespace aila::inline v0 {

template <class S, class Arch, class Part>
struct CpuLinearIntegration {
  using Scalar = S;
  using Own = typename Part::Own;
  using Before = typename Part::Before;
  static constexpr const char* name = "cpu linear integration, packed products";
  static constexpr std::size_t count = Before::count;
  using Mixture = cpu::DepthLinear<S, Arch, typename Part::Policy, Own::features>;
  static constexpr auto widths = [] {
    std::array<std::size_t, count> of{};
    for (std::size_t i = 0; i < count; ++i) of[i] = Before::features(i);
    return of;
  }();
  static constexpr auto offsets = Mixture::offsets(widths);
  static constexpr std::size_t packed = offsets.back();
  static constexpr cpu::EarlierWidths earlier{count, widths.data(), offsets.data()};

  static void pack(Weights<S> w, S* to) { Mixture::pack(earlier, w, to); }

  template <Capability C>
  struct Saved {
    typename Mixture::Buffers all;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      if constexpr (keeps_for_backward(C)) all.bind(arena, count, samples * Own::positions);
    }
  };

  using Body = PolicyBodyKernel<Part, backend::CpuOn<Arch, S>>;  ///< which tells the mixture
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return std::max(Mixture::scratch(count), Body::scratch(samples, c));
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                      S* z, Saved<C>& saved, S* scratch) {
    Mixture::forward(earlier, pass.samples * Own::positions, w, packed_weights, own, before, z,
                     keeps_for_backward(C) ? &saved.all : nullptr, scratch);
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                       const S* dz, S* d_own, S* const* d_before, Gradients<S> g, Saved<C>& saved, S* scratch) {
    Mixture::backward(earlier, pass.samples * Own::positions, w, packed_weights, own, before, dz, d_own, d_before, g,
                      saved.all, scratch);
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
