// Frozen: a layer whose parameters training leaves as they are.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "../contract/policy.hpp"
#include "placing.hpp"

namespace aila::inline v0 {

template <class L>
struct Frozen;

namespace detail {

template <std::size_t N>
consteval std::array<ParameterSpec, N> frozen(std::array<ParameterSpec, N> table) {
  for (ParameterSpec& spec : table)
    if (spec.kind == ParameterKind::trainable) spec.kind = ParameterKind::frozen;
  return table;
}

/// The policy of a stack inside Frozen, for tools that walk its parts.
template <class P>
struct FrozenPolicy : P {
  using Inner = P;
  template <class Own, class Before>
  static consteval auto parameters() {
    return frozen(P::template parameters<Own, Before>());
  }
};

template <class Part>
struct FrozenPart;
template <class L, class In>
struct FrozenPart<Placed<L, In>> {
  using type = Placed<Frozen<L>, In>;
};
template <class P, class Own, class Before>
struct FrozenPart<Integration<P, Own, Before>> {
  using type = Integration<FrozenPolicy<P>, Own, Before>;
};

template <class F>
struct FrozenVisitor {
  F& f;
  template <class Part>
  void operator()(const std::string& path) const {
    f.template operator()<typename FrozenPart<Part>::type>(path);
  }
};

template <class L>
struct FrozenParts {};
template <Composite L>
struct FrozenParts<L> {
  static constexpr bool is_composite = true;
  template <class In, class F>
  static void for_each_part(const std::string& path, F&& f) {
    L::template for_each_part<In>(path, FrozenVisitor<std::remove_reference_t<F>>{f});
  }
};

}  // namespace detail

/// y = L(x) with L's trainable tensors of kind frozen: part of every checkpoint, under the same names as without
/// Frozen, and never trained. Gradients pass through to the input. L is any layer, a Chain or a Stack; dropout inside
/// it still draws while training. Several layers are `Frozen<Chain<...>>`, repeated ones `Repeat<N, Frozen<L>>`.
template <class L>
struct Frozen : detail::FrozenParts<L> {
  using Inner = L;
  using Refusal = detail::RefusalOf<L>;
  static constexpr const char* name = layer_name<L>();

  /// Where L is refused, the refusal is L's.
  template <class In>
  using Out = typename detail::PlacedOrRefused<0, L, In>::Out;
  template <class In>
  static consteval auto parameters() {
    return detail::frozen(layer_parameters<L, In>());
  }
  template <class In>
  static consteval std::size_t flops() {
    return layer_flops<L, In>();
  }
  template <class In>
  static constexpr std::size_t tables = tables_of<L, In>();
  template <class In>
    requires requires { L::template table<In>(); }
  static consteval TableSpec table() {
    TableSpec spec = L::template table<In>();
    spec.trainable = false;
    return spec;
  }
  template <class In>
  static constexpr bool changes_length = aila::changes_length<L, In>();
  template <class In>
  static constexpr std::size_t length(std::size_t n) {
    return length_after<L, In>(n);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
