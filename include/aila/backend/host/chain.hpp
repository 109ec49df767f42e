// Chains, with or without the input joined to their result, on the host: the kernels of the parts one after the other.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "joint.hpp"
#include "lengths.hpp"

namespace aila::inline v0 {

namespace detail {

/// Whether Kernel can take the batch normalisation behind it into its weights.
template <class Kernel, class Next>
inline constexpr bool folds_into = false;
template <class Kernel, class Next>
  requires requires {
    typename Kernel::Channels;
    requires Next::Layer::is_batch_norm;
  }
inline constexpr bool folds_into<Kernel, Next> = true;

/// The element-wise layer that part I is, which a folded kernel applies to its outputs, else Identity.
template <class Children, std::size_t I, class S>
struct AfterFold {
  using type = Identity;
};
template <class Children, std::size_t I, class S>
  requires(I < Children::size &&
           requires(S v) { At < Children, I<Children::size ? I : 0>::Layer::template value<S>(v); })
struct AfterFold<Children, I, S> {
  using type = typename At<Children, I>::Layer;
};

}  // namespace detail

/// In prediction a convolution, the batch normalisation behind it and an activation behind that are one pass.
template <class L, class In, class Backend>
struct ChainKernel {
  static constexpr const char* name = "host chain";
  using Scalar = typename Backend::Scalar;
  using S = Scalar;
  using Plan = typename L::template Plan<In>;
  using Children = typename Plan::Children;
  using Out = typename Plan::Out;
  static constexpr std::size_t size = Children::size;
  template <std::size_t I>
  using Child = At<Children, I>;
  template <std::size_t I>
  using ChildKernel = KernelFor<Child<I>, Backend>;
  static constexpr Joint joint = detail::joint_of<L>();
  /// Outputs that are kept here: all but the last, which is y. Where the input is joined to it, the last is kept too.
  static constexpr std::size_t kept = joint != Joint::none ? size : size - (size > 0 ? 1 : 0);
  /// Where parts of a sample's steps are valid, these are other steps before part I than before the chain.
  template <std::size_t I>
  static constexpr bool maps_lengths = detail::any_changes_length<Children, I>();

  /// Part i works from phase first_phase[i] of a forward to first_phase[i + 1], where the next begins; in a backward
  /// counted from the end.
  static constexpr auto first_phase = [] {
    std::array<std::size_t, size + 1> first{};
    for_each_index<size>([&](auto i) { first[i + 1] = first[i] + phases_of<ChildKernel<i>>(); });
    return first;
  }();
  static constexpr std::size_t phases = first_phase[size];
  static constexpr std::size_t meeting = [] {
    std::size_t most = 0;
    for_each_index<size>([&](auto i) { most = std::max(most, meeting_of<ChildKernel<i>>()); });
    return most;
  }();

  static constexpr bool stays_normal = [] {
    bool all = joint == Joint::none;
    for_each_index<size>([&](auto i) { all = all && stays_normal_of<ChildKernel<i>>(); });
    return all;
  }();

  static constexpr bool takes_blocks = [] {
    bool all = true;
    for_each_index<size>([&](auto i) { all = all && takes_blocks_of<ChildKernel<i>>(); });
    return all;
  }();

  static constexpr bool mixes = [] {
    bool any = false;
    for_each_index<size>([&](auto i) { any = any || mixes_of<ChildKernel<i>>(); });
    return any;
  }();

  template <Capability C, class Kernels>
  struct SavedSlots;
  template <Capability C, class... Kernel>
  struct SavedSlots<C, List<Kernel...>> {
    using type = Slots<typename Kernel::template Saved<C>...>;
  };
  template <class Indices>
  struct KernelList;
  template <std::size_t... I>
  struct KernelList<std::index_sequence<I...>> {
    using type = List<ChildKernel<I>...>;
  };
  using Kernels = typename KernelList<std::make_index_sequence<size>>::type;
  template <class List>
  struct Refusals;
  template <class... Kernel>
  struct Refusals<List<Kernel...>> {
    using Any = detail::FirstRefusal<Kernel...>;
    using Backward = detail::FirstMissingBackward<Kernel...>;
  };
  using Refusal = typename Refusals<Kernels>::Any;
  using MissingBackward = typename Refusals<Kernels>::Backward;

  /// Whether a stream takes part I's input for its output.
  template <std::size_t I>
  static constexpr bool passes_on = I > 0 && I < kept&& copies_of<ChildKernel<I>>();

  template <Capability C>
  struct Saved {
    typename SavedSlots<C, Kernels>::type child;
    std::array<S*, size + 1> map{};                            ///< output of each child
    std::array<S*, size + 1> gradient{};                       ///< its gradient
    std::array<detail::MappedLengths<S>, size + 1> lengths{};  ///< before each child

    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      for_each_index<size>([&](auto i) {
        slot<i>(child).bind(arena, samples);
        if constexpr (maps_lengths<i>) lengths[i].bind(arena, samples);
        if constexpr (C == Capability::stream && passes_on<i>) {
          map[i] = map[i - 1];
        } else if constexpr (i < kept) {
          map[i] = arena.take(samples * Child<i>::Out::elements);
          if constexpr (keeps_for_backward(C) && (i + 1 < size || detail::takes_own_gradient(joint)))
            gradient[i] = arena.take(samples * Child<i>::Out::elements);
        }
      });
    }
  };

  /// Whether prediction computes parts I, the normalisation I + 1 and, where that is element by element, I + 2 as one.
  template <std::size_t I>
  static constexpr bool folds = [] {
    if constexpr (I + 1 < size) return detail::folds_into<ChildKernel<I>, At<Children, I + 1>>;
    return false;
  }();
  template <std::size_t I>
  using After = typename detail::AfterFold<Children, I + 2, typename Backend::Scalar>::type;
  template <std::size_t I>
  static constexpr std::size_t folded_parts = std::is_same_v<After<I>, Identity> ? 2 : 3;
  /// Whether part I's output exists in prediction: the others are inside a fold.
  static constexpr auto is_folded = [] {
    std::array<bool, size + 1> inside{};
    for_each_index<size>([&](auto i) {
      if constexpr (folds<i>)
        for (std::size_t k = 1; k < folded_parts<i>; ++k) inside[i + k] = true;
    });
    return inside;
  }();

  /// Packed weights of each part, and behind them those of the folded ones.
  static constexpr auto packed_offset = [] {
    std::array<std::size_t, 2 * size + 1> offset{};
    for_each_index<size>(
        [&](auto i) { offset[i + 1] = offset[i] + round_up(ChildKernel<i>::packed, alignment_elements); });
    for_each_index<size>([&](auto i) {
      const std::size_t more = folds<i> ? round_up(ChildKernel<i>::packed, alignment_elements) : 0;
      offset[size + i + 1] = offset[size + i] + more;
    });
    return offset;
  }();
  static constexpr std::size_t packed = packed_offset[2 * size];

  /// Whether part I is a normalisation that the part before it takes in.
  template <std::size_t I>
  static constexpr bool is_taken_in = [] {
    if constexpr (I > 0) return folds<I - 1>;
    return false;
  }();
  /// The pieces of part i are those from first_piece[i] on. A normalisation and the part that takes it in are one
  /// piece.
  static constexpr auto first_piece = [] {
    std::array<std::size_t, size + 1> first{};
    for_each_index<size>([&](auto i) {
      const std::size_t pieces = folds<i> ? 0 : is_taken_in<i> ? 1 : pack_pieces_of<ChildKernel<i>>();
      first[i + 1] = first[i] + pieces;
    });
    return first;
  }();
  static constexpr std::size_t pack_pieces = first_piece[size];
  static constexpr void pack_piece(std::size_t piece, Weights<S> w, S* packed_weights) {
    for_each_index<size>([&](auto i) {
      if (piece < first_piece[i] || piece >= first_piece[i + 1]) return;
      if constexpr (is_taken_in<i>)
        pack_folded<i - 1>(w, packed_weights);
      else
        pack_piece_of<ChildKernel<i>>(piece - first_piece[i], w.from(Plan::first_tensor[i]),
                                      packed_weights + packed_offset[i]);
    });
  }
  static constexpr std::size_t pack_piece_tensor(std::size_t piece) {
    std::size_t tensor = 0;
    for_each_index<size>([&](auto i) {
      if (piece < first_piece[i] || piece >= first_piece[i + 1]) return;
      if constexpr (is_taken_in<i>)
        tensor = Plan::first_tensor[i - 1];
      else
        tensor = Plan::first_tensor[i] + pack_piece_tensor_of<ChildKernel<i>>(piece - first_piece[i]);
    });
    return tensor;
  }
  static constexpr void pack(Weights<S> w, S* packed_weights) {
    for (std::size_t piece = 0; piece < pack_pieces; ++piece) pack_piece(piece, w, packed_weights);
  }

  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    std::size_t most = 0;
    for_each_index<size>([&](auto i) { most = std::max(most, ChildKernel<i>::scratch(samples, c)); });
    return most;
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                S* y, Saved<C>& saved, S* scratch) {
    forward_from<C>(pass, w, packed_weights, x, y, saved, scratch, 0);
  }

  /// The same from part `begin` on.
  template <Capability C>
  static constexpr void forward_from(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                     S* y, Saved<C>& saved, S* scratch, std::size_t begin) {
    for_each_index<size>([&](auto i) {
      if (i < begin) return;
      if (!works_in<phases>(pass.phase, first_phase[i], first_phase[i + 1])) return;
      constexpr std::size_t I = i;
      if constexpr (maps_lengths<I>)
        saved.lengths[I].set(pass, In::extents[0],
                             [](std::size_t n) { return detail::length_through<Children, I>(n); });
      if constexpr (C == Capability::stream && passes_on<I>) return;
      S* out = i < kept ? saved.map[i] : y;
      if constexpr (!keeps_for_backward(C) && (folds<I> || is_folded[I]))
        if (!pass.training) {
          if constexpr (folds<I>) {
            constexpr std::size_t last = I + folded_parts<I> - 1;
            ChildKernel<I>::template forward_then<After<I>>(
                part<I>(pass, first_phase[I], saved), packed_weights + packed_offset[size + I], input<I>(x, saved),
                last < kept ? saved.map[last] : y, scratch);
          }
          return;
        }
      ChildKernel<i>::template forward<C>(part<i>(pass, first_phase[i], saved), w.from(Plan::first_tensor[i]),
                                          packed_weights + packed_offset[i], input<i>(x, saved), out,
                                          slot<i>(saved.child), scratch);
    });
    if constexpr (joint != Joint::none)
      if (phases == 0 || pass.phase == phases) join.forward(pass.samples, x, saved.map[size - 1], y);
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                 const S* y, const S* dy, S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    if constexpr (joint != Joint::none)
      if (phases == 0 || pass.phase == 0)
        join.backward(pass.samples, x, saved.map[size - 1], dy, dx, saved.gradient[size - 1]);
    for_each_index_down<size>([&](auto i) {
      constexpr std::size_t first = phases - first_phase[i + 1];
      if (!works_in<phases>(pass.phase, first, phases - first_phase[i])) return;
      S* down = dx;
      if constexpr (i > 0) {
        down = saved.gradient[i - 1];
        if (phases == 0 || pass.phase == first) std::fill_n(down, pass.samples * Child<i>::In::elements, S(0));
      }
      const S* out = i < kept ? saved.map[i] : y;
      const S* d_out = dy;
      if constexpr (i + 1 < size || detail::takes_own_gradient(joint)) d_out = saved.gradient[i];
      Pass here = part<i>(pass, first, saved);
      if constexpr (!is_stack_kernel<ChildKernel<i>>) zero_gradients<Child<i>>(here, g.from(Plan::first_tensor[i]));
      ChildKernel<i>::template backward<C>(here, w.from(Plan::first_tensor[i]), packed_weights + packed_offset[i],
                                           input<i>(x, saved), out, d_out, down, g.from(Plan::first_tensor[i]),
                                           slot<i>(saved.child), scratch);
    });
  }

  /// f(path, map, elements) for the output of every part, in the order of computation, after a forward.
  template <Capability C, class F>
  static void for_each_map(std::size_t samples, Saved<C>& saved, S* y, const std::string& path, F&& f) {
    const std::vector<std::string> names = detail::child_paths(path, Children{});
    for_each_index<size>([&](auto c) {
      S* out = c < kept ? saved.map[c] : y;
      detail::maps_of_part<ChildKernel<c>, C>(samples, slot<c>(saved.child), out, names[c], f);
      f(names[c], static_cast<const S*>(out), samples * Child<c>::Out::elements);
    });
  }

  /// The mixture weights of all stacks inside, after a forward that kept for backward.
  template <Capability C, class Sums>
  static void for_each_mixture(const Pass& pass, Weights<S> w, Saved<C>& saved, const std::string& path,
                               std::vector<S>& weights, S* scratch, Sums& sums) {
    const std::vector<std::string> names = detail::child_paths(path, Children{});
    for_each_index<size>([&](auto c) {
      if constexpr (mixes_of<ChildKernel<c>>())
        ChildKernel<c>::template for_each_mixture<C>(part<c>(pass, 0, saved), w.from(Plan::first_tensor[c]),
                                                     slot<c>(saved.child), names[c], weights, scratch, sums);
    });
  }

 private:
  static constexpr detail::JoinInput<joint, Backend> join{In::positions, In::features, Out::features};

  /// Part I and the normalisation behind it: both as they are, and part I with the normalisation in its weights.
  template <std::size_t I>
  static constexpr void pack_folded(Weights<S> w, S* packed_weights) {
    const Weights<S> own = w.from(Plan::first_tensor[I]);
    S* const norm = packed_weights + packed_offset[I + 1];
    ChildKernel<I>::pack(own, packed_weights + packed_offset[I]);
    ChildKernel<I + 1>::pack(w.from(Plan::first_tensor[I + 1]), norm);
    ChildKernel<I>::pack(own, {norm, norm + ChildKernel<I + 1>::shift_offset},
                         packed_weights + packed_offset[size + I]);
  }

  /// Whether a part of a stream finds in the chain's own pass all it needs: its path is a key of random numbers alone.
  template <std::size_t I>
  static constexpr bool knows_enough =
      phases == 0 &&
      (detail::count_tables<Children, I>() == 0 || tables_of<typename Child<I>::Layer, typename Child<I>::In>() == 0);

  /// What part I knows, of which `first` is the first phase.
  template <std::size_t I, Capability C>
    requires(C == Capability::stream && knows_enough<I>)
  static constexpr const Pass& part(const Pass& pass, std::size_t, const Saved<C>&) {
    return pass;  // NOLINT(bugprone-return-const-ref-from-parameter): a copy would be made of each part of each step
  }
  template <std::size_t I, Capability C>
  static constexpr Pass part(const Pass& pass, std::size_t first, const Saved<C>& saved) {
    Pass p = pass.part(I, detail::count_tables<Children, I>());
    p.enter(phases == 0 ? 0 : pass.phase - first);
    if constexpr (maps_lengths<I>) p.lengths = saved.lengths[I].of(pass);
    return p;
  }

  template <std::size_t I, Capability C>
  static constexpr auto input(const ElementOf<In, S>* x, const Saved<C>& saved) {
    if constexpr (I == 0)
      return x;
    else
      return static_cast<const S*>(saved.map[I - 1]);
  }
};

template <class L, class In, class Backend>
inline constexpr bool is_chain_kernel<ChainKernel<L, In, Backend>> = true;

template <class L, class In, HostBackend Backend>
  requires(L::is_chain)
ChainKernel<L, In, Backend> select_kernel(rank::Layer, Placed<L, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
