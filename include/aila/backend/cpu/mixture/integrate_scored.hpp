// Scored mixtures on the CPU: a learned vector, or one for each item, asks the items.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../integrate/mixture.hpp"
#include "mix_scored.hpp"
#include "mixture_items.hpp"
#include "shared_mixture.hpp"

namespace aila::inline v0 {

/// What all layers of a stack share: how many items there are, and in which order, are numbers.
template <class S, class Arch, class P, std::size_t d, std::size_t heads, std::size_t Positions, bool IsSequence>
struct SharedScoredMixture {
  using Mix = cpu::MixScored<S, Arch, P, d, heads>;
  struct Numbers {
    std::uint32_t n = 0, own = 0;  ///< items, and which of them is the newest; n: none is
    std::uint32_t score_tensor = 0, scratch_of_body = 0;
  };
  using Items = MixtureItems<S>;

  static constexpr void pack(Numbers, Weights<S>, S*) {}
  template <Capability C>
  struct Saved {
    S* kept = nullptr;
  };
  template <Capability C>
  static constexpr void bind(Numbers z, Saved<C>& saved, Arena<S>& arena, std::size_t samples) {
    if constexpr (keeps_for_backward(C)) saved.kept = arena.take(Mix::kept(z.n, samples * Positions));
  }
  static constexpr std::size_t scratch(Numbers z, std::size_t, Capability) {
    return std::max<std::size_t>(Mix::scratch(z.n) + Items::room(z.n), z.scratch_of_body);
  }

  template <Capability C>
  static void forward(Numbers z, const Pass& pass, Weights<S> w, const S*, const S* own, const S* const* before, S* to,
                      Saved<C>& saved, S* scratch) {
    const Items items(z.n, z.own, own, before, scratch);
    Mix::forward(z.n, items.maps, pass.samples * Positions, w[z.score_tensor], to, saved.kept,
                 scratch + Items::room(z.n));
    if constexpr (IsSequence && C != Capability::stream)
      if (pass.lengths != nullptr)
        for (std::size_t n = 0; n < pass.samples; ++n, to += Positions * d)
          std::fill(to + pass.length(n, Positions) * d, to + Positions * d, S(0));
  }
  template <Capability C>
  static void backward(Numbers z, const Pass& pass, Weights<S> w, const S*, const S* own, const S* const* before,
                       const S* d_to, S* d_own, S* const* d_before, Gradients<S> g, Saved<C>& saved, S* scratch) {
    Items items(z.n, z.own, own, before, scratch);
    items.add_gradients(d_own, d_before);
    Mix::backward(z.n, items.maps, items.d_maps, pass.samples * Positions, w[z.score_tensor], d_to,
                  g ? g[z.score_tensor] : nullptr, saved.kept, scratch + Items::room(z.n));
  }
};

template <class P, class Own, class Before, class S, class Arch>
concept MixesScoredRows = requires {
  requires P::has_kernels && (P::scores_each || P::asks);
  requires !P::maps_keys && !P::maps_values && !P::has_gain && P::vectors == 0;
  requires P::place != integrate::Place::after&& P::template Sizes<Own, Before>::scored;
  requires P::template Sizes<Own, Before>::heads == 1 ||
                   Own::features / P::template Sizes<Own, Before>::heads % simd::width<S, Arch> == 0;
};

template <class S, class Arch, class Part, class P = typename Part::Policy, class Own = typename Part::Own,
          class Sizes = typename P::template Sizes<Own, typename Part::Before>>
using SharedScoredMixtureOf =
    SharedScoredMixture<S, Arch, typename P::Axes, Own::features, Sizes::heads, Own::positions, Own::rank == 2>;

template <class S, class Arch, class Part>
struct CpuScoredMixture
    : SharedMixture<CpuScoredMixture<S, Arch, Part>, S, Arch, Part, SharedScoredMixtureOf<S, Arch, Part>> {
  static constexpr const char* name = "cpu scored mixture, blocks of rows";
  static constexpr bool takes_blocks = true;
  using P = typename Part::Policy;
  using Sizes = typename P::template Sizes<typename Part::Own, typename Part::Before>;
  static constexpr typename CpuScoredMixture::Shared::Numbers numbers{
      .n = Sizes::n,
      .own = static_cast<std::uint32_t>(P::mixes_own ? Part::Before::count : Sizes::n),
      .score_tensor = Sizes::score_tensor,
      .scratch_of_body = CpuScoredMixture::Body::scratch(1, Capability::train)};
};

template <class P, class Own, class Before, class Arch, class S>
  requires MixesScoredRows<P, Own, Before, S, Arch>
CpuScoredMixture<S, Arch, Integration<P, Own, Before>> select_kernel(rank::Layer, Integration<P, Own, Before>,
                                                                     backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
