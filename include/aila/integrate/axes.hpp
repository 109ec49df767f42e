// The axes of a mixture: what its items are, how they are scored and weighed, and how they are put together.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/policy.hpp"
#include "../core/math.hpp"
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
struct Normaliser;
struct ValueMap;
struct Gain;
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
// -------------------------------------------------------------------------------------

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
/// Of the items behind layer j those with i = j (mod K).
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
/// N learned vectors are the last items.
template <std::size_t N>
struct LearnedItems {
  using role = role::LearnedItems;
  static constexpr std::size_t value = N;
};

// ---- keys and values
// -------------------------------------------------------------------------------------------------

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

// ---- scores
// ----------------------------------------------------------------------------------------------------------

/// First values of weights that see no item: all zero, all one, or of each row the newest item's one and the others
/// zero.
enum class Start { zeros, ones, newest };
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
/// s_i = <W y, k_i> / sqrt(K), y the newest item; tensor query [H K, d].
struct QueryOfOwn {
  using role = role::Scoring;
};

// ---- weights
// ---------------------------------------------------------------------------------------------------------

/// alpha_i = exp(s_i) / sum of exp(s): they sum to 1. Of one item the weight is 1, and nothing is scored.
struct SoftmaxWeights {
  using role = role::Normaliser;
  static constexpr bool sums_to_one = true;
  template <class V>
  static constexpr void forward(V* row, std::size_t n) {
    softmax(row, n);
  }
  /// Slopes ds of the scores, over those dw of the weights.
  template <class V>
  static constexpr void backward(const V* weight, V* dw, std::size_t n) {
    V expected(ScalarOf<V>(0));
    for (std::size_t i = 0; i < n; ++i) expected += weight[i] * dw[i];
    for (std::size_t i = 0; i < n; ++i) dw[i] = weight[i] * (dw[i] - expected);
  }
};
/// alpha_i = s_i: signed, of any sum.
struct SignedWeights {
  using role = role::Normaliser;
  static constexpr bool sums_to_one = false;
  template <class V>
  static constexpr void forward(V*, std::size_t) {}
  template <class V>
  static constexpr void backward(const V*, V*, std::size_t) {}
};
/// alpha_i = sigma(s_i - log n).
struct SigmoidWeights {
  using role = role::Normaliser;
  static constexpr bool sums_to_one = false;
  template <class V>
  static constexpr void forward(V* row, std::size_t n) {
    const V shift(math::log(ScalarOf<V>(n)));
    for (std::size_t i = 0; i < n; ++i) row[i] = math::sigmoid(row[i] - shift);
  }
  template <class V>
  static constexpr void backward(const V* weight, V* dw, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) dw[i] = dw[i] * weight[i] * (V(ScalarOf<V>(1)) - weight[i]);
  }
};
/// alpha_i = max(s_i, 0).
struct ReluWeights {
  using role = role::Normaliser;
  static constexpr bool sums_to_one = false;
  template <class V>
  static constexpr void forward(V* row, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) row[i] = math::max(row[i], V(ScalarOf<V>(0)));
  }
  template <class V>
  static constexpr void backward(const V* weight, V* dw, std::size_t n) {
    const V zero(ScalarOf<V>(0));
    for (std::size_t i = 0; i < n; ++i) dw[i] = math::select(weight[i] > zero, dw[i], zero);
  }
};

// ---- heads
// -----------------------------------------------------------------------------------------------------------

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

/// A learned factor of the whole mixture.
struct LearnedGain {
  using role = role::Gain;
};

}  // namespace integrate

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
