// Where a step stands in its sequence, added to its features: a table that is learned, or one of sines and cosines.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"

namespace aila::inline v0 {

/// y_t = x_t + P_t with a trainable table "position" [steps, F] that starts normal with deviation 0.02.
struct LearnedPositions {
  static constexpr const char* name = "learned_positions";
  template <class In>
  static constexpr bool accepts = SequenceShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool sequence = SequenceShape<In>;
    static_assert(sequence, "aila: LearnedPositions takes a sequence [steps, features]; this input is none");
    return 0;
  }
  template <class In>
  using Out = In;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: LearnedPositions cannot stream: its table ends, a stream does not");
    return 0;
  }
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("position", {In::positions, In::features}, init::normal(0.02)).without_decay()};
  }
};

/// y_t = x_t + P_t with P_t[2i] = sin(t w_i), P_t[2i + 1] = cos(t w_i), w_i = 10000^(-2i/F), t from 0. No parameters.
/// Source: arXiv 1706.03762, section 3.5 (which multiplies embeddings by sqrt(F) before; this layer does not).
struct SinusoidalPositions {
  static constexpr const char* name = "sinusoidal_positions";
  template <class In>
  static constexpr bool accepts = SequenceShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool sequence = SequenceShape<In>;
    static_assert(sequence, "aila: SinusoidalPositions takes a sequence [steps, features]; this input is none");
    return 0;
  }
  template <class In>
  using Out = In;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: SinusoidalPositions cannot stream: it counts steps without end");
    return 0;
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
