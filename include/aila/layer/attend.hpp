// Attend: what attention takes of queries, keys and values.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "../contract/layer.hpp"
#include "../core/option.hpp"

namespace aila::inline v0 {

namespace role {
struct Mask;
}

/// SelfAttention, Attend: a step attends to itself and to the steps before it.
struct Causal {
  using role = role::Mask;
};

namespace detail {
template <std::size_t heads>
struct NoAttentionHeads {
  static consteval int say() {
    constexpr bool some = heads > 0;
    static_assert(some, "aila: SelfAttention needs at least one head");
    return 0;
  }
};
}  // namespace detail

/// SelfAttention without its weights: [steps, 3 d] -> [steps, d], in HeadCount heads of width w = d / HeadCount.
///   q, k, v = the thirds of x_t;    of head h: o_t = sum_s softmax_s(<q_t, k_s> / sqrt(w)) v_s,    heads side by side
/// With `Causal` s runs over the steps up to t. Where lengths are given, s runs over a sample's valid steps, and y is 0
/// behind them. No parameters. Source: arXiv 1706.03762, section 3.2.1.
template <std::size_t HeadCount, class... Options>
struct Attend {
  static constexpr const char* name = "attend";
  static constexpr std::size_t heads = HeadCount;
  using Choice = OptionsOf<Attend, List<role::Mask>, Options...>;
  using Refusal = std::conditional_t<(HeadCount > 0), detail::RefusalOf<Choice>, detail::NoAttentionHeads<HeadCount>>;
  static constexpr bool causal = std::is_same_v<typename Choice::template Pick<role::Mask, void>, Causal>;

  static std::string options() {
    return std::to_string(heads) + (heads == 1 ? " head" : " heads") + (causal ? ", causal" : "");
  }

  template <class In>
  static constexpr bool accepts = SequenceShape<In> && In::features % (3 * (HeadCount > 0 ? HeadCount : 1)) == 0;
  template <class In>
  static consteval int expect() {
    constexpr bool sequence = SequenceShape<In>;
    constexpr bool divides = !sequence || accepts<In>;
    static_assert(sequence, "aila: Attend takes a sequence [steps, 3 features]; this input is none");
    static_assert(divides, "aila: Attend takes queries, keys and values of equal width, which its heads divide");
    return 0;
  }
  template <class In>
  using Out = WithFeatures<In, In::features / 3>;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: Attend cannot stream: a step attends to all before it");
    return 0;
  }
  /// For a pair of steps two products over d, and 5 operations a head for scale and softmax.
  template <class In>
  static consteval std::size_t flops() {
    constexpr std::size_t T = In::positions, d = In::features / 3, pairs = causal ? T * (T + 1) / 2 : T * T;
    return pairs * (4 * d + 5 * HeadCount);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
