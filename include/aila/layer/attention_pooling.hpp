// AttentionPooling: a readout that weighs the steps of a sequence by learned scores.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"

namespace aila::inline v0 {

namespace detail {
template <std::size_t width>
struct NoPoolingWidth {
  static consteval int say() {
    constexpr bool some = width > 0;
    static_assert(some, "aila: AttentionPooling needs a width of at least one");
    return 0;
  }
};
}  // namespace detail

/// [steps, F] -> [F]: score_t = <v, tanh(W x_t + b)>, a = softmax of the scores over the (valid) steps, y = sum_t a_t
/// x_t; a sample without steps gives 0. Tensors: weight W [Width, F], bias b [Width], score v [Width], uniform in
/// +-1/sqrt(F) and +-1/sqrt(Width). Kernels tell a [samples, steps]: `weights(saved)` after a forward, also as the map
/// "....weights" of for_each_map. Source: the additive score of arXiv 1409.0473, of one sequence as in arXiv
/// 1512.08756.
template <std::size_t Width>
struct AttentionPooling {
  static constexpr const char* name = "attention_pooling";
  using Refusal = std::conditional_t<(Width > 0), detail::NoRefusal, detail::NoPoolingWidth<Width>>;

  template <class In>
  static constexpr bool accepts = SequenceShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool sequence = SequenceShape<In>;
    static_assert(sequence, "aila: AttentionPooling takes a sequence [steps, features]; this input is none");
    return 0;
  }
  template <class In>
  using Out = Vector<In::features>;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: AttentionPooling cannot stream: it weighs every step; LastStep can");
    return 0;
  }

  template <class In>
  static consteval auto parameters() {
    constexpr std::size_t inputs = In::features;
    return std::array{parameter("weight", {Width, inputs}, init::torch_uniform(inputs)),
                      parameter("bias", {Width}, init::torch_uniform(inputs)).without_decay(),
                      parameter("score", {Width}, init::torch_uniform(Width))};
  }
  template <class In>
  static consteval std::size_t flops() {
    return In::positions * (Width * (2 * In::features + 4) + 4 + 2 * In::features);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
