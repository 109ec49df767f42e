// The axes of a mixture: what its items are, how they are scored and weighed, and how they are put together.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/policy.hpp"
#include "../core/math.hpp"
#include "normalisers.hpp"
#include "options.hpp"
#include "vectors.hpp"

namespace aila::inline v0 {

namespace role {
struct Attached;
struct ItemKind;
struct Blocks;
struct InputItem;
struct OwnItem;
struct ItemStep;
struct LayerStep;
struct LearnedItems;
struct KeyMap;
struct Scoring;
struct ValueMap;
struct Gain;
struct Window;
struct Base;
struct NullItem;
struct ItemBias;
struct Channels;
struct Temperature;
struct Inhibition;
struct Prior;
struct QueryTask;
struct Output;
struct ValueGate;
struct Decorrelation;
}  // namespace role

namespace detail {
template <std::size_t N>
struct ZeroOfAxis {
  static consteval int say() {
    constexpr bool some = N > 0;
    static_assert(some, "aila: an axis of a mixture counts from one: blocks, dilation, period, widths of keys");
    return 0;
  }
};
template <std::size_t N>
using AtLeastOne = std::conditional_t<(N > 0), NoRefusal, ZeroOfAxis<N>>;
}  // namespace detail

namespace integrate {

// ---- where, and over which items

/// Where the mixture attaches; after the cores by default.
template <Place P>
struct AttachedAt {
  using role = role::Attached;
  static constexpr Place value = P;
};
template <Items I>
struct Of {
  using role = role::ItemKind;
  static constexpr Items value = I;
};
/// Items are sums over B layers.
template <std::size_t B>
struct InBlocks {
  using role = role::Blocks;
  using Refusal = aila::detail::AtLeastOne<B>;
  static constexpr std::size_t value = B == 0 ? 1 : B;
};
/// The stack's input h_0 is no item.
struct WithoutInput {
  using role = role::InputItem;
};
/// The newest item, of a mixture after the cores the core's own output, is none: it may still ask.
struct WithoutOwn {
  using role = role::OwnItem;
};
struct WithOwn {
  using role = role::OwnItem;
};
/// Of the items behind layer j those with i = j (mod K). Like Every and InBlocks, before the cores and at the readout.
template <std::size_t K>
struct Dilated {
  using role = role::ItemStep;
  using Refusal = aila::detail::AtLeastOne<K>;
  static constexpr std::size_t value = K == 0 ? 1 : K;
};
/// Behind each P-th layer alone; elsewhere the next core reads h_j.
template <std::size_t P>
struct Every {
  using role = role::LayerStep;
  using Refusal = aila::detail::AtLeastOne<P>;
  static constexpr std::size_t value = P == 0 ? 1 : P;
};
/// The last K items alone, the newest among them; and with Ends the first K too. Before the cores and at the readout.
template <std::size_t K>
struct Newest {
  using role = role::Window;
  using Refusal = aila::detail::AtLeastOne<K>;
  static constexpr bool takes(std::size_t item, std::size_t newest) { return newest - item < K; }
};
template <std::size_t K>
struct Ends {
  using role = role::Window;
  using Refusal = aila::detail::AtLeastOne<K>;
  static constexpr bool takes(std::size_t item, std::size_t newest) { return item < K || newest - item < K; }
};
/// Of the items behind a layer the stack's input alone, beside the newest.
struct InputAlone {
  using role = role::Window;
  static constexpr bool takes(std::size_t item, std::size_t) { return item == 0; }
};
/// N learned vectors are the last items.
template <std::size_t N>
struct LearnedItems {
  using role = role::LearnedItems;
  static constexpr std::size_t value = N;
};
/// One more item of value 0: its score is learned, tensor null [H], zero at first. Whatever it takes, the weights that
/// are told sum to less than 1. Once only of softmax's kind.
struct NullItem {
  using role = role::NullItem;
};

// ---- keys and values

/// k_i = v_i.
struct KeysOfValues {
  using role = role::KeyMap;
};
/// k_i = v_i / sqrt(mean(v_i^2) + 1e-6).
struct RmsKeys {
  using role = role::KeyMap;
  static constexpr double eps = 1e-6;
};
/// k_i = W m_i of K features a head, one W for all items; tensor key [H K, d_i]. 0: the layer's width over the heads.
template <std::size_t K = 0>
struct SharedKeys {
  using role = role::KeyMap;
  static constexpr std::size_t width = K;
};
/// k_i = W_i m_i, a map for each item; tensors key.i.
template <std::size_t K = 0>
struct KeysOfEach {
  using role = role::KeyMap;
  static constexpr bool of_each = true;
  static constexpr std::size_t width = K;
};

/// v_i = m_i.
struct ValuesOfItems {
  using role = role::ValueMap;
};
/// v_i = W_i m_i; tensors value.i [., d_i]. The layer's own output stays as it is.
struct ValuesOfEach {
  using role = role::ValueMap;
};
/// v_i = W m_i, one W; tensor value.
struct SharedValues {
  using role = role::ValueMap;
};

/// v_i times 1 + tanh(<w, m_i>), before keys are made of values; tensor value_gate [d] = w, zero at first.
struct GatedValues {
  using role = role::ValueGate;
};
/// Of each head the values v~ with (P + 1e-6 I) v~ = v in place of v, P_il = exp(sqrt(K) (cos(k_i, k_l) - 1)): what
/// alike items say together is not counted twice. For scores that ask keys.
struct LucidValues {
  using role = role::Decorrelation;
};

// ---- scores

/// First values of weights that see no item: all zero, all one, all 1 / n, or of each row the newest item's one and the
/// others zero.
enum class Start { zeros, ones, mean, newest };
/// s_i = b_i, whatever the items are; tensor weight [H, n].
template <Start From = Start::zeros>
struct StaticScores {
  using role = role::Scoring;
  static constexpr Start start = From;
};
/// s_i = <w_i, k_i>, a vector for each item; tensor score [H, n, K], zero at first.
struct ScoreOfEach {
  using role = role::Scoring;
};
/// s_i = <q, k_i>, q learned; tensor query [H, K], zero at first.
struct LearnedQuery {
  using role = role::Scoring;
};
/// The same with a query of small random numbers at first, for weights that are dead at zero.
struct SmallQuery {
  using role = role::Scoring;
};
/// s_i = <W y, k_i> / sqrt(K), y the newest item; tensor query [H K, d].
struct QueryOfOwn {
  using role = role::Scoring;
};
/// s_i = -|W y - k_i|^2, y the newest item; tensor query [H K, d].
struct DistanceToOwn {
  using role = role::Scoring;
};
/// All scores from the newest item y alone: s = W_2 GELU(W_1 y / rms(y)) + b. Tensors inner [H n, d], outer [H n, H n],
/// zero at first, and weight [H, n], which begins as the newest item.
struct EmittedScores {
  using role = role::Scoring;
};
/// What y asks for is W [y; t], t learned; tensors query [H K, 2 d], task [d].
struct TaskInQuery {
  using role = role::QueryTask;
};

// ---- what is done to scores

/// s_i + b_i: a bias of relative depth, for the items of a layer are counted from it; tensor bias [H, n], zero at
/// first.
struct ItemBias {
  using role = role::ItemBias;
};
/// s_i - sigma(c) mean(s): nothing under a softmax. Tensor inhibition [1] = c, zero at first.
struct Inhibition {
  using role = role::Inhibition;
};
/// tau s_i, tau = 1 + tanh(<w, y>) + sigma(c) log n. Tensors temperature [d] = w, zero, and growth [1] = c, -4 at
/// first.
struct LearnedTemperature {
  using role = role::Temperature;
};

// ---- heads

/// A weight for every item and channel: as many heads as features.
struct PerChannel {
  using role = role::Heads;
  static constexpr std::size_t value = 0;
};
/// Heads weigh whole items, and the mean of their weights counts.
struct MeanOfWeights {
  using role = role::Combine;
  static constexpr bool mean_of_weights = true, mean = false;
};

/// Head h weighs whole items and gives a map of its own: H maps side by side, for cores that read several ways.
struct Ways {
  using role = role::Combine;
  static constexpr bool ways = true, mean = false;
};

// ---- what is done to weights and to the sum

/// alpha = (1 - sigma(g)) softmax(s) + sigma(g) softmax(b): content, and what is learned of depth. Tensors gate [H] =
/// g, one at first, and prior [H, n] = b, which falls by one an item from the last on.
struct GatedPrior {
  using role = role::Prior;
};
/// Every channel's weight alpha_i + B_i, B learned; tensor channel [n, d], of Ways [H, n, d], ones at first.
struct PlusOfChannels {
  using role = role::Channels;
};
/// A learned factor of the whole mixture, one at first, or zero.
struct LearnedGain {
  using role = role::Gain;
  static constexpr double start = 1;
};
struct GainFromZero {
  using role = role::Gain;
  static constexpr double start = 0;
};
/// Beside the mixture, and beside its gain, the sum of all items' values, or the newest item.
struct PlusSum {
  using role = role::Base;
};
struct PlusOwn {
  using role = role::Base;
};
/// a = W_O of the mixture; tensor output [d, d].
struct OutputMap {
  using role = role::Output;
};

}  // namespace integrate

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
