// Readouts: from the last map to the features of the prediction.
#pragma once

#include "concepts.hpp"

namespace aila::inline v0 {

/// [positions..., F] -> [positions * F].
struct Flatten {
  static constexpr const char* name = "flatten";
  template <class In>
  static constexpr bool accepts = RealShape<In>;
  template <class In>
  static consteval int expect() {
    static_assert(RealShape<In>, "aila: Flatten takes real features; put an embedding between tokens and it");
    return 0;
  }
  template <class In>
  using Out = Vector<In::elements>;
  template <class In>
  static consteval std::size_t flops() {
    return 0;
  }
};

/// [steps, F] -> [F]: the last step of a sample, or the last valid one where lengths are given.
struct LastStep {
  static constexpr const char* name = "last_step";
  template <class In>
  static constexpr bool accepts = SequenceShape<In>;
  template <class In>
  static consteval int expect() {
    static_assert(SequenceShape<In>, "aila: LastStep takes a sequence [steps, features]; this input has no steps left");
    return 0;
  }
  template <class In>
  using Out = Vector<In::features>;
  template <class In>
  static consteval std::size_t flops() {
    return 0;
  }
};

/// [positions..., F] -> [F]: the mean over all positions, over the valid steps where lengths are given.
struct MeanOverPositions {
  static constexpr const char* name = "mean_over_positions";
  template <class In>
  static constexpr bool accepts = RealShape<In> && In::rank >= 2;
  template <class In>
  static consteval int expect() {
    static_assert(accepts<In>, "aila: MeanOverPositions takes a map with positions; this input is one vector already");
    return 0;
  }
  template <class In>
  using Out = Vector<In::features>;
};

}  // namespace aila::inline v0
