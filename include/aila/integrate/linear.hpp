// Architecture 1 of AILA: earlier layers weighed by learned linear scores.
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

/// Equations (1) and (2) of arXiv 2503.22742, with options in one order; write `Linear<options...>`.
///
/// Items c_0 = y_j, c_i = W_{j,i} h_i for i < j, optionally a learned task embedding. Each item is cut into H slices of
/// d/H; head k scores item i by <c_i^(k), w_i^(k)>; alpha^(k) = softmax over the items; a_j = 1/H sum_k sum_i
/// alpha_i^(k) c_i. Under Score<Context> each score sees the k-th slices of all items. Since whole items are averaged
/// over the heads, this is one mixture with the mean weights. Scores start at zero: at first, the plain mean of the
/// items. Tensors: projection.i [d, d_i], score [H, n, d/H] (context: [H, n, n d/H]), task [d]. The published text
/// leaves open how heads combine and what a head scores: this is a reconstruction.
template <class HeadsOption, class TaskOption, class ScoreOption>
struct LinearOf : Policy {
  static constexpr const char* name = "linear";
  static constexpr std::size_t head_count = HeadsOption::value;
  static constexpr bool has_task = TaskOption::value;
  static constexpr bool sees_context = ScoreOption::context;
  static constexpr bool mixes_own = true;  ///< the first item is y_j

  template <class Own, class Before>
  static constexpr bool accepts = Own::features % head_count == 0;
  template <class Own, class Before>
  static consteval int expect() {
    constexpr bool divide = accepts<Own, Before>;
    static_assert(divide, "aila: the heads of linear integration must divide the layer's width");
    return 0;
  }
  template <class Own, class Before>
  static constexpr std::size_t heads = head_count;
  template <class Own, class Before>
  static constexpr std::size_t items = 1 + Before::count + (has_task ? 1 : 0);
  template <class Own, class Before>
  static constexpr std::size_t score_inputs = (sees_context ? items<Own, Before> : 1) * (Own::features / head_count);

  template <class Own, class Before>
  static consteval auto parameters() {
    std::array<ParameterSpec, Before::count + 1 + (has_task ? 1 : 0)> table{};
    for (std::size_t i = 0; i < Before::count; ++i) {
      const std::size_t width = Before::features(i);
      table[i] = parameter("projection", {Own::features, width}, init::torch_uniform(width)).at(i);
    }
    table[Before::count] =
        parameter("score", {head_count, items<Own, Before>, score_inputs<Own, Before>}, init::zeros());
    if (has_task) table[Before::count + 1] = parameter("task", {Own::features}, init::normal(0.02)).without_decay();
    return table;
  }

  template <class Own, class Before>
  static consteval std::size_t flops() {
    constexpr std::size_t n = items<Own, Before>;
    std::size_t sum = 2 * n * head_count * score_inputs<Own, Before> + 4 * n * head_count + 2 * n * Own::features;
    for (std::size_t i = 0; i < Before::count; ++i) sum += 2 * Own::features * Before::features(i);
    return sum;
  }

  /// c [items, d]
  template <class Own, class Before, class V>
  static constexpr void make_items(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* c) {
    constexpr std::size_t d = Own::features;
    for (std::size_t f = 0; f < d; ++f) c[f] = own[f];
    for (std::size_t i = 0; i < Before::count; ++i)
      for (std::size_t f = 0; f < d; ++f) {
        V sum(ScalarOf<V>(0));
        for (std::size_t s = 0; s < Before::features(i); ++s)
          sum += V(w[i][f * Before::features(i) + s]) * before[i][s];
        c[(1 + i) * d + f] = sum;
      }
    if constexpr (has_task)
      for (std::size_t f = 0; f < d; ++f) c[(1 + Before::count) * d + f] = V(w[Before::count + 1][f]);
  }

  /// weights [heads, items] of the items c
  template <class Own, class Before, class V>
  static constexpr void weigh(const V* c, Weights<ScalarOf<V>> w, V* weights) {
    constexpr std::size_t d = Own::features, slice = d / head_count, n = items<Own, Before>;
    for (std::size_t k = 0; k < head_count; ++k) {
      V* row = weights + k * n;
      for (std::size_t i = 0; i < n; ++i) {
        const ScalarOf<V>* score = w[Before::count] + (k * n + i) * score_inputs<Own, Before>;
        V sum(ScalarOf<V>(0));
        if constexpr (sees_context) {
          for (std::size_t m = 0; m < n; ++m)
            for (std::size_t s = 0; s < slice; ++s) sum += V(score[m * slice + s]) * c[m * d + k * slice + s];
        } else {
          for (std::size_t s = 0; s < slice; ++s) sum += V(score[s]) * c[i * d + k * slice + s];
        }
        row[i] = sum;
      }
      softmax(row, n);
    }
  }

  /// Items c and their gradients, weights, and the gradient of an item's weight.
  template <class Own, class Before>
  static constexpr std::size_t scratch = items<Own, Before> * (2 * Own::features + head_count + 1);

  template <class Own, class Before, class V>
  static constexpr void mixture(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* weights, V* c) {
    make_items<Own, Before>(own, before, w, c);
    weigh<Own, Before>(c, w, weights);
  }

  template <class Own, class Before, class V>
  static constexpr void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a, V* c) {
    using S = ScalarOf<V>;
    constexpr std::size_t d = Own::features, n = items<Own, Before>;
    V* const weights = c + n * d;
    make_items<Own, Before>(own, before, w, c);
    weigh<Own, Before>(c, w, weights);
    for (std::size_t f = 0; f < d; ++f) a[f] = V(S(0));
    for (std::size_t i = 0; i < n; ++i) {
      const V mean = mean_weight(weights, i, n);
      for (std::size_t f = 0; f < d; ++f) a[f] += mean * c[i * d + f];
    }
  }

  template <class Own, class Before, class V, class G>
  static constexpr void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, const V* da, V* d_own,
                                 V* const* d_before, G& g, V* c) {
    using S = ScalarOf<V>;
    constexpr std::size_t d = Own::features, slice = d / head_count, n = items<Own, Before>;
    constexpr std::size_t inputs = score_inputs<Own, Before>;
    V *const dc = c + n * d, *const weights = dc + n * d, *const d_weight = weights + head_count * n;
    make_items<Own, Before>(own, before, w, c);
    weigh<Own, Before>(c, w, weights);
    for (std::size_t i = 0; i < n; ++i) {
      const V mean = mean_weight(weights, i, n);
      V dot(S(0));
      for (std::size_t f = 0; f < d; ++f) {
        dc[i * d + f] = mean * da[f];
        dot += da[f] * c[i * d + f];
      }
      d_weight[i] = dot * V(S(1) / S(head_count));  // the same for every head
    }
    for (std::size_t k = 0; k < head_count; ++k) {
      const V* row = weights + k * n;
      V expected(S(0));
      for (std::size_t i = 0; i < n; ++i) expected += row[i] * d_weight[i];
      for (std::size_t i = 0; i < n; ++i) {
        const V ds = row[i] * (d_weight[i] - expected);
        const std::size_t at = (k * n + i) * inputs;
        const S* score = w[Before::count] + at;
        for (std::size_t s = 0; s < inputs; ++s) {
          const std::size_t item = sees_context ? s / slice : i;
          const std::size_t element = item * d + k * slice + s % slice;
          dc[element] += ds * V(score[s]);
          g.add(Before::count, at + s, ds * c[element]);
        }
      }
    }
    for (std::size_t f = 0; f < d; ++f) d_own[f] += dc[f];
    for (std::size_t i = 0; i < Before::count; ++i)
      for (std::size_t f = 0; f < d; ++f)
        for (std::size_t s = 0; s < Before::features(i); ++s) {
          const std::size_t at = f * Before::features(i) + s;
          d_before[i][s] += V(w[i][at]) * dc[(1 + i) * d + f];
          g.add(i, at, dc[(1 + i) * d + f] * before[i][s]);
        }
    if constexpr (has_task)
      for (std::size_t f = 0; f < d; ++f) g.add(Before::count + 1, f, dc[(1 + Before::count) * d + f]);
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

 private:
  template <class V>
  static constexpr V mean_weight(const V* weights, std::size_t item, std::size_t n) {
    V sum(ScalarOf<V>(0));
    for (std::size_t k = 0; k < head_count; ++k) sum += weights[k * n + item];
    return sum * V(ScalarOf<V>(1) / ScalarOf<V>(head_count));
  }
};

namespace detail {
template <class... Options>
struct LinearChoice {
  using Choice = OptionsOf<LinearChoice, List<role::Heads, role::Task, role::Score>, Options...>;
  using type = PolicyOfOptions<Choice, LinearOf<typename Choice::template Pick<role::Heads, Heads<1>>,
                                                typename Choice::template Pick<role::Task, NoTaskEmbedding>,
                                                typename Choice::template Pick<role::Score, Score<PerItem>>>>;
};
}  // namespace detail

/// Options in any order: Heads<H> (1), TaskEmbedding, Score<Context>.
template <class... Options>
using Linear = typename detail::LinearChoice<Options...>::type;

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
