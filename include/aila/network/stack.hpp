// Stack: layers that integrate the outputs of the layers before them by a policy. The subject of this library.
#pragma once

#include <string>

#include "../core/option.hpp"
#include "../integrate/controls.hpp"
#include "../layer/layer_norm.hpp"
#include "placing.hpp"

namespace aila::inline v0 {

namespace role {
struct Epilogue;
}

/// What a stack's layer does to y_j + a_j before it publishes h_j; the default is ReluLayerNorm, `Epilogue<Identity>` is bare.
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

template <std::size_t Index, class Policy, class Own, class Before>
concept PolicyAcceptsShapes = Policy::template accepts<Own, Before>;
template <std::size_t Index, class Own, class... Earlier>
concept EarlierMapsPool = (pools_to<Earlier, Own>() && ...);

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

template <std::size_t Index, class Own, class... Earlier>
consteval bool require_pools(List<Earlier...>) {
  static_assert(EarlierMapsPool<Index, Own, Earlier...>,
                "aila: an earlier map of the stack does not divide into whole windows of this layer's positions");
  return EarlierMapsPool<Index, Own, Earlier...>;
}

template <std::size_t Index, class Policy, class Own, class Before>
consteval int require_policy() {
  if constexpr (!PolicyAcceptsShapes<Index, Policy, Own, Before>) {
    if constexpr (requires { Policy::template expect<Own, Before>(); })
      return Policy::template expect<Own, Before>();
    else
      static_assert(PolicyAcceptsShapes<Index, Policy, Own, Before>,
                    "aila: this policy does not accept the shapes that meet in this layer");
  }
  return 0;
}

template <integrate::Reads reads, class Published>
struct ReadOf {
  using type = List<>;
};
template <class... H>
struct ReadOf<integrate::Reads::all, List<H...>> {
  using type = List<H...>;
};
template <class... H>
struct ReadOf<integrate::Reads::previous, List<H...>> {
  using type = List<Last<List<H...>>>;
};

/// The integration of layer Index. A refused one counts as None, so that one mistake gives one error.
template <std::size_t Index, class Policy, class Own, class Published>
consteval auto place_integration() {
  if constexpr (Published::size == 0 || Policy::reads == integrate::Reads::nothing) {
    return std::type_identity<Integration<integrate::None, Own, Shapes<>>>{};
  } else if constexpr (!require_pools<Index, Own>(typename ReadOf<Policy::reads, Published>::type{})) {
    return std::type_identity<Integration<integrate::None, Own, Shapes<>>>{};
  } else {
    using Before = typename BeforeOf<Policy::reads, Own, Published>::type;
    enum { checked = require_policy<Index, Policy, Own, Before>() };
    using Chosen = std::conditional_t<PolicyAcceptsShapes<Index, Policy, Own, Before>, Policy, integrate::None>;
    return std::type_identity<Integration<Chosen, Own, Before>>{};
  }
}

/// What core Index reads: the layer before it, or under a policy that concatenates, all before it, pooled to that one's positions.
template <std::size_t Index, class Policy, class Previous, class Published>
struct CoreInput {
  using type = Previous;
};
template <std::size_t Index, class Policy, class Previous, class First, class Second, class... H>
  requires(Policy::concatenates)
struct CoreInput<Index, Policy, Previous, List<First, Second, H...>> {
  static constexpr bool pools = require_pools<Index, Previous>(List<First, Second, H...>{});
  static constexpr std::size_t width = First::features + Second::features + (H::features + ... + 0);
  using type = WithFeatures<Previous, pools ? width : Previous::features>;
};

template <class Policy, class EpilogueLayer, std::size_t Index, class In, class Published, class Done>
struct StackPlacing {
  using Out = In;
  using Maps = Published;
  using Layers = Done;
};

template <class Policy, std::size_t layers, std::size_t epilogues>
consteval int require_stack() {
  static_assert(AnyPolicy<Policy>, "aila: the first argument of Stack is its policy, one of integrate::...");
  static_assert(!AnyPolicy<Policy> || layers > 0, "aila: a stack needs at least one layer");
  static_assert(epilogues <= 1, "aila: two options of one role; a stack has one epilogue");
  return 0;
}

template <class Epilogue, class Own>
consteval int require_epilogue() {
  if constexpr (layer_accepts<Epilogue, Own>())
    static_assert(std::is_same_v<typename Epilogue::template Out<Own>, Own>,
                  "aila: the epilogue of a stack must keep the shape of the layer");
  else
    return require_accepts<0, Epilogue, Own>();
  return 0;
}
template <class Epilogue, class Own>
consteval bool epilogue_fits() {
  if constexpr (layer_accepts<Epilogue, Own>()) return std::is_same_v<typename Epilogue::template Out<Own>, Own>;
  return false;
}

template <class Policy, class EpilogueLayer, std::size_t Index, class In, class Published, class Done, class Core>
constexpr auto operator>>(StackPlacing<Policy, EpilogueLayer, Index, In, Published, Done> placing,
                          std::type_identity<Core>) {
  if constexpr (Refused<In>) {
    return placing;
  } else {
    using CoreIn = typename CoreInput<Index, Policy, In, Published>::type;
    enum { checked = require_accepts<Index, Core, CoreIn>() };
    using PlacedCore = PlacedOrRefused<Core, CoreIn>;
    using Own = typename PlacedCore::Out;
    if constexpr (Refused<Own>) {
      return StackPlacing<Policy, EpilogueLayer, Index, Own, Published, Done>{};
    } else {
      using Integrated = typename decltype(place_integration<Index, Policy, Own, Published>())::type;
      enum { fits = Index == 0 ? require_epilogue<EpilogueLayer, Own>() : 0 };
      using Last = Placed<std::conditional_t<epilogue_fits<EpilogueLayer, Own>(), EpilogueLayer, Identity>, Own>;
      return StackPlacing<Policy, EpilogueLayer, Index + 1, Own, Append<Published, Own>,
                          Append<Done, StackLayer<PlacedCore, Integrated, Last>>>{};
    }
  }
}

}  // namespace detail

/// The layers of a stack bound to their shapes.
template <class P, class EpilogueLayer, class In, class Cores>
struct StackPlan;
template <class P, class EpilogueLayer, class In, class... Core>
struct StackPlan<P, EpilogueLayer, In, List<Core...>> {
  using Policy = P;
  using Placing = decltype((detail::StackPlacing<P, EpilogueLayer, 0, In, List<>, List<>>{} >> ... >>
                            std::type_identity<Core>{}));
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
  enum { checked = detail::require_stack<P, WrittenCores::size, detail::count_of_role<role::Epilogue, Parts...>>() };

  using Policy = std::conditional_t<AnyPolicy<P>, P, integrate::None>;
  using EpilogueLayer = typename detail::Picked<role::Epilogue, Epilogue<ReluLayerNorm>, Parts...>::type::Layer;
  /// Without a policy the other parts are not looked at: they may stand in the wrong place too.
  using CoreLayers = typename detail::ExpandedList<
      std::conditional_t<AnyPolicy<P>, WrittenCores, List<detail::RefusedLayer>>>::type;

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
