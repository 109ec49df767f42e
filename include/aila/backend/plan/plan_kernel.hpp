// The kernel of every composite, on the host and on devices: one executor over the nodes of its plan. Layers of one
// kind share their code, so that a deep stack takes as long to compile as one with a layer of each kind.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "../host/plan_joints.hpp"
#include "../host/pooling.hpp"
#include "lengths.hpp"
#include "plan_parts.hpp"

namespace aila::inline v0 {

/// Composite has: name, Backend, Input; Parts (see LayersAlone and StackParts) with the parts by kind; Tables and
/// plan_into, which writes the nodes; part_paths(path), the names of the parts, by their number.
template <class Composite>
struct PlanKernel {
  static constexpr const char* name = Composite::name;
  using Backend = typename Composite::Backend;
  using Scalar = typename Backend::Scalar;
  using S = Scalar;
  using In = typename Composite::Input;
  using Parts = typename Composite::Parts;
  using LayerParts = typename Parts::LayerParts;
  using Node = detail::PlanNode;
  using Sort = Node::Sort;
  using Value = detail::PlanValue;
  using Joints = detail::PlanJoints<Backend>;
  using Refusal = typename Parts::Refusal;
  using MissingBackward = typename Parts::MissingBackward;

  static constexpr const auto& plan = detail::PlanOf<Composite>::value;
  static constexpr std::size_t values = plan.values, nodes = plan.nodes, phases = plan.phases, packed = plan.packed,
                               ticks = std::max<std::size_t>(plan.ticks, 1);
  static constexpr std::size_t layer_kinds = Parts::layer_kinds.count, mixture_kinds = Parts::mixture_kinds.count,
                               map_kinds = Parts::map_kinds.count, fold_kinds = Parts::fold_kinds.count;
  template <std::size_t K>
  using LayerPart = At<LayerParts, Parts::layer_kinds.first[K]>;
  template <std::size_t K>
  using LayerKernel = KernelFor<LayerPart<K>, Backend>;
  template <std::size_t K>
  using Mixture = At<typename Parts::Mixtures, Parts::mixture_kinds.first[K]>;
  template <std::size_t K>
  using MapOfKind = At<typename Parts::Maps, Parts::map_kinds.first[K]>;
  template <std::size_t K>
  using FoldOfKind = At<typename Parts::Folds, Parts::fold_kinds.first[K]>;

  /// The nodes that are parts of the composite, in the order of their numbers, which is that of their tensors; and
  /// where their packed weights lie.
  static constexpr auto by_part = detail::nodes_by_part<detail::count_parts(plan)>(plan);
  static constexpr auto packed_offset = [] {
    std::array<std::size_t, by_part.size()> offset{};
    for (std::size_t i = 0; i < by_part.size(); ++i) offset[i] = plan.node[by_part[i]].packed;
    return offset;
  }();

  /// Of its backward: what it looks at, and that it can write the input's gradient in place of adding to it.
  static constexpr BackwardNeeds backward_needs{plan.needs_input, plan.needs_output};
  static constexpr bool sets_input_gradient = true;

  /// The greatest f of all kinds of layers.
  template <class F>
  static constexpr std::size_t most_of_kinds(F&& f) {
    std::size_t most = 0;
    for_each_index<layer_kinds>(
        [&](auto k) { most = std::max<std::size_t>(most, f(std::type_identity<LayerKernel<k>>{})); });
    return most;
  }
  template <class F>
  static constexpr bool any_kind(F&& f) {
    bool any = false;
    for_each_index<layer_kinds>([&](auto k) { any = f(std::type_identity<LayerKernel<k>>{}) || any; });
    return any;
  }
  static constexpr std::size_t all_reduce =
      most_of_kinds([]<class K>(std::type_identity<K>) { return all_reduce_of<K>(); });
  static constexpr bool has_layers_alone = [] {
    bool all = true;
    for (std::size_t i = 0; i < nodes; ++i) all = all && plan.node[i].sort == Sort::layer;
    return all;
  }();
  /// A sum of small numbers may be denormal, and what integrations give.
  static constexpr bool stays_normal =
      has_layers_alone && !any_kind([]<class K>(std::type_identity<K>) { return !stays_normal_of<K>(); });
  static constexpr bool takes_blocks =
      !any_kind([]<class K>(std::type_identity<K>) { return !takes_blocks_of<K>(); }) && [] {
        if constexpr (mixture_kinds > 0) return Parts::takes_blocks;
        return true;
      }();
  static constexpr bool mixes = any_kind([]<class K>(std::type_identity<K>) { return mixes_of<K>(); }) || [] {
    bool any = false;
    if constexpr (mixture_kinds > 0)
      for (const detail::NodeFacts& integration : Parts::integration) any = any || integration.mixes;
    return any;
  }();

  template <Capability C, class Indices, class MixtureIndices>
  struct SavedTuples;
  template <Capability C, std::size_t... K, std::size_t... M>
  struct SavedTuples<C, std::index_sequence<K...>, std::index_sequence<M...>> {
    using Layers = Tuple<std::array<typename LayerKernel<K>::template Saved<C>, Parts::layer_kinds.entries[K]>...>;
    using Mixtures = Tuple<std::array<typename Mixture<M>::template Saved<C>, Parts::mixture_kinds.entries[M]>...>;
  };

  template <Capability C>
  struct Saved {
    static constexpr bool keeps = keeps_for_backward(C);
    using All = SavedTuples<C, std::make_index_sequence<layer_kinds>, std::make_index_sequence<mixture_kinds>>;
    typename All::Layers layers;
    typename All::Mixtures mixtures;
    std::array<S*, values + 1> value{};  ///< all but the composite's input and output
    std::array<S*, (keeps ? plan.gradients.count : 0) + 1> gradient{};
    std::array<detail::MappedLengths<S>, plan.levels + 1> lengths{};
    static constexpr bool plans_scratch = C != Capability::stream;
    std::array<S*, (plans_scratch ? nodes : 0) + 1> scratch{};  ///< of each node, where memory is shared

    constexpr S* scratch_of(std::size_t node, S* of_the_call) const {
      if constexpr (plans_scratch)
        if (scratch[node] != nullptr) return scratch[node];
      return of_the_call;
    }
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      const detail::PlanLives lives(arena.parts(), ticks);
      bind_values(lives, arena, samples);
      if constexpr (keeps)
        for (std::size_t g = 0; g < plan.gradients.count; ++g) {
          const detail::PlanBuffer& of = plan.gradients.at[g];
          gradient[g] = arena.take(samples * of.elements, lives.of_gradient(plan.node.data(), of));
        }
      if constexpr (C != Capability::stream)
        for (std::size_t i = 1; i <= plan.levels; ++i) lengths[i].bind(arena, samples);
      for (std::size_t i = 0; i < nodes; ++i) {
        const Node& n = plan.node[i];
        arena.enter(lives.parts(n));
        if (plans_scratch && (arena.shares() || Joints::own_scratch))
          scratch[i] = arena.take(scratch_of_node(n, samples, C), lives.of_scratch(n));
        if (n.sort == Sort::layer)
          detail::with_kind<layer_kinds>(n.kind, [&](auto k) { element<k>(layers)[n.slot].bind(arena, samples); });
        if constexpr (mixture_kinds > 0)
          if (n.sort == Sort::mixture)
            detail::with_kind<mixture_kinds>(n.kind, [&](auto k) {
              Mixture<k>::template bind<C>(Parts::template numbers<Mixture<k>>[n.entry], element<k>(mixtures)[n.slot],
                                           arena, samples);
            });
      }
      arena.enter(lives.whole());
    }

   private:
    constexpr void bind_values(const detail::PlanLives& lives, Arena<S>& arena, std::size_t samples) {
      constexpr std::size_t form = keeps ? 1 : 0;
      constexpr const auto& buffers = plan.buffers[form];
      std::array<S*, values + 1> buffer{};
      for (std::size_t b = 0; arena.shares() && b < buffers.count; ++b)
        buffer[b] = arena.take(samples * buffers.at[b].elements, lives.of_value(plan.node.data(), buffers.at[b]));
      for (std::size_t v = 0; v < values; ++v) {
        const Value& of = plan.value[v];
        if (of.is_external) continue;
        value[v] = arena.shares() ? buffer[of.buffer[form]] : arena.take(samples * of.elements);
      }
    }
  };

  static constexpr std::size_t pack_pieces = plan.pieces;
  static constexpr void pack(Weights<S> w, S* to) {
    for (std::size_t piece = 0; piece < pack_pieces; ++piece) pack_piece(piece, w, to);
  }
  static constexpr void pack_piece(std::size_t piece, Weights<S> w, S* to) {
    const std::size_t i = node_of_piece(piece);
    const Node& n = plan.node[i];
    if constexpr (fold_kinds > 0)
      if (i > 0 && plan.node[i - 1].fold != Node::none) return pack_fold(plan.node[i - 1], n, w, to);
    if (n.sort == Sort::layer) {
      detail::with_kind<layer_kinds>(n.kind, [&](auto k) {
        pack_piece_of<LayerKernel<k>>(piece - n.first_piece, w.from(n.tensor), to + n.packed);
      });
    } else if constexpr (mixture_kinds > 0) {
      detail::with_kind<mixture_kinds>(n.kind, [&](auto k) {
        Mixture<k>::pack(Parts::template numbers<Mixture<k>>[n.entry], w.from(n.tensor), to + n.packed);
      });
    }
  }
  static constexpr std::size_t pack_piece_tensor(std::size_t piece) {
    const std::size_t i = node_of_piece(piece);
    const Node& n = plan.node[i];
    if (i > 0 && plan.node[i - 1].fold != Node::none) return plan.node[i - 1].tensor;
    std::size_t tensor = n.tensor;
    if (n.sort == Sort::layer)
      detail::with_kind<layer_kinds>(
          n.kind, [&](auto k) { tensor += pack_piece_tensor_of<LayerKernel<k>>(piece - n.first_piece); });
    return tensor;
  }

  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    std::size_t most = most_of_kinds([&]<class K>(std::type_identity<K>) { return K::scratch(samples, c); });
    if constexpr (mixture_kinds > 0)
      for (std::size_t i = 0; i < nodes; ++i)
        if (plan.node[i].sort == Sort::mixture) most = std::max(most, scratch_of_node(plan.node[i], samples, c));
    return most;
  }
  /// Of a node; of a composite, whose nodes have their own, nothing.
  static constexpr std::size_t scratch_of_node(const Node& n, std::size_t samples, Capability c) {
    std::size_t count = 0;
    if (n.sort == Sort::layer)
      detail::with_kind<layer_kinds>(n.kind, [&](auto k) {
        if constexpr (!is_plan_kernel<LayerKernel<k>>) count = LayerKernel<k>::scratch(samples, c);
      });
    if constexpr (mixture_kinds > 0)
      if (n.sort == Sort::mixture)
        detail::with_kind<mixture_kinds>(n.kind, [&](auto k) {
          count = Mixture<k>::scratch(Parts::template numbers<Mixture<k>>[n.entry], samples, c);
        });
    return count;
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                S* y, Saved<C>& saved, S* scratch) {
    forward_nodes<C>(pass, w, packed_weights, x, y, saved, scratch, 0, nodes);
  }
  /// The same for nodes [begin, end) alone; those before `begin` have left their maps in `saved`.
  template <Capability C>
  static constexpr void forward_nodes(const Pass& pass, Weights<S> w, const S* packed_weights,
                                      const ElementOf<In, S>* x, S* y, Saved<C>& saved, S* scratch, std::size_t begin,
                                      std::size_t end) {
    over_nodes<C>([&](auto i) {
      if (i < begin)
        pass_by<C>(i, pass, saved);
      else if (i < end)
        forward_node<C>(i, pass, w, packed_weights, x, y, saved, scratch);
    });
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                 const S* y, const S* dy, S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    for (std::size_t i = nodes; i-- > 0;) backward_node<C>(i, pass, w, packed_weights, x, y, dy, dx, g, saved, scratch);
  }

  /// f(path, map, elements) for the output of every part, each behind the maps inside it, after a forward in a
  /// workspace for inspection.
  template <Capability C, class F>
  static void for_each_map(std::size_t samples, Saved<C>& saved, S* y, const std::string& path, F&& f) {
    const std::vector<std::string> paths = Composite::part_paths(path);
    for (const std::size_t i : by_part) {
      const Node& n = plan.node[i];
      S* const out = n.writes == plan.output ? y : saved.value[n.writes];
      if (n.sort == Sort::layer)
        detail::with_kind<layer_kinds>(n.kind, [&](auto k) {
          detail::maps_of_part<LayerKernel<k>, C>(samples, element<k>(saved.layers)[n.slot], out, paths[n.part], f);
        });
      f(paths[n.part], static_cast<const S*>(out), samples * plan.value[n.writes].elements);
    }
  }

  /// The mixture weights of every integration that has them, here and inside the parts, after a forward in such a
  /// workspace, that kept for backward: sums.add<Integration>(path, layer, item numbers, pass, weights), weights
  /// [samples, positions, heads, items].
  template <Capability C, class Sums>
  static void for_each_mixture(const Pass& pass, Weights<S> w, const ElementOf<In, S>* x, const S* y, Saved<C>& saved,
                               const std::string& path, typename Joints::ForProgram& weights, S* scratch, Sums& sums) {
    const std::vector<std::string> paths = Composite::part_paths(path);
    for (const std::size_t i : by_part) {
      const Node& n = plan.node[i];
      if (n.sort == Sort::layer) {
        detail::with_kind<layer_kinds>(n.kind, [&](auto k) {
          if constexpr (mixes_of<LayerKernel<k>>())
            LayerKernel<k>::template for_each_mixture<C>(
                pass_of(n, 0, pass, saved), w.from(n.tensor), input<LayerPart<k>>(n, x, y, saved),
                n.writes == plan.output ? y : saved.value[n.writes], element<k>(saved.layers)[n.slot], paths[n.part],
                weights, scratch, sums);
        });
      } else if constexpr (mixture_kinds > 0) {
        std::array<const S*, most_reads + 1> item{};
        std::array<std::uint32_t, most_reads + 1> number{};
        for (std::size_t r = 0; r < n.reads; ++r) {
          item[r] = read(n, r, x, y, saved);
          number[r] = plan.read[n.read + r].item;
        }
        const Pass here = at_value(n.writes, pass, saved);
        for_each_index<Parts::integration.size()>([&](auto j) {
          using Part = typename Parts::template Integrated<j>;
          if constexpr (Part::mixture_weights > 0)
            if (j == n.entry) {
              KernelFor<Part, Backend>::mixture(
                  here, w.from(n.tensor), item[0], item.data() + 1,
                  weights.room(pass.samples * Part::Own::positions * Part::mixture_weights), scratch);
              sums.template add<Part>(paths[n.part], n.layer, number.data(), weights.pass(here), weights.read(here));
            }
        });
      }
    }
  }

 private:
  static constexpr std::size_t node_of_piece(std::size_t piece) {
    std::size_t i = 0;
    while (piece < plan.node[i].first_piece || piece >= plan.node[i].first_piece + plan.node[i].pieces) ++i;
    return i;
  }
  static constexpr std::size_t most_reads = [] {
    std::size_t most = 0;
    for (std::size_t i = 0; i < nodes; ++i) most = std::max<std::size_t>(most, plan.node[i].reads);
    return most;
  }();
  static constexpr bool has(Sort sort) {
    for (std::size_t i = 0; i < nodes; ++i)
      if (plan.node[i].sort == sort) return true;
    return false;
  }

  /// Whether nothing is left to be decided at run time, where no two layers have one kind: that is felt where a sample
  /// takes a fraction of a microsecond, in a stream and in predictions with small maps. Elsewhere it would be code for
  /// every node.
  template <Capability C>
  static constexpr bool unrolls = [] {
    std::size_t elements = 0;
    for (std::size_t v = 0; v < values; ++v) elements += plan.value[v].elements;
    return layer_kinds == LayerParts::size && mixture_kinds == 0 &&
           (C == Capability::stream || (C == Capability::predict && elements <= 2048));
  }();
  /// Calls f with the number of each node, a constant or not.
  template <Capability C, class F>
  static constexpr void over_nodes(F&& f) {
    if constexpr (unrolls<C>)
      for_each_index<nodes>(f);
    else
      for (std::size_t i = 0; i < nodes; ++i) f(i);
  }
  /// Whether node i, a constant or not, can be of this sort.
  template <Sort sort, class I>
  static constexpr bool can_be = [] {
    if constexpr (std::is_same_v<I, std::size_t>)
      return has(sort);
    else
      return plan.node[I::value].sort == sort;
  }();
  template <class I, class F>
  static constexpr void with_layer(I i, F&& f) {
    if constexpr (std::is_same_v<I, std::size_t>)
      detail::with_kind<layer_kinds>(plan.node[i].kind, f);
    else
      f(std::integral_constant<std::size_t, plan.node[I::value].kind>{});
  }

  template <Capability C, class I>
  static constexpr void forward_node(I i, const Pass& pass, Weights<S> w, const S* packed_weights,
                                     const ElementOf<In, S>* x, S* y, Saved<C>& saved, S* scratch_of_call) {
    const Node& n = plan.node[i];
    S* const scratch = saved.scratch_of(i, scratch_of_call);
    if (!works_in<phases>(pass.phase, n.first_phase, n.last_phase)) return;
    if constexpr (!keeps_for_backward(C) && fold_kinds > 0)
      if (!pass.training) {
        if (n.is_inside_fold) return;
        if (n.fold != Node::none) return forward_fold<C>(n, pass, packed_weights, x, y, saved, scratch);
      }
    S* const out = n.writes == plan.output ? y : saved.value[n.writes];
    if constexpr (can_be<Sort::layer, I>)
      if (n.sort == Sort::layer)
        return with_layer(i, [&](auto k) {
          using Part = LayerPart<k>;
          using Kernel = LayerKernel<k>;
          if constexpr (C == Capability::stream && copies_of<Kernel>() && !In::is_tokens)
            if (read(n, 0, x, y, saved) == out) return;
          const Pass& here = pass_of_layer<Part, C>(n, pass, saved);
          set_lengths<Part>(n, here, saved);
          Kernel::template forward<C>(here, w.from(n.tensor), packed_weights + n.packed, input<Part>(n, x, y, saved),
                                      out, element<k>(saved.layers)[n.slot], scratch);
        });
    if constexpr (can_be<Sort::mixture, I>)
      if (n.sort == Sort::mixture) {
        std::array<const S*, most_reads + 1> item{};
        for (std::size_t r = 0; r < n.reads; ++r) item[r] = read(n, r, x, y, saved);
        return detail::with_kind<mixture_kinds>(n.kind, [&](auto k) {
          Mixture<k>::template forward<C>(
              Parts::template numbers<Mixture<k>>[n.entry], pass_of(n, n.first_phase, pass, saved), w.from(n.tensor),
              packed_weights + n.packed, item[0], item.data() + 1, out, element<k>(saved.mixtures)[n.slot], scratch);
        });
      }
    if constexpr (can_be<Sort::pool, I>)
      if (n.sort == Sort::pool)
        return with_pooling(n, [&]<class P>(std::type_identity<P>) {
          P::forward(at_value(plan.read[n.read].value, pass, saved), read(n, 0, x, y, saved), out);
        });
    const std::size_t elements = plan.value[n.writes].elements, width_out = plan.value[n.writes].features;
    const Value& from = plan.value[plan.read[n.read].value];
    if constexpr (can_be<Sort::place, I>)
      if (n.sort == Sort::place)
        return Joints::place(pass, pass.samples * (elements / width_out), read(n, 0, x, y, saved), from.features,
                             out + n.column, width_out);
    if constexpr (can_be<Sort::reverse, I> || can_be<Sort::place_reversed, I>)
      if (n.sort == Sort::reverse || n.sort == Sort::place_reversed)
        return Joints::reverse(at_value(plan.read[n.read].value, pass, saved), elements / width_out, from.features,
                               read(n, 0, x, y, saved), from.features, out + n.column, width_out, true);
    if constexpr (can_be<Sort::add, I>)
      if (n.sort == Sort::add) {
        std::array<const S*, most_reads + 1> map{};
        for (std::size_t r = 0; r < n.reads; ++r) map[r] = read(n, r, x, y, saved);
        return Joints::add(pass, pass.samples * elements, map.data(), n.reads, out);
      }
    if constexpr (can_be<Sort::subtract, I>)
      if (n.sort == Sort::subtract)
        return Joints::subtract(pass, pass.samples * elements, read(n, 0, x, y, saved), read(n, 1, x, y, saved), out);
    if constexpr (can_be<Sort::scale, I>)
      if (n.sort == Sort::scale)
        return Joints::scale(pass, elements / width_out, width_out, read(n, 0, x, y, saved), read(n, 1, x, y, saved),
                             out);
  }

  template <Capability C>
  static constexpr void backward_node(std::size_t i, const Pass& pass, Weights<S> w, const S* packed_weights,
                                      const ElementOf<In, S>* x, const S* y, const S* dy, S* dx, Gradients<S> g,
                                      Saved<C>& saved, S* scratch_of_call) {
    const Node& n = plan.node[i];
    S* const scratch = saved.scratch_of(i, scratch_of_call);
    const std::size_t first = phases - n.last_phase;
    if (!works_in<phases>(pass.phase, first, phases - n.first_phase)) return;
    const bool begins = works_in<phases>(pass.phase, first, first);
    const S* const out = n.writes == plan.output ? y : saved.value[n.writes];
    const std::uint32_t up = plan.value[n.writes].gradient;
    const S* const d_out = up == Value::nowhere ? dy : saved.gradient[up];
    const auto gradient = [&](std::size_t r) {
      const std::uint32_t v = plan.read[n.read + r].value;
      return v == plan.input ? dx : saved.gradient[plan.value[v].gradient];
    };
    // Whether the gradient of what is read has nothing yet, in this composite and, of its input, before it.
    const auto is_first = [&](std::size_t r) {
      const detail::PlanRead& one = plan.read[n.read + r];
      return one.last && (one.value != plan.input || pass.sets_input_gradient);
    };
    // Zeros where nothing is yet, for who adds.
    const auto clear = [&](std::size_t r) {
      if (begins && is_first(r) && gradient(r) != nullptr)
        Joints::clear(pass, pass.samples * plan.value[plan.read[n.read + r].value].elements, gradient(r));
    };
    if (n.sort == Sort::layer) {
      Pass here = pass_of(n, first, pass, saved);
      return detail::with_kind<layer_kinds>(n.kind, [&](auto k) {
        using Part = LayerPart<k>;
        using Kernel = LayerKernel<k>;
        S* down = nullptr;
        if constexpr (!Part::In::is_tokens) {
          down = gradient(0);
          here.sets_input_gradient = sets_input_gradient_of<Kernel>() && is_first(0);
          if constexpr (!sets_input_gradient_of<Kernel>()) clear(0);
        }
        if constexpr (!is_plan_kernel<Kernel> && !sets_gradients_of<Kernel>())
          zero_gradients<Part>(here, g.from(n.tensor));
        Kernel::template backward<C>(here, w.from(n.tensor), packed_weights + n.packed, input<Part>(n, x, y, saved),
                                     out, d_out, down, g.from(n.tensor), element<k>(saved.layers)[n.slot], scratch);
      });
    }
    if constexpr (has(Sort::mixture))
      if (n.sort == Sort::mixture && n.is_gathered) {
        Pass here = pass_of(n, first, pass, saved);
        zero_gradients(here, g.from(n.tensor), Parts::integration[n.entry].specs, Parts::integration[n.entry].tensors);
        for (std::size_t r = 0; r < n.reads; ++r) {
          if (!plan.read[n.read + r].gathers) continue;
          bool sets = is_first(r);  // mixtures of several kinds may read one item, those of a kind at once
          for_each_index<mixture_kinds>([&](auto k) {
            if constexpr (is_gathered_mixture<Mixture<k>>)
              sets = gather<k>(n.read + r, pass, w, read(n, r, x, y, saved), dy, gradient(r), sets, g, saved, scratch);
          });
        }
        return;
      }
    if constexpr (has(Sort::mixture))
      if (n.sort == Sort::mixture) {
        std::array<const S*, most_reads + 1> item{};
        std::array<S*, most_reads + 1> d_item{};
        for (std::size_t r = 0; r < n.reads; ++r) {
          item[r] = read(n, r, x, y, saved);
          d_item[r] = gradient(r);
          if (d_item[r] != d_out) clear(r);
        }
        Pass here = pass_of(n, first, pass, saved);
        const detail::NodeFacts& part = Parts::integration[n.entry];
        zero_gradients(here, g.from(n.tensor), part.specs, part.tensors);
        return detail::with_kind<mixture_kinds>(n.kind, [&](auto k) {
          Mixture<k>::template backward<C>(Parts::template numbers<Mixture<k>>[n.entry], here, w.from(n.tensor),
                                           packed_weights + n.packed, item[0], item.data() + 1, d_out, d_item[0],
                                           d_item.data() + 1, g.from(n.tensor), element<k>(saved.mixtures)[n.slot],
                                           scratch);
        });
      }
    if constexpr (has(Sort::pool))
      if (n.sort == Sort::pool) {
        if (gradient(0) == nullptr) return;
        return with_pooling(n, [&]<class P>(std::type_identity<P>) {
          const Pass of_map = at_value(plan.read[n.read].value, pass, saved);
          if constexpr (requires { P::backward(of_map, d_out, gradient(0), true); }) {
            P::backward(of_map, d_out, gradient(0), begins && is_first(0));
          } else {
            clear(0);
            P::backward(of_map, d_out, gradient(0));
          }
        });
      }
    const std::size_t elements = plan.value[n.writes].elements, width_out = plan.value[n.writes].features;
    const std::size_t width = plan.value[plan.read[n.read].value].features;
    if constexpr (has(Sort::place))
      if (n.sort == Sort::place)
        return Joints::take(pass, pass.samples * (elements / width_out), d_out + n.column, width_out, gradient(0),
                            width, is_first(0));
    if constexpr (has(Sort::reverse) || has(Sort::place_reversed))
      if (n.sort == Sort::reverse || n.sort == Sort::place_reversed)
        return Joints::reverse(at_value(plan.read[n.read].value, pass, saved), elements / width_out, width,
                               d_out + n.column, width_out, gradient(0), width, is_first(0));
    if constexpr (has(Sort::add))
      if (n.sort == Sort::add) {
        for (std::size_t r = 0; r < n.reads; ++r) {
          const std::uint32_t v = plan.read[n.read + r].value;
          if (v != plan.input && plan.value[v].gradient == up) continue;  // it is the sum's own
          Joints::pass_on(pass, pass.samples * elements, d_out, gradient(r), is_first(r));
        }
        return;
      }
    if constexpr (has(Sort::subtract))
      if (n.sort == Sort::subtract) {
        Joints::pass_on(pass, pass.samples * elements, d_out, gradient(0), is_first(0));
        return Joints::pass_on_negative(pass, pass.samples * elements, d_out, gradient(1), is_first(1));
      }
    if constexpr (has(Sort::scale))
      if (n.sort == Sort::scale) {
        clear(0);
        return Joints::scale_back(pass, elements / width_out, width_out, read(n, 0, x, y, saved),
                                  read(n, 1, x, y, saved), d_out, gradient(0), gradient(1));
      }
  }

  /// What all mixtures of kind K say of the item that read number r and those behind it read; whether its gradient
  /// still has nothing.
  template <std::size_t K, Capability C>
  static constexpr bool gather(std::size_t r, const Pass& pass, Weights<S> w, const S* item, const S* dy, S* d_item,
                               bool sets, Gradients<S> g, Saved<C>& saved, S* scratch) {
    using M = Mixture<K>;
    constexpr std::size_t most = 16;
    using Term = GatheredMixture<S, typename M::Numbers>;
    std::array<Term, most> term{};
    const std::size_t size = pass.samples * plan.value[plan.read[r].value].elements;
    for (std::size_t next = r + 1; next > 0;) {
      std::size_t count = 0;
      for (; next > 0 && count < most; next = plan.read[next - 1].next) {
        const Node& m = plan.node[plan.read[next - 1].node];
        if (m.kind != K) continue;
        const std::uint32_t up = plan.value[m.writes].gradient;
        term[count++] = Term{.numbers = Parts::template numbers<M>[m.entry],
                             .read = static_cast<std::uint32_t>(next - 1 - m.read),
                             .d_to = up == Value::nowhere ? dy : saved.gradient[up],
                             .w = w.from(m.tensor),
                             .g = g.from(m.tensor)};
      }
      if (count == 0) break;
      M::gather(count, term.data(), size, item, d_item, sets, scratch);
      sets = false;
    }
    return sets;
  }

  template <Capability C>
  static constexpr void forward_fold(const Node& n, const Pass& pass, const S* packed_weights,
                                     const ElementOf<In, S>* x, S* y, Saved<C>& saved, S* scratch) {
    detail::with_kind<fold_kinds>(n.fold, [&](auto k) {
      using Of = FoldOfKind<k>;
      const Node& last = plan.node[n.fold_end];
      const Pass here = pass_of(n, n.first_phase, pass, saved);
      set_lengths<typename Of::Part>(n, here, saved);
      KernelFor<typename Of::Part, Backend>::template forward_then<typename Of::After>(
          here, packed_weights + n.fold_packed, input<typename Of::Part>(n, x, y, saved),
          last.writes == plan.output ? y : saved.value[last.writes], scratch);
    });
  }
  /// A part and the normalisation behind it: both as they are, and the part with the normalisation in its weights.
  static constexpr void pack_fold(const Node& n, const Node& norm, Weights<S> w, S* to) {
    detail::with_kind<fold_kinds>(n.fold, [&](auto k) {
      using Kernel = KernelFor<typename FoldOfKind<k>::Part, Backend>;
      using Norm = KernelFor<typename FoldOfKind<k>::Norm, Backend>;
      S* const scale = to + norm.packed;
      Kernel::pack(w.from(n.tensor), to + n.packed);
      Norm::pack(w.from(norm.tensor), scale);
      Kernel::pack(w.from(n.tensor), {scale, scale + Norm::shift_offset}, to + n.fold_packed);
    });
  }

  /// Valid steps of a value. Of a stream the pass says which steps are valid, and no layer that streams changes that.
  template <Capability C>
  static constexpr const std::int32_t* lengths([[maybe_unused]] std::size_t value, const Pass& pass,
                                               [[maybe_unused]] const Saved<C>& saved) {
    if constexpr (C != Capability::stream && plan.levels > 0)
      if (plan.value[value].level > 0) return saved.lengths[plan.value[value].level].of(pass);
    return pass.lengths;
  }
  /// What is left to do for a node that somebody else has computed.
  template <Capability C, class I>
  static constexpr void pass_by([[maybe_unused]] I i, [[maybe_unused]] const Pass& pass,
                                [[maybe_unused]] Saved<C>& saved) {
    if constexpr (C != Capability::stream && plan.levels > 0 && can_be<Sort::layer, I>) {
      const Node& n = plan.node[i];
      if (n.sort == Sort::layer)
        with_layer(i, [&](auto k) { set_lengths<LayerPart<k>>(n, pass_of(n, n.first_phase, pass, saved), saved); });
    }
  }
  /// Of a layer that changes their number, the valid steps behind it.
  template <class Part, Capability C>
  static constexpr void set_lengths([[maybe_unused]] const Node& n, [[maybe_unused]] const Pass& pass,
                                    [[maybe_unused]] Saved<C>& saved) {
    if constexpr (C != Capability::stream && changes_length<typename Part::Layer, typename Part::In>())
      if (pass.phase == 0)
        saved.lengths[plan.value[n.writes].level].template set<Joints, typename Part::Layer, typename Part::In>(pass);
  }
  template <Capability C>
  static constexpr Pass at_value(std::size_t value, Pass pass, const Saved<C>& saved) {
    pass.lengths = lengths(value, pass, saved);
    return pass;
  }
  /// What a node knows that began in phase `first`.
  template <Capability C>
  static constexpr Pass pass_of(const Node& n, std::size_t first, const Pass& pass, const Saved<C>& saved) {
    Pass p = pass.part(n.part, n.tables);
    p.enter(phases == 0 ? 0 : pass.phase - first);
    p.lengths = lengths(plan.read[n.read].value, pass, saved);
    p.sets_input_gradient = false;
    return p;
  }
  /// Whether a stream's layer finds in the composite's own pass all it needs: its path is a key of random numbers
  /// alone.
  template <class Part, Capability C>
  static constexpr bool knows_enough = C == Capability::stream && phases == 0 &&
                                       (plan.tables == 0 || tables_of<typename Part::Layer, typename Part::In>() == 0);
  /// The same of a layer in a forward.
  template <class Part, Capability C>
    requires(knows_enough<Part, C>)
  static constexpr const Pass& pass_of_layer(const Node&, const Pass& pass, const Saved<C>&) {
    return pass;  // NOLINT(bugprone-return-const-ref-from-parameter): a copy would be made of each layer of each step
  }
  template <class Part, Capability C>
  static constexpr Pass pass_of_layer(const Node& n, const Pass& pass, const Saved<C>& saved) {
    return pass_of(n, n.first_phase, pass, saved);
  }

  /// The value that is number r of those a node reads.
  template <Capability C>
  static constexpr const S* read(const Node& n, std::size_t r, [[maybe_unused]] const ElementOf<In, S>* x, const S* y,
                                 const Saved<C>& saved) {
    const std::size_t v = plan.read[n.read + r].value;
    if constexpr (!In::is_tokens)
      if (v == plan.input) return x;
    return v == plan.output ? y : saved.value[v];
  }
  template <class Part, Capability C>
  static constexpr auto input(const Node& n, const ElementOf<In, S>* x, const S* y, const Saved<C>& saved) {
    if constexpr (Part::In::is_tokens)
      return x;
    else
      return read(n, 0, x, y, saved);
  }

  /// f of the pooling from one kind of map to the positions of another.
  template <class F>
  static constexpr void with_pooling(const Node& n, F&& f) {
    detail::with_kind<map_kinds>(n.kind, [&](auto from) {
      detail::with_kind<map_kinds>(n.slot, [&](auto to) {
        if constexpr (MapOfKind<from>::positions != MapOfKind<to>::positions &&
                      pools_to<MapOfKind<from>, MapOfKind<to>>())
          f(std::type_identity<Pooling<MapOfKind<from>, MapOfKind<to>, Backend>>{});
      });
    });
  }
};

template <class Composite>
inline constexpr bool is_plan_kernel<PlanKernel<Composite>> = true;

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
