// Static mixtures: items weighed by learned numbers, whatever they are.
#pragma once

#include "../core/macros_aside.hpp"

#include "mixture.hpp"

namespace aila::inline v0::integrate {

/// x_{j+1} = sum over i <= j of w_{j,i} h_i, h_0 the stack's input; behind the last layer, what the stack gives. With
/// dilation K only i = j (mod K); with period P only behind every P-th layer. Tensor weight [1, n], which begins as the
/// plain stack. Cores may keep a residual sum of their own, as the published blocks do. Source: arXiv 2402.02622.
template <std::size_t DilationOf = 1, std::size_t PeriodOf = 1>
struct DenseFormer : Mixture<AttachedAt<Place::before>, StaticScores<Start::newest>, SignedWeights, Dilated<DilationOf>,
                             Every<PeriodOf>> {
  static constexpr const char* name = "dense_former";
};

/// The stack gives g sum over i of softmax(s)_i h_i, h_0 included. Tensors weight [1, n] = s, zero at first, and gain
/// [1] = g, one: the mean. Source: ELMo, arXiv 1802.05365.
struct ElmoMix : Mixture<AttachedAt<Place::readout>, StaticScores<>, LearnedGain> {
  static constexpr const char* name = "elmo_mix";
};

}  // namespace aila::inline v0::integrate

#include "../core/macros_back.hpp"
