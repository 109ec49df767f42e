// LAuReL: ResNet's sum with a learned augmentation of the stream.
#pragma once

#include "../core/macros_aside.hpp"

#include "../core/math.hpp"
#include "../core/option.hpp"
#include "residual_stream.hpp"

namespace aila::inline v0 {

namespace role {
struct ResidualWeights;
struct Rank;
struct Previous;
}  // namespace role

namespace integrate {

/// LAuReL's residual weights: (a, b) = 2 softmax(r).
struct ResidualWeights {
  using role = role::ResidualWeights;
  static constexpr bool value = true;
};
/// LAuReL's map of the stream, of rank R.
template <std::size_t R>
struct LowRank {
  using role = role::Rank;
  static constexpr std::size_t value = R;
};
/// LAuReL's map sees the last K states of the stream.
template <std::size_t K>
struct Previous {
  using role = role::Previous;
  static constexpr std::size_t value = K == 0 ? 1 : K;
};

/// LAuReL with options in one order; write `Laurel<options...>`. Tensors, where options ask for them: weight [2] = r;
/// down [R, d] = A, up [d, R] = B, mix [k] = g.
template <bool weighs, std::size_t rank, std::size_t rows>
struct LaurelOf : CarriedPolicy {
  static constexpr const char* name = "laurel";
  static constexpr std::size_t low_rank_tensor = weighs ? 1 : 0;

  /// The state is the last `rows` of the stream, the newest first; those before h_0 are zero.
  struct FirstRow : Policy {
    static constexpr const char* name = "laurel_begin";
    static constexpr Place place = Place::carried;
    template <class Own, class Before>
    static constexpr std::size_t width = rows * Own::features;
    template <class Own, class Before, class V>
    static constexpr void forward(const V* own, const V* const*, Weights<ScalarOf<V>>, V* a) {
      for (std::size_t f = 0; f < rows * Own::features; ++f) a[f] = f < Own::features ? own[f] : V(ScalarOf<V>(0));
    }
    template <class Own, class Before, class V, class G>
    static constexpr void backward(const V*, const V* const*, Weights<ScalarOf<V>>, const V* da, V* d_own, V* const*,
                                   G&) {
      for (std::size_t f = 0; f < Own::features; ++f) d_own[f] += da[f];
    }
  };
  struct NewestRow : Policy {
    static constexpr const char* name = "laurel_newest";
    static constexpr Place place = Place::carried;
    template <class Own, class Before>
    static constexpr std::size_t width = Own::features / rows;
    template <class Own, class Before, class V>
    static constexpr void forward(const V* own, const V* const*, Weights<ScalarOf<V>>, V* a) {
      for (std::size_t f = 0; f < Own::features / rows; ++f) a[f] = own[f];
    }
    template <class Own, class Before, class V, class G>
    static constexpr void backward(const V*, const V* const*, Weights<ScalarOf<V>>, const V* da, V* d_own, V* const*,
                                   G&) {
      for (std::size_t f = 0; f < Own::features / rows; ++f) d_own[f] += da[f];
    }
  };
  using Begin = std::conditional_t<rows == 1, NoConnection, FirstRow>;
  using Read = std::conditional_t<rows == 1, NoConnection, NewestRow>;
  using End = Read;

  /// Behind layer j, where `seen` rows hold states.
  template <std::size_t seen>
  struct UpdateOf : StreamUpdate<rows> {
    static constexpr const char* name = "laurel_update";
    static constexpr std::size_t tensors = (weighs ? 1 : 0) + (rank > 0 ? 2 : 0) + (rank > 0 && rows > 1 ? 1 : 0);
    template <class Own, class Before>
    static consteval auto parameters() {
      constexpr std::size_t d = Own::features, at = low_rank_tensor;
      std::array<ParameterSpec, tensors> table{};
      if constexpr (weighs) table[0] = parameter("weight", {2}, init::zeros()).without_decay();
      if constexpr (rank > 0) {
        constexpr double size = 1 / math::sqrt(static_cast<double>(rank * d));
        table[at] = parameter("down", {rank, d}, init::tiled_identity(size));
        table[at + 1] = parameter("up", {d, rank}, init::zeros());
        if constexpr (rows > 1)
          table[at + 2] = parameter("mix", {seen}, init::constant(1 / static_cast<double>(seen))).without_decay();
      }
      return table;
    }
    template <class Own, class Before>
    static consteval std::size_t flops() {
      return Own::features * (4 + 4 * rank + 2 * (rows > 1 ? seen : 0));
    }
    template <class Own, class Before>
    static constexpr std::size_t scratch = rank > 0 ? 3 * Own::features + 2 * rank : 0;

    template <class V>
    static constexpr void shares(Weights<ScalarOf<V>> w, V* share) {
      using S = ScalarOf<V>;
      if constexpr (weighs) {
        share[0] = V(w[0][0]);
        share[1] = V(w[0][1]);
        softmax(share, 2);
        for (std::size_t i = 0; i < 2; ++i) share[i] = V(S(2)) * share[i];
      } else {
        share[0] = share[1] = V(S(1));
      }
    }
    /// Into `sum` what the map sees, into `low` A times it, into `added` the stream and the map's part of it.
    template <class Own, class V>
    static constexpr void augment(const V* state, Weights<ScalarOf<V>> w, V* added, V* sum, V* low) {
      constexpr std::size_t d = Own::features, at = low_rank_tensor;
      for (std::size_t f = 0; f < d; ++f) {
        sum[f] = rows > 1 ? V(w[at + 2][0]) * state[f] : state[f];
        if constexpr (rows > 1)
          for (std::size_t k = 1; k < seen; ++k) sum[f] += V(w[at + 2][k]) * state[k * d + f];
      }
      product<V>(w[at], rank, d, sum, low);
      product<V>(w[at + 1], d, rank, low, added);
      for (std::size_t f = 0; f < d; ++f) added[f] += state[f];
    }

    template <class Own, class Before, class V>
    static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a,
                                  [[maybe_unused]] V* memory) {
      constexpr std::size_t d = Own::features;
      V share[2];
      shares(w, share);
      const V* stream = before[0];
      if constexpr (rank > 0) {
        augment<Own>(before[0], w, memory, memory + d, memory + 3 * d);
        stream = memory;
      }
      for (std::size_t f = 0; f < d; ++f) a[f] = share[0] * own[f] + share[1] * stream[f];
      for (std::size_t i = d; i < rows * d; ++i) a[i] = before[0][i - d];
    }
    template <class Own, class Before, class V, class G>
    static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                   V* const* d_before, [[maybe_unused]] G& g, [[maybe_unused]] V* memory) {
      using S = ScalarOf<V>;
      constexpr std::size_t d = Own::features, at = low_rank_tensor;
      V share[2], slope[2] = {V(S(0)), V(S(0))};
      shares(w, share);
      const V* stream = before[0];
      if constexpr (rank > 0) {
        augment<Own>(before[0], w, memory, memory + d, memory + 3 * d);
        stream = memory;
      }
      for (std::size_t f = 0; f < d; ++f) {
        d_own[f] += share[0] * da[f];
        d_before[0][f] += share[1] * da[f];
        slope[0] += own[f] * da[f];
        slope[1] += stream[f] * da[f];
      }
      for (std::size_t i = d; i < rows * d; ++i) d_before[0][i - d] += da[i];
      if constexpr (weighs) {
        const V expected = (share[0] * slope[0] + share[1] * slope[1]) * V(S(0.5));
        for (std::size_t i = 0; i < 2; ++i) g.add(0, i, share[i] * (slope[i] - expected));
      }
      if constexpr (rank > 0) {
        V *const sum = memory + d, *const d_sum = memory + 2 * d, *const low = memory + 3 * d,
                 *const d_low = low + rank;
        for (std::size_t f = 0; f < d; ++f) {
          memory[f] = share[1] * da[f];
          d_sum[f] = V(S(0));
        }
        for (std::size_t r = 0; r < rank; ++r) d_low[r] = V(S(0));
        product_backward<V>(w[at + 1], d, rank, low, memory, d_low, g, at + 1);
        product_backward<V>(w[at], rank, d, sum, d_low, d_sum, g, at);
        for (std::size_t k = 0; k < (rows > 1 ? seen : 1); ++k) {
          const V factor(rows > 1 ? w[at + 2][k] : S(1));
          V mixed(S(0));
          for (std::size_t f = 0; f < d; ++f) {
            d_before[0][k * d + f] += factor * d_sum[f];
            mixed += before[0][k * d + f] * d_sum[f];
          }
          if constexpr (rows > 1) g.add(at + 2, k, mixed);
        }
      }
    }
  };
  struct Update : Policy {
    static constexpr Reads reads = Reads::previous;
    template <std::size_t layer, std::size_t>
    using AtLayer = UpdateOf<(layer < rows ? layer : rows)>;
  };
};

namespace detail {
template <class... Options>
struct LaurelChoice {
  using Choice = OptionsOf<LaurelChoice, List<role::ResidualWeights, role::Rank, role::Previous>, Options...>;
  struct Without {
    static constexpr bool value = false;
  };
  using type = PolicyOfOptions<Choice, LaurelOf<Choice::template Pick<role::ResidualWeights, Without>::value,
                                                Choice::template Pick<role::Rank, LowRank<0>>::value,
                                                Choice::template Pick<role::Previous, Previous<1>>::value>>;
};
}  // namespace detail

/// s_j = a h_j + b (s_{j-1} + B A u_j): cores keep no sum of their own. Options in any order:
///   ResidualWeights  (a, b) = 2 softmax(r) instead of (1, 1): the paper's RW
///   LowRank<R>       A [R, d] and B [d, R], u_j = s_{j-1}: LR; without it B A u is left out
///   Previous<K>      u_j = sum over the last K states of g_i s_i, s_{j-1} among them: PA; of the weights, which its
///                    text leaves open, each layer learns its own
/// At first r = 0, A has 1 / sqrt(R d) where its column mod R is the row, B = 0, g = 1 / states: ResNet whatever the
/// options. Source: arXiv 2411.07501.
template <class... Options>
using Laurel = typename detail::LaurelChoice<Options...>::type;

}  // namespace integrate

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
