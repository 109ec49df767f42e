// Scores of blocks of rows to weights, lane by lane: the normalisers of mixtures on the CPU.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../integrate/axes.hpp"
#include "../rows/row_block.hpp"

namespace aila::inline v0::cpu {

/// n registers of scores become weights, in place.
template <class Normaliser, class S, class Arch>
[[gnu::always_inline]] inline void normalise_block(S* scores, std::size_t n) noexcept {
  using V = simd::Batch<S, Arch>;
  constexpr std::size_t W = block_rows<S, Arch>;
  if constexpr (std::is_same_v<Normaliser, integrate::SoftmaxWeights>)
    return block_softmax<S, Arch>(scores, n);
  else if constexpr (std::is_same_v<Normaliser, integrate::ReluWeights>)
    for (std::size_t i = 0; i < n; ++i)
      simd::store(scores + i * W, math::max(simd::load<S, Arch>(scores + i * W), V(S(0))));
  else if constexpr (std::is_same_v<Normaliser, integrate::SigmoidWeights>)
    for (std::size_t i = 0; i < n; ++i)
      simd::store(scores + i * W, math::sigmoid(simd::load<S, Arch>(scores + i * W) - V(math::log(static_cast<S>(n)))));
  else
    static_assert(std::is_same_v<Normaliser, integrate::SignedWeights>);
}

/// Slopes of the weights to those of the scores.
template <class Normaliser, class S, class Arch>
[[gnu::always_inline]] inline void normalise_block_backward(const S* weights, const S* d_weights, std::size_t n,
                                                            S* d_scores) noexcept {
  using V = simd::Batch<S, Arch>;
  constexpr std::size_t W = block_rows<S, Arch>;
  if constexpr (std::is_same_v<Normaliser, integrate::SoftmaxWeights>) {
    block_softmax_backward<S, Arch>(weights, d_weights, n, S(1), d_scores);
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      const V weight = simd::load<S, Arch>(weights + i * W), slope = simd::load<S, Arch>(d_weights + i * W);
      V d_score = slope;
      if constexpr (std::is_same_v<Normaliser, integrate::ReluWeights>)
        d_score = math::select(weight > V(S(0)), slope, V(S(0)));
      if constexpr (std::is_same_v<Normaliser, integrate::SigmoidWeights>)
        d_score = slope * weight * (V(S(1)) - weight);
      simd::store(d_scores + i * W, d_score);
    }
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
