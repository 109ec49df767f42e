// A network on one step of its input: which networks a Stream can run, and why not the others.
#pragma once

#include "../core/macros_aside.hpp"

#include "../backend/kernel.hpp"
#include "../compose/frozen.hpp"
#include "../compose/network.hpp"

namespace aila::inline v0::detail {

/// The layer cannot go step by step.
template <class Layer, class In>
struct StreamRefused {
  static consteval int say() {
    if constexpr (requires { Layer::template expect_stream<In>(); }) {
      return Layer::template expect_stream<In>();
    } else {
      constexpr bool says_so = streams<Layer, In>();
      static_assert(says_so, "aila: this layer does not say that it can stream; see contract/layer.hpp");
      return 0;
    }
  }
};

template <class Layer>
struct InsideFrozen {
  using type = Layer;
};
template <class Layer>
struct InsideFrozen<Frozen<Layer>> {
  using type = typename InsideFrozen<Layer>::type;
};

template <class Part>
struct StreamRefusalOf;
/// What refuses the first of several parts.
template <class Parts>
struct FirstStreamRefusal;
template <class... Part>
struct FirstStreamRefusal<List<Part...>> {
  using type = FirstRefusal<Refuse<typename StreamRefusalOf<Part>::type>...>;
};
template <class Layers>
struct StreamRefusalOfStack;
template <class... Layer>
struct StreamRefusalOfStack<List<Layer...>> {
  using type = typename FirstStreamRefusal<List<typename Layer::Core..., typename Layer::Epilogue...>>::type;
};
template <class Layer>
concept HasHead = requires { typename Layer::Head; };
template <HasHead... Layer>
struct StreamRefusalOfStack<List<Layer...>> {
  using type = typename FirstStreamRefusal<
      List<typename Layer::Head..., typename Layer::Core..., typename Layer::Epilogue...>>::type;
};

template <class Layer, class In>
consteval auto stream_refusal() {
  if constexpr (streams<Layer, In>())
    return std::type_identity<NoRefusal>{};
  else if constexpr (requires { Layer::template expect_stream<In>(); })
    return std::type_identity<StreamRefused<Layer, In>>{};
  else if constexpr (requires { requires Layer::is_stack; })
    return StreamRefusalOfStack<typename Layer::template Plan<In>::Layers>{};
  else if constexpr (requires { requires Layer::is_chain; } || requires { requires Layer::is_sum; })
    return FirstStreamRefusal<typename Layer::template Plan<In>::Children>{};
  else
    return std::type_identity<StreamRefused<Layer, In>>{};
}
/// NoRefusal, or the StreamRefused of the first part that cannot go step by step.
template <class Layer, class I>
struct StreamRefusalOf<Placed<Layer, I>> {
  using type = typename decltype(stream_refusal<typename InsideFrozen<Layer>::type, I>())::type;
};

/// One step of a sequence or of tokens.
template <class In>
struct StepOf {};
template <std::size_t Steps, std::size_t Features>
struct StepOf<Shape<Steps, Features>> {
  using type = Sequence<1, Features>;
};
template <std::size_t Steps>
struct StepOf<Tokens<Steps>> {
  using type = Tokens<1>;
};

template <class In>
struct NoStepsToStream {
  static consteval int say() {
    constexpr bool steps = requires { typename StepOf<In>::type; };
    static_assert(steps, "aila: a stream needs a network whose input is a Sequence or Tokens");
    return 0;
  }
};

/// The layers of a network on one step of its input.
template <class Net>
struct OneStepNetwork : Net {
  using Input = typename StepOf<typename Net::Input>::type;
};

/// Whether the same parts have kernels of their own on one step as on all of them: then these pack weights alike.
template <class Whole, class Step, class Backend>
consteval bool same_parts() {
  using Kernel = KernelFor<Whole, Backend>;
  using StepKernel = KernelFor<Step, Backend>;
  if constexpr (is_plan_kernel<Kernel> && is_plan_kernel<StepKernel>) {
    if constexpr (Kernel::layer_kinds == StepKernel::layer_kinds) {
      bool same = true;
      for_each_index<Kernel::layer_kinds>([&](auto k) {
        same =
            same &&
            same_parts<typename Kernel::template LayerPart<k>, typename StepKernel::template LayerPart<k>, Backend>();
      });
      return same;
    } else {
      return false;
    }
  } else {
    return is_plan_kernel<Kernel> == is_plan_kernel<StepKernel>;
  }
}

/// Whether a placed layer has the same tensors on one step as on all of them, packed in the same order.
template <class Whole, class Step, class Backend>
consteval bool same_weights() {
  using Kernel = KernelFor<Whole, Backend>;
  using StepKernel = KernelFor<Step, Backend>;
  if (Whole::tensors != Step::tensors || Kernel::packed != StepKernel::packed) return false;
  if constexpr (requires { StepKernel::packed_offset == Kernel::packed_offset; })
    if (StepKernel::packed_offset != Kernel::packed_offset) return false;
  for (std::size_t t = 0; t < Whole::tensors && t < Step::tensors; ++t) {
    const ParameterSpec &a = Whole::parameters[t], &b = Step::parameters[t];
    if (a.padded_size() != b.padded_size() || a.kind != b.kind || a.decays != b.decays) return false;
  }
  return true;
}
template <class Net, class Backend>
struct StepsInParameters {
  static constexpr bool equal =
      same_weights<PlacedNetwork<Net>, Placed<OneStepNetwork<Net>, typename OneStepNetwork<Net>::Input>, Backend>();
  static consteval int say() {
    constexpr bool shared = equal;
    static_assert(shared, "aila: weights of a layer in a stream may not depend on the number of steps");
    return 0;
  }
};

template <class Net, class Backend>
inline constexpr bool steps_by_layers =
    is_plan_kernel<KernelFor<PlacedNetwork<Net>, Backend>> &&
    same_parts<PlacedNetwork<Net>, Placed<OneStepNetwork<Net>, typename OneStepNetwork<Net>::Input>, Backend>();

/// Somebody has written one kernel for the whole network, or for a part, on whole sequences alone.
template <class Net, class Backend>
struct StepsOfFusedNetwork {
  static consteval int say() {
    constexpr bool by_layers = steps_by_layers<Net, Backend>;
    static_assert(by_layers, "aila: this network has a kernel of its own; to go step by step its layers are needed");
    return 0;
  }
};

template <class Net, class Backend>
consteval auto refusal_of_stream() {
  using Why = NetworkRefusal<Net>;
  if constexpr (!std::is_same_v<Why, NoRefusal>) {
    return std::type_identity<Why>{};
  } else if constexpr (Refused<NetworkOutput<Net>>) {
    return std::type_identity<RefusalOf<NetworkOutput<Net>>>{};
  } else if constexpr (!requires { typename StepOf<typename Net::Input>::type; }) {
    return std::type_identity<NoStepsToStream<typename Net::Input>>{};
  } else {
    using Layer = typename StreamRefusalOf<PlacedNetwork<Net>>::type;
    if constexpr (!std::is_same_v<Layer, NoRefusal>)
      return std::type_identity<Layer>{};
    else if constexpr (Refused<NetworkOutput<OneStepNetwork<Net>>>)
      return std::type_identity<RefusalOf<NetworkOutput<OneStepNetwork<Net>>>>{};
    else if constexpr (Refused<KernelFor<PlacedNetwork<Net>, Backend>>)
      return std::type_identity<RefusalOf<KernelFor<PlacedNetwork<Net>, Backend>>>{};
    else if constexpr (!steps_by_layers<Net, Backend>)
      return std::type_identity<StepsOfFusedNetwork<Net, Backend>>{};
    else if constexpr (!StepsInParameters<Net, Backend>::equal)
      return std::type_identity<StepsInParameters<Net, Backend>>{};
    else
      return std::type_identity<NoRefusal>{};
  }
}

/// NoRefusal, or why a Stream cannot run the network.
template <class Net, class Backend>
using StreamRefusal = typename decltype(refusal_of_stream<Net, Backend>())::type;

/// The network that a Stream runs, or one that stands for what is refused.
template <class Net, class Backend, class Why = StreamRefusal<Net, Backend>>
struct Streamed {
  using type = RefusedNetwork<Why>;
};
template <class Net, class Backend>
struct Streamed<Net, Backend, NoRefusal> {
  using type = OneStepNetwork<Net>;
};

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
