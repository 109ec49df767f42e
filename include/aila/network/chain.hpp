// Chain: layers one after the other; Residual: a chain with its input added.
#pragma once

#include <string>

#include "placing.hpp"

namespace aila::inline v0 {

/// Layers bound to the shapes between them.
template <class In, class... Layers>
struct ChainPlan {
  using Placing = typename detail::PlaceAll<In, ExpandedLayers<Layers...>>::type;
  using Out = typename Placing::Out;
  using Children = typename Placing::Children;
  static constexpr std::size_t size = Children::size;
  static constexpr auto first_tensor = detail::first_tensors(Children{});
};

/// y = last(...(first(x))). A chain is itself a layer.
template <class... Layers>
struct Chain {
  using Refusal =
      std::conditional_t<(sizeof...(Layers) > 0), detail::NoRefusal, detail::ChainOfNothing<sizeof...(Layers)>>;
  static constexpr const char* name = "chain";
  static constexpr bool is_composite = true;
  static constexpr bool is_chain = true;
  static constexpr bool adds_input = false;

  template <class In>
  using Plan = ChainPlan<In, Layers...>;
  template <class In>
  static constexpr bool accepts = AnyShape<In>;
  template <class In>
  using Out = typename Plan<In>::Out;
  template <class In>
  static consteval auto parameters() {
    return detail::joined_parameters(typename Plan<In>::Children{});
  }
  template <class In>
  static consteval std::size_t flops() {
    return detail::summed_flops(typename Plan<In>::Children{});
  }

  /// Calls f.template operator()<Part>(path) for each part, in the order of its tensors. Like layers are told apart by
  /// a number: "linear", "linear_1".
  template <class In, class F>
  static void for_each_part(const std::string& path, F&& f) {
    using Children = typename Plan<In>::Children;
    for_each_index<Children::size>([&](auto i) {
      const std::string_view name = layer_name<typename At<Children, i>::Layer>();
      std::size_t before = 0;
      for_each_index<i.value>(
          [&](auto k) { before += std::size_t{name == layer_name<typename At<Children, k>::Layer>()}; });
      std::string child = path.empty() ? std::string(name) : path + "." + std::string(name);
      if (before > 0) child += "_" + std::to_string(before);
      f.template operator()<At<Children, i>>(child);
    });
  }
};

/// y = x + Chain<layers...>(x); the layers keep the shape.
template <class... Layers>
struct Residual : Chain<Layers...> {
  static constexpr const char* name = "residual";
  static constexpr bool adds_input = true;

  /// Where a layer inside was refused, the error is that layer's.
  template <class In, class Result = typename Chain<Layers...>::template Out<In>>
  static constexpr bool keeps_shape = std::is_same_v<Result, In> || detail::Refused<Result>;
  template <class In>
  static constexpr bool accepts = [] {
    if constexpr (RealShape<In>) return keeps_shape<In>;
    return false;
  }();
  template <class In>
  static consteval int expect() {
    constexpr bool real = RealShape<In>;
    static_assert(real, "aila: Residual takes real features; embed tokens first");
    if constexpr (real) {
      constexpr bool keeps = keeps_shape<In>;
      static_assert(keeps, "aila: the layers inside Residual must give back the shape they take");
    }
    return 0;
  }
  template <class In>
  static consteval std::size_t flops() {
    return Chain<Layers...>::template flops<In>() + In::elements;
  }
};

}  // namespace aila::inline v0
