// What a mixture works out at one position on the way forward: values, scores and weights.
#pragma once

#include "../core/macros_aside.hpp"

#include "axes.hpp"

namespace aila::inline v0::integrate {

/// Of mixture M, in its scratch memory; gradients have their places there too.
template <class M, class Own, class Before, class V>
struct MixtureWork {
  using Z = typename M::template Sizes<Own, Before>;
  using S = ScalarOf<V>;
  const V* own;
  const V* const* before;
  Weights<S> w;
  V *vector, *value, *d_value, *key, *query, *d_query, *d_key, *weight, *d_weight;
  V *score, *raw, *mean, *content, *prior, *asking, *d_asking, *scaled, *d_scaled, *inner, *hidden, *d_hidden, *sum,
      *d_sum, *plain, *gate, *d_item, *unit, *length, *alike, *root, *unsolved, *d_keys;

  constexpr MixtureWork(const V* own_, const V* const* before_, Weights<S> w_, V* memory)
      : own(own_), before(before_), w(w_), vector(memory) {
    const auto behind = [](V* last, std::size_t count) { return last + count; };
    constexpr std::size_t weights = Z::heads * Z::row, emitted = M::emits ? Z::heads * Z::n : 0;
    value = behind(vector, 2 * M::vectors * Z::d);
    d_value = behind(value, Z::n * Z::values);
    key = behind(d_value, Z::n * Z::values);
    query = behind(key, Z::n * Z::keys);
    d_query = behind(query, Z::queries);
    d_key = behind(d_query, Z::queries);
    weight = behind(d_key, Z::keys);
    d_weight = behind(weight, weights);
    score = behind(d_weight, weights);
    raw = behind(score, M::needs_scores ? weights : 0);
    mean = behind(raw, M::warms ? weights : 0);
    content = behind(mean, M::inhibits ? Z::heads : 0);
    prior = behind(content, M::has_prior ? weights : 0);
    asking = behind(prior, M::has_prior ? weights : 0);
    d_asking = behind(asking, M::has_task ? Z::asked : 0);
    scaled = behind(d_asking, M::has_task ? Z::asked : 0);
    d_scaled = behind(scaled, M::emits ? Z::d : 0);
    inner = behind(d_scaled, M::emits ? Z::d : 0);
    hidden = behind(inner, emitted);
    d_hidden = behind(hidden, emitted);
    sum = behind(d_hidden, emitted);
    d_sum = behind(sum, M::has_output ? Z::ways * Z::d : 0);
    plain = behind(d_sum, M::has_output ? Z::ways * Z::d : 0);
    gate = behind(plain, M::gates_values ? Z::n * Z::values : 0);
    d_item = behind(gate, M::gates_values ? Z::n : 0);
    unit = behind(d_item, M::gates_values ? Z::d : 0);
    d_keys = behind(unit, M::solves ? Z::n * Z::keys : 0);
    length = behind(d_keys, M::solves ? Z::n * Z::keys : 0);
    alike = behind(length, M::solves ? Z::n : 0);
    root = behind(alike, M::solves ? Z::n * Z::n : 0);
    unsolved = behind(root, M::solves ? Z::n * Z::n : 0);
    if constexpr (M::vectors > 0)
      for (std::size_t f = 0; f < M::vectors * Z::d; ++f) vector[f] = V(w[Z::vector_tensor][f]);
  }
  constexpr const V* item(std::size_t i) const {
    if (Z::is_own(i)) return own;
    return Z::is_vector(i) ? vector + (i - Z::maps) * Z::d : before[Z::map(i)];
  }
  static constexpr bool keeps_values = M::gates_values || (M::solves && Z::scored);
  constexpr const V* value_of(std::size_t i) const {
    return keeps_values || Z::maps_value(i) ? value + i * Z::values : item(i);
  }
  constexpr const V* key_of(std::size_t i) const {
    return M::maps_keys || M::rms_keys ? key + i * Z::keys : value_of(i);
  }
  /// 1 / sqrt(mean(v^2) + eps)
  constexpr V inverse_rms(const V* v) const {
    V squares(S(0));
    for (std::size_t f = 0; f < Z::d; ++f) squares += v[f] * v[f];
    return V(S(1)) / math::sqrt(squares * V(S(1) / S(Z::d)) + V(S(RmsKeys::eps)));
  }
  constexpr V scale() const { return V(M::own_asks && !M::measures ? S(1) / math::sqrt(S(Z::key)) : S(1)); }
  /// What a score is taken with: of head h and item i, `key` numbers.
  constexpr V factor(std::size_t h, std::size_t i, std::size_t f) const {
    if constexpr (M::scores_each) return V(w[Z::score_tensor][(h * Z::n + i) * Z::key + f]);
    if constexpr (M::asks) return V(w[Z::score_tensor][h * Z::key + f]);
    return query[h * Z::key + f];
  }

  constexpr void weigh() {
    if constexpr (!Z::scored) {
      for (std::size_t h = 0; h < Z::heads; ++h) weight[h] = V(S(1));
    } else {
      if constexpr (M::is_static) {
        for (std::size_t h = 0; h < Z::heads; ++h)
          for (std::size_t i = 0; i < Z::n; ++i) weight[h * Z::row + i] = V(w[Z::score_tensor][h * Z::n + i]);
      } else if constexpr (M::emits) {
        emit_scores();
      } else {
        score_keys();
      }
      if constexpr (M::solves) solve_values();
      change_scores();
      for (std::size_t h = 0; h < Z::heads; ++h) {
        V* const row = weight + h * Z::row;
        if constexpr (M::needs_scores)
          M::Normaliser::forward(score + h * Z::row, row, Z::row);
        else
          M::Normaliser::forward(row, Z::row);
      }
      if constexpr (M::has_prior) mix_prior();
    }
  }
  constexpr void score_keys() {
    for (std::size_t i = 0; i < Z::n; ++i) {
      if constexpr (M::maps_keys) product<V>(w[Z::key_map(i)], Z::keys, Z::width(i), item(i), key + i * Z::keys);
      if constexpr (M::rms_keys) {
        const V r = inverse_rms(value_of(i));
        for (std::size_t f = 0; f < Z::d; ++f) key[i * Z::keys + f] = value_of(i)[f] * r;
      }
    }
    if constexpr (M::own_asks) product<V>(w[Z::score_tensor], Z::queries, Z::asked, asking_of(), query);
    for (std::size_t h = 0; h < Z::heads; ++h)
      for (std::size_t i = 0; i < Z::n; ++i) {
        const V* const k = key_of(i) + Z::key_at(h);
        V product_of(S(0));
        for (std::size_t f = 0; f < Z::key; ++f) {
          if constexpr (M::measures)
            product_of -= (factor(h, i, f) - k[f]) * (factor(h, i, f) - k[f]);
          else
            product_of += factor(h, i, f) * k[f];
        }
        weight[h * Z::row + i] = product_of * scale();
      }
  }
  /// What the query is made of: the newest item, and the task.
  constexpr const V* asking_of() {
    if constexpr (M::has_task) {
      for (std::size_t f = 0; f < Z::d; ++f) {
        asking[f] = own[f];
        asking[Z::d + f] = V(w[Z::task_tensor][f]);
      }
      return asking;
    } else {
      return own;
    }
  }
  constexpr void emit_scores() {
    constexpr std::size_t count = Z::heads * Z::n;
    const V r = inverse_rms(own);
    for (std::size_t f = 0; f < Z::d; ++f) scaled[f] = own[f] * r;
    product<V>(w[Z::score_tensor], count, Z::d, scaled, inner);
    for (std::size_t i = 0; i < count; ++i) hidden[i] = gelu(inner[i]);
    product<V>(w[Z::score_tensor + 1], count, count, hidden, d_hidden);
    for (std::size_t h = 0; h < Z::heads; ++h)
      for (std::size_t i = 0; i < Z::n; ++i)
        weight[h * Z::row + i] = d_hidden[h * Z::n + i] + V(w[Z::score_tensor + 2][h * Z::n + i]);
  }
  constexpr V temperature() const {
    V u(S(0));
    for (std::size_t f = 0; f < Z::d; ++f) u += V(w[Z::temperature_tensor][f]) * own[f];
    return V(S(1)) + math::tanh(u) + math::sigmoid(V(w[Z::temperature_tensor + 1][0])) * V(math::log(S(Z::n)));
  }
  constexpr void change_scores() {
    for (std::size_t h = 0; h < Z::heads; ++h) {
      V* const row = weight + h * Z::row;
      if constexpr (M::has_bias)
        for (std::size_t i = 0; i < Z::n; ++i) row[i] += V(w[Z::bias_tensor][h * Z::n + i]);
      if constexpr (M::inhibits) {
        const V share = math::sigmoid(V(w[Z::inhibition_tensor][0]));
        mean[h] = row[0];
        for (std::size_t i = 1; i < Z::n; ++i) mean[h] += row[i];
        mean[h] = mean[h] * V(S(1) / S(Z::n));
        for (std::size_t i = 0; i < Z::n; ++i) row[i] -= share * mean[h];
      }
      if constexpr (M::warms) {
        const V tau = temperature();
        for (std::size_t i = 0; i < Z::n; ++i) {
          raw[h * Z::row + i] = row[i];
          row[i] = row[i] * tau;
        }
      }
      if constexpr (M::has_null) row[Z::n] = V(w[Z::null_tensor][h]);
      if constexpr (M::needs_scores)
        for (std::size_t i = 0; i < Z::row; ++i) score[h * Z::row + i] = row[i];
    }
  }
  constexpr void mix_prior() {
    for (std::size_t h = 0; h < Z::heads; ++h) {
      V *const row = weight + h * Z::row, *const learned = prior + h * Z::row;
      for (std::size_t i = 0; i < Z::row; ++i) content[h * Z::row + i] = row[i];
      for (std::size_t i = 0; i < Z::n; ++i) learned[i] = V(w[Z::prior_tensor + 1][h * Z::n + i]);
      softmax(learned, Z::n);
      const V share = math::sigmoid(V(w[Z::prior_tensor][h]));
      for (std::size_t i = 0; i < Z::n; ++i) row[i] += share * (learned[i] - row[i]);
    }
  }
  constexpr void make_values() {
    for (std::size_t i = 0; i < Z::n; ++i) {
      V* const v = value + i * Z::values;
      if (Z::maps_value(i))
        product<V>(w[Z::value_map(i)], Z::values, Z::width(i), item(i), v);
      else if constexpr (keeps_values)
        for (std::size_t f = 0; f < Z::values; ++f) v[f] = item(i)[f % Z::d];
      if constexpr (M::gates_values) {
        V u(S(0));
        for (std::size_t f = 0; f < Z::d; ++f) u += V(w[Z::gate_tensor][f]) * item(i)[f];
        gate[i] = V(S(1)) + math::tanh(u);
        for (std::size_t f = 0; f < Z::values; ++f) {
          plain[i * Z::values + f] = v[f];
          v[f] = v[f] * gate[i];
        }
      }
    }
  }
  /// Of head h: units along the keys, P and its Cholesky root.
  constexpr void compare(std::size_t h) {
    const V rate(math::sqrt(S(Z::key)));
    for (std::size_t i = 0; i < Z::n; ++i) {
      const V* const k = key_of(i) + Z::key_at(h);
      V squares(S(1e-12));
      for (std::size_t f = 0; f < Z::key; ++f) squares += k[f] * k[f];
      length[i] = math::sqrt(squares);
      for (std::size_t f = 0; f < Z::key; ++f) unit[i * Z::key + f] = k[f] / length[i];
    }
    for (std::size_t i = 0; i < Z::n; ++i)
      for (std::size_t l = 0; l <= i; ++l) {
        V cosine(S(0));
        for (std::size_t f = 0; f < Z::key; ++f) cosine += unit[i * Z::key + f] * unit[l * Z::key + f];
        const V p = math::exp(rate * (cosine - V(S(1))));
        alike[i * Z::n + l] = alike[l * Z::n + i] = p;
        V rest = i == l ? p + V(S(1e-6)) : p;
        for (std::size_t m = 0; m < l; ++m) rest -= root[i * Z::n + m] * root[l * Z::n + m];
        root[i * Z::n + l] = i == l ? math::sqrt(math::max(rest, V(S(1e-7)))) : rest / root[l * Z::n + l];
      }
  }
  /// Solves (P + 1e-6 I) x = b in place, of number f of all items in a map [n, values].
  constexpr void solve(V* x, std::size_t f) const {
    for (std::size_t i = 0; i < Z::n; ++i) {
      for (std::size_t m = 0; m < i; ++m) x[i * Z::values + f] -= root[i * Z::n + m] * x[m * Z::values + f];
      x[i * Z::values + f] = x[i * Z::values + f] / root[i * Z::n + i];
    }
    for (std::size_t i = Z::n; i-- > 0;) {
      for (std::size_t m = i + 1; m < Z::n; ++m) x[i * Z::values + f] -= root[m * Z::n + i] * x[m * Z::values + f];
      x[i * Z::values + f] = x[i * Z::values + f] / root[i * Z::n + i];
    }
  }
  constexpr void solve_values() {
    for (std::size_t i = 0; i < Z::n * Z::values; ++i) unsolved[i] = value[i];
    for (std::size_t h = 0; h < Z::heads; ++h) {
      compare(h);
      for (std::size_t f = h * Z::slice; f < (h + 1) * Z::slice; ++f) solve(value, f);
    }
  }

  static constexpr std::size_t head(std::size_t way, std::size_t f) { return M::has_ways ? way : f / Z::slice; }
  static constexpr std::size_t channel(std::size_t way, std::size_t i, std::size_t f) {
    return (way * Z::n + i) * Z::d + f % Z::d;
  }
  /// The weight of number f of an item's value, on its way.
  constexpr V weight_at(std::size_t way, std::size_t i, std::size_t f) const {
    V of_item = M::averages_weights ? mean_weight(i) : weight[head(way, f) * Z::row + i];
    if constexpr (M::has_channels) of_item += V(w[Z::channel_tensor][channel(way, i, f)]);
    return of_item;
  }
  constexpr V mean_weight(std::size_t i) const {
    V all = weight[i];
    for (std::size_t h = 1; h < Z::heads; ++h) all += weight[h * Z::row + i];
    return all * V(S(1) / S(Z::heads));
  }
  constexpr V share() const { return V(M::averages_values ? S(1) / S(Z::heads) : S(1)); }
  constexpr V gain() const {
    if constexpr (M::has_gain) return V(w[Z::gain_tensor][0]);
    return V(S(1));
  }
};

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
