// Sum: layers side by side on one input, their results added.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "chain.hpp"

namespace aila::inline v0 {

/// Layers that are all bound to one input.
template <class In, class... Branches>
struct SumPlan;

namespace detail {

template <std::size_t branches>
struct SumOfNothing {
  static consteval int say() {
    constexpr bool branch = branches > 0;
    static_assert(branch, "aila: Sum needs at least one layer");
    return 0;
  }
};

template <class In, class Branches, class Indices>
struct PlaceBeside;
template <class In, class... Branch, std::size_t... I>
struct PlaceBeside<In, List<Branch...>, std::index_sequence<I...>> {
  using Children = List<PlacedOrRefused<I, Branch, In>...>;
  using Why = FirstRefusal<typename PlacedOrRefused<I, Branch, In>::Out...>;
};

/// Whether every sample has as many valid steps behind each of the parts.
template <class In, class First, class... Rest>
consteval bool equal_lengths(List<First, Rest...>) {
  if constexpr ((changes_length<typename First::Layer, In>() || ... || changes_length<typename Rest::Layer, In>()))
    for (std::size_t n = 0; n <= In::extents[0]; ++n)
      if (((length_after<typename Rest::Layer, In>(n) != length_after<typename First::Layer, In>(n)) || ...))
        return false;
  return true;
}
template <class First, class... Rest>
consteval bool equal_shapes(List<First, Rest...>) {
  return (std::is_same_v<typename First::Out, typename Rest::Out> && ...);
}

}  // namespace detail

template <class In, class... Branches>
struct SumPlan {
  using Layers = ExpandedLayers<Branches...>;
  using Placing = detail::PlaceBeside<In, Layers, std::make_index_sequence<Layers::size>>;
  using Children = typename Placing::Children;
  using Out = std::conditional_t<std::is_same_v<typename Placing::Why, detail::NoRefusal>,
                                 typename At<Children, 0>::Out, detail::RefusedShape<typename Placing::Why>>;
  static constexpr std::size_t size = Children::size;
  static constexpr auto first_tensor = detail::first_tensors(Children{});
};

/// y = first(x) + ... + last(x): a Residual whose input takes a way of its own, `Sum<Shortcut<32, Stride<2>>,
/// Chain<Conv<32, Stride<2>>, ...>>`, or branches of any kind. The layers give one shape, and samples equal lengths.
template <class... Branches>
struct Sum {
  using Refusal =
      std::conditional_t<(sizeof...(Branches) > 0), detail::NoRefusal, detail::SumOfNothing<sizeof...(Branches)>>;
  static constexpr const char* name = "sum";
  static constexpr bool is_composite = true;
  static constexpr bool is_sum = true;

  template <class In>
  using Plan = SumPlan<In, Branches...>;
  template <class In>
  using Out = typename Plan<In>::Out;

  /// Where a layer inside was refused, the error is that layer's.
  template <class In>
  static constexpr bool fits = detail::Refused<Out<In>> || detail::equal_shapes(typename Plan<In>::Children{});
  template <class In>
  static constexpr bool keeps_lengths_equal = [] {
    if constexpr (detail::Refused<Out<In>> || !fits<In> || In::rank > 2)
      return true;
    else
      return detail::equal_lengths<In>(typename Plan<In>::Children{});
  }();
  template <class In>
  static constexpr bool accepts = fits<In> && keeps_lengths_equal<In>;
  template <class In>
  static consteval int expect() {
    constexpr bool one_shape = fits<In>;
    constexpr bool one_length = keeps_lengths_equal<In>;
    static_assert(one_shape, "aila: the layers inside Sum must give one shape; these differ");
    static_assert(one_length, "aila: the layers inside Sum must leave a sample equally many valid steps");
    return 0;
  }

  template <class In>
  static consteval auto parameters() {
    return detail::joined_parameters(typename Plan<In>::Children{});
  }
  template <class In>
  static consteval std::size_t flops() {
    return detail::summed_flops(typename Plan<In>::Children{}) + (Plan<In>::size - 1) * Out<In>::elements;
  }
  template <class In>
  static constexpr std::size_t tables = detail::count_tables<typename Plan<In>::Children>();
  template <class In>
  static constexpr bool changes_length = detail::any_changes_length<typename Plan<In>::Children>();
  template <class In>
  static constexpr std::size_t length(std::size_t n) {
    using First = At<typename Plan<In>::Children, 0>;
    return length_after<typename First::Layer, In>(n);
  }
  template <class In, class F>
  static void for_each_part(const std::string& path, F&& f) {
    detail::for_each_child<typename Plan<In>::Children>(path, f);
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
