// TransformerBlock: self-attention and a feed-forward network, each with its input added.
#pragma once

#include "../core/macros_aside.hpp"

#include "../layer/dropout.hpp"
#include "../layer/layer_norm.hpp"
#include "../layer/linear.hpp"
#include "../layer/self_attention.hpp"
#include "../layer/slice.hpp"
#include "merge.hpp"
#include "sum.hpp"

namespace aila::inline v0 {

namespace role {
struct NormPlace;
}

/// LayerNorm before each of the two parts (arXiv 2002.04745), or behind each sum (arXiv 1706.03762).
struct PreNorm {
  using role = role::NormPlace;
};
struct PostNorm {
  using role = role::NormPlace;
};

namespace detail {

/// A list of layers as a Residual of this name.
template <class Layers>
struct AttentionPart;
template <class... Layers>
struct AttentionPart<List<Layers...>> : Residual<Layers...> {
  static constexpr const char* name = "attention";
};
template <class Layers>
struct FeedForwardPart;
template <class... Layers>
struct FeedForwardPart<List<Layers...>> : Residual<Layers...> {
  static constexpr const char* name = "feed_forward";
};

template <class... Lists>
struct JoinedLists {
  using type = List<>;
};
template <class First, class... Rest>
struct JoinedLists<First, Rest...> {
  using type = typename Joined<First, typename JoinedLists<Rest...>::type>::type;
};
template <bool exists, class L>
using ListIf = std::conditional_t<exists, List<L>, List<>>;

}  // namespace detail

/// A transformer block with its options in one order; write `TransformerBlock<HeadCount, Hidden, options...>`.
template <class Attention, std::size_t Hidden, class Norm, class Activation, class Drop>
struct TransformerBlockOf {
  static constexpr const char* name = "transformer_block";
  static constexpr bool is_composite = true;
  static constexpr bool is_chain = true;
  static constexpr bool norm_first = std::is_same_v<Norm, PreNorm>;

  using First = detail::ListIf<norm_first, LayerNorm>;
  using Dropped = detail::ListIf<(Drop::probability > 0), Drop>;
  using Attend = detail::AttentionPart<typename detail::JoinedLists<First, List<Attention>, Dropped>::type>;
  template <std::size_t Width>
  using Feed = detail::FeedForwardPart<typename detail::JoinedLists<First, List<Linear<Hidden>, Activation>, Dropped,
                                                                    List<Linear<Width>>, Dropped>::type>;
  template <class In>
  using Parts = std::conditional_t<norm_first, Chain<Attend, Feed<In::features>>,
                                   Chain<Attend, LayerNorm, Feed<In::features>, LayerNorm>>;

  /// In halves, for policies that attach inside: [x, q, k, v] of each step between them.
  template <class In>
  struct Open {
    static constexpr std::size_t width = In::features, query = width, key = 2 * width, value = 3 * width;
    static constexpr std::size_t heads = Attention::heads;
    using Of = typename Attention::template Open<In>;
    using Head = std::conditional_t<norm_first, Concat<LayerNorm, typename Of::Head>, Concat<typename Of::Head>>;
    using Attended = std::conditional_t<(Drop::probability > 0),
                                        Chain<Slice<width, 3 * width>, typename Of::Between, typename Of::Output, Drop>,
                                        Chain<Slice<width, 3 * width>, typename Of::Between, typename Of::Output>>;
    using Sum = aila::Sum<Slice<0, width>, Attended>;
    using Tail = std::conditional_t<norm_first, Chain<Sum, Feed<width>>, Chain<Sum, LayerNorm, Feed<width>, LayerNorm>>;
  };

  template <class In>
  using Plan = typename Parts<In>::template Plan<In>;
  template <class In>
  static constexpr bool accepts = AnyShape<In>;
  template <class In>
  using Out = typename Plan<In>::Out;
  template <class In>
  static consteval auto parameters() {
    return Parts<In>::template parameters<In>();
  }
  template <class In>
  static consteval std::size_t flops() {
    return Parts<In>::template flops<In>();
  }
  template <class In, class F>
  static void for_each_part(const std::string& path, F&& f) {
    Parts<In>::template for_each_part<In>(path, f);
  }
};

namespace detail {
template <std::size_t HeadCount, std::size_t Hidden, class... Options>
struct TransformerBlockChoice {
  using Choice =
      OptionsOf<TransformerBlockChoice, List<role::NormPlace, role::Activation, role::Dropout, role::Mask>, Options...>;
  template <class Role, class Default>
  using Pick = typename Choice::template Pick<Role, Default>;
  using Attention = std::conditional_t<std::is_void_v<Pick<role::Mask, void>>, SelfAttention<HeadCount>,
                                       SelfAttention<HeadCount, Pick<role::Mask, Causal>>>;
  using Block = TransformerBlockOf<Attention, Hidden, Pick<role::NormPlace, PreNorm>, Pick<role::Activation, Gelu>,
                                   Pick<role::Dropout, Dropout<0>>>;
  using type = std::conditional_t<Refused<Choice>, RefusedLayer<RefusalOf<Choice>>, Block>;
};
}  // namespace detail

/// Pre-norm: z = x + attention(LayerNorm(x)), y = z + W_2 act(W_1 LayerNorm(z) + b_1) + b_2, [steps, d] -> [steps, d],
/// with SelfAttention<HeadCount> and Hidden features between W_1 and W_2. Post-norm: z = LayerNorm(x + attention(x)),
/// y = LayerNorm(z + W_2 act(W_1 z + b_1) + b_2). Options in any order: `PostNorm` (PreNorm), an activation such as
/// `Relu` (Gelu), `Dropout<Percent>` (none) behind the attention, the activation and W_2, and `Causal`. It computes
/// what torch.nn.TransformerEncoderLayer does, whose dropout also thins the attention's weights; this one's does not.
/// Tensors: attention.self_attention.*, attention.layer_norm.*, feed_forward.linear.*, feed_forward.linear_1.*,
/// feed_forward.layer_norm.*; under PostNorm layer_norm.* and layer_norm_1.*.
template <std::size_t HeadCount, std::size_t Hidden, class... Options>
using TransformerBlock = typename detail::TransformerBlockChoice<HeadCount, Hidden, Options...>::type;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
