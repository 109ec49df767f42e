// Network: an input shape and the layers behind it; what is known of it before the program runs.
#pragma once

#include <array>
#include <cstdint>

#include "chain.hpp"
#include "stack.hpp"

namespace aila::inline v0 {

namespace detail {
template <class Input>
consteval int require_network_input() {
  static_assert(AnyShape<Input>, "aila: the first argument of Network is its input: Sequence, Image, Vector, Tokens");
  return 0;
}
}  // namespace detail

/// Derive from it: `struct Forecaster : Network<Sequence<12, 1>, Lstm<64>, LastStep, Linear<1>> {};`
/// The derived name keeps symbols and error messages short.
template <class InputShape, class... Layers>
struct Network : Chain<Layers...> {
  enum { input_checked = detail::require_network_input<InputShape>() };
  static constexpr const char* name = "network";
  static constexpr bool is_network = true;
  using Input = std::conditional_t<AnyShape<InputShape>, InputShape, detail::RefusedShape>;
};

template <class Net>
concept AnyNetwork = requires {
  requires Net::is_network;
  typename Net::Input;
};

namespace detail {
struct NotANetwork : Network<RefusedShape, Identity> {};

template <class Net>
consteval int require_network() {
  static_assert(AnyNetwork<Net>, "aila: this type is not a network; derive it from Network<input, layers...>");
  return 0;
}
template <class Net>
struct CheckedNetwork {
  enum { checked = require_network<Net>() };
  using type = std::conditional_t<AnyNetwork<Net>, Net, NotANetwork>;
};
}  // namespace detail

template <class Net>
using CheckedNetwork = typename detail::CheckedNetwork<Net>::type;

/// A network bound to its input.
template <class Net>
using PlacedNetwork = Placed<CheckedNetwork<Net>, typename CheckedNetwork<Net>::Input>;
template <class Net>
using NetworkInput = typename PlacedNetwork<Net>::In;
template <class Net>
using NetworkOutput = typename PlacedNetwork<Net>::Out;

/// Where each tensor lies in the canonical array: one range a kind, trainable tensors that decay first.
template <std::size_t Tensors>
struct ParameterLayout {
  std::array<std::uint32_t, Tensors + 1> offset{};  ///< by number of tensor; one more, so that the array is never empty
  std::size_t decaying_end = 0;                     ///< [0, decaying_end): trainable, weights decay
  std::size_t trainable_end = 0;                    ///< [decaying_end, trainable_end): trainable, no decay
  std::size_t frozen_end = 0;                       ///< [trainable_end, frozen_end): frozen
  std::size_t size = 0;                             ///< [frozen_end, size): buffers
};

namespace detail {
template <class Placed>
consteval auto make_layout() {
  ParameterLayout<Placed::tensors> layout;
  std::size_t next = 0;
  const auto place = [&](auto&& belongs) {
    for (std::size_t i = 0; i < Placed::tensors; ++i)
      if (belongs(Placed::parameters[i])) {
        layout.offset[i] = static_cast<std::uint32_t>(next);
        next += Placed::parameters[i].padded_size();
      }
    return next;
  };
  layout.decaying_end = place([](auto& p) { return p.kind == ParameterKind::trainable && p.decays; });
  layout.trainable_end = place([](auto& p) { return p.kind == ParameterKind::trainable && !p.decays; });
  layout.frozen_end = place([](auto& p) { return p.kind == ParameterKind::frozen; });
  layout.size = place([](auto& p) { return p.kind == ParameterKind::buffer; });
  return layout;
}
template <class Placed>
consteval std::size_t count_parameters() {
  std::size_t n = 0;
  for (const auto& p : Placed::parameters)
    if (p.kind != ParameterKind::buffer) n += p.size();
  return n;
}
}  // namespace detail

template <class Placed>
inline constexpr auto parameter_layout = detail::make_layout<Placed>();

/// Numbers that training or a checkpoint holds, buffers (statistics) not counted.
template <class Net>
inline constexpr std::size_t parameter_count = detail::count_parameters<PlacedNetwork<Net>>();

/// Forward floating-point operations of one sample; a fused multiply-add counts as two, a transcendental function as one.
template <class Net>
inline constexpr std::size_t flops = PlacedNetwork<Net>::flops;

}  // namespace aila::inline v0
