// Cross-entropy of a softmax over classes, taken of logits.
#pragma once

#include "../core/macros_aside.hpp"

#include <limits>

#include "loss.hpp"

namespace aila::inline v0 {

/// The features of each position are the logits o of C classes, the target y of a position is a class index 0 .. C - 1:
/// loss = mean over positions of -sum_k s_k log softmax(o)_k with s_k = (1 - eps) [k = y] + eps / C, eps =
/// label_smoothing; slope softmax(o)_k - s_k. Stable for logits of any size. As PyTorch's CrossEntropyLoss; smoothing:
/// arXiv 1512.00567. One target a sample for outputs [C], one a position for [T, C]. An index that is no class gives a
/// loss of NaN.
///
/// Infinite logits give the limit: a class at -infinity has probability 0, a loss of infinity where s_k is above 0 and
/// no part in it else; of several at +infinity, or where all are at -infinity, the equal ones are equally probable.
struct CrossEntropy {
  static constexpr const char* name = "cross-entropy";
  template <class Out>
  static constexpr bool accepts = RealShape<Out> && Out::features > 1;
  template <class Out>
  static constexpr std::size_t targets = Out::positions;
  static constexpr const char* target_rule = "a class index, a whole number from 0 to the number of classes - 1";
  template <class Out, class Scalar>
  static constexpr bool fits(const Scalar* target) {
    for (std::size_t p = 0; p < Out::positions; ++p) {
      const bool in_range = target[p] >= Scalar(0) && target[p] < static_cast<Scalar>(Out::features);
      if (!in_range || static_cast<Scalar>(static_cast<std::size_t>(target[p])) != target[p]) return false;
    }
    return true;
  }

  double label_smoothing = 0;  ///< at least 0, less than 1

  void check() const {
    if (!(label_smoothing >= 0 && label_smoothing < 1))
      throw_error("CrossEntropy: label_smoothing must be at least 0 and less than 1, it is ", label_smoothing);
  }

  template <class Out, class V>
  constexpr V operator()(const V* output, const V* target, V* gradient) const {
    const V scale = constant<V>(1.0 / static_cast<double>(Out::positions));
    V sum = constant<V>(0);
    for (std::size_t p = 0; p < Out::positions; ++p) {
      V* slope = gradient == nullptr ? nullptr : gradient + p * Out::features;
      sum = sum + position<Out::features>(output + p * Out::features, target[p], slope, scale);
    }
    const V mean = sum * scale;
    if (detail::all_lanes_finite(mean)) return mean;

    constexpr double unit = detail::unit_of(Out::positions);
    sum = constant<V>(0);
    for (std::size_t p = 0; p < Out::positions; ++p) {
      V* slope = gradient == nullptr ? nullptr : gradient + p * Out::features;
      sum = sum + limit<Out::features>(output + p * Out::features, target[p], slope, scale, constant<V>(unit), mean);
    }
    const V whole = constant<V>(static_cast<double>(Out::positions) * unit);
    return math::select(detail::is_finite(mean), mean, sum / whole);
  }

 private:
  /// Loss of one position; slope, where asked for, is multiplied by scale.
  template <std::size_t Classes, class V>
  constexpr V position(const V* o, V y, V* slope, V scale) const {
    const V zero = constant<V>(0);
    const V certain = constant<V>(1 - label_smoothing);
    const V spread = constant<V>(label_smoothing / static_cast<double>(Classes));
    V largest = o[0];
    for (std::size_t k = 1; k < Classes; ++k) largest = math::max(largest, o[k]);

    // everything relative to the largest logit: no overflow, and no difference of two large numbers
    V total = zero;
    V below = zero;
    V below_target = constant<V>(std::numeric_limits<double>::quiet_NaN());
    for (std::size_t k = 0; k < Classes; ++k) {
      const V distance = largest - o[k];
      const V e = math::exp(-distance);
      total = total + e;
      below = below + distance;
      below_target = math::select(y == constant<V>(static_cast<double>(k)), distance, below_target);
      if (slope != nullptr) slope[k] = e;
    }
    if (slope != nullptr) {
      const V inverse = constant<V>(1) / total;
      for (std::size_t k = 0; k < Classes; ++k) {
        const V one_hot = math::select(y == constant<V>(static_cast<double>(k)), certain, zero);
        slope[k] = (slope[k] * inverse - one_hot - spread) * scale;
      }
    }
    const V counted = label_smoothing > 0 ? below : zero;  // a share of 0 takes no part, be a class at -infinity
    return math::log(total) + certain * below_target + spread * counted;
  }

  /// The same where some logit or the loss is beyond the range of V: equal logits are at a distance of 0, infinite ones
  /// too, a share of 0 takes no part, and the loss is in units of 1 / unit. Slopes of lanes whose mean is finite stay
  /// as they are.
  template <std::size_t Classes, class V>
  constexpr V limit(const V* o, V y, V* slope, V scale, V unit, V mean) const {
    const V zero = constant<V>(0);
    const V certain = constant<V>(1 - label_smoothing);
    const V spread = constant<V>(label_smoothing / static_cast<double>(Classes));
    V largest = o[0];
    for (std::size_t k = 1; k < Classes; ++k) largest = math::max(largest, o[k]);

    V total = zero;
    V below = zero;
    V below_target = constant<V>(std::numeric_limits<double>::quiet_NaN());
    for (std::size_t k = 0; k < Classes; ++k) {
      total = total + math::exp(-detail::difference(largest, o[k], constant<V>(1)));
      const V half = detail::difference(largest, o[k], constant<V>(0.5) * unit);
      below_target = math::select(y == constant<V>(static_cast<double>(k)), half, below_target);
      if (label_smoothing > 0) below = below + math::select(detail::is_finite(half), spread * half, half);
    }
    if (slope != nullptr) {
      const V inverse = constant<V>(1) / total;
      for (std::size_t k = 0; k < Classes; ++k) {
        const V e = math::exp(-detail::difference(largest, o[k], constant<V>(1)));
        const V one_hot = math::select(y == constant<V>(static_cast<double>(k)), certain, zero);
        slope[k] = math::select(detail::is_finite(mean), slope[k], (e * inverse - one_hot - spread) * scale);
      }
    }
    return unit * math::log(total) + constant<V>(2) * (certain * below_target + below);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
