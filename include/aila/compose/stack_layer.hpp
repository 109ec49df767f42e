// The layers of a stack, bound to their shapes: what its policy meets in each, and why it may be refused.
#pragma once

#include "../core/macros_aside.hpp"

#include "../contract/policy.hpp"
#include "../integrate/controls.hpp"
#include "placing.hpp"

namespace aila::inline v0 {

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

/// The same with what policies add that attach elsewhere: in front of the core (Input), inside it (Head and Inside; the
/// core is then its second half) and behind the layer (Update). What is not there is an Integration of None, or
/// Identity.
template <class PlacedInput, class PlacedHead, class PlacedInside, class PlacedCore, class PlacedIntegration,
          class PlacedEpilogue, class PlacedUpdate>
struct HookedLayer {
  using Input = PlacedInput;
  using Head = PlacedHead;
  using Inside = PlacedInside;
  using Core = PlacedCore;
  using Integration = PlacedIntegration;
  using Epilogue = PlacedEpilogue;
  using Update = PlacedUpdate;
  using Out = typename PlacedCore::Out;
  using Parts = List<Input, Head, Inside, Core, Integration, Epilogue, Update>;
  static constexpr auto first_tensor = detail::first_tensors(Parts{});
  static constexpr auto parameters = detail::joined_parameters(Parts{});
  static constexpr std::size_t tensors = parameters.size();
  static constexpr std::size_t flops = detail::summed_flops(Parts{});
};

namespace detail {

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

/// Policy where Own and Before meet in layer Index, or what refuses it as Refuse<...>.
template <std::size_t Index, class Policy, class Own, class Before>
consteval auto place_policy() {
  if constexpr (!Policy::template accepts<Own, Before>)
    return std::type_identity<Refuse<PolicyRefused<Index, Policy, Own, Before>>>{};
  else if constexpr (!gives_parameters<TableOfPolicy<Policy, Own, Before>>)
    return std::type_identity<Refuse<TableRefused<TableOfPolicy<Policy, Own, Before>>>>{};
  else
    return std::type_identity<Integration<Policy, Own, Before>>{};
}

/// The integration of layer Index, or what refuses it as Refuse<...>.
template <std::size_t Index, class Policy, class Own, class Published>
consteval auto place_integration() {
  using Read = typename ReadOf<Policy::reads, Published>::type;
  if constexpr (Published::size == 0 || Policy::reads == integrate::Reads::nothing)
    return std::type_identity<Integration<integrate::None, Own, Shapes<>>>{};
  else if constexpr (!pools<Index, Own>(Read{}))
    return std::type_identity<Refuse<typename MapsRefusedOf<Index, Own, Read>::type>>{};
  else
    return place_policy<Index, Policy, Own, typename BeforeOf<Policy::reads, Own, Published>::type>();
}

template <std::size_t Index, class Epilogue, class Own>
consteval auto place_epilogue() {
  using Last = PlacedOrRefused<Index, Epilogue, Own>;
  if constexpr (Refused<typename Last::Out> || std::is_same_v<typename Last::Out, Own>)
    return std::type_identity<Last>{};
  else
    return std::type_identity<Placed<RefusedLayer<EpilogueRefused<Epilogue, Own>>, Own>>{};
}

}  // namespace detail

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
