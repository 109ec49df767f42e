// Cross-entropy of yes-or-no answers, taken of logits.
#pragma once

#include "../core/macros_aside.hpp"

#include "loss.hpp"

namespace aila::inline v0 {

/// Each output o is the logit of one yes-or-no answer, its target t the probability of yes, 0 to 1:
/// loss = mean of -s log sigmoid(o) - (1 - s) log(1 - sigmoid(o)) with s = (1 - eps) t + eps / 2, eps =
/// label_smoothing; slope sigmoid(o) - s. Stable for logits of any size. As PyTorch's BCEWithLogitsLoss.
struct BinaryCrossEntropy {
  static constexpr const char* name = "binary cross-entropy";
  template <class Out>
  static constexpr bool accepts = RealShape<Out>;
  template <class Out>
  static constexpr std::size_t targets = Out::elements;
  static constexpr const char* target_rule = "a probability from 0 to 1";
  template <class Out, class Scalar>
  static constexpr bool fits(const Scalar* target) {
    for (std::size_t i = 0; i < Out::elements; ++i)
      if (!(target[i] >= Scalar(0) && target[i] <= Scalar(1))) return false;
    return true;
  }

  double label_smoothing = 0;  ///< at least 0, less than 1

  void check() const {
    if (!(label_smoothing >= 0 && label_smoothing < 1))
      throw_error("BinaryCrossEntropy: label_smoothing must be at least 0 and less than 1, it is ", label_smoothing);
  }

  template <class Out, class V>
  constexpr V operator()(const V* output, const V* target, V* gradient) const {
    const V keep = constant<V>(1 - label_smoothing);
    const V half = constant<V>(0.5 * label_smoothing);
    const bool smooth = label_smoothing > 0;
    return mean_over_elements<Out>(
        output, target, gradient,
        [keep, half](V o, V t) {
          const V zero = constant<V>(0);
          const V s = keep * t + half;
          // max(o, 0) - o s + log(1 + e^-|o|): exact zeros cancel first, so that a sure and right answer keeps its tiny
          // loss
          const V loss = math::max(o, zero) - o * s + math::softplus(-math::abs(o));
          return LossTerm<V>{loss, math::sigmoid(o) - s};
        },
        [keep, half, smooth](V o, V t, V unit) {
          const V zero = constant<V>(0);
          const V size = math::abs(o);
          // the share of the answer that o speaks against, times |o|; a share of 0 takes no part, however sure o is
          const V against = keep * math::select(o > zero, constant<V>(1) - t, t) + half;
          V sure = against * (size * unit);
          if (smooth)
            sure = math::select(size < constant<V>(math::detail::infinity), sure, size + t);  // the share is above 0
          else
            sure = math::select(against == zero, zero, sure);
          return LossTerm<V>{sure + unit * math::softplus(-size), unit * (math::sigmoid(o) - (keep * t + half))};
        });
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
