// ClassToken: a trainable step before the first one, for attention to gather a sample's features in; FirstStep reads
// it.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"

namespace aila::inline v0 {

/// [steps, F] -> [1 + steps, F]: y_0 = token, y_{t+1} = x_t. Tensor: token [F], normal with deviation 0.02. A sample of
/// n valid steps then has n + 1. Source: arXiv 2010.11929, section 3.1.
struct ClassToken {
  static constexpr const char* name = "class_token";
  template <class In>
  static constexpr bool accepts = SequenceShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool sequence = SequenceShape<In>;
    static_assert(sequence, "aila: ClassToken takes a sequence [steps, features]; this input is none");
    return 0;
  }
  template <class In>
  using Out = Sequence<In::positions + 1, In::features>;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: ClassToken cannot stream: it puts a step before the first one");
    return 0;
  }
  /// Valid steps of the output for n valid steps of the input.
  template <class In>
  static constexpr std::size_t length(std::size_t n) {
    return n + 1;
  }
  template <class In>
  static consteval auto parameters() {
    return std::array{parameter("token", {In::features}, init::normal(0.02)).without_decay()};
  }
  template <class In>
  static consteval std::size_t flops() {
    return 0;
  }
};

/// [steps, F] -> [F]: the first step of a sample.
struct FirstStep {
  static constexpr const char* name = "first_step";
  template <class In>
  static constexpr bool accepts = SequenceShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool sequence = SequenceShape<In>;
    static_assert(sequence, "aila: FirstStep takes a sequence [steps, features]; this input is none");
    return 0;
  }
  template <class In>
  using Out = Vector<In::features>;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: FirstStep cannot stream: later steps change nothing; LastStep can");
    return 0;
  }
  template <class In>
  static consteval std::size_t flops() {
    return 0;
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
