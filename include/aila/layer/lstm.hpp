// LSTM: long short-term memory over the steps of a sequence.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"
#include "../core/option.hpp"
#include "initial.hpp"

namespace aila::inline v0 {

namespace detail {
template <std::size_t units>
struct NoUnits {
  static consteval int say() {
    constexpr bool some = units > 0;
    static_assert(some, "aila: Lstm needs at least one unit");
    return 0;
  }
};
}  // namespace detail

/// h_t = o * tanh(c_t), c_t = f * c_{t-1} + i * g, with i, f, o = sigmoid and g = tanh of W_ih x_t + W_hh h_{t-1} + b.
/// [steps, F] -> [steps, Units], every step's h; zero initial state; steps beyond a sample's length give 0.
/// weight_ih [4 Units, F], weight_hh [4 Units, Units], bias [4 Units] in the gate order i, f, g, o (PyTorch has two
/// biases: their sum is this one). Source: Hochreiter and Schmidhuber 1997, with forget gates.
template <std::size_t Units, class... Options>
struct Lstm {
  static constexpr const char* name = "lstm";
  static constexpr std::size_t units = Units;
  using Choice = OptionsOf<Lstm, List<role::Initial>, Options...>;
  using Refusal = std::conditional_t<(Units > 0), detail::RefusalOf<Choice>, detail::NoUnits<Units>>;
  using Start = typename Choice::template Pick<role::Initial, Initial<init::TorchUniformOf<Units>>>;

  template <class In>
  static constexpr bool accepts = SequenceShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool real = !In::is_tokens;
    constexpr bool sequence = !real || SequenceShape<In>;
    static_assert(real, "aila: Lstm takes real features; embed tokens first");
    static_assert(sequence, "aila: Lstm takes a sequence [steps, features]; this input is none");
    return 0;
  }
  template <class In>
  using Out = WithFeatures<In, Units>;
  template <class In>
  static constexpr bool streams = true;

  template <class In>
  static consteval auto parameters() {
    constexpr std::size_t inputs = In::features;
    return std::array{parameter("weight_ih", {4 * Units, inputs}, Start::make(inputs, 4 * Units)),
                      parameter("weight_hh", {4 * Units, Units}, Start::make(Units, 4 * Units)),
                      parameter("bias", {4 * Units}, init::torch_uniform(Units)).without_decay()};
  }
  template <class In>
  static consteval std::size_t flops() {
    return In::positions * Units * (8 * (In::features + Units) + 4 + 9);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
