// Mixture: the connections that weigh items and add them, as points of a few axes.
#pragma once

#include "../core/macros_aside.hpp"

#include "../core/option.hpp"
#include "axes.hpp"
#include "mixture_slopes.hpp"

namespace aila::inline v0::integrate {

namespace detail {
/// The number of the tensor behind `count` from `tensor` on, where these are there.
constexpr std::size_t behind(std::size_t tensor, bool there, std::size_t count = 1) {
  return tensor + (there ? count : 0);
}
}  // namespace detail

/// a = sum over items i and heads h of alpha_i^(h) v_i^(h), alpha = normalise(scores of keys k_i and of the newest
/// item).
///
/// Options in any order, each an axis of axes.hpp; the first is what holds where nothing is said:
///   where        AttachedAt<Place::after>, AttachedAt<Place::before>, AttachedAt<Place::readout>
///   items        Of<Items::maps>, Of<Items::deltas>, Of<Items::sums>; InBlocks<B>, Dilated<K>, Every<P>, Newest<K>,
///                Ends<K>, InputAlone, WithoutInput, WithoutOwn, LearnedItems<N>, NullItem
///   keys         KeysOfValues, RmsKeys, SharedKeys<K>, KeysOfEach<K>
///   values       ValuesOfItems, ValuesOfEach, SharedValues; GatedValues, LucidValues
///   scores       StaticScores<start>, ScoreOfEach, LearnedQuery, SmallQuery, QueryOfOwn (and TaskInQuery),
///                DistanceToOwn, EmittedScores; then ItemBias, Inhibition, LearnedTemperature
///   weights      SoftmaxWeights, SignedWeights, SigmoidWeights, ReluWeights, GeluWeights, RatioWeights, TopWeights<K>;
///                then GatedPrior, PlusOfChannels
///   heads        Heads<H> (1), PerChannel
///   combination  Concatenate (head h weighs the h-th of H slices of the values), MeanOfWeights, MeanOfHeads (H values
///                of width d, averaged), Ways (H maps side by side)
///   sum          none, LearnedGain or GainFromZero (the mixture times g; tensor gain [1]); then PlusSum or PlusOwn,
///                OutputMap
/// Items stand in the order of their layers, the newest last; after the cores the layer's own output is the first.
/// Tensors, where the axes have them: key or key.i, value or value.i, weight, score or query, item [N, d], gain, and
/// those that axes.hpp names. A connection is a struct that derives from one, and has a name: see dense_former.hpp.
template <class... Options>
struct Mixture : Policy {
  static constexpr const char* name = "mixture";
  using Axes = Mixture;
  using Choice =
      OptionsOf<Mixture,
                List<role::Attached, role::ItemKind, role::Blocks, role::InputItem, role::OwnItem, role::ItemStep,
                     role::LayerStep, role::LearnedItems, role::KeyMap, role::ValueMap, role::Scoring, role::Normaliser,
                     role::Heads, role::Combine, role::Gain, role::Window, role::Base, role::NullItem, role::ItemBias,
                     role::Channels, role::Temperature, role::Inhibition, role::Prior, role::QueryTask, role::Output,
                     role::ValueGate, role::Decorrelation>,
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
  static constexpr bool mixes_own = !std::is_same_v<Pick<role::OwnItem, WithOwn>, WithoutOwn>;
  static constexpr bool own_is_first = place == Place::after;
  template <class Role>
  static constexpr bool has = !std::is_void_v<Pick<Role, void>>;
  static constexpr bool has_null = has<role::NullItem>;
  static constexpr bool signed_weights = !Normaliser::sums_to_one || has_null;
  static constexpr std::size_t dilation = Pick<role::ItemStep, Dilated<1>>::value;
  static constexpr std::size_t period = Pick<role::LayerStep, Every<1>>::value;
  static constexpr bool has_gain = has<role::Gain>, has_bias = has<role::ItemBias>, has_channels = has<role::Channels>,
                        warms = has<role::Temperature>, inhibits = has<role::Inhibition>, has_prior = has<role::Prior>,
                        has_task = has<role::QueryTask>, has_output = has<role::Output>,
                        gates_values = has<role::ValueGate>, solves = has<role::Decorrelation>;
  static constexpr bool adds_sum = std::is_same_v<Pick<role::Base, void>, PlusSum>,
                        adds_own = std::is_same_v<Pick<role::Base, void>, PlusOwn>;
  static constexpr std::size_t vectors = Pick<role::LearnedItems, LearnedItems<0>>::value;
  static consteval bool takes(std::size_t layer, std::size_t item, std::size_t) {
    const std::size_t newest = (layer + block - 1) / block;
    if constexpr (has<role::Window>)
      if (!Pick<role::Window, void>::takes(item, newest)) return false;
    return (newest - item) % dilation == 0;
  }
  static consteval bool attaches(std::size_t layer, std::size_t) {
    return (layer > 0 || has_ways) && layer % period == 0;
  }

  static constexpr bool maps_keys = requires { Keys::width; }, rms_keys = std::is_same_v<Keys, RmsKeys>;
  static constexpr bool keys_of_each = requires { Keys::of_each; };
  static constexpr bool maps_each = std::is_same_v<Values, ValuesOfEach>;
  static constexpr bool maps_values = maps_each || std::is_same_v<Values, SharedValues>;
  static constexpr bool scores_each = std::is_same_v<Scores, ScoreOfEach>;
  static constexpr bool asks = std::is_same_v<Scores, LearnedQuery> || std::is_same_v<Scores, SmallQuery>;
  static constexpr bool measures = std::is_same_v<Scores, DistanceToOwn>;
  static constexpr bool own_asks = std::is_same_v<Scores, QueryOfOwn> || measures;
  static constexpr bool emits = std::is_same_v<Scores, EmittedScores>;
  static constexpr bool is_static = !scores_each && !asks && !own_asks && !emits;
  static constexpr bool needs_scores = requires { Normaliser::needs_scores; };
  static constexpr bool averages_weights = requires { Combination::mean_of_weights; };
  static constexpr bool averages_values = Combination::mean;
  static constexpr bool has_ways = Pick<role::Heads, Heads<1>>::value != 1 && requires { Combination::ways; };
  /// The axes for which backends have kernels of their own.
  static constexpr bool has_kernels = !has_null && !has_bias && !has_channels && !warms && !inhibits && !has_prior &&
                                      !has_task && !has_output && !adds_sum && !adds_own && !keys_of_each &&
                                      !measures && !emits && !needs_scores && !has_ways && !gates_values && !solves;

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
    static constexpr std::size_t ways = has_ways ? heads : 1;
    static constexpr std::size_t row = n + (has_null ? 1 : 0);  ///< weights of a head
    static constexpr bool whole_keys = has_ways && !maps_keys;  ///< all heads look at the same keys
    static constexpr std::size_t key = [] {
      if constexpr (maps_keys)
        if (Keys::width > 0) return Keys::width;
      return whole_keys ? d : d / heads;
    }();
    static constexpr std::size_t queries = heads * key, keys = whole_keys ? d : queries;
    static constexpr std::size_t key_at(std::size_t h) { return whole_keys ? 0 : h * key; }
    static constexpr bool scored = n > 1 || !Normaliser::sums_to_one || has_null;
    static constexpr std::size_t asked = has_task ? 2 * d : d;  ///< numbers that a query is made of
    static constexpr std::size_t key_tensor = 0;
    static constexpr std::size_t key_map(std::size_t i) { return key_tensor + (keys_of_each ? i : 0); }
    static constexpr std::size_t value_tensor = !maps_keys || !scored ? 0 : keys_of_each ? n : 1;
    static constexpr std::size_t score_tensor = value_tensor + (maps_each     ? Before::count
                                                                : maps_values ? std::size_t{1}
                                                                              : std::size_t{0});
    static constexpr std::size_t vector_tensor = detail::behind(score_tensor, scored, emits ? 3 : 1);
    static constexpr std::size_t gain_tensor = detail::behind(vector_tensor, vectors > 0);
    static constexpr std::size_t channel_tensor = detail::behind(gain_tensor, has_gain);
    static constexpr std::size_t task_tensor = detail::behind(channel_tensor, has_channels);
    static constexpr std::size_t bias_tensor = detail::behind(task_tensor, has_task&& scored);
    static constexpr std::size_t inhibition_tensor = detail::behind(bias_tensor, has_bias&& scored);
    static constexpr std::size_t temperature_tensor = detail::behind(inhibition_tensor, inhibits&& scored);
    static constexpr std::size_t null_tensor = detail::behind(temperature_tensor, warms&& scored, 2);
    static constexpr std::size_t prior_tensor = detail::behind(null_tensor, has_null&& scored);
    static constexpr std::size_t output_tensor = detail::behind(prior_tensor, has_prior&& scored, 2);
    static constexpr std::size_t gate_tensor = detail::behind(output_tensor, has_output);
    static constexpr std::size_t tensors = detail::behind(gate_tensor, gates_values);
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
  static constexpr bool heads_divide =
      Own::features % Sizes<Own, Before>::heads == 0 || (averages_values && maps_keys) || has_ways;
  template <class Own, class Before>
  static constexpr bool widths_fit =
      (!gates_values || EqualWidths::of<Own, Before>().hold) &&
      ((maps_each && (!maps_keys || keys_of_each)) || Before::count == 0 ||
       (Before::same_width && (Before::features(0) == Own::features || (maps_values && !mixes_own))));
  static constexpr bool values_fit = !averages_values || (maps_values && maps_keys && !adds_sum);
  static constexpr bool keys_fit = !solves || ((maps_keys || rms_keys) && !is_static && !emits && !has_ways);
  /// Behind the cores items are all earlier layers.
  static constexpr bool takes_all = !has<role::Window> && dilation == 1 && period == 1 && block == 1;
  static constexpr bool places_fit = !own_is_first || (!has_ways && takes_all && items_are == Items::maps);
  template <class Own, class Before>
  static constexpr bool accepts = heads_divide<Own, Before> && widths_fit<Own, Before> && values_fit && keys_fit &&
                                  places_fit && Sizes<Own, Before>::n > 0;
  template <class Own, class Before>
  static consteval int expect() {
    constexpr bool divide = heads_divide<Own, Before>;
    constexpr bool widths = !divide || widths_fit<Own, Before>;
    constexpr bool values = !divide || !widths || values_fit;
    constexpr bool keys = !divide || !widths || !values || keys_fit;
    constexpr bool places = !divide || !widths || !values || !keys || places_fit;
    constexpr bool items = !divide || !widths || !values || !keys || !places || Sizes<Own, Before>::n > 0;
    static_assert(divide, "aila: the heads of a mixture must divide the layer's width");
    static_assert(widths, "aila: a mixture of items as they are needs maps of the layer's width");
    static_assert(values,
                  "aila: MeanOfHeads is of keys and values that each head has: map both, or take MeanOfWeights");
    static_assert(keys,
                  "aila: LucidValues compare keys: take RmsKeys, SharedKeys or KeysOfEach, and scores that ask them");
    static_assert(places,
                  "aila: ways, and a choice of items or layers, are for mixtures before the cores and at the readout");
    static_assert(items, "aila: a mixture needs an item");
    return 0;
  }
  template <class Own, class Before>
  static constexpr std::size_t width = Sizes<Own, Before>::ways * Own::features;
  template <class Own, class Before>
  static constexpr std::size_t heads = Sizes<Own, Before>::heads;
  template <class Own, class Before>
  static constexpr std::size_t items = Sizes<Own, Before>::n;

  template <class Own, class Before>
  static consteval auto parameters() {
    using Z = Sizes<Own, Before>;
    std::array<ParameterSpec, Z::tensors> table{};
    if constexpr (maps_keys && Z::scored)
      for (std::size_t i = 0; i < Z::value_tensor; ++i) {
        const auto spec = parameter("key", {Z::keys, Z::width(i)}, init::torch_uniform(Z::width(i)));
        table[Z::key_map(i)] = keys_of_each ? spec.at(i) : spec;
      }
    if constexpr (maps_values)
      for (std::size_t i = 0; i < Z::maps; ++i)
        if (Z::maps_value(i)) {
          const auto spec = parameter("value", {Z::values, Z::width(i)}, init::torch_uniform(Z::width(i)));
          table[Z::value_map(i)] = maps_each ? spec.at(Z::map(i)) : spec;
        }
    if constexpr (Z::scored) {
      ParameterSpec& score = table[Z::score_tensor];
      constexpr Initialiser newest = init::unit(own_is_first ? 0 : Z::maps - 1);
      if constexpr (is_static) {
        constexpr auto start = Scores::start;
        score = parameter("weight", {Z::heads, Z::n},
                          start == Start::zeros  ? init::zeros()
                          : start == Start::ones ? init::ones()
                          : start == Start::mean ? init::constant(1 / static_cast<double>(Z::n))
                                                 : newest)
                    .without_decay();
      } else if constexpr (emits) {
        constexpr std::size_t hidden = Z::heads * Z::n;
        score = parameter("inner", {hidden, Z::d}, init::normal(1 / math::sqrt(static_cast<double>(Z::d))));
        table[Z::score_tensor + 1] = parameter("outer", {hidden, hidden}, init::zeros());
        table[Z::score_tensor + 2] = parameter("weight", {Z::heads, Z::n}, newest).without_decay();
      } else if constexpr (scores_each) {
        score = parameter("score", {Z::heads, Z::n, Z::key}, init::zeros());
      } else if constexpr (asks) {
        constexpr bool small = std::is_same_v<Scores, SmallQuery>;
        score = parameter("query", {Z::heads, Z::key}, small ? init::normal(0.01) : init::zeros()).without_decay();
      } else {
        score = parameter("query", {Z::queries, Z::asked}, init::torch_uniform(Z::asked));
      }
      if constexpr (has_task) table[Z::task_tensor] = parameter("task", {Z::d}, init::normal(0.02)).without_decay();
      if constexpr (has_bias)
        table[Z::bias_tensor] = parameter("bias", {Z::heads, Z::n}, init::zeros()).without_decay();
      if constexpr (inhibits) table[Z::inhibition_tensor] = parameter("inhibition", {1}, init::zeros()).without_decay();
      if constexpr (warms) {
        table[Z::temperature_tensor] = parameter("temperature", {Z::d}, init::zeros()).without_decay();
        table[Z::temperature_tensor + 1] = parameter("growth", {1}, init::constant(-4)).without_decay();
      }
      if constexpr (has_null) table[Z::null_tensor] = parameter("null", {Z::heads}, init::zeros()).without_decay();
      if constexpr (has_prior) {
        table[Z::prior_tensor] = parameter("gate", {Z::heads}, init::ones()).without_decay();
        table[Z::prior_tensor + 1] =
            parameter("prior", {Z::heads, Z::n}, init::ramp(1 - static_cast<double>(Z::n), 1)).without_decay();
      }
    }
    if constexpr (vectors > 0)
      table[Z::vector_tensor] = parameter("item", {vectors, Z::d}, init::normal(0.02)).without_decay();
    if constexpr (has_gain)
      table[Z::gain_tensor] =
          parameter("gain", {1}, init::constant(Pick<role::Gain, LearnedGain>::start)).without_decay();
    if constexpr (has_channels) {
      const auto of_way = parameter("channel", {Z::n, Z::d}, init::ones());
      table[Z::channel_tensor] =
          (has_ways ? parameter("channel", {Z::ways, Z::n, Z::d}, init::ones()) : of_way).without_decay();
    }
    if constexpr (gates_values) table[Z::gate_tensor] = parameter("value_gate", {Z::d}, init::zeros()).without_decay();
    if constexpr (has_output) {
      constexpr std::size_t wide = Z::ways * Z::d;
      table[Z::output_tensor] = parameter("output", {wide, wide}, init::torch_uniform(wide));
    }
    return table;
  }

  template <class Own, class Before>
  static consteval std::size_t flops() {
    using Z = Sizes<Own, Before>;
    std::size_t sum = 2 * Z::n * Z::ways * Z::values + (averages_weights ? Z::n * Z::heads : 0);
    if (Z::scored && !is_static && !emits) sum += Z::n * (2 * Z::queries + (rms_keys ? 3 * Z::d : 0));
    if (Z::scored && Normaliser::sums_to_one && !is_static) sum += 4 * Z::n * Z::heads;
    if (Z::scored && own_asks) sum += 2 * Z::queries * Z::asked;
    if (Z::scored && emits) sum += 3 * Z::d + 2 * Z::heads * Z::n * (Z::d + Z::heads * Z::n + 8);
    if (has_channels || adds_sum) sum += Z::n * Z::ways * Z::d;
    if (has_output) sum += 2 * Z::ways * Z::d * Z::ways * Z::d;
    if (gates_values) sum += Z::n * (3 * Z::d + Z::values);
    if (solves) sum += Z::n * Z::n * (2 * Z::keys + 2 * Z::values + Z::heads * (Z::n / 3 + 4));
    for (std::size_t i = 0; i < Z::n; ++i) {
      if (Z::scored && maps_keys) sum += 2 * Z::keys * Z::width(i);
      if (Z::maps_value(i)) sum += 2 * Z::values * Z::width(i);
    }
    return sum;
  }

  // ---- the body: one position
  // ----------------------------------------------------------------------------------------

  /// Values, keys, weights and queries, and in backward their gradients, inside the scratch memory; then what single
  /// axes need.
  template <class Own, class Before>
  static constexpr std::size_t scratch = [] {
    using Z = Sizes<Own, Before>;
    std::size_t sum = 2 * vectors * Z::d + 2 * Z::n * Z::values + (Z::n + 1) * Z::keys + 2 * Z::queries;
    sum += 2 * Z::heads * Z::row;
    if (needs_scores) sum += Z::heads * Z::row;
    if (warms) sum += Z::heads * Z::row;
    if (inhibits) sum += Z::heads;
    if (has_prior) sum += 2 * Z::heads * Z::row;
    if (has_task) sum += 2 * Z::asked;
    if (emits) sum += 2 * Z::d + 3 * Z::heads * Z::n;
    if (has_output) sum += 2 * Z::ways * Z::d;
    if (gates_values) sum += Z::n * (Z::values + 1) + Z::d;
    if (solves) sum += Z::n * (2 * Z::keys + 1 + 2 * Z::n) + Z::n * Z::values;
    return sum;
  }();
  template <class Own, class Before, class V>
  using Work = MixtureWork<Mixture, Own, Before, V>;

  template <class Own, class Before, class V>
  static constexpr void mixture(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* weights, V* memory) {
    using Z = Sizes<Own, Before>;
    Work<Own, Before, V> work(own, before, w, memory);
    work.make_values();
    work.weigh();
    for (std::size_t h = 0; h < Z::heads; ++h)
      for (std::size_t i = 0; i < Z::n; ++i) weights[h * Z::n + i] = work.weight[h * Z::row + i];
  }

  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a, V* memory) {
    using Z = Sizes<Own, Before>;
    Work<Own, Before, V> work(own, before, w, memory);
    work.make_values();
    work.weigh();
    if constexpr (has_output) {
      sum_up<Own, Before>(work, work.sum);
      product<V>(w[Z::output_tensor], Z::ways * Z::d, Z::ways * Z::d, work.sum, a);
    } else {
      sum_up<Own, Before>(work, a);
    }
  }

  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                 V* const* d_before, G& g, V* memory) {
    using S = ScalarOf<V>;
    using Z = Sizes<Own, Before>;
    Work<Own, Before, V> k(own, before, w, memory);
    k.make_values();
    k.weigh();
    if constexpr (has_output) {
      constexpr std::size_t wide = Z::ways * Z::d;
      sum_up<Own, Before>(k, k.sum);
      for (std::size_t f = 0; f < wide; ++f) k.d_sum[f] = V(S(0));
      product_backward<V>(w[Z::output_tensor], wide, wide, k.sum, da, k.d_sum, g, Z::output_tensor);
      da = k.d_sum;
    }
    for (std::size_t i = 0; i < Z::heads * Z::row; ++i) k.d_weight[i] = V(S(0));
    [[maybe_unused]] V of_gain(S(0));
    for (std::size_t i = 0; i < Z::n; ++i) {
      const V* const v = k.value_of(i);
      V* const dv = k.d_value + i * Z::values;
      V whole(S(0));
      for (std::size_t f = 0; f < Z::values; ++f) {
        V d_number(S(0));
        for (std::size_t way = 0; way < Z::ways; ++way) {
          const V given = da[way * Z::d + f % Z::d], slope = k.share() * given;
          const V weight = k.weight_at(way, i, f);
          d_number += weight * k.gain() * slope;
          if constexpr (adds_sum) d_number += given;
          if constexpr (has_gain) of_gain += weight * v[f] * slope;
          if constexpr (averages_weights)
            whole += v[f] * slope;
          else
            k.d_weight[k.head(way, f) * Z::row + i] += v[f] * slope * k.gain();
          if constexpr (has_channels) g.add(Z::channel_tensor, k.channel(way, i, f), v[f] * slope * k.gain());
        }
        dv[f] = d_number;
      }
      if constexpr (averages_weights)
        for (std::size_t h = 0; h < Z::heads; ++h)
          k.d_weight[h * Z::row + i] = whole * k.gain() * V(S(1) / S(Z::heads));
    }
    if constexpr (has_gain) g.add(Z::gain_tensor, 0, of_gain);
    if constexpr (adds_own)
      for (std::size_t f = 0; f < Z::ways * Z::d; ++f) d_own[f % Z::d] += da[f];
    if constexpr (solves && Z::scored) detail::solve_backward(k);
    if constexpr (Z::scored) detail::scores_backward(k, d_own, d_before, g);
    for (std::size_t i = 0; i < Z::n; ++i) {
      V* const dv = k.d_value + i * Z::values;
      if constexpr (gates_values) detail::gate_backward(k, i, d_own, d_before, g);
      if (Z::maps_value(i))
        product_backward<V>(w[Z::value_map(i)], Z::values, Z::width(i), k.item(i), dv, d_before[Z::map(i)], g,
                            Z::value_map(i));
      else
        detail::add_to_item<Mixture, Own, Before>(i, dv, d_own, d_before, g);
    }
  }

 private:
  template <class Own, class Before, class V>
  static constexpr void sum_up(const Work<Own, Before, V>& work, V* a) {
    using Z = Sizes<Own, Before>;
    for (std::size_t f = 0; f < Z::ways * Z::d; ++f) a[f] = V(ScalarOf<V>(0));
    for (std::size_t i = 0; i < Z::n; ++i) {
      const V* const v = work.value_of(i);
      for (std::size_t way = 0; way < Z::ways; ++way)
        for (std::size_t f = 0; f < Z::values; ++f) a[way * Z::d + f % Z::d] += work.weight_at(way, i, f) * v[f];
    }
    if constexpr (averages_values || has_gain)
      for (std::size_t f = 0; f < Z::ways * Z::d; ++f) a[f] = a[f] * (work.share() * work.gain());
    if constexpr (adds_sum)
      for (std::size_t i = 0; i < Z::n; ++i)
        for (std::size_t f = 0; f < Z::ways * Z::d; ++f) a[f] += work.value_of(i)[f % Z::d];
    if constexpr (adds_own)
      for (std::size_t f = 0; f < Z::ways * Z::d; ++f) a[f] += work.own[f % Z::d];
  }
};

namespace detail {
template <class Options, class... Defaults>
struct MixtureOfOptions;
template <class... Options, class... Defaults>
struct MixtureOfOptions<List<Options...>, Defaults...> {
  template <class... Axes>
  struct And {
    template <class Default>
    constexpr auto operator+(std::type_identity<Default>) const {
      constexpr bool said = aila::detail::count_of_role<typename Default::role, Options...> > 0;
      return std::conditional_t<said, And, And<Axes..., Default>>{};
    }
    using type = Mixture<Options..., Axes...>;
  };
  using type = typename decltype((And<>{} + ... + std::type_identity<Defaults>{}))::type;
};
}  // namespace detail

/// The mixture of the options, and of the defaults whose role no option has.
template <class Options, class... Defaults>
using MixtureOr = typename detail::MixtureOfOptions<Options, Defaults...>::type;

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
