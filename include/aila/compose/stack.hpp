// Stack: layers that integrate the outputs of the layers before them by a policy. The subject of this library.
#pragma once

#include "../core/macros_aside.hpp"

#include <string>

#include "../core/option.hpp"
#include "../integrate/controls.hpp"
#include "../layer/layer_norm.hpp"
#include "placing.hpp"

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

/// One layer of a stack: core, integration and epilogue with all shapes bound.
template <class PlacedCore, class PlacedIntegration, class PlacedEpilogue>
struct StackLayer {
  using Core = PlacedCore;
  using Integration = PlacedIntegration;
  using Epilogue = PlacedEpilogue;
  using Out = typename PlacedCore::Out;
  using Parts = List<Core, Integration, Epilogue>;
  static constexpr auto first_tensor = detail::first_tensors(Parts{});
  static constexpr auto parameters = detail::joined_parameters(Parts{});
  static constexpr std::size_t tensors = parameters.size();
  static constexpr std::size_t flops = detail::summed_flops(Parts{});
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

/// The earlier maps that a policy reads, pooled to Own's positions. Published holds h_1, ..., h_{j-1}.
template <integrate::Reads reads, class Own, class Published>
struct BeforeOf {
  using type = Shapes<>;
};
template <class Own, class... H>
struct BeforeOf<integrate::Reads::all, Own, List<H...>> {
  using type = ShapeList<WithFeatures<Own, H::features>...>;
};
template <class Own, class... H>
struct BeforeOf<integrate::Reads::previous, Own, List<H...>> {
  using type = ShapeList<WithFeatures<Own, Last<List<H...>>::features>>;
};

/// Earlier maps of which one does not pool to layer Index's positions.
template <std::size_t Index, class Own, class... Earlier>
struct MapsRefused {
  static consteval int say() {
    constexpr bool divides = (pools_to<Earlier, Own>() && ...);
    static_assert(divides, "aila: earlier maps must divide into whole windows of this layer's map");
    return 0;
  }
};

/// The policy does not accept what meets in layer Index.
template <std::size_t Index, class Policy, class Own, class Before>
struct PolicyRefused {
  static consteval int say() {
    using Accepts = std::remove_cv_t<decltype(Policy::template accepts<Own, Before>)>;
    if constexpr (requires { Policy::template expect<Own, Before>(); }) {
      return Policy::template expect<Own, Before>();
    } else if constexpr (std::is_same_v<Accepts, integrate::EqualWidths>) {
      constexpr bool equal = Policy::template accepts<Own, Before>;
      static_assert(equal, "aila: this policy does not say that it takes maps of other widths than the layer's own");
      return 0;
    } else {
      constexpr bool accepts = Policy::template accepts<Own, Before>;
      static_assert(accepts, "aila: this policy does not accept the shapes that meet in this layer");
      return 0;
    }
  }
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

template <class Epilogue, class Own>
struct EpilogueRefused {
  static consteval int say() {
    constexpr bool keeps = std::is_same_v<typename Epilogue::template Out<Own>, Own>;
    static_assert(keeps, "aila: the epilogue of a stack must keep the shape of the layer");
    return 0;
  }
};

template <integrate::Reads reads, class Published>
struct ReadOf {
  using type = List<>;
};
template <class... H>
struct ReadOf<integrate::Reads::all, List<H...>> {
  using type = List<H...>;
};
template <class First, class... H>
struct ReadOf<integrate::Reads::previous, List<First, H...>> {
  using type = List<Last<List<First, H...>>>;
};

template <std::size_t Index, class Own, class... Earlier>
consteval bool pools(List<Earlier...>) {
  return (pools_to<Earlier, Own>() && ...);
}
template <std::size_t Index, class Own, class Maps>
struct MapsRefusedOf;
template <std::size_t Index, class Own, class... Earlier>
struct MapsRefusedOf<Index, Own, List<Earlier...>> {
  using type = MapsRefused<Index, Own, Earlier...>;
};

/// The integration of layer Index, or what refuses it as Refuse<...>.
template <std::size_t Index, class Policy, class Own, class Published>
consteval auto place_integration() {
  using Read = typename ReadOf<Policy::reads, Published>::type;
  if constexpr (Published::size == 0 || Policy::reads == integrate::Reads::nothing) {
    return std::type_identity<Integration<integrate::None, Own, Shapes<>>>{};
  } else if constexpr (!pools<Index, Own>(Read{})) {
    return std::type_identity<Refuse<typename MapsRefusedOf<Index, Own, Read>::type>>{};
  } else {
    using Before = typename BeforeOf<Policy::reads, Own, Published>::type;
    if constexpr (!Policy::template accepts<Own, Before>)
      return std::type_identity<Refuse<PolicyRefused<Index, Policy, Own, Before>>>{};
    else if constexpr (!gives_parameters<TableOfPolicy<Policy, Own, Before>>)
      return std::type_identity<Refuse<TableRefused<TableOfPolicy<Policy, Own, Before>>>>{};
    else
      return std::type_identity<Integration<Policy, Own, Before>>{};
  }
}

/// What core Index reads: the layer before it, or under a policy that concatenates, all before it, pooled to that one's
/// positions.
template <std::size_t Index, class Policy, class Previous, class Published>
struct CoreInput {
  using type = Previous;
};
template <std::size_t Index, class Policy, class Previous, class First, class Second, class... H>
  requires(Policy::concatenates && !pools<Index, Previous>(List<First, Second, H...>{}))
struct CoreInput<Index, Policy, Previous, List<First, Second, H...>> {
  using type = RefusedShape<MapsRefused<Index, Previous, First, Second, H...>>;
};
template <std::size_t Index, class Policy, class Previous, class First, class Second, class... H>
  requires(Policy::concatenates && pools<Index, Previous>(List<First, Second, H...>{}))
struct CoreInput<Index, Policy, Previous, List<First, Second, H...>> {
  using type = WithFeatures<Previous, First::features + Second::features + (H::features + ... + 0)>;
};

template <std::size_t Index, class Epilogue, class Own>
consteval auto place_epilogue() {
  using Last = PlacedOrRefused<Index, Epilogue, Own>;
  if constexpr (Refused<typename Last::Out> || std::is_same_v<typename Last::Out, Own>)
    return std::type_identity<Last>{};
  else
    return std::type_identity<Placed<RefusedLayer<EpilogueRefused<Epilogue, Own>>, Own>>{};
}

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

template <class... Layer>
consteval std::size_t count_tables_of_cores(List<Layer...>) {
  return (aila::tables_of<typename Layer::Core::Layer, typename Layer::Core::In>() + ... + 0);
}
/// Whether cores change the valid steps of a sequence, and what they leave of n.
template <class... Layer>
consteval bool cores_change_length(List<Layer...>) {
  return (aila::changes_length<typename Layer::Core::Layer, typename Layer::Core::In>() || ...);
}
template <class... Layer>
constexpr std::size_t length_through_cores(std::size_t n, List<Layer...>) {
  ((n = length_after<typename Layer::Core::Layer, typename Layer::Core::In>(n)), ...);
  return n;
}

}  // namespace detail

/// The layers of a stack bound to their shapes.
template <class P, class EpilogueLayer, class In, class Cores>
struct StackPlan;
template <class P, class EpilogueLayer, class In, class... Core>
struct StackPlan<P, EpilogueLayer, In, List<Core...>> {
  using Policy = P;
  using Placing =
      decltype((detail::StackPlacing<P, EpilogueLayer, 0, In, List<>, List<>>{} >> ... >> std::type_identity<Core>{}));
  using Out = typename Placing::Out;
  using Published = typename Placing::Maps;  ///< shapes of h_1, ..., h_L
  using Layers = typename Placing::Layers;
  static constexpr std::size_t depth = Layers::size;
  static constexpr auto first_tensor = detail::first_tensors(Layers{});
};

/// h_j = epilogue(y_j + a_j), y_j = core_j(h_{j-1}), a_j by the policy from y_j and h_1, ..., h_{j-1}; a_1 = 0.
/// The stack's output is h_L: equations (3) and (6) of arXiv 2503.22742. An earlier map of more positions is
/// average-pooled over whole windows. A stack is itself a layer.
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
  using Plan = StackPlan<Policy, EpilogueLayer, In, CoreLayers>;
  template <class In>
  static constexpr bool accepts = AnyShape<In>;
  template <class In>
  using Out = typename Plan<In>::Out;
  template <class In>
  static consteval auto parameters() {
    return detail::joined_parameters(typename Plan<In>::Layers{});
  }
  template <class In>
  static consteval std::size_t flops() {
    return detail::summed_flops(typename Plan<In>::Layers{});
  }
  template <class In>
  static constexpr std::size_t tables = detail::count_tables_of_cores(typename Plan<In>::Layers{});
  template <class In>
  static constexpr bool changes_length = detail::cores_change_length(typename Plan<In>::Layers{});
  template <class In>
  static constexpr std::size_t length(std::size_t n) {
    return detail::length_through_cores(n, typename Plan<In>::Layers{});
  }

  /// Calls f.template operator()<Part>(path) for core, integration and epilogue of each layer: "stack.2.core".
  template <class In, class F>
  static void for_each_part(const std::string& path, F&& f) {
    using Layers = typename Plan<In>::Layers;
    for_each_index<Layers::size>([&](auto j) {
      using Layer = At<Layers, j>;
      const std::string layer = (path.empty() ? std::string() : path + ".") + std::to_string(j.value);
      f.template operator()<typename Layer::Core>(layer + ".core");
      f.template operator()<typename Layer::Integration>(layer + ".integrate");
      f.template operator()<typename Layer::Epilogue>(layer + ".epilogue");
    });
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
