// Readouts: from the last map to the features of the prediction.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"

namespace aila::inline v0 {

/// [positions..., F] -> [positions * F].
struct Flatten {
  static constexpr const char* name = "flatten";
  template <class In>
  static constexpr bool accepts = RealShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    static_assert(real, "aila: Flatten takes real features; embed tokens first");
    return 0;
  }
  template <class In>
  using Out = Vector<In::elements>;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: Flatten cannot stream: it holds every step; LastStep can");
    return 0;
  }
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
    constexpr bool sequence = SequenceShape<In>;
    static_assert(sequence, "aila: LastStep takes a sequence [steps, features]; this input is none");
    return 0;
  }
  template <class In>
  using Out = Vector<In::features>;
  template <class In>
  static constexpr bool streams = true;
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
    constexpr bool positions = accepts<In>;
    static_assert(positions, "aila: MeanOverPositions takes a map with positions; this input is a vector");
    return 0;
  }
  template <class In>
  using Out = Vector<In::features>;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: MeanOverPositions cannot stream: it needs every step; LastStep can");
    return 0;
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
