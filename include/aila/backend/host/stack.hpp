// Stack on the host: one executor over the nodes of its plan. Layers of one kind share their code, so that a deep stack
// takes as long to compile as one with a layer of each kind.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "lengths.hpp"
#include "pooling.hpp"
#include "stack_plan.hpp"

namespace aila::inline v0 {

template <class L, class In, class Backend>
struct StackKernel {
  static constexpr const char* name = "host stack";
  using Scalar = typename Backend::Scalar;
  using S = Scalar;
  using Plan = typename L::template Plan<In>;
  using Layers = typename Plan::Layers;
  using Parts = detail::StackParts<Layers, Backend>;
  using Node = detail::PlanNode;
  using Value = detail::PlanValue;
  using Refusal = typename Parts::Refusal;
  using MissingBackward = typename Parts::MissingBackward;
  static constexpr std::size_t depth = Plan::depth;
  static constexpr std::size_t layer_kinds = Parts::layer_kinds.count, mixture_kinds = Parts::mixture_kinds.count,
                               map_kinds = Parts::map_kinds.count;
  template <std::size_t J>
  using Layer = At<Layers, J>;
  template <std::size_t J>
  using Integrated = typename Layer<J>::Integration;
  template <std::size_t J>
  using Integrate = KernelFor<Integrated<J>, Backend>;
  template <std::size_t K>
  using LayerPart = At<typename Parts::LayerParts, Parts::layer_kinds.first[K]>;
  template <std::size_t K>
  using LayerKernel = KernelFor<LayerPart<K>, Backend>;
  template <std::size_t K>
  using Mixture = At<typename Parts::Mixtures, Parts::mixture_kinds.first[K]>;
  template <std::size_t K>
  using MapOfKind = At<typename Parts::Maps, Parts::map_kinds.first[K]>;

  /// Elements of the largest map of a layer.
  static constexpr std::size_t most_elements = [] {
    std::size_t most = 0;
    for (const detail::MapFacts& m : Parts::map) most = std::max<std::size_t>(most, m.elements);
    return most;
  }();

  static constexpr const auto& plan = detail::stack_plan<Plan, Backend>;
  using Nodes = detail::LayerNodes;
  static constexpr auto packed_offset =
      detail::packed_offsets<Parts>;  ///< of core, integration, epilogue of each layer
  static constexpr std::size_t packed = packed_offset[3 * depth];
  static constexpr std::size_t values = plan.values;

  static constexpr std::size_t phases = plan.phases;
  template <class F>
  static constexpr std::size_t most_of_kinds(F&& f) {
    std::size_t most = 0;
    for_each_index<layer_kinds>(
        [&](auto k) { most = std::max<std::size_t>(most, f(std::type_identity<LayerKernel<k>>{})); });
    return most;
  }
  static constexpr std::size_t meeting = most_of_kinds([]<class K>(std::type_identity<K>) { return meeting_of<K>(); });

  template <Capability C, class Indices, class MixtureIndices>
  struct SavedSlots;
  template <Capability C, std::size_t... K, std::size_t... M>
  struct SavedSlots<C, std::index_sequence<K...>, std::index_sequence<M...>> {
    using Layers = Slots<std::array<typename LayerKernel<K>::template Saved<C>, Parts::layer_kinds.entries[K]>...>;
    using Mixtures = Slots<std::array<typename Mixture<M>::template Saved<C>, Parts::mixture_kinds.entries[M]>...>;
  };
  static constexpr std::size_t levels = [] {
    std::size_t most = 0;
    for (const Value& v : plan.value) most = std::max<std::size_t>(most, v.level);
    return most;
  }();

  static constexpr std::size_t most_passing = [] {
    std::size_t most = 0;
    for (const Value& v : plan.value)
      if (v.role == Value::Role::passing) most = std::max<std::size_t>(most, v.elements);
    return most;
  }();

  template <Capability C>
  struct Saved {
    using All = SavedSlots<C, std::make_index_sequence<layer_kinds>, std::make_index_sequence<mixture_kinds>>;
    typename All::Layers layers;
    typename All::Mixtures mixtures;
    std::array<S*, values + 1> value{};  ///< all but the stack's input and output; those that pass are in scratch
    std::array<S*, (keeps_for_backward(C) ? plan.gradients : 0) + 1> gradient{};
    std::array<detail::MappedLengths<S>, levels + 1> lengths{};

    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      using Role = typename Value::Role;
      for_each_index<layer_kinds>([&](auto k) {
        for (auto& one : slot<k>(layers)) one.bind(arena, samples);
      });
      for (std::size_t j = 0; j < depth; ++j) {
        if (plan.layer[j].mixture == Nodes::none) continue;
        const Node& n = plan.node[plan.layer[j].mixture];
        detail::with_kind<mixture_kinds>(n.kind, [&](auto k) {
          Mixture<k>::template bind<C>(Parts::template numbers<Mixture<k>>[j], slot<k>(mixtures)[n.slot], arena,
                                       samples);
        });
      }
      if constexpr (C != Capability::stream)
        for (std::size_t i = 1; i <= levels; ++i) lengths[i].bind(arena, samples);
      S* own = nullptr;
      S* sum = nullptr;
      if constexpr (!keeps_for_backward(C)) {  // forward only: one buffer serves every layer
        sum = arena.take(samples * most_elements);
        own = arena.take(samples * most_elements);
      }
      for (std::size_t v = 0; v < values; ++v) {
        const Value& of = plan.value[v];
        if (of.role == Role::external || of.role == Role::passing) continue;
        value[v] = !keeps_for_backward(C) && of.role == Role::own   ? own
                   : !keeps_for_backward(C) && of.role == Role::sum ? sum
                                                                    : arena.take(samples * of.elements);
      }
      if constexpr (keeps_for_backward(C))
        for (std::size_t g = 0; g < plan.gradients; ++g) gradient[g] = arena.take(samples * plan.gradient_size[g]);
    }
  };
  /// Of a block of steps, the maps lie in those of the whole sequence.
  template <class Full, class Block>
  static void point_to_rows(const Full& full, std::size_t row, Block& block) noexcept {
    using Role = typename Value::Role;
    for (std::size_t v = 0; v < values; ++v) {
      const Value& of = plan.value[v];
      if (of.role == Role::external || of.role == Role::passing) continue;
      const std::size_t stride = of.role == Role::own || of.role == Role::sum ? most_elements : of.elements;
      block.value[v] = full.value[v] + row * stride;
    }
  }

  static constexpr std::size_t pack_pieces = depth;
  static constexpr std::size_t pack_piece_tensor(std::size_t piece) { return Plan::first_tensor[piece]; }
  static constexpr void pack(Weights<S> w, S* to) {
    for (std::size_t j = 0; j < depth; ++j) pack_piece(j, w, to);
  }
  static constexpr void pack_piece(std::size_t piece, Weights<S> w, S* to) {
    for (std::size_t i = plan.layer[piece].begin; i < plan.layer[piece + 1].begin; ++i) {
      const Node& n = plan.node[i];
      if (n.sort == Node::Sort::layer)
        detail::with_kind<layer_kinds>(n.kind, [&](auto k) { LayerKernel<k>::pack(w.from(n.tensor), to + n.packed); });
      else if (n.sort == Node::Sort::mixture)
        detail::with_kind<mixture_kinds>(n.kind, [&](auto k) {
          Mixture<k>::pack(Parts::template numbers<Mixture<k>>[n.layer], w.from(n.tensor), to + n.packed);
        });
    }
  }

  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    std::size_t most = std::max(samples * most_passing,
                                most_of_kinds([&]<class K>(std::type_identity<K>) { return K::scratch(samples, c); }));
    for (std::size_t j = 0; j < depth; ++j)
      detail::with_kind<mixture_kinds>(Parts::mixture_kinds.kind[j], [&](auto k) {
        most = std::max(most, Mixture<k>::scratch(Parts::template numbers<Mixture<k>>[j], samples, c));
      });
    return most;
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                S* y, Saved<C>& saved, S* scratch) {
    forward_layers<C>(pass, w, packed_weights, x, y, saved, scratch, 0, depth);
  }

  /// The same for layers [begin, end) alone.
  template <Capability C>
  static constexpr void forward_layers(const Pass& pass, Weights<S> w, const S* packed_weights,
                                       const ElementOf<In, S>* x, S* y, Saved<C>& saved, S* scratch, std::size_t begin,
                                       std::size_t end) {
    if constexpr (most_passing > 0)
      for (std::size_t v = 0; v < values; ++v)
        if (plan.value[v].role == Value::Role::passing) saved.value[v] = scratch;
    for (std::size_t i = plan.layer[begin].begin; i < plan.layer[end].begin; ++i) {
      const Node& n = plan.node[i];
      if (!works_in<phases>(pass.phase, n.first_phase, n.last_phase)) continue;
      S* const out = n.writes == plan.output ? y : saved.value[n.writes];
      if (n.sort == Node::Sort::layer) {
        detail::with_kind<layer_kinds>(n.kind, [&](auto k) {
          using Part = LayerPart<k>;
          const Pass here = pass_of(n, n.first_phase, pass, saved);
          if constexpr (C != Capability::stream && changes_length<typename Part::Layer, typename Part::In>())
            if (here.phase == 0)
              saved.lengths[plan.value[n.writes].level].set(here, Part::In::extents[0], [](std::size_t steps) {
                return length_after<typename Part::Layer, typename Part::In>(steps);
              });
          LayerKernel<k>::template forward<C>(here, w.from(n.tensor), packed_weights + n.packed,
                                              input<Part>(n, x, y, saved), out, slot<k>(saved.layers)[n.slot], scratch);
        });
      } else if (n.sort == Node::Sort::mixture) {
        std::array<const S*, depth + 1> item{};
        for (std::size_t r = 0; r < n.reads; ++r) item[r] = read(n, r, y, saved);
        detail::with_kind<mixture_kinds>(n.kind, [&](auto k) {
          Mixture<k>::template forward<C>(
              Parts::template numbers<Mixture<k>>[n.layer], pass_of(n, n.first_phase, pass, saved), w.from(n.tensor),
              packed_weights + n.packed, item[0], item.data() + 1, out, slot<k>(saved.mixtures)[n.slot], scratch);
        });
      } else if (n.sort == Node::Sort::pool) {
        with_pooling(n, [&]<class P>(std::type_identity<P>) {
          P::forward(at_value(plan.read[n.read].value, pass, saved), read(n, 0, y, saved), out);
        });
      } else {
        place(n, pass, read(n, 0, y, saved), out);
      }
    }
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                 const S* y, const S* dy, S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    for (std::size_t i = plan.nodes; i-- > 0;) {
      const Node& n = plan.node[i];
      const std::size_t first = phases - n.last_phase;
      if (!works_in<phases>(pass.phase, first, phases - n.first_phase)) continue;
      if (works_in<phases>(pass.phase, first, first))
        for (std::size_t r = n.read; r < n.read + n.reads; ++r)
          if (plan.read[r].last) {
            const Value& v = plan.value[plan.read[r].value];
            std::fill_n(saved.gradient[v.gradient], pass.samples * v.elements, S(0));
          }
      const bool ends = n.writes == plan.output;
      const S* const out = ends ? y : saved.value[n.writes];
      const S* const d_out = ends ? dy : saved.gradient[plan.value[n.writes].gradient];
      const auto gradient = [&](std::size_t r) {
        return saved.gradient[plan.value[plan.read[n.read + r].value].gradient];
      };
      if (n.sort == Node::Sort::layer) {
        detail::with_kind<layer_kinds>(n.kind, [&](auto k) {
          using Part = LayerPart<k>;
          Pass here = pass_of(n, first, pass, saved);
          zero_gradients<Part>(here, g.from(n.tensor));
          LayerKernel<k>::template backward<C>(here, w.from(n.tensor), packed_weights + n.packed,
                                               input<Part>(n, x, y, saved), out, d_out,
                                               plan.read[n.read].value == plan.input ? dx : gradient(0),
                                               g.from(n.tensor), slot<k>(saved.layers)[n.slot], scratch);
        });
      } else if (n.sort == Node::Sort::mixture) {
        std::array<const S*, depth + 1> item{};
        std::array<S*, depth + 1> d_item{};
        for (std::size_t r = 0; r < n.reads; ++r) {
          item[r] = read(n, r, y, saved);
          d_item[r] = gradient(r);
        }
        Pass here = pass_of(n, first, pass, saved);
        const detail::NodeFacts& part = Parts::integration[n.layer];
        zero_gradients(here, g.from(n.tensor), part.specs, part.tensors);
        detail::with_kind<mixture_kinds>(n.kind, [&](auto k) {
          Mixture<k>::template backward<C>(Parts::template numbers<Mixture<k>>[n.layer], here, w.from(n.tensor),
                                           packed_weights + n.packed, item[0], item.data() + 1, d_out, d_item[0],
                                           d_item.data() + 1, g.from(n.tensor), slot<k>(saved.mixtures)[n.slot],
                                           scratch);
        });
      } else if (n.sort == Node::Sort::pool) {
        with_pooling(n, [&]<class P>(std::type_identity<P>) {
          P::backward(at_value(plan.read[n.read].value, pass, saved), d_out, gradient(0));
        });
      } else {
        place_backward(n, pass, d_out, gradient(0));
      }
    }
  }

  /// The mixture weights of layer J: [samples, positions, heads, items]. After a forward that kept for backward.
  template <std::size_t J, Capability C>
  static constexpr void mixture(const Pass& pass, Weights<S> w, Saved<C>& saved, S* weights, S* scratch) {
    if constexpr (Parts::integration[J].mixes) {
      const Node& n = plan.node[plan.layer[J].mixture];
      std::array<const S*, depth + 1> item{};
      for (std::size_t r = 0; r < n.reads; ++r) item[r] = saved.value[plan.read[n.read + r].value];
      Integrate<J>::mixture(at_value(n.writes, pass, saved), w.from(n.tensor), item[0], item.data() + 1, weights,
                            scratch);
    }
  }

  /// f(path, map, elements) for own output, integration and published map of every layer, each behind the maps inside
  /// it, after a forward that kept for backward.
  template <Capability C, class F>
  static void for_each_map(std::size_t samples, Saved<C>& saved, S* y, const std::string& path, F&& f) {
    for (std::size_t j = 0; j < depth; ++j) {
      const std::string layer = path + (path.empty() ? "" : ".") + std::to_string(j);
      const auto show = [&](std::uint32_t number, const char* what) {
        if (number == Nodes::none) return;
        const Node& n = plan.node[number];
        S* const out = n.writes == plan.output ? y : saved.value[n.writes];
        if (n.sort == Node::Sort::layer)
          detail::with_kind<layer_kinds>(n.kind, [&](auto k) {
            detail::maps_of_part<LayerKernel<k>, C>(samples, slot<k>(saved.layers)[n.slot], out, layer + what, f);
          });
        f(layer + what, static_cast<const S*>(out), samples * Parts::map[j].elements);
      };
      show(plan.layer[j].core, ".core");
      show(plan.layer[j].mixture, ".integrate");
      show(plan.layer[j].epilogue, ".epilogue");
    }
  }

  static constexpr bool takes_blocks = [] {
    bool all = true;
    for_each_index<layer_kinds>([&](auto k) { all = all && takes_blocks_of<LayerKernel<k>>(); });
    for_each_index<depth>([&](auto j) {
      if constexpr (Parts::integration[j].exists) all = all && takes_blocks_of<Integrate<j>>();
    });
    return all;
  }();

  static constexpr bool mixes = [] {
    bool any = false;
    for_each_index<layer_kinds>([&](auto k) { any = any || mixes_of<LayerKernel<k>>(); });
    for (const detail::NodeFacts& integration : Parts::integration) any = any || integration.mixes;
    return any;
  }();
  /// The mixture weights of every layer that has them, and of all stacks inside, given to
  /// sums.add<Integration>(path, layer, pass, weights).
  template <Capability C, class Sums>
  static void for_each_mixture(const Pass& pass, Weights<S> w, Saved<C>& saved, const std::string& path,
                               std::vector<S>& weights, S* scratch, Sums& sums) {
    const auto inside = [&](std::uint32_t number, const std::string& of) {
      if (number == Nodes::none) return;
      const Node& n = plan.node[number];
      detail::with_kind<layer_kinds>(n.kind, [&](auto k) {
        if constexpr (mixes_of<LayerKernel<k>>())
          LayerKernel<k>::template for_each_mixture<C>(pass_of(n, 0, pass, saved), w.from(n.tensor),
                                                       slot<k>(saved.layers)[n.slot], of, weights, scratch, sums);
      });
    };
    for_each_index<depth>([&](auto j) {
      constexpr std::size_t J = j;
      const std::string layer = path + (path.empty() ? "" : ".") + std::to_string(J);
      inside(plan.layer[J].core, layer + ".core");
      if constexpr (Parts::integration[J].mixes) {
        weights.resize(pass.samples * Layer<J>::Out::positions * Integrated<J>::mixture_weights);
        mixture<J>(pass, w, saved, weights.data(), scratch);
        const Pass here = at_value(plan.node[plan.layer[J].mixture].writes, pass, saved);
        sums.template add<Integrated<J>>(layer + ".integrate", J, here, weights.data());
      }
      inside(plan.layer[J].epilogue, layer + ".epilogue");
    });
  }

 private:
  /// Valid steps of a value. Of a stream the pass says which steps are valid, and no layer that streams changes that.
  template <Capability C>
  static constexpr const std::int32_t* lengths([[maybe_unused]] std::size_t value, const Pass& pass,
                                               [[maybe_unused]] const Saved<C>& saved) {
    if constexpr (C != Capability::stream && levels > 0)
      if (plan.value[value].level > 0) return saved.lengths[plan.value[value].level].of(pass);
    return pass.lengths;
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
    return p;
  }

  /// The value that is number r of those a node reads.
  template <Capability C>
  static constexpr const S* read(const Node& n, std::size_t r, const S* y, const Saved<C>& saved) {
    const std::size_t v = plan.read[n.read + r].value;
    return v == plan.output ? y : saved.value[v];
  }
  template <class Part, Capability C>
  static constexpr auto input(const Node& n, const ElementOf<In, S>* x, const S* y, const Saved<C>& saved) {
    if constexpr (Part::In::is_tokens) {
      return x;
    } else if constexpr (In::is_tokens) {
      return read(n, 0, y, saved);
    } else {
      return plan.read[n.read].value == plan.input ? x : read(n, 0, y, saved);
    }
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

  /// f(constant width of the map that a node places, width of the joined one, rows).
  template <class F>
  static constexpr void with_width(const Node& n, const Pass& pass, F&& f) {
    const Value& joined = plan.value[n.writes];
    detail::with_kind<map_kinds>(n.kind, [&](auto k) {
      f(std::integral_constant<std::size_t, MapOfKind<k>::features>{}, joined.features,
        pass.samples * joined.elements / joined.features);
    });
  }
  /// A map into its columns of a joined one, and the gradient back.
  static constexpr void place(const Node& n, const Pass& pass, const S* from, S* joined) {
    with_width(n, pass, [&](auto features, std::size_t width, std::size_t rows) {
      S* to = joined + n.column;
      for (std::size_t row = 0; row < rows; ++row, to += width, from += features)
        for (std::size_t f = 0; f < features; ++f) to[f] = from[f];
    });
  }
  static constexpr void place_backward(const Node& n, const Pass& pass, const S* d_joined, S* to) {
    with_width(n, pass, [&](auto features, std::size_t width, std::size_t rows) {
      const S* from = d_joined + n.column;
      for (std::size_t row = 0; row < rows; ++row, to += features, from += width)
        for (std::size_t f = 0; f < features; ++f) to[f] += from[f];
    });
  }
};

template <class L, class In, class Backend>
inline constexpr bool is_stack_kernel<StackKernel<L, In, Backend>> = true;

template <class L, class In, HostBackend Backend>
  requires(L::is_stack)
StackKernel<L, In, Backend> select_kernel(rank::Layer, Placed<L, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
