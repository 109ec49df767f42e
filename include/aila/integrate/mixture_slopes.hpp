// The way back from the weights of a mixture: through normalisers, scores, keys and queries.
#pragma once

#include "../core/macros_aside.hpp"

#include "mixture_work.hpp"

namespace aila::inline v0::integrate::detail {

/// k = r v, r = (mean(v^2) + eps)^(-1/2): dv += r (dk - k <dk, k> / d)
template <std::size_t d, class V>
constexpr void rms_backward(const V& r, const V* key, const V* d_key, V* d_value) {
  V dot(ScalarOf<V>(0));
  for (std::size_t f = 0; f < d; ++f) dot += d_key[f] * key[f];
  dot = dot * V(ScalarOf<V>(1) / ScalarOf<V>(d));
  for (std::size_t f = 0; f < d; ++f) d_value[f] += r * (d_key[f] - key[f] * dot);
}
template <class M, class Own, class Before, class V, class G>
constexpr void add_to_item(std::size_t i, const V* d_item, V* d_own, V* const* d_before, G& g) {
  using Z = typename M::template Sizes<Own, Before>;
  if (Z::is_vector(i)) {
    if constexpr (M::vectors > 0)
      for (std::size_t f = 0; f < Z::d; ++f) g.add(Z::vector_tensor, (i - Z::maps) * Z::d + f, d_item[f]);
    return;
  }
  V* const to = Z::is_own(i) ? d_own : d_before[Z::map(i)];
  for (std::size_t f = 0; f < Z::width(i); ++f) to[f] += d_item[f];
}
/// From the slopes of gated values to those of values; what the gate says of its item is added there.
template <class M, class Own, class Before, class V, class G>
constexpr void gate_backward(MixtureWork<M, Own, Before, V>& k, std::size_t i, V* d_own, V* const* d_before, G& g) {
  using S = ScalarOf<V>;
  using Z = typename M::template Sizes<Own, Before>;
  V* const dv = k.d_value + i * Z::values;
  const V bent = k.gate[i] - V(S(1));
  V du(S(0));
  for (std::size_t f = 0; f < Z::values; ++f) {
    du += dv[f] * k.plain[i * Z::values + f];
    dv[f] = dv[f] * k.gate[i];
  }
  du = du * (V(S(1)) - bent * bent);
  for (std::size_t f = 0; f < Z::d; ++f) {
    g.add(Z::gate_tensor, f, du * k.item(i)[f]);
    k.d_item[f] = du * V(k.w[Z::gate_tensor][f]);
  }
  add_to_item<M, Own, Before>(i, k.d_item, d_own, d_before, g);
}
/// From the slopes of solved values to those of values, d_value, and of keys, d_keys: dv = (P + 1e-6 I)^-1 dv~,
/// dP = -dv v~^T.
template <class M, class Own, class Before, class V>
constexpr void solve_backward(MixtureWork<M, Own, Before, V>& k) {
  using S = ScalarOf<V>;
  using Z = typename M::template Sizes<Own, Before>;
  const V rate(math::sqrt(S(Z::key)));
  for (std::size_t i = 0; i < Z::n * Z::keys; ++i) k.d_keys[i] = V(S(0));
  for (std::size_t h = 0; h < Z::heads; ++h) {
    const std::size_t first = h * Z::slice, end = first + Z::slice;
    k.compare(h);
    for (std::size_t f = first; f < end; ++f) k.solve(k.d_value, f);
    for (std::size_t i = 0; i < Z::n; ++i) {
      V* const dk = k.d_keys + i * Z::keys + Z::key_at(h);
      for (std::size_t l = 0; l < Z::n; ++l) {
        V dp(S(0));  // of P_il and P_li
        for (std::size_t f = first; f < end; ++f)
          dp -= k.d_value[i * Z::values + f] * k.value[l * Z::values + f] +
                k.d_value[l * Z::values + f] * k.value[i * Z::values + f];
        const V d_cosine = dp * k.alike[i * Z::n + l] * rate;
        for (std::size_t f = 0; f < Z::key; ++f) dk[f] += d_cosine * k.unit[l * Z::key + f];
      }
      V along(S(0));
      for (std::size_t f = 0; f < Z::key; ++f) along += dk[f] * k.unit[i * Z::key + f];
      for (std::size_t f = 0; f < Z::key; ++f) dk[f] = (dk[f] - along * k.unit[i * Z::key + f]) / k.length[i];
    }
  }
  for (std::size_t i = 0; i < Z::n * Z::values; ++i) k.value[i] = k.unsolved[i];  // keys were made of these
}
template <class M, class Own, class Before, class V, class G>
constexpr void prior_backward(MixtureWork<M, Own, Before, V>& k, std::size_t h, G& g) {
  using S = ScalarOf<V>;
  using Z = typename M::template Sizes<Own, Before>;
  V *const row = k.d_weight + h * Z::row, *const learned = k.prior + h * Z::row;
  const V share = math::sigmoid(V(k.w[Z::prior_tensor][h])), rest = V(S(1)) - share;
  V d_share(S(0)), expected(S(0));
  for (std::size_t i = 0; i < Z::n; ++i) {
    d_share += row[i] * (learned[i] - k.content[h * Z::row + i]);
    expected += learned[i] * row[i];
  }
  g.add(Z::prior_tensor, h, d_share * share * rest);
  for (std::size_t i = 0; i < Z::n; ++i) {
    g.add(Z::prior_tensor + 1, h * Z::n + i, share * learned[i] * (row[i] - expected));
    row[i] = row[i] * rest;
  }
}
template <class M, class Own, class Before, class V, class G>
constexpr void temperature_backward(MixtureWork<M, Own, Before, V>& k, V* d_own, G& g) {
  using S = ScalarOf<V>;
  using Z = typename M::template Sizes<Own, Before>;
  const S* const w = k.w[Z::temperature_tensor];
  V u(S(0)), d_tau(S(0));
  for (std::size_t f = 0; f < Z::d; ++f) u += V(w[f]) * k.own[f];
  const V bent = math::tanh(u), tau = k.temperature(), part = math::sigmoid(V(k.w[Z::temperature_tensor + 1][0]));
  for (std::size_t h = 0; h < Z::heads; ++h)
    for (std::size_t i = 0; i < Z::n; ++i) {
      d_tau += k.d_weight[h * Z::row + i] * k.raw[h * Z::row + i];
      k.d_weight[h * Z::row + i] = k.d_weight[h * Z::row + i] * tau;
    }
  const V du = d_tau * (V(S(1)) - bent * bent);
  for (std::size_t f = 0; f < Z::d; ++f) {
    g.add(Z::temperature_tensor, f, du * k.own[f]);
    d_own[f] += du * V(w[f]);
  }
  g.add(Z::temperature_tensor + 1, 0, d_tau * part * (V(S(1)) - part) * V(math::log(S(Z::n))));
}
template <class M, class Own, class Before, class V, class G>
constexpr void inhibition_backward(MixtureWork<M, Own, Before, V>& k, std::size_t h, G& g) {
  using S = ScalarOf<V>;
  using Z = typename M::template Sizes<Own, Before>;
  V* const row = k.d_weight + h * Z::row;
  const V share = math::sigmoid(V(k.w[Z::inhibition_tensor][0]));
  V all(S(0));
  for (std::size_t i = 0; i < Z::n; ++i) all += row[i];
  g.add(Z::inhibition_tensor, 0, V(S(0)) - all * k.mean[h] * share * (V(S(1)) - share));
  for (std::size_t i = 0; i < Z::n; ++i) row[i] -= share * all * V(S(1) / S(Z::n));
}
template <class M, class Own, class Before, class V, class G>
constexpr void emission_backward(MixtureWork<M, Own, Before, V>& k, V* d_own, G& g) {
  using S = ScalarOf<V>;
  using Z = typename M::template Sizes<Own, Before>;
  constexpr std::size_t count = Z::heads * Z::n;
  for (std::size_t i = 0; i < count; ++i) k.d_hidden[i] = V(S(0));
  for (std::size_t f = 0; f < Z::d; ++f) k.d_scaled[f] = V(S(0));
  if constexpr (M::has_null)  // weights of items alone, row by row
    for (std::size_t i = Z::n; i < count; ++i) k.d_weight[i] = k.d_weight[i / Z::n * Z::row + i % Z::n];
  product_backward<V>(k.w[Z::score_tensor + 1], count, count, k.hidden, k.d_weight, k.d_hidden, g, Z::score_tensor + 1);
  for (std::size_t i = 0; i < count; ++i) k.d_hidden[i] = k.d_hidden[i] * gelu_slope(k.inner[i]);
  product_backward<V>(k.w[Z::score_tensor], count, Z::d, k.scaled, k.d_hidden, k.d_scaled, g, Z::score_tensor);
  rms_backward<Z::d>(k.inverse_rms(k.own), k.scaled, k.d_scaled, d_own);
}
template <class M, class Own, class Before, class V, class G>
constexpr void keys_backward(MixtureWork<M, Own, Before, V>& k, V* d_own, V* const* d_before, G& g) {
  using S = ScalarOf<V>;
  using Z = typename M::template Sizes<Own, Before>;
  for (std::size_t f = 0; f < Z::queries; ++f) k.d_query[f] = V(S(0));
  for (std::size_t i = 0; i < Z::n; ++i) {
    const V* const key = k.key_of(i);
    for (std::size_t f = 0; f < Z::keys; ++f) {
      if constexpr (M::solves)
        k.d_key[f] = k.d_keys[i * Z::keys + f];
      else
        k.d_key[f] = V(S(0));
    }
    for (std::size_t h = 0; h < Z::heads; ++h) {
      const std::size_t at = Z::key_at(h);
      const V ds = k.d_weight[h * Z::row + i] * k.scale();
      for (std::size_t f = 0; f < Z::key; ++f) {
        if constexpr (M::measures) {
          const V slope = V(S(2)) * ds * (k.factor(h, i, f) - key[at + f]);
          k.d_key[at + f] += slope;
          k.d_query[h * Z::key + f] -= slope;
          continue;
        }
        k.d_key[at + f] += ds * k.factor(h, i, f);
        if constexpr (M::scores_each)
          g.add(Z::score_tensor, (h * Z::n + i) * Z::key + f, ds * key[at + f]);
        else
          k.d_query[h * Z::key + f] += ds * key[at + f];
      }
    }
    if constexpr (M::maps_keys) {
      const std::size_t tensor = Z::key_map(i);
      if (Z::is_own(i) || !Z::is_vector(i)) {
        V* const to = Z::is_own(i) ? d_own : d_before[Z::map(i)];
        product_backward<V>(k.w[tensor], Z::keys, Z::width(i), k.item(i), k.d_key, to, g, tensor);
      } else if constexpr (M::vectors > 0) {
        V* const to = k.vector + (M::vectors + i - Z::maps) * Z::d;
        for (std::size_t f = 0; f < Z::d; ++f) to[f] = V(S(0));
        product_backward<V>(k.w[tensor], Z::keys, Z::d, k.item(i), k.d_key, to, g, tensor);
        add_to_item<M, Own, Before>(i, to, d_own, d_before, g);
      }
    } else if constexpr (M::rms_keys) {
      rms_backward<Z::d>(k.inverse_rms(k.value_of(i)), key, k.d_key, k.d_value + i * Z::values);
    } else {
      for (std::size_t f = 0; f < Z::keys; ++f) k.d_value[i * Z::values + f] += k.d_key[f];
    }
  }
  if constexpr (M::asks)
    for (std::size_t f = 0; f < Z::queries; ++f) g.add(Z::score_tensor, f, k.d_query[f]);
  if constexpr (M::own_asks && M::has_task) {
    for (std::size_t f = 0; f < Z::asked; ++f) k.d_asking[f] = V(S(0));
    product_backward<V>(k.w[Z::score_tensor], Z::queries, Z::asked, k.asking, k.d_query, k.d_asking, g,
                        Z::score_tensor);
    for (std::size_t f = 0; f < Z::d; ++f) {
      d_own[f] += k.d_asking[f];
      g.add(Z::task_tensor, f, k.d_asking[Z::d + f]);
    }
  } else if constexpr (M::own_asks) {
    product_backward<V>(k.w[Z::score_tensor], Z::queries, Z::d, k.own, k.d_query, d_own, g, Z::score_tensor);
  }
}
/// From d_weight to the gradients of scores, keys and queries; what a key's gradient is to its value is added there.
template <class M, class Own, class Before, class V, class G>
constexpr void scores_backward(MixtureWork<M, Own, Before, V>& k, V* d_own, V* const* d_before, G& g) {
  using Z = typename M::template Sizes<Own, Before>;
  for (std::size_t h = 0; h < Z::heads; ++h) {
    V* const row = k.d_weight + h * Z::row;
    const V* weight = k.weight + h * Z::row;
    if constexpr (M::has_prior) {
      prior_backward(k, h, g);
      weight = k.content + h * Z::row;
    }
    if constexpr (M::needs_scores)
      M::Normaliser::backward(k.score + h * Z::row, weight, row, Z::row);
    else
      M::Normaliser::backward(weight, row, Z::row);
    if constexpr (M::has_null) g.add(Z::null_tensor, h, row[Z::n]);
  }
  if constexpr (M::warms) temperature_backward(k, d_own, g);
  for (std::size_t h = 0; h < Z::heads; ++h) {
    V* const row = k.d_weight + h * Z::row;
    if constexpr (M::inhibits) inhibition_backward(k, h, g);
    if constexpr (M::has_bias)
      for (std::size_t i = 0; i < Z::n; ++i) g.add(Z::bias_tensor, h * Z::n + i, row[i]);
    if constexpr (M::is_static || M::emits)
      for (std::size_t i = 0; i < Z::n; ++i) g.add(Z::score_tensor + (M::emits ? 2 : 0), h * Z::n + i, row[i]);
  }
  if constexpr (M::emits)
    emission_backward(k, d_own, g);
  else if constexpr (!M::is_static)
    keys_backward(k, d_own, d_before, g);
}

}  // namespace aila::inline v0::integrate::detail

#include "../core/macros_back.hpp"
