// GRU: gated recurrent units over the steps of a sequence.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/layer.hpp"
#include "../core/option.hpp"
#include "initial.hpp"

namespace aila::inline v0 {

namespace detail {
template <std::size_t units>
struct NoGruUnits {
  static consteval int say() {
    constexpr bool some = units > 0;
    static_assert(some, "aila: Gru needs at least one unit");
    return 0;
  }
};
}  // namespace detail

/// r, z = sigmoid(W x_t + b + R h_{t-1} + c) of their gates' rows, n = tanh(W_n x_t + b_n + r * (R_n h_{t-1} + c_n)),
/// h_t = (1 - z) * n + z * h_{t-1}: [steps, F] -> [steps, Units], every step's h; zero initial state; steps beyond a
/// sample's length give 0. Tensors as in torch.nn.GRU, gates in the order r, z, n: weight_ih W [3 Units, F], weight_hh
/// R [3 Units, Units], bias_ih b [3 Units], bias_hh c [3 Units]. Option: `Initial<...>` of the weights; by default all
/// are uniform in +-1/sqrt(Units), as in PyTorch. Source: arXiv 1406.1078, with PyTorch's place of the reset gate.
template <std::size_t Units, class... Options>
struct Gru {
  static constexpr const char* name = "gru";
  static constexpr std::size_t units = Units;
  using Choice = OptionsOf<Gru, List<role::Initial>, Options...>;
  using Refusal = std::conditional_t<(Units > 0), detail::RefusalOf<Choice>, detail::NoGruUnits<Units>>;
  using Start = typename Choice::template Pick<role::Initial, Initial<init::TorchUniformOf<Units>>>;

  template <class In>
  static constexpr bool accepts = SequenceShape<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool real = !In::is_tokens;
    constexpr bool sequence = !real || SequenceShape<In>;
    static_assert(real, "aila: Gru takes real features; embed tokens first");
    static_assert(sequence, "aila: Gru takes a sequence [steps, features]; this input is none");
    return 0;
  }
  template <class In>
  using Out = WithFeatures<In, Units>;
  template <class In>
  static constexpr bool streams = true;

  template <class In>
  static consteval auto parameters() {
    constexpr std::size_t inputs = In::features;
    return std::array{parameter("weight_ih", {3 * Units, inputs}, Start::make(inputs, 3 * Units)),
                      parameter("weight_hh", {3 * Units, Units}, Start::make(Units, 3 * Units)),
                      parameter("bias_ih", {3 * Units}, init::torch_uniform(Units)).without_decay(),
                      parameter("bias_hh", {3 * Units}, init::torch_uniform(Units)).without_decay()};
  }
  template <class In>
  static consteval std::size_t flops() {
    return In::positions * Units * (6 * (In::features + Units) + 6 + 9);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
