// Multi-head self-attention over the steps of a sequence.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "../contract/layer.hpp"
#include "attend.hpp"
#include "linear.hpp"

namespace aila::inline v0 {

template <class... Layers>
struct Chain;

/// Steps attend to each other: [steps, d] -> [steps, d], in HeadCount heads of width w = d / HeadCount.
///   q, k, v = the thirds of W_in x_t + b_in;    of head h: o_t = sum_s softmax_s(<q_t, k_s> / sqrt(w)) v_s
///   y_t = W_out (o_t of all heads side by side) + b_out
/// With `Causal` s runs over the steps up to t. Where lengths are given, s runs over a sample's valid steps, and y is 0
/// behind them. Tensors, with PyTorch's names (torch.nn.MultiheadAttention, batch_first) behind them: input_weight
/// [3 d, d] (in_proj_weight), input_bias [3 d] (in_proj_bias), output_weight [d, d] (out_proj.weight), output_bias [d]
/// (out_proj.bias); they start as there. Source: arXiv 1706.03762, section 3.2.
template <std::size_t HeadCount, class... Options>
struct SelfAttention {
  static constexpr const char* name = "self_attention";
  static constexpr std::size_t heads = HeadCount;
  using Choice = OptionsOf<SelfAttention, List<role::Mask>, Options...>;
  using Refusal = std::conditional_t<(HeadCount > 0), detail::RefusalOf<Choice>, detail::NoAttentionHeads<HeadCount>>;
  static constexpr bool causal = std::is_same_v<typename Choice::template Pick<role::Mask, void>, Causal>;

  static std::string options() {
    return std::to_string(heads) + (heads == 1 ? " head" : " heads") + (causal ? ", causal" : "");
  }

  template <class In>
  static constexpr bool accepts = SequenceShape<In> && In::features % (HeadCount > 0 ? HeadCount : 1) == 0;
  template <class In>
  static consteval int expect() {
    constexpr bool sequence = SequenceShape<In>;
    constexpr bool divides = !sequence || accepts<In>;
    static_assert(sequence, "aila: SelfAttention takes a sequence [steps, features]; this input is none");
    static_assert(divides, "aila: the heads of SelfAttention must divide the features of its input");
    return 0;
  }
  template <class In>
  using Out = In;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: SelfAttention cannot stream: a step attends to all before it");
    return 0;
  }

  template <class In>
  static consteval auto parameters() {
    constexpr std::size_t d = In::features;
    return std::array{parameter("input_weight", {3 * d, d}, init::glorot_uniform(d, 3 * d)),
                      parameter("input_bias", {3 * d}, init::zeros()).without_decay(),
                      parameter("output_weight", {d, d}, init::torch_uniform(d)),
                      parameter("output_bias", {d}, init::zeros()).without_decay()};
  }
  /// In halves, for policies that attach inside: [q, k, v] of each step between them.
  template <class In>
  struct Open {
    static constexpr std::size_t width = In::features, query = 0, key = width, value = 2 * width;
    static constexpr std::size_t heads = HeadCount;
    using Head = Linear<3 * width, Initial<init::GlorotUniform>, InitialBias<init::Zeros>>;
    using Between = Attend<HeadCount, Options...>;
    using Output = Linear<width, InitialBias<init::Zeros>>;
    using Tail = Chain<Between, Output>;
  };
  /// Four maps d x d a step; for a pair of steps two products over d, and 5 operations a head for scale and softmax.
  template <class In>
  static consteval std::size_t flops() {
    constexpr std::size_t T = In::positions, d = In::features, pairs = causal ? T * (T + 1) / 2 : T * T;
    return T * 4 * d * (2 * d + 1) + pairs * (4 * d + 5 * HeadCount);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
