// Stack: layers that integrate the outputs of the layers before them by a policy. The subject of this library.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "../core/option.hpp"
#include "../layer/layer_norm.hpp"
#include "hooks.hpp"

namespace aila::inline v0 {

namespace role {
struct Epilogue;
}

/// What a stack's layer does to y_j + a_j before it publishes h_j; the default is ReluLayerNorm, `Epilogue<Identity>`
/// is bare.
template <class L>
struct Epilogue {
  using role = role::Epilogue;
  using Layer = L;
};

namespace detail {

template <class L>
struct IsEpilogue : std::false_type {};
template <class L>
struct IsEpilogue<Epilogue<L>> : std::true_type {};

template <class... Done>
struct Cores {
  template <class L>
  constexpr auto operator>>(std::type_identity<L>) const {
    if constexpr (IsEpilogue<L>::value)
      return *this;
    else
      return Cores<Done..., L>{};
  }
  using type = List<Done...>;
};

template <class Policy, std::size_t layers, std::size_t epilogues>
struct StackRefused {
  static consteval int say() {
    constexpr bool policy = AnyPolicy<Policy>;
    constexpr bool layer = !policy || layers > 0;
    constexpr bool epilogue = !policy || epilogues <= 1;
    static_assert(policy, "aila: the first argument of Stack is its policy, one of integrate::...");
    static_assert(layer, "aila: a stack needs at least one layer");
    static_assert(epilogue, "aila: two options of one role; a stack has one epilogue");
    return 0;
  }
};

template <class Policy, class EpilogueLayer, std::size_t Index, class In, class Published, class Done>
struct StackPlacing {
  using Out = In;
  using Maps = Published;
  using Layers = Done;
};

template <class Policy, class EpilogueLayer, std::size_t Index, class In, class Published, class Done, class Core>
constexpr auto operator>>(StackPlacing<Policy, EpilogueLayer, Index, In, Published, Done> placing,
                          std::type_identity<Core>) {
  if constexpr (Refused<In>) {
    return placing;
  } else {
    using CoreIn = typename CoreInput<Index, Policy, In, Published>::type;
    using PlacedCore = PlacedOrRefused<Index, Core, CoreIn>;
    using Own = typename PlacedCore::Out;
    if constexpr (Refused<CoreIn> || Refused<Own>) {
      return StackPlacing<Policy, EpilogueLayer, Index, RefusedShape<FirstRefusal<CoreIn, Own>>, Published, Done>{};
    } else {
      using Integrated = typename decltype(place_integration<Index, Policy, Own, Published>())::type;
      using Last = typename decltype(place_epilogue<Index, EpilogueLayer, Own>())::type;
      using Why = FirstRefusal<Integrated, typename Last::Out>;
      if constexpr (!std::is_same_v<Why, NoRefusal>)
        return StackPlacing<Policy, EpilogueLayer, Index, RefusedShape<Why>, Published, Done>{};
      else
        return StackPlacing<Policy, EpilogueLayer, Index + 1, Own, Append<Published, Own>,
                            Append<Done, StackLayer<PlacedCore, Integrated, Last>>>{};
    }
  }
}

/// A layer's core, or its halves.
template <class Layer>
struct HalvesOf {
  using type = List<typename Layer::Core>;
};
template <class Layer>
  requires requires { typename Layer::Head; }
struct HalvesOf<Layer> {
  using type = List<typename Layer::Head, typename Layer::Core>;
};
template <class... Part>
consteval std::size_t count_tables_of(List<Part...>) {
  return (aila::tables_of<typename Part::Layer, typename Part::In>() + ... + 0);
}
template <class... Layer>
consteval std::size_t count_tables_of_cores(List<Layer...>) {
  return (count_tables_of(typename HalvesOf<Layer>::type{}) + ... + 0);
}
/// Whether cores change the valid steps of a sequence, and what they leave of n.
template <class... Part>
consteval bool parts_change_length(List<Part...>) {
  return (aila::changes_length<typename Part::Layer, typename Part::In>() || ...);
}
template <class... Layer>
consteval bool cores_change_length(List<Layer...>) {
  return (parts_change_length(typename HalvesOf<Layer>::type{}) || ...);
}
template <class... Part>
constexpr std::size_t length_through_parts(std::size_t n, List<Part...>) {
  ((n = length_after<typename Part::Layer, typename Part::In>(n)), ...);
  return n;
}
template <class... Layer>
constexpr std::size_t length_through_cores(std::size_t n, List<Layer...>) {
  ((n = length_through_parts(n, typename HalvesOf<Layer>::type{})), ...);
  return n;
}

}  // namespace detail

/// The layers of a stack bound to their shapes.
template <class P, class EpilogueLayer, class In, class Cores>
struct StackPlan;
template <class P, class EpilogueLayer, class In, class... Core>
struct StackPlan<P, EpilogueLayer, In, List<Core...>> {
  static constexpr bool hooked = false;
  using WholePolicy = P;
  using Policy = P;
  using Placing =
      decltype((detail::StackPlacing<P, EpilogueLayer, 0, In, List<>, List<>>{} >> ... >> std::type_identity<Core>{}));
  using Out = typename Placing::Out;
  using Published = typename Placing::Maps;  ///< shapes of h_1, ..., h_L
  using Layers = typename Placing::Layers;
  using All = Layers;  ///< that have tensors
  static constexpr std::size_t depth = Layers::size;
  static constexpr auto first_tensor = detail::first_tensors(Layers{});
};

namespace detail {
/// Which of the two plans of a stack its policy asks for.
template <class P, bool hooked>
struct StackPlanOf {
  template <class EpilogueLayer, class In, class Cores>
  using On = StackPlan<typename PoliciesOf<P>::After, EpilogueLayer, In, Cores>;
};
template <class P>
struct StackPlanOf<P, true> {
  template <class EpilogueLayer, class In, class Cores>
  using On = HookedPlan<P, EpilogueLayer, In, Cores>;
};
}  // namespace detail

/// h_j = epilogue(y_j + a_j), y_j = core_j(h_{j-1}), a_j by the policy from y_j and h_1, ..., h_{j-1}; a_1 = 0.
/// The stack's output is h_L: equations (3) and (6) of arXiv 2503.22742. An earlier map of more positions is
/// average-pooled over whole windows. A stack is itself a layer. Policies that attach elsewhere: integrate::Place.
/// Parts are cores, Repeat<N, cores...> and at most one Epilogue<layer>, in any place.
template <class P, class... Parts>
struct Stack {
  static constexpr const char* name = "stack";
  static constexpr bool is_composite = true;
  static constexpr bool is_stack = true;
  using WrittenCores = typename decltype((detail::Cores<>{} >> ... >> std::type_identity<Parts>{}))::type;
  static constexpr std::size_t epilogues = detail::count_of_role<role::Epilogue, Parts...>;
  static constexpr bool well_formed = AnyPolicy<P> && WrittenCores::size > 0 && epilogues <= 1;
  using Refusal =
      std::conditional_t<well_formed, detail::RefusalOf<P>, detail::StackRefused<P, WrittenCores::size, epilogues>>;

  using Policy = std::conditional_t<AnyPolicy<P>, P, integrate::None>;
  using EpilogueLayer = typename detail::Picked<role::Epilogue, Epilogue<ReluLayerNorm>, Parts...>::type::Layer;
  using CoreLayers = typename detail::ExpandedList<WrittenCores>::type;

  template <class In>
  using Plan = typename detail::StackPlanOf<Policy, detail::PoliciesOf<Policy>::hooked>::template On<EpilogueLayer, In,
                                                                                                     CoreLayers>;
  template <class In>
  static constexpr bool accepts = AnyShape<In>;
  template <class In>
  using Out = typename Plan<In>::Out;
  template <class In>
  static consteval auto parameters() {
    return detail::joined_parameters(typename Plan<In>::All{});
  }
  template <class In>
  static consteval std::size_t flops() {
    return detail::summed_flops(typename Plan<In>::All{});
  }
  template <class In>
  static constexpr std::size_t tables = detail::count_tables_of_cores(typename Plan<In>::Layers{});
  template <class In>
  static constexpr bool changes_length = detail::cores_change_length(typename Plan<In>::Layers{});
  template <class In>
  static constexpr std::size_t length(std::size_t n) {
    return detail::length_through_cores(n, typename Plan<In>::Layers{});
  }

  /// Calls f.template operator()<Part>(path) for core, integration and epilogue of each layer, "stack.2.core", and for
  /// what other policies add: "stack.begin", "stack.2.input", "stack.2.head", "stack.2.inside", "stack.2.update",
  /// "stack.end".
  template <class In, class F>
  static void for_each_part(const std::string& path, F&& f) {
    using Of = Plan<In>;
    const std::string inside = path.empty() ? std::string() : path + ".";
    if constexpr (Of::hooked) f.template operator()<typename Of::First>(inside + "begin");
    for_each_index<Of::depth>([&](auto j) {
      using Layer = At<typename Of::Layers, j>;
      const std::string layer = inside + std::to_string(j.value);
      if constexpr (Of::hooked) {
        f.template operator()<typename Layer::Input>(layer + ".input");
        f.template operator()<typename Layer::Head>(layer + ".head");
        f.template operator()<typename Layer::Inside>(layer + ".inside");
      }
      f.template operator()<typename Layer::Core>(layer + ".core");
      f.template operator()<typename Layer::Integration>(layer + ".integrate");
      f.template operator()<typename Layer::Epilogue>(layer + ".epilogue");
      if constexpr (Of::hooked) f.template operator()<typename Layer::Update>(layer + ".update");
    });
    if constexpr (Of::hooked) f.template operator()<typename Of::Last>(inside + "end");
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
