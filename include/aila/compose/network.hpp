// Network: an input shape and the layers behind it; what is known of it before the program runs.
#pragma once

#include "../core/macros_aside.hpp"

#include <array>
#include <cstdint>

#include "chain.hpp"
#include "stack.hpp"

namespace aila::inline v0 {

namespace detail {
template <class Input>
struct InputRefused {
  static consteval int say() {
    constexpr bool shape = AnyShape<Input>;
    static_assert(shape, "aila: Network begins with its input: a Sequence, Image, Vector or Tokens");
    return 0;
  }
};
template <class Input>
struct NetworkInputOf {
  using type = RefusedShape<InputRefused<Input>>;
};
template <AnyShape Input>
struct NetworkInputOf<Input> {
  using type = Input;
};
}  // namespace detail

/// Derive from it: `struct Forecaster : Network<Sequence<12, 1>, Lstm<64>, LastStep, Linear<1>> {};`
/// The derived name keeps symbols and error messages short.
template <class InputShape, class... Layers>
struct Network : Chain<Layers...> {
  static constexpr const char* name = "network";
  static constexpr bool is_network = true;
  using Input = typename detail::NetworkInputOf<InputShape>::type;
};

template <class Net>
concept AnyNetwork = requires {
  requires Net::is_network;
  typename Net::Input;
};

namespace detail {

template <class Net>
struct NetworkRefused {
  static consteval int say() {
    constexpr bool network = AnyNetwork<Net>;
    static_assert(network, "aila: this type is not a network; derive it from Network<input, layers...>");
    return 0;
  }
};

/// What stands for a network that is refused.
template <class Why>
struct RefusedNetwork : Network<RefusedShape<Why>, Identity> {};

template <class Net>
consteval auto refusal_of_network() {
  if constexpr (!AnyNetwork<Net>)
    return std::type_identity<NetworkRefused<Net>>{};
  else if constexpr (Refused<typename Net::Input> || Refused<Net>)
    return std::type_identity<FirstRefusal<typename Net::Input, Net>>{};
  else
    return std::type_identity<RefusalOf<typename Net::template Out<typename Net::Input>>>{};
}

template <class Net>
using NetworkRefusal = typename decltype(refusal_of_network<Net>())::type;

/// A network bound to its input. What is wrong with the description is said where a program first uses it: in a default
/// argument, for a class that says it would be one more place in the compiler's list of them.
template <class Net, int = NetworkRefusal<Net>::say()>
struct BoundNetwork {
  using Why = NetworkRefusal<Net>;
  using Used = std::conditional_t<std::is_same_v<Why, NoRefusal>, Net, RefusedNetwork<Why>>;
  using Bound = Placed<Used, typename Used::Input>;
  using In = typename Bound::In;
  using Out = typename Bound::Out;
};

}  // namespace detail

/// A network bound to its input.
template <class Net>
using PlacedNetwork = typename detail::BoundNetwork<Net>::Bound;
template <class Net>
using NetworkInput = typename detail::BoundNetwork<Net>::In;
template <class Net>
using NetworkOutput = typename detail::BoundNetwork<Net>::Out;

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
    std::size_t i = 0;
    for (const ParameterSpec& spec : Placed::parameters) {
      if (belongs(spec)) {
        layout.offset[i] = static_cast<std::uint32_t>(next);
        next += spec.padded_size();
      }
      ++i;
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

/// Numbers of the canonical array that training or a checkpoint holds. Buffers (statistics) are not counted, nor the
/// rows of tables, whose number is known when the program runs: `AnyModel::parameter_count` counts them.
template <class Net>
inline constexpr std::size_t parameter_count = detail::count_parameters<typename detail::BoundNetwork<Net>::Bound>();

/// Forward floating-point operations of one sample; a fused multiply-add counts as two, a transcendental function as
/// one.
template <class Net>
inline constexpr std::size_t flops = detail::BoundNetwork<Net>::Bound::flops;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
