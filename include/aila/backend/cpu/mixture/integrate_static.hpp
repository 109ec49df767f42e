// Static mixtures on the CPU: DenseFormer, the read-out of ELMo, and any Mixture whose weights see no item.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../integrate/mixture.hpp"
#include "mix_maps.hpp"
#include "mixture_items.hpp"
#include "shared_mixture.hpp"

namespace aila::inline v0 {

/// What all layers of a stack share: how many items there are, and in which order, are numbers.
template <class S, class Arch, class P>
struct SharedStaticMixture {
  using MixMaps = cpu::MixMaps<S, Arch>;
  static constexpr std::size_t W = simd::width<S, Arch>;
  struct Numbers {
    std::uint32_t n = 0, own = 0;           ///< items, and which of them is the newest; n: none is
    std::uint32_t elements = 0, steps = 0;  ///< of a sample's map; steps of a sequence, else 0
    std::uint32_t score_tensor = 0, gain_tensor = 0;
    std::uint32_t scratch_of_body = 0;  ///< which tells the weights
  };

  template <Capability C>
  using Saved = NothingSaved;
  template <Capability C>
  static constexpr void bind(Numbers, NothingSaved&, Arena<S>&, std::size_t) {}
  static constexpr void pack(Numbers, Weights<S>, S*) {}

  /// Weights that are what is learned need nothing of other items for their gradients.
  static constexpr bool gathers = std::is_same_v<typename P::Normaliser, integrate::SignedWeights> && !P::has_gain;

  /// The weights, their products with the gain, their slopes, a vector for the sum of each, and the items.
  static constexpr std::size_t of_weights(std::size_t n) { return round_up(n, alignment_elements); }
  static constexpr std::size_t scratch(Numbers z, std::size_t, Capability) {
    const std::size_t gathers_in =
        gathers ? MixMaps::most_terms * W : 0;  // of other mixtures, too, that have more items
    return std::max<std::size_t>(
        {3 * of_weights(z.n) + z.n * W + MixtureItems<S>::room(z.n), gathers_in, z.scratch_of_body});
  }

  /// What the mixtures of these terms say of one item.
  static void gather(std::size_t count, const GatheredMixture<S, Numbers>* terms, std::size_t size, const S* item,
                     S* d_item, bool sets, S* scratch)
    requires gathers
  {
    std::array<const S*, MixMaps::most_terms> d_to{};
    std::array<S, MixMaps::most_terms> weights{}, slopes{};
    const auto place = [&](std::size_t t) {  // of the item among those of mixture t
      const Numbers& z = terms[t].numbers;
      return terms[t].read == 0 ? z.own : terms[t].read - 1 + (terms[t].read - 1 >= z.own ? 1 : 0);
    };
    for (std::size_t t = 0; t < count; ++t) {
      d_to[t] = terms[t].d_to;
      weights[t] = place(t) < terms[t].numbers.n ? terms[t].w[terms[t].numbers.score_tensor][place(t)] : S(0);
    }
    MixMaps::gather(count, d_to.data(), size, weights.data(), item, d_item, sets, slopes.data(), scratch);
    for (std::size_t t = 0; t < count; ++t)
      if (terms[t].g && place(t) < terms[t].numbers.n) terms[t].g[terms[t].numbers.score_tensor][place(t)] += slopes[t];
  }

  static void weigh(Numbers z, Weights<S> w, S* weights, S* factors) {
    for (std::uint32_t i = 0; i < z.n; ++i) weights[i] = w[z.score_tensor][i];
    P::Normaliser::forward(weights, z.n);
    const S gain = P::has_gain ? w[z.gain_tensor][0] : S(1);
    for (std::uint32_t i = 0; i < z.n; ++i) factors[i] = weights[i] * gain;
  }

  template <Capability C>
  static void forward(Numbers z, const Pass& pass, Weights<S> w, const S*, const S* own, const S* const* before, S* to,
                      NothingSaved&, S* scratch) {
    S *const weights = scratch, *const factors = weights + of_weights(z.n);
    const MixtureItems<S> items(z.n, z.own, own, before, factors + of_weights(z.n));
    weigh(z, w, weights, factors);
    MixMaps::forward(z.n, items.maps, pass.samples * z.elements, factors, to);
    if (C == Capability::stream || z.steps == 0 || pass.lengths == nullptr) return;
    for (std::size_t n = 0; n < pass.samples; ++n, to += z.elements)
      std::fill(to + pass.length(n, z.steps) * (z.elements / z.steps), to + z.elements, S(0));
  }

  template <Capability C>
  static void backward(Numbers z, const Pass& pass, Weights<S> w, const S*, const S* own, const S* const* before,
                       const S* d_to, S* d_own, S* const* d_before, Gradients<S> g, NothingSaved&, S* scratch) {
    S *const weights = scratch, *const factors = weights + of_weights(z.n), *const slopes = factors + of_weights(z.n);
    S* const sums = slopes + of_weights(z.n);
    MixtureItems<S> items(z.n, z.own, own, before, sums + z.n * W);
    items.add_gradients(d_own, d_before);
    weigh(z, w, weights, factors);
    MixMaps::backward(z.n, items.maps, items.d_maps, pass.samples * z.elements, factors, d_to, slopes, sums);
    if (!g) return;
    if constexpr (P::has_gain) {
      const S gain = w[z.gain_tensor][0];
      S slope(0);
      for (std::uint32_t i = 0; i < z.n; ++i) {
        slope += weights[i] * slopes[i];
        slopes[i] *= gain;
      }
      g[z.gain_tensor][0] += slope;
    }
    P::Normaliser::backward(weights, slopes, z.n);
    for (std::uint32_t i = 0; i < z.n; ++i) g[z.score_tensor][i] += slopes[i];
  }
};

/// One map of weights for a whole mixture.
template <class P>
concept WholeStaticMixture = requires {
  requires P::has_kernels && P::is_static && !P::maps_values && P::vectors == 0 && P::place != integrate::Place::after;
  requires P::template Sizes<Vector<2>, ShapeList<Vector<2>>>::heads == 1;
};

template <class S, class Arch, class Part>
struct CpuStaticMixture : SharedMixture<CpuStaticMixture<S, Arch, Part>, S, Arch, Part,
                                        SharedStaticMixture<S, Arch, typename Part::Policy::Axes>> {
  static constexpr const char* name = "cpu static mixture, whole maps";
  using P = typename Part::Policy;
  using Own = typename Part::Own;
  using Sizes = typename P::template Sizes<Own, typename Part::Before>;
  static constexpr typename CpuStaticMixture::Shared::Numbers numbers{
      .n = Sizes::n,
      .own = static_cast<std::uint32_t>(P::mixes_own ? Part::Before::count : Sizes::n),
      .elements = Own::elements,
      .steps = Own::rank == 2 ? static_cast<std::uint32_t>(Own::positions) : 0,
      .score_tensor = Sizes::score_tensor,
      .gain_tensor = Sizes::gain_tensor,
      .scratch_of_body = CpuStaticMixture::Body::scratch(1, Capability::train)};
};

template <WholeStaticMixture P, class Own, class Before, class Arch, class S>
  requires(P::template Sizes<Own, Before>::scored)
CpuStaticMixture<S, Arch, Integration<P, Own, Before>> select_kernel(rank::Layer, Integration<P, Own, Before>,
                                                                     backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
