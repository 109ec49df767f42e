// Normalisers: from the scores of a head's items to their weights, and back.
#pragma once

#include "../core/macros_aside.hpp"

#include "../core/math.hpp"
#include "vectors.hpp"

namespace aila::inline v0 {

namespace role {
struct Normaliser;
}

namespace integrate {

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

/// What looks at the scores once more on the way back says so: it is given them beside the weights.
struct OfScores {
  using role = role::Normaliser;
  static constexpr bool needs_scores = true;
};
/// alpha_i = GELU(s_i) / n.
struct GeluWeights : OfScores {
  static constexpr bool sums_to_one = false;
  template <class V>
  static constexpr void forward(const V* score, V* row, std::size_t n) {
    const V share(ScalarOf<V>(1) / ScalarOf<V>(n));
    for (std::size_t i = 0; i < n; ++i) row[i] = gelu(score[i]) * share;
  }
  template <class V>
  static constexpr void backward(const V* score, const V*, V* dw, std::size_t n) {
    const V share(ScalarOf<V>(1) / ScalarOf<V>(n));
    for (std::size_t i = 0; i < n; ++i) dw[i] = dw[i] * gelu_slope(score[i]) * share;
  }
};
/// alpha_i = s_i / (sum of s), signed; 1e-6 of the sum's sign is added to it.
struct RatioWeights : OfScores {
  static constexpr bool sums_to_one = false;
  template <class V>
  static constexpr V inverse(const V* score, std::size_t n) {
    using S = ScalarOf<V>;
    V sum(S(0));
    for (std::size_t i = 0; i < n; ++i) sum += score[i];
    return V(S(1)) / (sum + math::select(sum < V(S(0)), V(S(-1e-6)), V(S(1e-6))));
  }
  template <class V>
  static constexpr void forward(const V* score, V* row, std::size_t n) {
    const V r = inverse(score, n);
    for (std::size_t i = 0; i < n; ++i) row[i] = score[i] * r;
  }
  template <class V>
  static constexpr void backward(const V* score, const V* weight, V* dw, std::size_t n) {
    const V r = inverse(score, n);
    V expected(ScalarOf<V>(0));
    for (std::size_t i = 0; i < n; ++i) expected += weight[i] * dw[i];
    for (std::size_t i = 0; i < n; ++i) dw[i] = r * (dw[i] - expected);
  }
};
/// The softmax over the K greatest scores; of equal ones the earlier item's. The others weigh nothing.
template <std::size_t K>
struct TopWeights : OfScores {
  static constexpr bool sums_to_one = true;
  static constexpr std::size_t kept = K == 0 ? 1 : K;
  template <class V>
  static constexpr void forward(const V* score, V* row, std::size_t n) {
    using S = ScalarOf<V>;
    const V one(S(1)), none(S(0));
    V largest = score[0], sum(S(0));
    for (std::size_t i = 1; i < n; ++i) largest = math::max(largest, score[i]);
    for (std::size_t i = 0; i < n; ++i) {
      V greater(S(0));  // scores before it in the order
      for (std::size_t l = 0; l < n; ++l)
        greater += l < i ? math::select(score[l] < score[i], none, one) : math::select(score[l] > score[i], one, none);
      row[i] = math::select(greater < V(S(kept)), math::exp(score[i] - largest), none);
      sum += row[i];
    }
    for (std::size_t i = 0; i < n; ++i) row[i] = row[i] / sum;
  }
  template <class V>
  static constexpr void backward(const V*, const V* weight, V* dw, std::size_t n) {
    SoftmaxWeights::backward(weight, dw, n);
  }
};

}  // namespace integrate

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
