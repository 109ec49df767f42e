// Mixture: the connections that weigh items and add them, as points of a few axes.
#pragma once

#include "../core/macros_aside.hpp"

#include "../core/option.hpp"
#include "axes.hpp"

namespace aila::inline v0::integrate {

/// a = sum over items i and heads h of alpha_i^(h) v_i^(h), alpha = normalise(scores of keys k_i and of the newest
/// item).
///
/// Options in any order, each an axis of axes.hpp; the first is what holds where nothing is said:
///   where       AttachedAt<Place::after>, AttachedAt<Place::before>, AttachedAt<Place::readout>
///   items       Of<Items::maps>, Of<Items::deltas>, Of<Items::sums>; InBlocks<B>, Dilated<K>, Every<P>,
///   WithoutInput,
///               WithoutOwn, LearnedItems<N>
///   keys        KeysOfValues, RmsKeys, SharedKeys<K>
///   values      ValuesOfItems, ValuesOfEach, SharedValues
///   scores      StaticScores<start>, ScoreOfEach, LearnedQuery, QueryOfOwn
///   weights     SoftmaxWeights, SignedWeights, SigmoidWeights, ReluWeights
///   heads       Heads<H> (1), PerChannel
///   gain        none, LearnedGain (a is g times it; tensor gain [1], one at first)
///   combination Concatenate (head h weighs the h-th of H slices of the values), MeanOfWeights, MeanOfHeads (H values
///   of
///               width d, averaged)
/// Items stand in the order of their layers, the newest last; after the cores the layer's own output is the first.
/// Tensors, where the axes have them: key, value or value.i, weight, score or query, item [N, d]. A connection is a
/// struct that derives from one, and has a name: see dense_former.hpp.
template <class... Options>
struct Mixture : Policy {
  static constexpr const char* name = "mixture";
  using Axes = Mixture;
  using Choice = OptionsOf<Mixture,
                           List<role::Attached, role::ItemKind, role::Blocks, role::InputItem, role::OwnItem,
                                role::ItemStep, role::LayerStep, role::LearnedItems, role::KeyMap, role::ValueMap,
                                role::Scoring, role::Normaliser, role::Heads, role::Combine, role::Gain>,
                           Options...>;
  using Refusal = aila::detail::RefusalOf<Choice>;
  template <class Role, class Default>
  using Pick = typename Choice::template Pick<Role, Default>;

  using Keys = Pick<role::KeyMap, KeysOfValues>;
  using Values = Pick<role::ValueMap, ValuesOfItems>;
  using Scores = Pick<role::Scoring, StaticScores<>>;
  using Normaliser = Pick<role::Normaliser, SoftmaxWeights>;
  using Combination = Pick<role::Combine, Concatenate>;
  static constexpr Place place = Pick<role::Attached, AttachedAt<Place::after>>::value;
  static constexpr Items items_are = Pick<role::ItemKind, Of<Items::maps>>::value;
  static constexpr std::size_t block = Pick<role::Blocks, InBlocks<1>>::value;
  static constexpr bool reads_input = std::is_void_v<Pick<role::InputItem, void>>;
  static constexpr bool mixes_own = std::is_void_v<Pick<role::OwnItem, void>>;
  static constexpr bool own_is_first = place == Place::after;
  static constexpr bool signed_weights = !Normaliser::sums_to_one;
  static constexpr std::size_t dilation = Pick<role::ItemStep, Dilated<1>>::value;
  static constexpr std::size_t period = Pick<role::LayerStep, Every<1>>::value;
  static constexpr bool has_gain = !std::is_void_v<Pick<role::Gain, void>>;
  static constexpr std::size_t vectors = Pick<role::LearnedItems, LearnedItems<0>>::value;
  static consteval bool takes(std::size_t layer, std::size_t item, std::size_t) {
    return ((layer + block - 1) / block - item) % dilation == 0;
  }
  static consteval bool attaches(std::size_t layer, std::size_t) { return layer > 0 && layer % period == 0; }

  static constexpr bool maps_keys = requires { Keys::width; }, rms_keys = std::is_same_v<Keys, RmsKeys>;
  static constexpr bool maps_each = std::is_same_v<Values, ValuesOfEach>;
  static constexpr bool maps_values = maps_each || std::is_same_v<Values, SharedValues>;
  static constexpr bool scores_each = std::is_same_v<Scores, ScoreOfEach>;
  static constexpr bool asks = std::is_same_v<Scores, LearnedQuery>;
  static constexpr bool own_asks = std::is_same_v<Scores, QueryOfOwn>;
  static constexpr bool is_static = !scores_each && !asks && !own_asks;
  static constexpr bool averages_weights = requires { Combination::mean_of_weights; };
  static constexpr bool averages_values = Combination::mean;

  /// Sizes and places of tensors where these shapes meet.
  template <class Own, class Before>
  struct Sizes {
    static constexpr std::size_t d = Own::features;
    static constexpr std::size_t given = Pick<role::Heads, Heads<1>>::value;
    static constexpr std::size_t heads = given == 0 ? d : given;
    static constexpr std::size_t first = mixes_own && own_is_first ? 1 : 0;  ///< number of the first earlier item
    static constexpr std::size_t maps = Before::count + (mixes_own ? 1 : 0);
    static constexpr std::size_t n = maps + vectors;
    static constexpr std::size_t values = averages_values ? heads * d : d;  ///< numbers of an item's value
    static constexpr std::size_t slice = values / heads;                    ///< of them a head's
    static constexpr std::size_t key = [] {
      if constexpr (maps_keys)
        if (Keys::width > 0) return Keys::width;
      return d / heads;
    }();
    static constexpr std::size_t keys = heads * key;
    static constexpr bool scored = n > 1 || !Normaliser::sums_to_one;
    static constexpr std::size_t key_tensor = 0;
    static constexpr std::size_t value_tensor = maps_keys && scored ? 1 : 0;
    static constexpr std::size_t score_tensor = value_tensor + (maps_each     ? Before::count
                                                                : maps_values ? std::size_t{1}
                                                                              : std::size_t{0});
    static constexpr std::size_t vector_tensor = score_tensor + (scored ? 1 : 0);
    static constexpr std::size_t gain_tensor = vector_tensor + (vectors > 0 ? 1 : 0);
    static constexpr std::size_t tensors = gain_tensor + (has_gain ? 1 : 0);
    static constexpr bool is_own(std::size_t i) { return mixes_own && i == (own_is_first ? 0 : Before::count); }
    static constexpr bool is_vector(std::size_t i) { return i >= maps; }
    /// The earlier map that item i is.
    static constexpr std::size_t map(std::size_t i) { return i - first; }
    static constexpr std::size_t width(std::size_t i) {
      return is_own(i) || is_vector(i) ? d : Before::features(map(i));
    }
    /// Whether the item goes through a value map.
    static constexpr bool maps_value(std::size_t i) { return maps_values && !is_own(i) && !is_vector(i); }
    static constexpr std::size_t value_map(std::size_t i) { return value_tensor + (maps_each ? map(i) : 0); }
  };

  template <class Own, class Before>
  static constexpr bool heads_divide = Own::features % Sizes<Own, Before>::heads == 0 || (averages_values && maps_keys);
  template <class Own, class Before>
  static constexpr bool widths_fit =
      (maps_each && !maps_keys) || Before::count == 0 ||
      (Before::same_width && (Before::features(0) == Own::features || (maps_values && !mixes_own)));
  template <class Own, class Before>
  static constexpr bool accepts = heads_divide<Own, Before> && widths_fit<Own, Before> &&
                                  (!averages_values || (maps_values && maps_keys)) && Sizes<Own, Before>::n > 0;
  template <class Own, class Before>
  static consteval int expect() {
    constexpr bool divide = heads_divide<Own, Before>;
    constexpr bool widths = !divide || widths_fit<Own, Before>;
    constexpr bool values = !divide || !widths || !averages_values || (maps_values && maps_keys);
    constexpr bool items = !divide || !widths || !values || Sizes<Own, Before>::n > 0;
    static_assert(divide, "aila: the heads of a mixture must divide the layer's width");
    static_assert(widths, "aila: a mixture of items as they are needs maps of the layer's width");
    static_assert(values,
                  "aila: MeanOfHeads is of keys and values that each head has: map both, or take MeanOfWeights");
    static_assert(items, "aila: a mixture needs an item");
    return 0;
  }
  template <class Own, class Before>
  static constexpr std::size_t heads = Sizes<Own, Before>::heads;
  template <class Own, class Before>
  static constexpr std::size_t items = Sizes<Own, Before>::n;

  template <class Own, class Before>
  static consteval auto parameters() {
    using Z = Sizes<Own, Before>;
    std::array<ParameterSpec, Z::tensors> table{};
    if constexpr (maps_keys && Z::scored)
      table[Z::key_tensor] = parameter("key", {Z::keys, Z::width(0)}, init::torch_uniform(Z::width(0)));
    if constexpr (maps_values)
      for (std::size_t i = 0; i < Z::maps; ++i)
        if (Z::maps_value(i)) {
          const auto spec = parameter("value", {Z::values, Z::width(i)}, init::torch_uniform(Z::width(i)));
          table[Z::value_map(i)] = maps_each ? spec.at(Z::map(i)) : spec;
        }
    if constexpr (Z::scored) {
      ParameterSpec& score = table[Z::score_tensor];
      if constexpr (is_static) {
        constexpr auto start = Scores::start;
        score = parameter("weight", {Z::heads, Z::n},
                          start == Start::zeros  ? init::zeros()
                          : start == Start::ones ? init::ones()
                          : own_is_first         ? init::unit(0)
                                                 : init::unit(Z::maps - 1))
                    .without_decay();
      } else if constexpr (scores_each) {
        score = parameter("score", {Z::heads, Z::n, Z::key}, init::zeros());
      } else if constexpr (asks) {
        score = parameter("query", {Z::heads, Z::key}, init::zeros()).without_decay();
      } else {
        score = parameter("query", {Z::keys, Z::d}, init::torch_uniform(Z::d));
      }
    }
    if constexpr (vectors > 0)
      table[Z::vector_tensor] = parameter("item", {vectors, Z::d}, init::normal(0.02)).without_decay();
    if constexpr (has_gain) table[Z::gain_tensor] = parameter("gain", {1}, init::ones()).without_decay();
    return table;
  }

  template <class Own, class Before>
  static consteval std::size_t flops() {
    using Z = Sizes<Own, Before>;
    std::size_t sum = 2 * Z::n * Z::values + (averages_weights ? Z::n * Z::heads : 0);
    if (Z::scored && !is_static) sum += Z::n * (2 * Z::keys + (rms_keys ? 3 * Z::d : 0));
    if (Z::scored && Normaliser::sums_to_one && !is_static) sum += 4 * Z::n * Z::heads;
    if (Z::scored && own_asks) sum += 2 * Z::keys * Z::d;
    for (std::size_t i = 0; i < Z::n; ++i) {
      if (Z::scored && maps_keys) sum += 2 * Z::keys * Z::width(i);
      if (Z::maps_value(i)) sum += 2 * Z::values * Z::width(i);
    }
    return sum;
  }

  // ---- the body: one position
  // ----------------------------------------------------------------------------------------

  /// Values, keys, weights and queries, and in backward their gradients, inside the scratch memory.
  template <class Own, class Before>
  static constexpr std::size_t scratch = [] {
    using Z = Sizes<Own, Before>;
    return 2 * vectors * Z::d + 2 * Z::n * Z::values + (Z::n + 3) * Z::keys + 2 * Z::heads * Z::n;
  }();
  template <class Own, class Before, class V>
  struct Work {
    using Z = Sizes<Own, Before>;
    using S = ScalarOf<V>;
    const V* own;
    const V* const* before;
    Weights<S> w;
    V *vector, *value, *d_value, *key, *query, *d_query, *d_key, *weight, *d_weight;

    constexpr Work(const V* own_, const V* const* before_, Weights<S> w_, V* memory)
        : own(own_), before(before_), w(w_), vector(memory) {
      value = vector + 2 * vectors * Z::d;
      d_value = value + Z::n * Z::values;
      key = d_value + Z::n * Z::values;
      query = key + Z::n * Z::keys;
      d_query = query + Z::keys;
      d_key = d_query + Z::keys;
      weight = d_key + Z::keys;
      d_weight = weight + Z::heads * Z::n;
      if constexpr (vectors > 0)
        for (std::size_t f = 0; f < vectors * Z::d; ++f) vector[f] = V(w[Z::vector_tensor][f]);
    }
    constexpr const V* item(std::size_t i) const {
      if (Z::is_own(i)) return own;
      return Z::is_vector(i) ? vector + (i - Z::maps) * Z::d : before[Z::map(i)];
    }
    constexpr const V* value_of(std::size_t i) const { return Z::maps_value(i) ? value + i * Z::values : item(i); }
    constexpr const V* key_of(std::size_t i) const { return maps_keys || rms_keys ? key + i * Z::keys : value_of(i); }
    /// 1 / sqrt(mean(v^2) + eps)
    constexpr V inverse_rms(const V* v) const {
      V sum(S(0));
      for (std::size_t f = 0; f < Z::d; ++f) sum += v[f] * v[f];
      return V(S(1)) / math::sqrt(sum * V(S(1) / S(Z::d)) + V(S(RmsKeys::eps)));
    }
    constexpr V scale() const { return V(own_asks ? S(1) / math::sqrt(S(Z::key)) : S(1)); }
    /// What a score is taken with: of head h and item i, `key` numbers.
    constexpr V factor(std::size_t h, std::size_t i, std::size_t f) const {
      if constexpr (scores_each) return V(w[Z::score_tensor][(h * Z::n + i) * Z::key + f]);
      if constexpr (asks) return V(w[Z::score_tensor][h * Z::key + f]);
      return query[h * Z::key + f];
    }

    constexpr void weigh() {
      if constexpr (!Z::scored) {
        for (std::size_t h = 0; h < Z::heads; ++h) weight[h] = V(S(1));
      } else if constexpr (is_static) {
        for (std::size_t i = 0; i < Z::heads * Z::n; ++i) weight[i] = V(w[Z::score_tensor][i]);
      } else {
        for (std::size_t i = 0; i < Z::n; ++i) {
          if constexpr (maps_keys) product<V>(w[Z::key_tensor], Z::keys, Z::width(i), item(i), key + i * Z::keys);
          if constexpr (rms_keys) {
            const V r = inverse_rms(value_of(i));
            for (std::size_t f = 0; f < Z::d; ++f) key[i * Z::keys + f] = value_of(i)[f] * r;
          }
        }
        if constexpr (own_asks) product<V>(w[Z::score_tensor], Z::keys, Z::d, own, query);
        for (std::size_t h = 0; h < Z::heads; ++h)
          for (std::size_t i = 0; i < Z::n; ++i) {
            V sum(S(0));
            for (std::size_t f = 0; f < Z::key; ++f) sum += factor(h, i, f) * key_of(i)[h * Z::key + f];
            weight[h * Z::n + i] = sum * scale();
          }
      }
      if constexpr (Z::scored)
        for (std::size_t h = 0; h < Z::heads; ++h) Normaliser::forward(weight + h * Z::n, Z::n);
    }
    constexpr void make_values() {
      for (std::size_t i = 0; i < Z::n; ++i)
        if (Z::maps_value(i)) product<V>(w[Z::value_map(i)], Z::values, Z::width(i), item(i), value + i * Z::values);
    }
    /// The weight of number f of an item's value.
    constexpr V weight_at(std::size_t i, std::size_t f) const {
      if constexpr (!averages_weights) return weight[f / Z::slice * Z::n + i];
      return mean_weight(i);
    }
    constexpr V mean_weight(std::size_t i) const {
      V sum = weight[i];
      for (std::size_t h = 1; h < Z::heads; ++h) sum += weight[h * Z::n + i];
      return sum * V(S(1) / S(Z::heads));
    }
    constexpr V share() const { return V(averages_values ? S(1) / S(Z::heads) : S(1)); }
    constexpr V gain() const {
      if constexpr (has_gain) return V(w[Z::gain_tensor][0]);
      return V(S(1));
    }
  };

  template <class Own, class Before, class V>
  static constexpr void mixture(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* weights, V* memory) {
    using Z = Sizes<Own, Before>;
    Work<Own, Before, V> work(own, before, w, memory);
    work.make_values();
    work.weigh();
    for (std::size_t i = 0; i < Z::heads * Z::n; ++i) weights[i] = work.weight[i];
  }

  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a, V* memory) {
    using Z = Sizes<Own, Before>;
    Work<Own, Before, V> work(own, before, w, memory);
    work.make_values();
    work.weigh();
    for (std::size_t f = 0; f < Z::d; ++f) a[f] = V(ScalarOf<V>(0));
    for (std::size_t i = 0; i < Z::n; ++i) {
      const V* const v = work.value_of(i);
      for (std::size_t f = 0; f < Z::values; ++f) a[f % Z::d] += work.weight_at(i, f) * v[f];
    }
    if constexpr (averages_values || has_gain)
      for (std::size_t f = 0; f < Z::d; ++f) a[f] = a[f] * (work.share() * work.gain());
  }

  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                 V* const* d_before, G& g, V* memory) {
    using S = ScalarOf<V>;
    using Z = Sizes<Own, Before>;
    Work<Own, Before, V> k(own, before, w, memory);
    k.make_values();
    k.weigh();
    for (std::size_t i = 0; i < Z::heads * Z::n; ++i) k.d_weight[i] = V(S(0));
    for (std::size_t i = 0; i < Z::n; ++i) {
      const V* const v = k.value_of(i);
      V* const dv = k.d_value + i * Z::values;
      V whole(S(0));
      for (std::size_t f = 0; f < Z::values; ++f) {
        const V slope = k.share() * da[f % Z::d];
        dv[f] = k.weight_at(i, f) * k.gain() * slope;
        if constexpr (averages_weights)
          whole += v[f] * slope;
        else
          k.d_weight[f / Z::slice * Z::n + i] += v[f] * slope;
      }
      if constexpr (averages_weights)
        for (std::size_t h = 0; h < Z::heads; ++h) k.d_weight[h * Z::n + i] = whole * V(S(1) / S(Z::heads));
    }
    if constexpr (has_gain) {
      V slope(S(0));
      for (std::size_t i = 0; i < Z::heads * Z::n; ++i) {
        slope += k.weight[i] * k.d_weight[i];
        k.d_weight[i] = k.d_weight[i] * k.gain();
      }
      g.add(Z::gain_tensor, 0, slope);
    }
    if constexpr (Z::scored) scores_backward<Own, Before>(k, d_own, d_before, g);
    for (std::size_t i = 0; i < Z::n; ++i) {
      const V* const dv = k.d_value + i * Z::values;
      if (Z::maps_value(i))
        product_backward<V>(w[Z::value_map(i)], Z::values, Z::width(i), k.item(i), dv, d_before[Z::map(i)], g,
                            Z::value_map(i));
      else
        add_to_item<Own, Before>(i, dv, d_own, d_before, g);
    }
  }

 private:
  template <class Own, class Before, class V, class G>
  static constexpr void add_to_item(std::size_t i, const V* d_item, V* d_own, V* const* d_before, G& g) {
    using Z = Sizes<Own, Before>;
    if (Z::is_vector(i)) {
      if constexpr (vectors > 0)
        for (std::size_t f = 0; f < Z::d; ++f) g.add(Z::vector_tensor, (i - Z::maps) * Z::d + f, d_item[f]);
      return;
    }
    V* const to = Z::is_own(i) ? d_own : d_before[Z::map(i)];
    for (std::size_t f = 0; f < Z::width(i); ++f) to[f] += d_item[f];
  }

  /// From d_weight to the gradients of scores, keys and queries; what a key's gradient is to its value is added there.
  template <class Own, class Before, class V, class G>
  static constexpr void scores_backward(Work<Own, Before, V>& k, V* d_own, V* const* d_before, G& g) {
    using Z = Sizes<Own, Before>;
    for (std::size_t h = 0; h < Z::heads; ++h) Normaliser::backward(k.weight + h * Z::n, k.d_weight + h * Z::n, Z::n);
    if constexpr (is_static) {
      for (std::size_t i = 0; i < Z::heads * Z::n; ++i) g.add(Z::score_tensor, i, k.d_weight[i]);
    } else {
      keys_backward<Own, Before>(k, d_own, d_before, g);
    }
  }
  template <class Own, class Before, class V, class G>
  static constexpr void keys_backward(Work<Own, Before, V>& k, V* d_own, V* const* d_before, G& g) {
    using S = ScalarOf<V>;
    using Z = Sizes<Own, Before>;
    for (std::size_t f = 0; f < Z::keys; ++f) k.d_query[f] = V(S(0));
    for (std::size_t i = 0; i < Z::n; ++i) {
      const V* const key = k.key_of(i);
      for (std::size_t h = 0; h < Z::heads; ++h) {
        const V ds = k.d_weight[h * Z::n + i] * k.scale();
        for (std::size_t f = 0; f < Z::key; ++f) {
          k.d_key[h * Z::key + f] = ds * k.factor(h, i, f);
          if constexpr (scores_each)
            g.add(Z::score_tensor, (h * Z::n + i) * Z::key + f, ds * key[h * Z::key + f]);
          else
            k.d_query[h * Z::key + f] += ds * key[h * Z::key + f];
        }
      }
      if constexpr (maps_keys) {
        if (Z::is_own(i) || !Z::is_vector(i)) {
          V* const to = Z::is_own(i) ? d_own : d_before[Z::map(i)];
          product_backward<V>(k.w[Z::key_tensor], Z::keys, Z::width(i), k.item(i), k.d_key, to, g, Z::key_tensor);
        } else if constexpr (vectors > 0) {
          V* const to = k.vector + (vectors + i - Z::maps) * Z::d;
          for (std::size_t f = 0; f < Z::d; ++f) to[f] = V(S(0));
          product_backward<V>(k.w[Z::key_tensor], Z::keys, Z::d, k.item(i), k.d_key, to, g, Z::key_tensor);
          add_to_item<Own, Before>(i, to, d_own, d_before, g);
        }
      } else if constexpr (rms_keys) {
        // k = r v, r = (mean(v^2) + eps)^(-1/2): dv = r (dk - k <dk, k> / d)
        const V r = k.inverse_rms(k.value_of(i));
        V dot(S(0));
        for (std::size_t f = 0; f < Z::d; ++f) dot += k.d_key[f] * key[f];
        dot = dot * V(S(1) / S(Z::d));
        for (std::size_t f = 0; f < Z::d; ++f) k.d_value[i * Z::values + f] += r * (k.d_key[f] - key[f] * dot);
      } else {
        for (std::size_t f = 0; f < Z::keys; ++f) k.d_value[i * Z::values + f] += k.d_key[f];
      }
    }
    if constexpr (asks)
      for (std::size_t f = 0; f < Z::keys; ++f) g.add(Z::score_tensor, f, k.d_query[f]);
    if constexpr (own_asks)
      product_backward<V>(k.w[Z::score_tensor], Z::keys, Z::d, k.own, k.d_query, d_own, g, Z::score_tensor);
  }
};

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
