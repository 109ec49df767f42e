// Architecture 2 of AILA: attention over depth.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/policy.hpp"
#include "../core/arena.hpp"
#include "../core/config.hpp"
#include "../core/math.hpp"
#include "../core/option.hpp"
#include "options.hpp"
#include "vectors.hpp"

namespace aila::inline v0::integrate {

/// Equations (4) and (5) of arXiv 2503.22742, with options in one order; write `Attention<options...>`.
///
/// q = W_Q y_j, k_i = W_K h_i (one W_K for all i), v_i = W_{V,i} h_i (TiedValues: one W_V), alpha = softmax over i of
/// <q, k_i> / sqrt(key width), a_j = sum_i alpha_i v_i: heads of width d/H side by side, or heads of width d averaged.
/// Over one earlier layer alpha = 1 whatever the query: no query and no key are made there, and no score is computed.
/// Tensors: query [H K, d], key [H K, d_i], value.i [H d_v, d_i] (tied: value).
template <class HeadsOption, class KeyOption, class ValuesOption, class CombineOption>
struct AttentionOf : Policy {
  static constexpr const char* name = "attention";
  static constexpr std::size_t head_count = HeadsOption::value;
  static constexpr bool tied = ValuesOption::tied;
  static constexpr bool averages = CombineOption::mean;

  template <class Own>
  static constexpr std::size_t key_width = KeyOption::value > 0 ? KeyOption::value : Own::features / head_count;
  template <class Own>
  static constexpr std::size_t value_width = averages ? Own::features : Own::features / head_count;
  template <class Own>
  static constexpr bool heads_divide = Own::features % head_count == 0 || (averages && KeyOption::value > 0);

  template <class Own, class Before>
  static constexpr bool accepts = heads_divide<Own> && Before::same_width;
  template <class Own, class Before>
  static consteval int expect() {
    constexpr bool divide = heads_divide<Own>;
    constexpr bool equal = !divide || Before::same_width;
    static_assert(divide, "aila: the heads of attention must divide the layer's width");
    static_assert(equal, "aila: attention needs one width in all earlier layers");
    return 0;
  }
  template <class Own, class Before>
  static constexpr std::size_t heads = head_count;
  template <class Own, class Before>
  static constexpr std::size_t items = Before::count;

  template <class Before>
  static constexpr bool has_query = Before::count > 1;
  template <class Before>
  static constexpr std::size_t first_value = has_query<Before> ? 2 : 0;
  template <class Before>
  static constexpr std::size_t value_maps = tied ? 1 : Before::count;

  template <class Own, class Before>
  static consteval auto parameters() {
    constexpr std::size_t d = Own::features, di = Before::features(0);
    std::array<ParameterSpec, first_value<Before> + value_maps<Before>> table{};
    if constexpr (has_query<Before>) {
      table[0] = parameter("query", {head_count * key_width<Own>, d}, init::torch_uniform(d));
      table[1] = parameter("key", {head_count * key_width<Own>, di}, init::torch_uniform(di));
    }
    for (std::size_t i = 0; i < value_maps<Before>; ++i) {
      const auto spec = parameter("value", {head_count * value_width<Own>, di}, init::torch_uniform(di));
      table[first_value<Before> + i] = tied ? spec : spec.at(i);
    }
    return table;
  }

  template <class Own, class Before>
  static consteval std::size_t flops() {
    constexpr std::size_t n = Before::count, di = Before::features(0), queries = head_count * key_width<Own>;
    std::size_t sum = 2 * n * head_count * value_width<Own> * (di + 1);
    if (has_query<Before>) sum += 2 * queries * (Own::features + n * di) + n * (2 * queries + 4 * head_count);
    return sum;
  }

  template <class Before, class V>
  static constexpr const ScalarOf<V>* value_map(Weights<ScalarOf<V>> w, std::size_t i) {
    return w[first_value<Before> + (tied ? 0 : i)];
  }

  /// q [H K], k [n, H K] and weights [H, n]
  template <class Own, class Before, class V>
  static constexpr void attend(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* q, V* k, V* weights) {
    using S = ScalarOf<V>;
    constexpr std::size_t n = Before::count, di = Before::features(0), width = key_width<Own>,
                          queries = head_count * width;
    product<V>(w[0], queries, Own::features, own, q);
    for (std::size_t i = 0; i < n; ++i) product<V>(w[1], queries, di, before[i], k + i * queries);
    const V scale(S(1) / math::sqrt(S(width)));
    for (std::size_t h = 0; h < head_count; ++h) {
      for (std::size_t i = 0; i < n; ++i) {
        V sum(S(0));
        for (std::size_t f = h * width; f < (h + 1) * width; ++f) sum += q[f] * k[i * queries + f];
        weights[h * n + i] = sum * scale;
      }
      softmax(weights + h * n, n);
    }
  }

  /// Queries, keys, weights and values, and their gradients; keys' and values' of one layer at a time.
  template <class Own, class Before>
  static constexpr std::size_t scratch = (Before::count + 3) * head_count * key_width<Own> +
                                         2 * head_count * Before::count + 2 * head_count * value_width<Own>;

  template <class Own, class Before, class V>
  static constexpr void mixture(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* weights,
                                [[maybe_unused]] V* q) {
    if constexpr (has_query<Before>) {
      attend<Own, Before>(own, before, w, q, q + head_count * key_width<Own>, weights);
    } else {
      for (std::size_t h = 0; h < head_count; ++h) weights[h] = V(ScalarOf<V>(1));
    }
  }

  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a, V* weights) {
    using S = ScalarOf<V>;
    constexpr std::size_t n = Before::count, d = Own::features, width = value_width<Own>, values = head_count * width;
    V* const v = weights + head_count * n;
    mixture<Own, Before>(own, before, w, weights, v + values);
    for (std::size_t f = 0; f < d; ++f) a[f] = V(S(0));
    for (std::size_t i = 0; i < n; ++i) {
      product<V>(value_map<Before, V>(w, i), values, Before::features(0), before[i], v);
      for (std::size_t f = 0; f < values; ++f) a[f % d] += weights[f / width * n + i] * v[f];
    }
    if constexpr (averages)
      for (std::size_t f = 0; f < d; ++f) a[f] = a[f] * V(S(1) / S(head_count));
  }

  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                 V* const* d_before, G& g, V* weights) {
    using S = ScalarOf<V>;
    constexpr std::size_t n = Before::count, d = Own::features, di = Before::features(0), key = key_width<Own>,
                          queries = head_count * key, width = value_width<Own>, values = head_count * width;
    const V share(averages ? S(1) / S(head_count) : S(1));
    V *const d_weights = weights + head_count * n, *const v = d_weights + head_count * n, *const dv = v + values;
    V* const q = dv + values;
    mixture<Own, Before>(own, before, w, weights, q);
    for (std::size_t i = 0; i < head_count * n; ++i) d_weights[i] = V(S(0));
    for (std::size_t i = 0; i < n; ++i) {
      const S* matrix = value_map<Before, V>(w, i);
      product<V>(matrix, values, di, before[i], v);
      for (std::size_t f = 0; f < values; ++f) {
        const V d_out = share * da[f % d];
        dv[f] = weights[f / width * n + i] * d_out;
        d_weights[f / width * n + i] += v[f] * d_out;
      }
      product_backward<V>(matrix, values, di, before[i], dv, d_before[i], g, first_value<Before> + (tied ? 0 : i));
    }
    if constexpr (has_query<Before>) {
      const V scale(S(1) / math::sqrt(S(key)));
      V *const k = q + queries, *const dq = k + n * queries, *const dk = dq + queries;
      for (std::size_t f = 0; f < queries; ++f) dq[f] = V(S(0));
      for (std::size_t h = 0; h < head_count; ++h) {
        V expected(S(0));
        for (std::size_t i = 0; i < n; ++i) expected += weights[h * n + i] * d_weights[h * n + i];
        for (std::size_t i = 0; i < n; ++i)  // from here on d_weights holds the gradient of the scaled product
          d_weights[h * n + i] = scale * weights[h * n + i] * (d_weights[h * n + i] - expected);
      }
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t f = 0; f < queries; ++f) {
          dq[f] += d_weights[f / key * n + i] * k[i * queries + f];
          dk[f] = d_weights[f / key * n + i] * q[f];
        }
        product_backward<V>(w[1], queries, di, before[i], dk, d_before[i], g, 1);
      }
      product_backward<V>(w[0], queries, d, own, dq, d_own, g, 0);
    }
  }

  /// The same calls by hand, which take the scratch memory themselves.
  template <class Own, class Before, class V>
  static constexpr void mixture(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* weights) {
    mixture<Own, Before>(own, before, w, weights, AlignedArray<V>(scratch<Own, Before>).data());
  }
  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a) {
    forward<Own, Before>(own, before, w, a, AlignedArray<V>(scratch<Own, Before>).data());
  }
  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                 V* const* d_before, G& g) {
    backward<Own, Before>(own, before, w, da, d_own, d_before, g, AlignedArray<V>(scratch<Own, Before>).data());
  }
};

namespace detail {
template <class... Options>
struct AttentionChoice {
  using Choice = OptionsOf<AttentionChoice, List<role::Heads, role::KeyWidth, role::Values, role::Combine>, Options...>;
  using type = PolicyOfOptions<Choice, AttentionOf<typename Choice::template Pick<role::Heads, Heads<1>>,
                                                   typename Choice::template Pick<role::KeyWidth, WidthOverHeads>,
                                                   typename Choice::template Pick<role::Values, OwnValues>,
                                                   typename Choice::template Pick<role::Combine, Concatenate>>>;
};
}  // namespace detail

/// Options in any order: Heads<H> (1), KeyWidth<K> (d/H), TiedValues (OwnValues), MeanOfHeads (Concatenate).
template <class... Options>
using Attention = typename detail::AttentionChoice<Options...>::type;

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
