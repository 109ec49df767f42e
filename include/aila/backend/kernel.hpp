// What a kernel is, and how one is selected for a placed layer on a backend.
//
// A kernel is a type with static members; every buffer is passed in, nothing is allocated, nothing throws. It takes at
// most 32 KiB of stack, whatever the network: what grows with a width, the steps or the depth is scratch, or Saved.
//   static constexpr const char* name;  what summary() calls it (default: "own kernel")
//   template <Capability C> struct Saved { constexpr void bind(Arena<Scalar>&, std::size_t samples); };
//       kept for backward, which is called once after a forward
//   static constexpr std::size_t packed;  Scalars of weights packed in the kernel's order
//   static constexpr void pack(Weights<Scalar> w, Scalar* packed);  called after every change of the weights
//   static constexpr std::size_t pack_pieces; static constexpr void pack_piece(std::size_t i, Weights<Scalar> w,
//       Scalar* packed);  of a kernel of parts: the same in pieces that threads share
//   static constexpr std::size_t pack_piece_tensor(std::size_t i);  and the first tensor that piece i reads. Pieces are
//       in the order of tensors: piece i reads none before it, and none from pack_piece_tensor(i + 1) on
//   static constexpr std::size_t scratch(std::size_t samples, Capability);
//       Scalars of memory free after the call. What holds for n samples serves fewer ones too, here and in Saved
//   template <Capability C> static constexpr void forward(const Pass&, Weights<Scalar> w, const Scalar* packed,
//       const Element* x, Scalar* y, Saved<C>&, Scalar* scratch);
//   template <Capability C> static constexpr void backward(const Pass&, Weights<Scalar> w, const Scalar* packed,
//       const Element* x, const Scalar* y, const Scalar* dy, Scalar* dx, Gradients<Scalar> g, Saved<C>&,
//       Scalar* scratch);
// backward adds to dx and to g; dx may be null and g may be false: then nobody asks for them. Buffers of the library
// (all but a user's x in forward) may be read up to 64 bytes beyond their end. KernelDefaults has the empty cases.
//
// What a kernel says of itself saves memory and time; one that says nothing is given all it could need:
//   static constexpr BackwardNeeds backward_needs{.input = false};   what its backward looks at of x and y (both): the
//       rest is overwritten by then
//   static constexpr InPlace in_place{.forward = true};   forward may write y over x, backward, where it writes dx, dx
//       over dy; of an integration z over its own output, and d_own over dz
//   static constexpr bool sets_input_gradient = true;   where pass.sets_input_gradient, backward writes dx in place of
//       adding to it, zeros at padded steps
//   static constexpr bool sets_gradients = true;   the same of the gradients of parameters, where
//   pass.zeroes_gradients:
//       to others, what is there is then made zero before
//
// A kernel of parts has for_each_map<C>(samples, saved, y, path, f), which shows what every part computed, with the
// parts of parts, and for_each_mixture where a part mixes (`static constexpr bool mixes`): tools see what these tell.
// And it passes on the refusals of its parts' kernels, as PlanKernel does: what has no kernel or no backward is said
// early.
//
// The kernel of an integration has, instead of x and y,
//   forward(pass, w, packed, own, before, z, saved, scratch)
//       z = own + a
//   backward(pass, w, packed, own, before, dz, d_own, d_before, g, saved, scratch)
//       adds dz and more to d_own
//   mixture(pass, w, own, before, weights, scratch)
//       weights [samples, positions, heads, items]
// Where layers differ in numbers only, in how many maps they look back on for example, it names in `Shared` a type that
// is the same for all of them, whose functions take these numbers first, in `SharesFor` itself, and in `static
// constexpr Shared::Numbers numbers` its own: a deep stack then has this code once. See CpuDepthIntegration.
//
// A mixture whose gradients are linear in its items, by weights that see none, may have in `Shared`, in the place of
// `backward`,
//   static constexpr bool gathers = true;
//   gather(count, terms, samples, item, d_item, sets, scratch)   with terms of GatheredMixture
// which adds to the gradient of one item (null: nobody asks; writes it where `sets`) what all mixtures of the stack
// that read it say, and to the gradients of their weights what the item says: an item is read once, not once a mixture.
//
// A kernel whose result needs the whole batch, as batch normalisation's does, works in phases: it has
//   static constexpr std::size_t phases;   all-reduces over the groups in a forward; as many in a backward
//   static constexpr std::size_t all_reduce;  most numbers that it gives to one
// and its forward (and backward) is called phases + 1 times, with pass.phase = 0, 1, ...; at the end of each but the
// last it writes its group's numbers to pass.all_reduce, and in the next finds their sums over all groups there.
//
// A Stream (network/stream.hpp) runs forward<Capability::stream> of the network's layers, placed on an input of one
// step, for one sample: the "samples" of such a call are consecutive steps of it, of which the first is number
// pass.step, and a length of 0 says that a step is not valid. A Stream has one; a WavefrontPredictor has blocks of them
// for kernels that carry nothing or say `static constexpr bool takes_blocks = true`; a Predictor on a GPU has blocks of
// several samples for them, one behind the other, where those that carry something serve a Relay. What
// Saved<Capability::stream> takes from the arena is the state: zero before the first step, and untouched between two
// calls. Kernels of layers that look at one step alone need nothing for it. Weights are packed by the kernels of the
// network's own input, so what is packed may not depend on the number of steps. A kernel whose step makes no denormal
// numbers of others says
//   static constexpr bool stays_normal = true;
// and where all do, the mode of the processor is left alone: to change it costs as much as the step of a small layer.
//
// Selection: a kernel is announced by declaring (never defining) a function found by argument-dependent lookup,
//   template <class In> MyKernel<In> select_kernel(rank::Layer, Placed<MyLayer, In>, backend::Cpu);
// in the namespace of the layer, policy or network. The highest rank wins: Fused, then Layer, then Body (the layer's
// own body). Two of one rank, or none, do not compile.
#pragma once

#include "../core/macros_aside.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "../contract/layer.hpp"
#include "../contract/policy.hpp"
#include "../core/arena.hpp"
#include "../core/capability.hpp"
#include "../core/list.hpp"
#include "../core/parameter.hpp"
#include "../core/random.hpp"

namespace aila::inline v0 {

/// An all-reduce over the groups of a batch, between two phases: each gives `count` numbers in `own`, and in the next
/// phase finds in `total` their sums over all groups.
struct AllReduce {
  double* own = nullptr;
  const double* total = nullptr;
  std::size_t count = 0;
};

/// A table of rows that kernels look up: Scalars [count, stride], stride the width rounded up to alignment_elements.
struct TableRef {
  const void* rows = nullptr;
  std::size_t count = 0;
};

/// The gradient of a table, by its takers: row rows[i] was taken with gradient values[i, stride], for i < count. The
/// kernel fills it, the trainer sums it. There is room for every step of every sample.
struct RowGradients {
  std::int32_t* rows = nullptr;
  void* values = nullptr;
  std::size_t count = 0;
};

/// The tensors of a network that a training leaves as they are though their kind is not frozen: those whose part rate
/// is 0. A tensor is known by its offset in the canonical array; offsets ascend.
struct FrozenTensors {
  const std::uint32_t* offsets = nullptr;
  std::size_t count = 0;

  constexpr bool contain(std::uint32_t offset) const { return std::binary_search(offsets, offsets + count, offset); }
};

/// A length as a number of steps, of so many that there are.
template <class Steps>
constexpr Steps steps_within(std::int32_t length, Steps steps) {
  return length < 0 ? Steps{0} : static_cast<Steps>(length) < steps ? static_cast<Steps>(length) : steps;
}

/// What one call over a group of samples knows beside its arrays. A stream makes one for every step, so that its size
/// counts.
struct Pass {
  std::size_t samples = 1;
  const std::int32_t* lengths = nullptr;  ///< valid steps of each sample; null: all
  bool training = false;                  ///< dropout is active, batch normalisation takes the batch's statistics
  bool frozen = false;                    ///< inside Frozen: kernels ask `freezes`
  bool zeroes_gradients = false;          ///< gradients of parameters begin anywhere: part by part, see zero_gradients
  bool collects = false;                  ///< kernels add to the gradients of buffers what these are to change by
  bool sets_input_gradient = false;       ///< see sets_input_gradient_of
  std::uint16_t phase = 0;                ///< of a kernel that works in phases
  void* queue = nullptr;                  ///< the Backend::Queue that a kernel puts its work on, see backend.hpp
  Seed seed{};
  std::uint64_t step = 0;
  std::uint64_t first_sample = 0;                 ///< place in the batch of the group's first sample
  std::uint64_t path = 0;                         ///< of the layer inside the network; a key of its random numbers
  AllReduce* all_reduce = nullptr;                ///< of such a kernel's group
  const TableRef* tables = nullptr;               ///< of this layer, in the order of its parts
  RowGradients* row_gradients = nullptr;          ///< theirs; null: nobody asks
  const FrozenTensors* frozen_tensors = nullptr;  ///< of the network, frozen for this run; null: none

  /// The pass of part number i of a composite, whose tables begin behind the first `tables_before`. A call, not copies
  /// of its code: deep networks have hundreds of parts.
  [[gnu::noinline]] constexpr Pass part(std::size_t i, std::size_t tables_before = 0) const {
    Pass p = *this;
    p.path = (path ^ (i + 1)) * 0x100000001b3ULL;  // FNV-1a over the numbers on the way
    if (tables != nullptr) p.tables += tables_before;
    if (row_gradients != nullptr) p.row_gradients += tables_before;
    return p;
  }
  constexpr void enter(std::size_t its_phase) { phase = static_cast<std::uint16_t>(its_phase); }
  /// Whether training leaves this tensor of a layer as it is, inside Frozen or by a part rate of 0: then batch
  /// normalisation keeps to its running statistics.
  template <class Scalar>
  constexpr bool freezes(Weights<Scalar> w, std::size_t tensor) const {
    return frozen || (frozen_tensors != nullptr && frozen_tensors->contain(w.offset(tensor)));
  }
  constexpr std::size_t length(std::size_t sample, std::size_t steps) const {
    return lengths == nullptr ? steps : steps_within(lengths[sample], steps);
  }
};

/// What a map of this shape is made of: int32 tokens, or real numbers.
template <class S, class Scalar>
using ElementOf = std::conditional_t<S::is_tokens, std::int32_t, Scalar>;

struct NothingSaved {
  template <class Scalar>
  constexpr void bind(Arena<Scalar>&, std::size_t) {}
};

/// Where the pass says so, the gradients of this part's tensors become zero, and the part need not know. Just before it
/// adds to them, and not all at the start of a step: then they are in the second-level cache when it does.
template <class Scalar>
[[gnu::noinline]] constexpr void zero_gradients(Pass& pass, Gradients<Scalar> g, const ParameterSpec* parameters,
                                                std::size_t tensors) {
  if (!pass.zeroes_gradients || !g) return;
  pass.zeroes_gradients = false;
  for (std::size_t t = 0; t < tensors; ++t)
    if (parameters[t].kind != ParameterKind::frozen) std::fill_n(g[t], parameters[t].padded_size(), Scalar(0));
}
template <class Part, class Scalar>
constexpr void zero_gradients(Pass& pass, Gradients<Scalar> g) {
  zero_gradients(pass, g, Part::parameters.data(), Part::tensors);
}

/// How many all-reduces over the groups of a batch this kernel's forward has.
template <class K>
consteval std::size_t phases_of() {
  if constexpr (requires { K::phases; })
    return K::phases;
  else
    return 0;
}
/// Whether a part of a kernel of so many phases, which works from phase `first` to `last`, is called in this one.
template <std::size_t phases>
constexpr bool works_in([[maybe_unused]] std::size_t phase, [[maybe_unused]] std::size_t first,
                        [[maybe_unused]] std::size_t last) {
  if constexpr (phases == 0)
    return true;
  else
    return phase >= first && phase <= last;
}
/// How many parts this kernel counts on the clock of lives (see Life): of its parts, if it says so.
template <class K>
consteval std::size_t ticks_of() {
  if constexpr (requires { K::ticks; })
    return K::ticks;
  else
    return 1;
}
/// Most numbers that this kernel gives to one all-reduce.
template <class K>
consteval std::size_t all_reduce_of() {
  if constexpr (requires { K::all_reduce; })
    return K::all_reduce;
  else
    return 0;
}

/// Whether y = x in prediction, so that a stream need not copy: `static constexpr bool copies = true`.
template <class K>
consteval bool copies_of() {
  if constexpr (requires { K::copies; })
    return K::copies;
  else
    return false;
}
/// Whether a step of a stream needs no mode of the processor that takes denormal numbers for zero.
template <class K>
consteval bool stays_normal_of() {
  if constexpr (requires { K::stays_normal; })
    return K::stays_normal;
  else
    return false;
}

/// How many pieces the packing of a kernel's weights can be cut into, and one of them.
template <class K>
consteval std::size_t pack_pieces_of() {
  if constexpr (requires { K::pack_pieces; })
    return K::pack_pieces;
  else
    return K::packed > 0 ? 1 : 0;
}
template <class K, class Scalar>
constexpr void pack_piece_of([[maybe_unused]] std::size_t piece, Weights<Scalar> w, Scalar* packed) {
  if constexpr (requires { K::pack_pieces; })
    K::pack_piece(piece, w, packed);
  else
    K::pack(w, packed);
}
/// The first tensor that a piece reads.
template <class K>
constexpr std::size_t pack_piece_tensor_of([[maybe_unused]] std::size_t piece) {
  if constexpr (requires { K::pack_pieces; })
    return K::pack_piece_tensor(piece);
  else
    return 0;
}

/// Whether this is the library's own kernel of a composite, whose parts can be called one by one.
template <class K>
inline constexpr bool is_plan_kernel = false;

/// Whether a kernel's forward may write y over x, and its backward dx over dy.
struct InPlace {
  bool forward = false, backward = false;
};
template <class K>
consteval InPlace in_place_of() {
  if constexpr (requires { K::in_place; })
    return K::in_place;
  else
    return {};
}
/// What a kernel's backward looks at.
template <class K>
consteval BackwardNeeds backward_needs_of() {
  if constexpr (requires { K::backward_needs; })
    return K::backward_needs;
  else
    return {};
}
/// Whether a kernel's backward can write dx in place of adding to it.
template <class K>
consteval bool sets_input_gradient_of() {
  if constexpr (requires { K::sets_input_gradient; })
    return K::sets_input_gradient;
  else
    return false;
}

/// Whether a kernel's backward can write the gradients of its parameters in place of adding to them.
template <class K>
consteval bool sets_gradients_of() {
  if constexpr (requires { K::sets_gradients; })
    return K::sets_gradients;
  else
    return false;
}

/// A mixture that reads an item: as which of those that it reads, the own one being number 0, and what its weights and
/// the gradient of its result are.
template <class S, class Numbers>
struct GatheredMixture {
  Numbers numbers;
  std::uint32_t read = 0;
  const S* d_to = nullptr;
  Weights<S> w;
  Gradients<S> g;
};
template <class Mixture>
inline constexpr bool is_gathered_mixture = requires { requires Mixture::gathers; };

namespace detail {
template <class K>
constexpr std::size_t carried_by() {
  Arena<typename K::Scalar> arena;
  typename K::template Saved<Capability::stream> saved{};
  saved.bind(arena, 1);
  return arena.used();
}
template <std::size_t>
struct Carries {};
}  // namespace detail

/// Whether nothing of a stream's step is left for the next one in what this kernel saves.
template <class K>
consteval bool carries_nothing() {
  if constexpr (requires { typename detail::Carries<detail::carried_by<K>()>; })
    return detail::carried_by<K>() == 0;
  else
    return false;
}
/// Whether a stream may give this kernel several steps at once: it carries nothing, or says that it can:
/// `static constexpr bool takes_blocks = true`.
template <class K>
consteval bool takes_blocks_of() {
  if constexpr (requires { K::takes_blocks; })
    return K::takes_blocks;
  else
    return carries_nothing<K>();
}

namespace detail {
/// Shows f the maps inside a part of a kernel of parts, where that has any.
template <class K, Capability C, class Saved, class Scalar, class F>
void maps_of_part(std::size_t samples, Saved& saved, Scalar* y, const std::string& path, F&& f) {
  if constexpr (requires { K::template for_each_map<C>(samples, saved, y, path, f); })
    K::template for_each_map<C>(samples, saved, y, path, f);
}
}  // namespace detail

/// Whether this kernel, or one of a part of it, has mixture weights to tell: for_each_mixture.
template <class K>
consteval bool mixes_of() {
  if constexpr (requires { K::mixes; })
    return K::mixes;
  else
    return false;
}

/// A kernel that keeps nothing, packs nothing and needs no scratch.
template <class ScalarType>
struct KernelDefaults {
  using Scalar = ScalarType;
  template <Capability>
  using Saved = NothingSaved;
  static constexpr std::size_t packed = 0;
  static constexpr void pack(Weights<Scalar>, Scalar*) {}
  static constexpr std::size_t scratch(std::size_t, Capability) { return 0; }
};

namespace rank {
struct Body {};   ///< made from the layer's own body
struct Layer {};  ///< written for the layer and the backend
struct Fused {};  ///< written for a whole stack, chain or network
}  // namespace rank

namespace detail {

struct NoKernel {};
NoKernel select_kernel(...);

template <class Rank, class Part, class Backend>
concept AtMostOneKernel = requires { select_kernel(Rank{}, Part{}, Backend{}); };

template <class Rank, class Part, class Backend>
consteval auto kernel_of_rank() {
  if constexpr (AtMostOneKernel<Rank, Part, Backend>)
    return std::type_identity<decltype(select_kernel(Rank{}, Part{}, Backend{}))>{};
  else
    return std::type_identity<void>{};
}

/// Stands in where there is no kernel to be used, so that one mistake gives one error.
template <class S, class Why>
struct AbsentKernel : KernelDefaults<S> {
  using Refusal = Why;
  template <Capability C, class... T>
  static constexpr void forward(T&&...) {
    enum { checked = Why::say() };
  }
  template <Capability C, class... T>
  static constexpr void backward(T&&...) {
    enum { checked = Why::say() };
  }
  template <class... T>
  static constexpr void mixture(T&&...) {}
  template <Capability C, class... T>
  static void for_each_map(T&&...) {}
};

/// A part that has no kernel of any rank, or two of one rank.
template <class Part, class Backend, bool unique>
struct KernelRefused {
  static consteval int say() {
    constexpr bool found = !unique;
    static_assert(unique, "aila: two kernels of one rank for this layer on this backend; keep one");
    static_assert(found, "aila: this layer has no kernel on this backend; give it a body or kernel");
    return 0;
  }
};

/// A policy whose forward can be called without the list of the earlier maps.
template <class P, class Own, class Before, class Backend, bool unique>
  requires requires(const float* own, const float* const* before, Weights<float> w, float* a) {
    P::template forward<Own>(own, before, w, a);
  }
struct KernelRefused<Integration<P, Own, Before>, Backend, unique> {
  static consteval int say() {
    constexpr bool takes_before = std::is_void_v<P>;
    static_assert(takes_before, "aila: a policy's forward and backward are templates of Own, Before and V");
    return 0;
  }
};

/// What a kernel without backward names as its `MissingBackward`: a refusal that says which function to write.
template <class K>
struct MissingBackwardIn {
  using type = NoRefusal;
};
template <class K>
  requires requires { typename K::MissingBackward; }
struct MissingBackwardIn<K> {
  using type = typename K::MissingBackward;
};
template <class K>
using MissingBackward = typename MissingBackwardIn<K>::type;
/// The first that is missing among kernels.
template <class... Kernel>
using FirstMissingBackward = FirstRefusal<Refuse<MissingBackward<Kernel>>...>;

template <class Part, class Backend>
struct Selected {
  using Fused = typename decltype(kernel_of_rank<rank::Fused, Part, Backend>())::type;
  using Layer = typename decltype(kernel_of_rank<rank::Layer, Part, Backend>())::type;
  using Body = typename decltype(kernel_of_rank<rank::Body, Part, Backend>())::type;
  static constexpr bool unique = !std::is_void_v<Fused> && !std::is_void_v<Layer> && !std::is_void_v<Body>;

  template <class K>
  static constexpr bool usable = unique && !std::is_same_v<K, NoKernel>;
  using Absent = AbsentKernel<typename Backend::Scalar, KernelRefused<Part, Backend, unique>>;
  using BodyOrAbsent = std::conditional_t<usable<Body>, Body, Absent>;
  using type = std::conditional_t<usable<Fused>, Fused, std::conditional_t<usable<Layer>, Layer, BodyOrAbsent>>;
};

/// Placing has said what is wrong with this layer.
template <class Part, class Backend>
  requires Refused<typename Part::Out>
struct Selected<Part, Backend> {
  using type = AbsentKernel<typename Backend::Scalar, RefusalOf<typename Part::Out>>;
};

}  // namespace detail

/// The kernel of a placed layer or of an integration on a backend.
template <class Part, class Backend>
using KernelFor = typename detail::Selected<Part, Backend>::type;

/// A backend that runs on the host: Reference and Cpu share the kernels of backend/host/.
template <class B>
concept HostBackend = requires {
  requires B::is_host;
  typename B::Scalar;
  typename B::FloatMode;  // held while kernels run: how the processor treats denormal numbers
};

/// A backend on which PlanKernel puts composites together: those of the host, and devices that say
/// `static constexpr bool runs_plans = true` and specialise what it does itself (PlanJoints, Pooling).
template <class B>
concept PlanBackend = HostBackend<B> || requires { requires B::runs_plans; };

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
