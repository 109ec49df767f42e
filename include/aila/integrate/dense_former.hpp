// Static mixtures: items weighed by learned numbers, whatever they are.
#pragma once

#include "../core/macros_aside.hpp"

#include "mixture.hpp"

namespace aila::inline v0::integrate {

/// x_{j+1} = sum over i <= j of w_{j,i} h_i, h_0 the stack's input; behind the last layer, what the stack gives. With
/// dilation K only i = j (mod K); with period P only behind every P-th layer. Tensor weight [1, n], which begins as the
/// plain stack. Cores may keep a residual sum of their own, as the published blocks do. Source: arXiv 2402.02622.
template <std::size_t DilationOf = 1, std::size_t PeriodOf = 1>
struct DenseFormer : Mixture<AttachedAt<Place::before>, StaticScores<Start::newest>, SignedWeights, Dilated<DilationOf>,
                             Every<PeriodOf>> {
  static constexpr const char* name = "dense_former";
};

/// x_{j+1} = sum over i <= j of w_{j,i} h_i, with weights [1, n] that begin as the mean. The layer norm that the paper
/// has for every item is the stack's: Epilogue<LayerNorm>, and a LayerNorm in front of the stack for h_0. Its post-norm
/// form is Epilogue<Identity> and cores that begin with a LayerNorm. Source: DLCL, arXiv 1906.01787.
struct DynamicLinearCombination : Mixture<AttachedAt<Place::before>, StaticScores<Start::mean>, SignedWeights> {
  static constexpr const char* name = "dynamic_linear_combination";
};

/// x_{j+1} = l_0 h_0 + l_1 h_j before each core but the first, of cores that keep a residual sum of their own; the
/// stack gives h_L. Tensor weight [1, 2] = (l_0, l_1), (0, 1) at first: the plain stack. Source: modded-nanogpt, which
/// mixes before the first core too, where both maps are one.
struct InputMix : Mixture<AttachedAt<Place::before>, StaticScores<Start::newest>, SignedWeights, InputAlone> {
  static constexpr const char* name = "input_mix";
  static consteval bool attaches(std::size_t layer, std::size_t depth) { return layer > 0 && layer < depth; }
};

/// The second half of a stack takes the maps of the first, the last of them first: core L + 1 - a reads
/// h_{L-a} + u_a h_a, a = 1, ..., L / 2 (public versions pair other layers where L is odd). Tensor weight [1, 1] = u_a,
/// one at first (public versions differ; zeros are the plain stack). Source: modded-nanogpt, after arXiv 1505.04597.
struct UNetSkips : Mixture<AttachedAt<Place::before>, StaticScores<Start::ones>, SignedWeights, PlusOwn, WithoutOwn> {
  static constexpr const char* name = "unet_skips";
  static consteval bool attaches(std::size_t layer, std::size_t depth) { return layer < depth && depth <= 2 * layer; }
  static consteval bool takes(std::size_t layer, std::size_t item, std::size_t depth) { return item + layer == depth; }
  /// In the middle the map is the newest itself.
  struct Middle : Mixture<AttachedAt<Place::before>, StaticScores<Start::ones>, SignedWeights, PlusOwn> {
    static constexpr const char* name = "unet_skips";
  };
  template <std::size_t layer, std::size_t depth>
  using AtLayer = std::conditional_t<2 * layer == depth, Middle, UNetSkips>;
};

/// The stack gives g sum over i of softmax(s)_i h_i, h_0 included. Tensors weight [1, n] = s, zero at first, and gain
/// [1] = g, one: the mean. Source: ELMo, arXiv 1802.05365.
struct ElmoMix : Mixture<AttachedAt<Place::readout>, StaticScores<>, LearnedGain> {
  static constexpr const char* name = "elmo_mix";
};

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
