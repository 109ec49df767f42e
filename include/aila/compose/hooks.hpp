// Where policies attach to a stack beside the places after its cores: the parts of its layers, bound to their shapes.
#pragma once

#include "../core/macros_aside.hpp"

#include "../integrate/together.hpp"
#include "items.hpp"
#include "stack_layer.hpp"

namespace aila::inline v0 {

/// A layer's core in two halves, between which a policy that attaches inside works: it has
///   template <class In> using Open = ...;
/// with layers Head and Tail, the core being Tail of Head of its input, and what the map between them holds: its keys
/// and values are the `width` columns from `key` and from `value` on, in `heads` heads of equal width side by side, its
/// queries those from `query` on.
template <class L, class In>
concept OpenCore = requires {
  typename L::template Open<In>::Head;
  typename L::template Open<In>::Tail;
};

namespace detail {

/// The policies of a stack by place.
template <class P>
struct PoliciesOf {
  using After = typename PolicyAt<integrate::Place::after, P>::type;
  using Before = typename PolicyAt<integrate::Place::before, P>::type;
  using Carried = typename PolicyAt<integrate::Place::carried, P>::type;
  using Inside = typename PolicyAt<integrate::Place::inside, P>::type;
  using Readout = typename PolicyAt<integrate::Place::readout, P>::type;
  static constexpr bool has_before = !std::is_same_v<Before, integrate::None>;
  static constexpr bool carries = !std::is_same_v<Carried, integrate::None>;
  static constexpr bool has_inside = !std::is_same_v<Inside, integrate::None>;
  static constexpr bool has_readout = !std::is_same_v<Readout, integrate::None>;
  /// Whether layers have other parts than core, integration and epilogue.
  static constexpr bool hooked = has_before || carries || has_inside || has_readout;
};

template <class P, std::size_t layer, std::size_t depth>
struct PolicyBehind {
  using type = P;
};
template <class P, std::size_t layer, std::size_t depth>
  requires requires { typename P::template AtLayer<layer, depth>; }
struct PolicyBehind<P, layer, depth> {
  using type = typename P::template AtLayer<layer, depth>;
};

enum class HookFault { tokens, sums, state, opens, inside };
template <HookFault fault>
struct HookRefused {
  static consteval int say() {
    constexpr bool real = fault != HookFault::tokens;
    constexpr bool sums = fault != HookFault::sums;
    constexpr bool state = fault != HookFault::state;
    constexpr bool opens = fault != HookFault::opens;
    constexpr bool equal = fault != HookFault::inside;
    static_assert(real, "aila: this policy reads the stack's input, which are tokens; embed them before the stack");
    static_assert(sums, "aila: sums and differences of layers need maps of one shape, the cores' input and output");
    static_assert(state, "aila: a carried state needs cores that keep the positions, and an update of its own shape");
    static_assert(opens, "aila: this policy attaches inside cores; none of these opens, as SelfAttention does");
    static_assert(equal, "aila: a policy inside cores needs what is inside them to be of one shape");
    return 0;
  }
};
using TokensAsItem = HookRefused<HookFault::tokens>;
using UnequalItems = HookRefused<HookFault::sums>;
using StateOfOtherShape = HookRefused<HookFault::state>;
using NothingOpens = HookRefused<HookFault::opens>;
using UnequalInside = HookRefused<HookFault::inside>;

/// What the cores of a stack see, and where it was written: what all steps of placing share.
template <class P, class EpilogueLayer, class In, std::size_t Depth>
struct HookedStack : PoliciesOf<P> {
  using Of = PoliciesOf<P>;
  using Input = In;
  using Epilogue = EpilogueLayer;
  static constexpr std::size_t depth = Depth;

  /// Of policy Q, before the cores or at the readout, behind `Layer` layers, of which the first gave Maps.
  template <class Q, std::size_t Layer, class Maps>
  static consteval auto place_items() {
    using Behind = typename PolicyBehind<Q, Layer, Depth>::type;
    if constexpr (Q::reads_input && In::is_tokens) {
      return std::type_identity<Refuse<TokensAsItem>>{};
    } else {
      using Earlier = typename ItemShapes<Q, Layer, Depth, Maps>::type;
      return place_on<Layer, Behind, Last<Maps>>(Earlier{});
    }
  }
  template <std::size_t Layer, class Q, class Own, class... Earlier>
  static consteval auto place_on(List<Earlier...>) {
    if constexpr (!(pools_to<Earlier, Own>() && ...))
      return std::type_identity<Refuse<MapsRefused<Layer, Own, Earlier...>>>{};
    else
      return place_policy<Layer, Q, Own, ShapeList<WithFeatures<Own, Earlier::features>...>>();
  }
};

template <class Own>
using NoIntegration = Integration<integrate::None, Own, Shapes<>>;
template <class Part>
inline constexpr bool is_none = std::is_same_v<typename Part::Policy, integrate::None>;

/// Behind Index layers: Out is what the last gives, or the state; Maps are h_0, h_1, ..., Inner the maps inside the
/// cores.
template <class In, std::size_t Index, class OutShape, class MapList, class InnerList, class Done>
struct HookPlacing {
  using Out = OutShape;
  using Maps = MapList;
  using Inner = InnerList;
  using Layers = Done;
};
template <class Stack, std::size_t Index, class Maps, class Inner, class Done, class Why>
using RefusedPlacing = HookPlacing<Stack, Index, RefusedShape<Why>, Maps, Inner, Done>;

/// The connection in front of core Index, which reads `Out` where there is none.
template <class Stack, std::size_t Index, class Out, class Maps>
consteval auto place_input() {
  if constexpr (Stack::carries) {
    using Read = typename PolicyBehind<typename Stack::Carried::Read, Index + 1, Stack::depth>::type;
    return place_policy<Index, Read, Out, Shapes<>>();
  } else if constexpr (Stack::has_before && (Index > 0 || Stack::Before::attaches(0, Stack::depth))) {
    if constexpr (Stack::Before::attaches(Index, Stack::depth))
      return Stack::template place_items<typename Stack::Before, Index, Maps>();
    else
      return std::type_identity<NoIntegration<Out>>{};
  } else if constexpr (RealShape<Out>) {
    return std::type_identity<NoIntegration<Out>>{};
  } else {
    return std::type_identity<NoIntegration<Vector<1>>>{};
  }
}

/// Of the maps inside the cores before core Index, those that a policy takes.
template <class P, std::size_t Layer, std::size_t Depth, class Inner>
struct TakenInner {
  static constexpr auto numbers = inner_before<P, Depth>(Layer, Inner::size);
  template <std::size_t... I>
  static List<At<Inner, numbers.earlier[I]>...> pick(std::index_sequence<I...>);
  using type = decltype(pick(std::make_index_sequence<numbers.count>{}));
};
template <class Own, class... Shape>
consteval bool all_are(List<Shape...>) {
  return (std::is_same_v<Own, Shape> && ...);
}
template <class Stack, std::size_t Index, class Open, class Own, class Inner>
consteval auto place_inside() {
  using Policy = typename PolicyBehind<typename Stack::Inside, Index + 1, Stack::depth>::type;
  using Earlier = typename TakenInner<Policy, Index + 1, Stack::depth, Inner>::type;
  if constexpr (Earlier::size == 0)
    return std::type_identity<NoIntegration<Own>>{};
  else if constexpr (!all_are<Own>(Earlier{}))
    return std::type_identity<Refuse<UnequalInside>>{};
  else
    return Stack::template place_on<Index, typename Policy::template Inside<Open>, Own>(Earlier{});
}

/// Core Index on what it reads, in halves where it opens to a policy.
template <class H, class I, class C>
struct CoreParts {
  using Head = H;
  using Inside = I;
  using Core = C;
  static constexpr bool opens = !std::is_same_v<typename H::Layer, Identity>;
};
template <class Stack, std::size_t Index, class Core, class CoreIn, class Inner>
consteval auto place_core() {
  if constexpr (Stack::has_inside && OpenCore<Core, CoreIn>) {
    using Open = typename Core::template Open<CoreIn>;
    using Head = PlacedOrRefused<Index, typename Open::Head, CoreIn>;
    using Own = typename Head::Out;
    if constexpr (Refused<Own>) {
      return std::type_identity<CoreParts<Head, NoIntegration<Vector<1>>, Head>>{};
    } else {
      using Inside = typename decltype(place_inside<Stack, Index, Open, Own, Inner>())::type;
      if constexpr (Refused<Inside>)
        return std::type_identity<CoreParts<Head, Inside, Head>>{};
      else
        return std::type_identity<
            CoreParts<Head, Inside, PlacedOrRefused<Index, typename Open::Tail, typename Inside::Out>>>{};
    }
  } else {
    return std::type_identity<
        CoreParts<Placed<Identity, Vector<1>>, NoIntegration<Vector<1>>, PlacedOrRefused<Index, Core, CoreIn>>>{};
  }
}

template <class Maps>
struct WithoutFirst;
template <class First, class... Rest>
struct WithoutFirst<List<First, Rest...>> {
  using type = List<Rest...>;
};

/// What layer Index does to the state.
template <class Stack, std::size_t Index, class Own, class State, class CoreIn>
consteval auto place_update() {
  if constexpr (!Stack::carries) {
    return std::type_identity<NoIntegration<Own>>{};
  } else if constexpr (!std::is_same_v<WithFeatures<Own, State::features>, State>) {
    return std::type_identity<Refuse<StateOfOtherShape>>{};
  } else {
    using Update = typename PolicyBehind<typename Stack::Carried::Update, Index + 1, Stack::depth>::type;
    using Before =
        std::conditional_t<Update::reads == integrate::Reads::all, ShapeList<State, CoreIn>, ShapeList<State>>;
    using Part = typename decltype(place_policy<Index, Update, Own, Before>())::type;
    if constexpr (Refused<Part>)
      return std::type_identity<Part>{};
    else if constexpr (!std::is_same_v<typename Part::Out, State>)
      return std::type_identity<Refuse<StateOfOtherShape>>{};
    else
      return std::type_identity<Part>{};
  }
}

template <class Stack, class In, class Out>
inline constexpr bool items_fit =
    std::is_same_v<In, Out> || ((!Stack::has_before || Stack::Before::items_are == integrate::Items::maps) &&
                                (!Stack::has_readout || Stack::Readout::items_are == integrate::Items::maps));
template <class Stack, class Own, class Maps>
inline constexpr bool blocks_fit = [] {
  constexpr std::size_t layers = Maps::size - 1;
  if constexpr (layers > 0) {
    const bool same = std::is_same_v<Own, Last<Maps>>;
    return same || ((!Stack::has_before || layers % Stack::Before::block == 0) &&
                    (!Stack::has_readout || layers % Stack::Readout::block == 0));
  }
  return true;
}();

template <class Stack, std::size_t Index, class Out, class Maps, class Inner, class Done, class Core>
constexpr auto operator>>(HookPlacing<Stack, Index, Out, Maps, Inner, Done> placing, std::type_identity<Core>) {
  if constexpr (Refused<Out>) {
    return placing;
  } else {
    using Input = typename decltype(place_input<Stack, Index, Out, Maps>())::type;
    using Joined = typename CoreInput<Index, typename Stack::After, Out, typename WithoutFirst<Maps>::type>::type;
    if constexpr (!std::is_same_v<FirstRefusal<Input, Joined>, NoRefusal>) {
      return RefusedPlacing<Stack, Index, Maps, Inner, Done, FirstRefusal<Input, Joined>>{};
    } else {
      using CoreIn = std::conditional_t<is_none<Input>, Joined, typename Input::Out>;
      using Parts = typename decltype(place_core<Stack, Index, Core, CoreIn, Inner>())::type;
      using Own = typename Parts::Core::Out;
      using Why = FirstRefusal<typename Parts::Head::Out, typename Parts::Inside, Own>;
      if constexpr (!std::is_same_v<Why, NoRefusal>) {
        return RefusedPlacing<Stack, Index, Maps, Inner, Done, Why>{};
      } else if constexpr (!items_fit<Stack, CoreIn, Own> || !blocks_fit<Stack, Own, Maps>) {
        return RefusedPlacing<Stack, Index, Maps, Inner, Done, UnequalItems>{};
      } else {
        using Integrated = typename decltype(place_integration<Index, typename Stack::After, Own,
                                                               typename WithoutFirst<Maps>::type>())::type;
        using Epilogue = typename decltype(place_epilogue<Index, typename Stack::Epilogue, Own>())::type;
        using Update = typename decltype(place_update<Stack, Index, Own, Out, CoreIn>())::type;
        using WhyNot = FirstRefusal<Integrated, typename Epilogue::Out, Update>;
        if constexpr (!std::is_same_v<WhyNot, NoRefusal>) {
          return RefusedPlacing<Stack, Index, Maps, Inner, Done, WhyNot>{};
        } else {
          using Layer = HookedLayer<Input, typename Parts::Head, typename Parts::Inside, typename Parts::Core,
                                    Integrated, Epilogue, Update>;
          using NextInner = std::conditional_t<Parts::opens, Append<Inner, typename Parts::Head::Out>, Inner>;
          using Next = std::conditional_t<Stack::carries, Out, Own>;
          return HookPlacing<Stack, Index + 1, Next, Append<Maps, Own>, NextInner, Append<Done, Layer>>{};
        }
      }
    }
  }
}

/// What begins a state.
template <class Stack>
consteval auto place_begin() {
  using In = typename Stack::Input;
  if constexpr (!Stack::carries)
    return std::type_identity<NoIntegration<Vector<1>>>{};
  else if constexpr (In::is_tokens)
    return std::type_identity<Refuse<TokensAsItem>>{};
  else
    return place_policy<0, typename PolicyBehind<typename Stack::Carried::Begin, 0, Stack::depth>::type, In,
                        Shapes<>>();
}
/// What the stack gives behind all layers, where that is not the last one's map.
template <class Stack, class Out, class Maps, class Inner>
consteval auto place_end() {
  constexpr std::size_t depth = Stack::depth;
  if constexpr (Refused<Out>)
    return std::type_identity<NoIntegration<Vector<1>>>{};
  else if constexpr (Stack::has_inside && Inner::size == 0)
    return std::type_identity<Refuse<NothingOpens>>{};
  else if constexpr (Stack::carries)
    return place_policy<depth, typename PolicyBehind<typename Stack::Carried::End, depth, depth>::type, Out,
                        Shapes<>>();
  else if constexpr (Stack::has_readout)
    return Stack::template place_items<typename Stack::Readout, depth, Maps>();
  else if constexpr (Stack::has_before) {
    if constexpr (Stack::Before::attaches(depth, depth))
      return Stack::template place_items<typename Stack::Before, depth, Maps>();
    else
      return std::type_identity<NoIntegration<Out>>{};
  } else {
    return std::type_identity<NoIntegration<Out>>{};
  }
}

/// A part, or nothing where it is refused; and what it gives, or the refusal.
template <class Part>
struct PartOrRefused {
  using type = Part;
  using Out = typename Part::Out;
};
template <Refused Part>
struct PartOrRefused<Part> {
  using type = NoIntegration<Vector<1>>;
  using Out = RefusedShape<RefusalOf<Part>>;
};

/// The layers of a stack with such policies, what begins its state, and what it gives at the end.
template <class P, class EpilogueLayer, class In, class Cores>
struct HookedPlan;
template <class P, class EpilogueLayer, class In, class... Core>
struct HookedPlan<P, EpilogueLayer, In, List<Core...>> {
  static constexpr bool hooked = true;
  using Policies = HookedStack<P, EpilogueLayer, In, sizeof...(Core)>;
  using WholePolicy = P;
  using Policy = typename Policies::After;
  using PlacedFirst = PartOrRefused<typename decltype(place_begin<Policies>())::type>;
  using First = typename PlacedFirst::type;
  using Begin = std::conditional_t<Policies::carries, typename PlacedFirst::Out, In>;
  using Placing =
      decltype((HookPlacing<Policies, 0, Begin, List<In>, List<>, List<>>{} >> ... >> std::type_identity<Core>{}));
  using PlacedLast = PartOrRefused<typename decltype(place_end<Policies, typename Placing::Out, typename Placing::Maps,
                                                               typename Placing::Inner>())::type>;
  using Last = typename PlacedLast::type;
  using Out =
      std::conditional_t<Refused<typename Placing::Out> || (is_none<Last> && !Refused<typename PlacedLast::Out>),
                         typename Placing::Out, typename PlacedLast::Out>;
  using Maps = typename Placing::Maps;  ///< shapes of h_0, h_1, ..., h_L
  using Layers = typename Placing::Layers;
  static constexpr std::size_t depth = Layers::size;
  using All = typename Joined<List<First>, Append<Layers, Last>>::type;
  static constexpr auto first_tensor = first_tensors(All{});
};

}  // namespace detail

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
