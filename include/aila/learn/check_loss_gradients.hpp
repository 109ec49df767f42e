// The gradient checker for losses.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include "../backend/reference/reference.hpp"
#include "../core/arena.hpp"
#include "central_difference.hpp"
#include "gradient_check.hpp"
#include "loss.hpp"
#include "poison.hpp"

namespace aila::inline v0 {

namespace detail {

/// Targets of one sample: normal numbers, or where the loss refuses them probabilities, or class indices.
template <class L, class Out>
void draw_targets(const Random& random, std::size_t sample, double* target) {
  constexpr std::size_t count = L::template targets<Out>;
  for (int kind = 0; kind < 3; ++kind) {
    for (std::size_t i = 0; i < count; ++i) {
      const double u = random.uniform(sample, 2 * i);
      const auto index = static_cast<std::size_t>(u * static_cast<double>(Out::features));
      target[i] = kind == 0 ? random.normal(sample, 2 * i) : kind == 1 ? u : static_cast<double>(index);
    }
    if constexpr (requires { L::template fits<Out>(target); }) {
      if (L::template fits<Out>(target)) return;
    } else {
      return;
    }
  }
}

/// One tile of samples, a lane each, in memory that holds numbers which a loss may not rely on.
template <class L, class Out, class Backend>
class LossTile {
  using Lane = Lanes<Backend>;
  using V = typename Lane::V;

 public:
  static constexpr std::size_t lanes = Lane::count, outputs = Out::elements, targets = L::template targets<Out>;
  struct Results {
    std::vector<double> value = std::vector<double>(lanes);
    std::vector<double> slope = std::vector<double>(lanes * outputs + alignment_elements);
  };

  LossTile(const L& loss, GradientCheck& result) : loss_(loss), result_(result) {}

  double& output(std::size_t lane, std::size_t i) { return rows_.output[lane * outputs + i]; }
  double* target(std::size_t lane) { return rows_.target.data() + lane * targets; }

  Results evaluate(bool wants_gradient, double poison) {
    for (AlignedArray<double>* tile : {&output_, &target_, &slope_}) std::fill_n(tile->data(), tile->size(), poison);
    Lane::load_rows(rows_.output.data(), lanes, outputs, tile(output_));
    Lane::load_rows(rows_.target.data(), lanes, targets, tile(target_));
    const AlignedArray<double> output = output_, target = target_;
    const V* const o = tile(output_);
    const V* const t = tile(target_);
    Results results;
    Lane::store(value_.data(), loss_.template operator()<Out>(o, t, wants_gradient ? tile(slope_) : nullptr));
    std::copy_n(value_.data(), lanes, results.value.begin());  // a vector is not aligned
    Lane::store_rows(results.slope.data(), lanes, outputs, tile(slope_));
    if (!same(output, output_) || !same(target, target_))
      result_.refuse("a loss writes to the outputs or targets, which are given to be read");
    for (std::size_t i = 0; i < slope_.size(); ++i)
      if ((i < guard || i >= guard + outputs * lanes) && !same_number(slope_.data()[i], poison))
        result_.refuse("a loss writes beyond the " + std::to_string(outputs) + " numbers of its gradient");
    return results;
  }

  /// The results with sample `lane` in all lanes.
  Results evaluate_everywhere(std::size_t lane) {
    const Rows rows = rows_;
    for (std::size_t n = 0; n < lanes; ++n) {
      std::copy_n(rows.output.data() + lane * outputs, outputs, rows_.output.data() + n * outputs);
      std::copy_n(rows.target.data() + lane * targets, targets, rows_.target.data() + n * targets);
    }
    Results results = evaluate(true, odd_number);
    rows_ = rows;
    return results;
  }

 private:
  static constexpr std::size_t guard = round_up((outputs + targets) * lanes, alignment_elements);
  static AlignedArray<double> guarded(std::size_t width) { return AlignedArray<double>(2 * guard + width * lanes); }
  static V* tile(AlignedArray<double>& array) { return Lane::tile(array.data() + guard); }
  static bool same(const AlignedArray<double>& a, const AlignedArray<double>& b) {
    return std::equal(a.data(), a.data() + a.size(), b.data(), same_number);
  }

  struct Rows {
    std::vector<double> output = std::vector<double>(outputs * lanes + alignment_elements);
    std::vector<double> target = std::vector<double>(targets * lanes + alignment_elements);
  };

  const L& loss_;
  GradientCheck& result_;
  Rows rows_;
  AlignedArray<double> output_ = guarded(outputs), target_ = guarded(targets), slope_ = guarded(outputs);
  AlignedArray<double> value_{lanes + alignment_elements};
};

/// Whether a loss changes when a target does, one by one, as far as it has been tried.
class TargetEffects {
 public:
  explicit TargetEffects(std::size_t targets) : tried_(targets), used_(targets) {}

  template <class L, class Out, class Value>
  void look(double* target, const Random& random, std::size_t sample, double before, Value&& value) {
    std::vector<double> other(tried_.size() + 1);
    for (std::size_t attempt = 1; attempt <= 8; ++attempt) {
      draw_targets<L, Out>(random, sample + attempt * 1'000'003, other.data());
      for (std::size_t k = 0; k < tried_.size(); ++k) {
        if (used_[k] || other[k] == target[k]) continue;
        std::swap(target[k], other[k]);
        if (accepts<L, Out>(target)) {
          ++tried_[k];
          used_[k] = value() != before;
        }
        std::swap(target[k], other[k]);
      }
    }
  }
  /// A target that had no effect though it was tried often enough.
  std::size_t first_unused() const {
    std::size_t k = 0;
    while (k < tried_.size() && (used_[k] || tried_[k] < 4)) ++k;
    return k;
  }

 private:
  template <class L, class Out>
  static bool accepts(const double* target) {
    if constexpr (requires { L::template fits<Out>(target); })
      return L::template fits<Out>(target);
    else
      return true;
  }
  std::vector<std::size_t> tried_;
  std::vector<bool> used_;
};

/// One loss in memory that held one poison and another.
inline void compare_poisoned(GradientCheck& result, const std::vector<double>& value, const std::vector<double>& other,
                             const std::vector<double>& slope, const std::vector<double>& other_slope,
                             std::size_t outputs) {
  for (std::size_t i = 0; i < slope.size(); ++i) {
    if (same_number(slope[i], other_slope[i])) continue;
    const bool stale = slope[i] == odd_number && other_slope[i] != other_slope[i];
    result.refuse("the gradient of output[" + std::to_string(i % outputs) + "]" +
                  (stale ? " was not written"
                         : " depends on what stood in it before, on what lies beyond a sample, or on calls before"));
  }
  if (!std::equal(value.begin(), value.end(), other.begin(), same_number))
    result.refuse("the loss depends on what lies beyond a sample's outputs and targets, or on calls before");
}

}  // namespace detail

/// Compares a loss's gradient with differences of its value, at random outputs and targets that the loss accepts; all
/// lanes of the backend's values at once, each a sample. Kinks as in check_gradients. `where` is "output[3]" of a
/// sample, or a sentence. Beside that: the value is the same whether or not the gradient is asked for; the loss writes
/// all of its gradient and nothing else, relies on its sample's outputs and targets alone, and uses every target.
/// Throws nothing but std::bad_alloc.
template <class L, class Out, class Backend = backend::Reference<double>>
  requires Loss<L, Out>
GradientCheck check_loss_gradients(const L& loss = {}, const GradientCheckOptions& options = {}) {
  constexpr bool in_double = std::is_same_v<typename Backend::Scalar, double>;
  static_assert(in_double, "aila: gradients are checked on a backend in double");
  using Tile = detail::LossTile<L, Out, std::conditional_t<in_double, Backend, backend::Reference<double>>>;
  constexpr std::size_t lanes = Tile::lanes, outputs = Tile::outputs, targets = Tile::targets;

  GradientCheck result = detail::begin_check(options);
  if (!result.ok) return result;
  Tile tile(loss, result);
  detail::TargetEffects effects(targets);
  const Random for_outputs(options.seed, Purpose::user, 0, 1), for_targets(options.seed, Purpose::user, 0, 2);
  for (std::size_t first = 0; first < options.samples; first += lanes) {
    for (std::size_t n = 0; n < lanes; ++n) {
      for (std::size_t i = 0; i < outputs; ++i) tile.output(n, i) = 2 * for_outputs.normal(first + n, i);
      detail::draw_targets<L, Out>(for_targets, first + n, tile.target(n));
    }
    const auto with_gradient = tile.evaluate(true, detail::odd_number);
    const auto without = tile.evaluate(false, detail::not_a_number), again = tile.evaluate(true, detail::not_a_number);
    detail::compare_poisoned(result, with_gradient.value, again.value, with_gradient.slope, again.slope, outputs);
    if (!result.ok) return result;
    for (std::size_t n = 0; n < lanes; ++n) {
      const double before = with_gradient.value[n];
      if (!(without.value[n] == before))
        result.take(1, options.tolerance, "loss without gradient of sample", first + n);
      for (const double value : tile.evaluate_everywhere(n).value)
        if (!detail::same_number(value, before))
          result.refuse("the loss of sample " + std::to_string(first + n) + " depends on the samples beside it");
      for (std::size_t i = 0; i < outputs; ++i) {
        double& element = tile.output(n, i);
        const double start = element, slope = with_gradient.slope[n * outputs + i];
        const auto moved = [&](double step) {
          element = start + step;
          return tile.evaluate(false, detail::not_a_number).value[n];
        };
        const double size = 1 + math::abs(before);
        result.take(detail::slope_error(moved, slope, 1e-3, size, options.tolerance), options.tolerance, "output", i);
        ++result.compared;
        if (math::abs(slope) > detail::slope_noise(size)) ++result.nonzero;
        element = start;
      }
      effects.look<L, Out>(tile.target(n), for_targets, first + n, before,
                           [&] { return tile.evaluate(false, detail::not_a_number).value[n]; });
    }
  }
  if (const std::size_t unused = effects.first_unused(); unused < targets)
    result.refuse("the loss is the same whatever target[" + std::to_string(unused) + "] is");
  if (result.nonzero == 0 && result.ok)
    result.refuse("all " + std::to_string(result.compared) + " derivatives are zero, so that none was checked");
  return result;
}

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
