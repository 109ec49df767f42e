// Scored mixtures: attention residuals, DeepCrossAttention and MUDD before the cores; both architectures of AILA with
// every axis.
#pragma once

#include "../core/macros_aside.hpp"

#include "mixture.hpp"

namespace aila::inline v0::integrate {

/// x_{j+1} = sum over i <= j of alpha_i v_i, alpha = softmax of <q_j, rms(v_i)>, v_0 the stack's input and v_i what
/// layer i gives; once more behind the last. Cores keep no sum of their own, or Of<Items::deltas> says that they do.
/// Tensor query [H, d / H], zero at first: the mean. The gain of the norm is in it. Options are axes, among them
///   none          full: arXiv 2603.15031
///   InBlocks<B>   block: v_i are the stack's input, sums over B layers, and what there is of the running block
///   Heads<H>      multi-head (MHAR): each of H slices has its own softmax, the norm is over all. arXiv 2607.27230
template <class... Options>
struct AttentionResiduals : MixtureOr<List<Options...>, AttachedAt<Place::before>, RmsKeys, LearnedQuery> {
  static constexpr const char* name = "attention_residuals";
};

/// x_{j+1} = r_j + g_j sum over i <= j of alpha_i v_i, r_j = sum over i <= j of v_i the residual stream, alpha and v as
/// above; so are the options, and NullItem is one of its paper. Tensors query, and gain [1] = g_j, one at first;
/// GainFromZero begins as ResNet, where the query has no gradient in the first step. Source: arXiv 2605.18855.
template <class... Options>
struct DeltaAttentionResiduals
    : MixtureOr<List<Options...>, AttachedAt<Place::before>, RmsKeys, LearnedQuery, PlusSum, LearnedGain> {
  static constexpr const char* name = "delta_attention_residuals";
};

/// DeepCrossAttention over what layers add, of cores that keep no sum of their own (or with Of<Items::deltas>):
///   v1   x_{j+1} = sum over i <= j of b_i v_i                      tensor weight [1, n] = b
///   v2   B_i in place of b_i, a number a channel                   tensor weight [d, n] = B
///   v3   B_i + ReLU(<w, rms(v_i)>) in place of b_i                 tensors query [C, d] = w, channel [n, d] = B
/// b and B are ones at first, w is small and random, for at zero ReLU lets nothing through: v1 and v2 begin as ResNet's
/// sum. With C > 1 ways every core, the first too, reads C such maps side by side: a block has three, for queries, keys
/// and values, and its residual is that of the queries. k-DCA: Ends<K>, of which the paper's sum of the items between
/// is left out. Source: arXiv 2502.06785.
template <class... Options>
struct DeepCrossAttention1
    : MixtureOr<List<Options...>, AttachedAt<Place::before>, StaticScores<Start::ones>, SignedWeights> {
  static constexpr const char* name = "deep_cross_attention_1";
};
template <class... Options>
struct DeepCrossAttention2
    : MixtureOr<List<Options...>, AttachedAt<Place::before>, StaticScores<Start::ones>, SignedWeights, PerChannel> {
  static constexpr const char* name = "deep_cross_attention_2";
};
template <std::size_t C = 1, class... Options>
struct DeepCrossAttention : MixtureOr<List<Options...>, AttachedAt<Place::before>, RmsKeys, SmallQuery, ReluWeights,
                                      PlusOfChannels, Heads<C>, Ways> {
  static constexpr const char* name = "deep_cross_attention";
  template <std::size_t layer, std::size_t depth>
  using AtLayer = DeepCrossAttention<(layer < depth ? C : 1), Options...>;
};

/// x^c_{j+1} = sum over i <= j of A_{c,i} h_i, A = W_2 GELU(W_1 rms(h_j)) + a [C, n]: C ways side by side for every
/// core, the first too, and one behind the last; a core reads its queries', keys' and values' input and its residual of
/// four. Tensors inner [C n, d] = W_1, outer [C n, C n] = W_2, zero, and weight [C, n] = a, which begins as the plain
/// stack. Cores keep a residual sum of their own. The paper may widen the hidden layer to a multiple of 64, and
/// fourfold behind the last layer: not here. Source: MUDDFormer, arXiv 2502.12170.
template <std::size_t C = 1>
struct Mudd : Mixture<AttachedAt<Place::before>, EmittedScores, SignedWeights, Heads<C>, Ways> {
  static constexpr const char* name = "mudd";
  template <std::size_t layer, std::size_t depth>
  using AtLayer = Mudd<(layer < depth ? C : 1)>;
};
/// The same with A = a, of one way DenseFormer.
template <std::size_t C = 1>
struct StaticMudd : Mixture<AttachedAt<Place::before>, StaticScores<Start::newest>, SignedWeights, Heads<C>, Ways> {
  static constexpr const char* name = "static_mudd";
  template <std::size_t layer, std::size_t depth>
  using AtLayer = StaticMudd<(layer < depth ? C : 1)>;
};

/// Architecture 1 as a point of the axes: Linear<Heads<H>> where nothing else is said. Options are axes: one w for all
/// items (LearnedQuery), keys rms(c_i) (RmsKeys), heads side by side with a map (Concatenate, OutputMap), WithoutOwn,
/// a task (LearnedItems<1>), NullItem, ItemBias, LearnedTemperature, other weights. The paper leaves them open.
template <class... Options>
struct LinearMixture : MixtureOr<List<Options...>, ValuesOfEach, ScoreOfEach, MeanOfWeights> {
  static constexpr const char* name = "linear_mixture";
};

/// Architecture 2 as a point of the axes: Attention<Heads<H>> where nothing else is said. Options are axes:
/// TaskInQuery, WithOwn, NullItem, KeysOfEach<K>, SharedValues, MeanOfHeads, OutputMap, DistanceToOwn, GatedPrior,
/// ItemBias, LearnedTemperature, other weights. The paper leaves them open.
template <class... Options>
struct AttentionMixture : MixtureOr<List<Options...>, WithoutOwn, SharedKeys<>, QueryOfOwn, ValuesOfEach> {
  static constexpr const char* name = "attention_mixture";
};

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
