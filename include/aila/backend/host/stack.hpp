// Stack on the host: core, integration and epilogue of each layer, the earlier maps kept as an array of pointers.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "../../network/stack.hpp"
#include "../kernel.hpp"
#include "lengths.hpp"
#include "pooling.hpp"

namespace aila::inline v0 {

template <class L, class In, class Backend>
struct StackKernel {
  static constexpr const char* name = "host stack";
  using Scalar = typename Backend::Scalar;
  using S = Scalar;
  using Plan = typename L::template Plan<In>;
  using Policy = typename Plan::Policy;
  using Layers = typename Plan::Layers;
  static constexpr std::size_t depth = Plan::depth;

  template <std::size_t J>
  using Layer = At<Layers, J>;
  template <std::size_t J>
  using Map = typename Layer<J>::Out;
  template <std::size_t J>
  using CoreIn = typename Layer<J>::Core::In;
  template <std::size_t J>
  using Core = KernelFor<typename Layer<J>::Core, Backend>;
  template <std::size_t J>
  using Integrated = typename Layer<J>::Integration;
  template <std::size_t J>
  static constexpr bool integrates = Integrated<J>::Policy::reads != integrate::Reads::nothing;
  template <std::size_t J>
  static constexpr bool bare = std::is_same_v<typename Layer<J>::Epilogue::Layer, Identity>;
  template <std::size_t J>
  static constexpr bool concatenates = Policy::concatenates && J >= 2;
  template <std::size_t J>
  static constexpr std::size_t elements = Map<J>::elements;

  struct NoIntegration : KernelDefaults<S> {};
  struct NoEpilogue : KernelDefaults<S> {};
  template <bool exists, class Part, class None>
  struct Choose {
    using type = None;
  };
  template <class Part, class None>
  struct Choose<true, Part, None> {
    using type = KernelFor<Part, Backend>;
  };
  template <std::size_t J>
  using Integrate = typename Choose<integrates<J>, Integrated<J>, NoIntegration>::type;
  template <std::size_t J>
  using Epilogue = typename Choose<!bare<J>, typename Layer<J>::Epilogue, NoEpilogue>::type;

  /// The first earlier map that layer J's integration reads, and how many it reads.
  template <std::size_t J>
  static constexpr std::size_t first_read = Policy::reads == integrate::Reads::previous ? J - 1 : 0;
  template <std::size_t J>
  static constexpr std::size_t reads = integrates<J> ? J - first_read<J> : 0;
  template <std::size_t From, class To>
  static constexpr bool needs_pooling = Map<From>::positions != To::positions;

  /// pooler[j][i]: the first layer at layer j's positions whose integration reads map i. It pools the map, and adds the
  /// pooled gradients to the map's, for all of them: so often as there are different positions, not layers.
  static constexpr auto pooler = [] {
    struct Reader {
      std::array<std::size_t, 3> axes{};
      std::size_t first = 0, end = 0;  // maps
    };
    std::array<Reader, depth> layer{};
    for_each_index<depth>([&](auto j) {
      for (std::size_t axis = 0; axis + 1 < Map<j>::rank; ++axis) layer[j].axes[axis] = Map<j>::extents[axis];
      layer[j].first = first_read<j>;
      layer[j].end = layer[j].first + reads<j>;
    });
    std::array<std::array<std::size_t, depth>, depth> first{};
    for (std::size_t j = 0; j < depth; ++j)
      for (std::size_t i = layer[j].first; i < layer[j].end; ++i) {
        std::size_t k = i + 1;
        while (layer[k].axes != layer[j].axes || i < layer[k].first || i >= layer[k].end) ++k;
        first[j][i] = k;
      }
    return first;
  }();
  /// number[j][i]: which of the pooled maps is map i at layer j's positions; `count` where these are its own.
  struct Pools {
    std::array<std::array<std::size_t, depth>, depth> number{};
    std::size_t count = 0;
  };
  static constexpr Pools pools = [] {
    Pools all;
    std::array<std::size_t, depth> positions{}, begin{}, end{};
    for_each_index<depth>([&](auto j) {
      positions[j] = Map<j>::positions;
      begin[j] = first_read<j>;
      end[j] = begin[j] + reads<j>;
    });
    for (std::size_t j = 0; j < depth; ++j)
      for (std::size_t i = begin[j]; i < end[j]; ++i)
        if (positions[i] != positions[j])
          all.number[j][i] = pooler[j][i] == j ? all.count++ : all.number[pooler[j][i]][i];
    for (std::size_t j = 0; j < depth; ++j)
      for (std::size_t i = begin[j]; i < end[j]; ++i)
        if (positions[i] == positions[j]) all.number[j][i] = all.count;
    return all;
  }();
  template <std::size_t J, std::size_t From>
  static constexpr std::size_t pool = pools.number[J][From];
  /// Whether no later layer at its positions reads map i: backward begins there.
  static constexpr bool reads_last(std::size_t j, std::size_t i) {
    for (std::size_t k = j + 1; k < depth; ++k)
      if (pooler[k][i] == pooler[j][i]) return false;
    return true;
  }

  /// Where parts of a sample's steps are valid, these are other steps at layer J's positions than in the stack's input.
  template <std::size_t J>
  static constexpr bool maps_lengths = Plan::template changes_length<J + 1>;
  template <std::size_t J>
  static constexpr std::size_t phases_of_core = phases_of<Core<J>>();

  /// Layer J's core works from phase first_phase[J] of a forward on, its integration once the core is done, its
  /// epilogue from then to first_phase[J + 1]; in a backward counted from the end.
  static constexpr auto first_phase = [] {
    std::array<std::size_t, depth + 1> first{};
    for_each_index<depth>([&](auto j) { first[j + 1] = first[j] + phases_of_core<j> + phases_of<Epilogue<j>>(); });
    return first;
  }();
  static constexpr std::size_t phases = first_phase[depth];
  static constexpr std::size_t meeting = [] {
    std::size_t most = 0;
    for_each_index<depth>([&](auto j) { most = std::max({most, meeting_of<Core<j>>(), meeting_of<Epilogue<j>>()}); });
    return most;
  }();

  template <Capability C, class Indices>
  struct SavedSlots;
  template <Capability C, std::size_t... J>
  struct SavedSlots<C, std::index_sequence<J...>> {
    using Cores = Slots<typename Core<J>::template Saved<C>...>;
    using Integrations = Slots<typename Integrate<J>::template Saved<C>...>;
    using Epilogues = Slots<typename Epilogue<J>::template Saved<C>...>;
  };

  template <class Indices>
  struct Refusals;
  template <std::size_t... J>
  struct Refusals<std::index_sequence<J...>> {
    using Any = detail::FirstRefusal<Core<J>..., Integrate<J>..., Epilogue<J>...>;
    using Backward = detail::FirstMissingBackward<Core<J>..., Integrate<J>..., Epilogue<J>...>;
  };
  using Refusal = typename Refusals<std::make_index_sequence<depth>>::Any;
  using MissingBackward = typename Refusals<std::make_index_sequence<depth>>::Backward;

  template <Capability C>
  struct Saved {
    using All = SavedSlots<C, std::make_index_sequence<depth>>;
    typename All::Cores core;
    typename All::Integrations integration;
    typename All::Epilogues epilogue;
    std::array<S*, depth + 1> joined{};        ///< what a core reads under a policy that concatenates
    std::array<S*, depth + 1> own{};           ///< y_j
    std::array<S*, depth + 1> sum{};           ///< y_j + a_j
    std::array<S*, depth + 1> map{};           ///< h_j but for the last, which is the stack's output
    std::array<S*, depth + 1> gradient{};      ///< of h_j
    std::array<S*, pools.count + 1> pooled{};  ///< earlier maps at other positions: pool<j, i> is h_i at layer j's
    std::array<S*, pools.count + 1> pooled_gradient{};

    std::array<detail::MappedLengths<S>, depth + 1> lengths{};  ///< at layer j's positions

    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      S* shared_own = nullptr;
      S* shared_sum = nullptr;
      if constexpr (!keeps_for_backward(C)) {  // forward only: one buffer serves every layer
        shared_own = arena.take(samples * most_elements);
        shared_sum = arena.take(samples * most_elements);
      }
      for_each_index<depth>([&](auto j) {
        constexpr std::size_t J = j;
        slot<J>(core).bind(arena, samples);
        slot<J>(integration).bind(arena, samples);
        slot<J>(epilogue).bind(arena, samples);
        if constexpr (maps_lengths<J>) lengths[J].bind(arena, samples);
        if constexpr (concatenates<J>) joined[J] = arena.take(samples * CoreIn<J>::elements);
        if constexpr (!keeps_for_backward(C)) {
          own[J] = shared_own;
          sum[J] = shared_sum;
        } else {
          if constexpr (integrates<J> || !bare<J>) own[J] = arena.take(samples * elements<J>);
          if constexpr (integrates<J> && !bare<J>) sum[J] = arena.take(samples * elements<J>);
        }
        if constexpr (J + 1 < depth) {
          map[J] = arena.take(samples * elements<J>);
          if constexpr (keeps_for_backward(C)) gradient[J] = arena.take(samples * elements<J>);
        }
        for_each_index<reads<J>>([&](auto i) {
          constexpr std::size_t From = first_read<J> + i;
          if constexpr (needs_pooling<From, Map<J>>) {
            constexpr std::size_t size = Map<J>::positions * Map<From>::features;
            if constexpr (pooler[J][From] == J) {
              pooled[pool<J, From>] = arena.take(samples * size);
              if constexpr (keeps_for_backward(C)) pooled_gradient[pool<J, From>] = arena.take(samples * size);
            }
          }
        });
      });
    }

    constexpr S* published(std::size_t j, S* y) const { return j + 1 < depth ? map[j] : y; }
  };

  static constexpr std::size_t most_elements = [] {
    std::size_t most = 0;
    for_each_index<depth>([&](auto j) { most = std::max(most, elements<j>); });
    return most;
  }();
  /// Elements of the largest gradient of something joined that stands between two maps.
  static constexpr std::size_t most_between = [] {
    std::size_t most = 0;
    for_each_index<depth>([&](auto j) {
      constexpr std::size_t J = j;
      if constexpr (concatenates<J>) most = std::max(most, 2 * CoreIn<J>::elements);
    });
    return most;
  }();

  static constexpr auto packed_offset = [] {
    std::array<std::size_t, 3 * depth + 1> offset{};
    for_each_index<depth>([&](auto j) {
      offset[3 * j + 1] = offset[3 * j] + round_up(Core<j>::packed, alignment_elements);
      offset[3 * j + 2] = offset[3 * j + 1] + round_up(Integrate<j>::packed, alignment_elements);
      offset[3 * j + 3] = offset[3 * j + 2] + round_up(Epilogue<j>::packed, alignment_elements);
    });
    return offset;
  }();
  static constexpr std::size_t packed = packed_offset[3 * depth];

  template <std::size_t J, std::size_t Part>
  static constexpr std::size_t first_tensor = Plan::first_tensor[J] + Layer<J>::first_tensor[Part];

  static constexpr std::size_t pack_pieces = depth;
  static constexpr std::size_t pack_piece_tensor(std::size_t piece) { return Plan::first_tensor[piece]; }
  static constexpr void pack(Weights<S> w, S* to) {
    for (std::size_t j = 0; j < depth; ++j) pack_piece(j, w, to);
  }
  static constexpr void pack_piece(std::size_t piece, Weights<S> w, S* to) {
    for_each_index<depth>([&](auto j) {
      if (j != piece) return;
      Core<j>::pack(w.from(first_tensor<j, 0>), to + packed_offset[3 * j]);
      Integrate<j>::pack(w.from(first_tensor<j, 1>), to + packed_offset[3 * j + 1]);
      Epilogue<j>::pack(w.from(first_tensor<j, 2>), to + packed_offset[3 * j + 2]);
    });
  }

  /// Gradients of y_j + a_j and y_j, of what stands between maps, and the scratch of the parts.
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    std::size_t most = 0;
    for_each_index<depth>([&](auto j) {
      most = std::max(
          {most, Core<j>::scratch(samples, c), Integrate<j>::scratch(samples, c), Epilogue<j>::scratch(samples, c)});
    });
    Arena<S> arena;
    arena.take(samples * most_elements);
    arena.take(samples * most_elements);
    arena.take(samples * most_between);
    return arena.used() + most;
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
    for_each_index<depth>([&](auto j) {
      constexpr std::size_t J = j;
      if (J < begin || J >= end) return;
      S* h = saved.published(J, y);
      S* sum = bare<J> ? h : integrates<J> ? saved.sum[J] : saved.own[J];
      S* own = integrates<J> ? saved.own[J] : sum;
      constexpr std::size_t first = first_phase[J], integrated = first + phases_of_core<J>;
      if (works(pass.phase, first, first)) {
        if constexpr (maps_lengths<J>)
          saved.lengths[J].set(pass, In::extents[0], [](std::size_t n) { return Plan::template length<J + 1>(n); });
        if constexpr (concatenates<J>) join<J>(pass, saved, y, scratch);
      }
      if (works(pass.phase, first, integrated))
        Core<J>::template forward<C>(core_part<J>(pass, first, saved), w.from(first_tensor<J, 0>),
                                     packed_weights + packed_offset[3 * J], core_input<J>(x, saved), own,
                                     slot<J>(saved.core), scratch);
      if constexpr (integrates<J>)
        if (works(pass.phase, integrated, integrated)) {
          const auto before = gather<J>(pass, saved, y);
          Integrate<J>::template forward<C>(own_part<J, 1>(pass, integrated, saved), w.from(first_tensor<J, 1>),
                                            packed_weights + packed_offset[3 * J + 1], own, before.data(), sum,
                                            slot<J>(saved.integration), scratch);
        }
      if constexpr (!bare<J>)
        if (works(pass.phase, integrated, first_phase[J + 1]))
          Epilogue<J>::template forward<C>(own_part<J, 2>(pass, integrated, saved), w.from(first_tensor<J, 2>),
                                           packed_weights + packed_offset[3 * J + 2], sum, h, slot<J>(saved.epilogue),
                                           scratch);
    });
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                 const S* y, const S* dy, S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    Arena<S> arena(scratch);
    S* const d_sum_buffer = arena.take(pass.samples * most_elements);
    S* const d_own_buffer = arena.take(pass.samples * most_elements);
    S* const between = arena.take(pass.samples * most_between);
    S* const rest = scratch + arena.used();
    if (works(pass.phase, 0, 0))
      for_each_index<(depth > 0 ? depth - 1 : 0)>(
          [&](auto j) { std::fill_n(saved.gradient[j], pass.samples * elements<j>, S(0)); });
    for_each_index_down<depth>([&](auto j) {
      constexpr std::size_t J = j;
      const S* h = J + 1 < depth ? saved.map[J] : y;
      const S* sum = bare<J> ? h : integrates<J> ? saved.sum[J] : saved.own[J];
      const S* own = integrates<J> ? saved.own[J] : sum;
      const S* dh = J + 1 < depth ? saved.gradient[J] : dy;

      constexpr std::size_t first = phases - first_phase[J + 1], integrated = first + phases_of<Epilogue<J>>();
      if (!works(pass.phase, first, phases - first_phase[J])) return;

      const S* d_sum = dh;
      if constexpr (!bare<J>) {
        if (works(pass.phase, first, first)) std::fill_n(d_sum_buffer, pass.samples * elements<J>, S(0));
        if (works(pass.phase, first, integrated)) {
          Pass here = own_part<J, 2>(pass, first, saved);
          zero_gradients<typename Layer<J>::Epilogue>(here, g.from(first_tensor<J, 2>));
          Epilogue<J>::template backward<C>(here, w.from(first_tensor<J, 2>), packed_weights + packed_offset[3 * J + 2],
                                            sum, h, dh, d_sum_buffer, g.from(first_tensor<J, 2>),
                                            slot<J>(saved.epilogue), rest);
        }
        d_sum = d_sum_buffer;
      }
      const S* d_own = d_sum;
      if constexpr (integrates<J>) {
        if (works(pass.phase, integrated, integrated)) {
          std::fill_n(d_own_buffer, pass.samples * elements<J>, S(0));
          integrate_backward<J>(pass, w, packed_weights, own, d_sum, d_own_buffer, g, saved, rest);
        }
        d_own = d_own_buffer;
      }
      if (!works(pass.phase, integrated, phases - first_phase[J])) return;
      S* down = J > 0 ? saved.gradient[J > 0 ? J - 1 : 0] : dx;
      if constexpr (concatenates<J>) {
        down = between;
        if (works(pass.phase, integrated, integrated)) std::fill_n(down, pass.samples * CoreIn<J>::elements, S(0));
      }
      Pass here = core_part<J>(pass, integrated, saved);
      zero_gradients<typename Layer<J>::Core>(here, g.from(first_tensor<J, 0>));
      Core<J>::template backward<C>(here, w.from(first_tensor<J, 0>), packed_weights + packed_offset[3 * J],
                                    core_input<J>(x, saved), own, d_own, down, g.from(first_tensor<J, 0>),
                                    slot<J>(saved.core), rest);
      if constexpr (concatenates<J>)
        if (works(pass.phase, phases - first_phase[J], phases - first_phase[J]))
          split<J>(pass, saved, between, between + pass.samples * CoreIn<J>::elements);
    });
  }

  /// The mixture weights of layer J: [samples, positions, heads, items]. After a forward that kept for backward.
  template <std::size_t J, Capability C>
  static constexpr void mixture(const Pass& pass, Weights<S> w, Saved<C>& saved, S* weights, S* scratch) {
    if constexpr (integrates<J> && Integrated<J>::mixture_weights > 0) {
      std::array<const S*, depth + 1> before{};
      for (std::size_t i = 0; i < reads<J>; ++i) {
        const std::size_t from = first_read<J> + i, number = pools.number[J][from];
        before[i] = number < pools.count ? saved.pooled[number] : saved.map[from];
      }
      Integrate<J>::mixture(at_map<J>(pass, saved), w.from(first_tensor<J, 1>), saved.own[J], before.data(), weights,
                            scratch);
    }
  }

  /// f(path, map, elements) for own output, integration and published map of every layer, each behind the maps inside
  /// it, after a forward that kept for backward.
  template <Capability C, class F>
  static void for_each_map(std::size_t samples, Saved<C>& saved, S* y, const std::string& path, F&& f) {
    for_each_index<depth>([&](auto j) {
      constexpr std::size_t J = j;
      const std::string layer = path + (path.empty() ? "" : ".") + std::to_string(J);
      S* h = saved.published(J, y);
      S* sum = bare<J> ? h : integrates<J> ? saved.sum[J] : saved.own[J];
      S* own = integrates<J> ? saved.own[J] : sum;
      detail::maps_of_part<Core<J>, C>(samples, slot<J>(saved.core), own, layer + ".core", f);
      f(layer + ".core", static_cast<const S*>(own), samples * elements<J>);
      if constexpr (integrates<J>) f(layer + ".integrate", static_cast<const S*>(sum), samples * elements<J>);
      if constexpr (!bare<J>) {
        detail::maps_of_part<Epilogue<J>, C>(samples, slot<J>(saved.epilogue), h, layer + ".epilogue", f);
        f(layer + ".epilogue", static_cast<const S*>(h), samples * elements<J>);
      }
    });
  }

  static constexpr bool takes_blocks = [] {
    bool all = true;
    for_each_index<depth>([&](auto j) {
      all = all && takes_blocks_of<Core<j>>() && takes_blocks_of<Integrate<j>>() && takes_blocks_of<Epilogue<j>>();
    });
    return all;
  }();

  static constexpr bool mixes = [] {
    bool any = false;
    for_each_index<depth>([&](auto j) {
      any = any || (integrates<j> && Integrated<j>::mixture_weights > 0) || mixes_of<Core<j>>() ||
            mixes_of<Epilogue<j>>();
    });
    return any;
  }();
  /// The mixture weights of every layer that has them, and of all stacks inside, given to
  /// sums.add<Integration>(path, layer, pass, weights).
  template <Capability C, class Sums>
  static void for_each_mixture(const Pass& pass, Weights<S> w, Saved<C>& saved, const std::string& path,
                               std::vector<S>& weights, S* scratch, Sums& sums) {
    for_each_index<depth>([&](auto j) {
      constexpr std::size_t J = j;
      const std::string layer = path + (path.empty() ? "" : ".") + std::to_string(J);
      if constexpr (mixes_of<Core<J>>())
        Core<J>::template for_each_mixture<C>(core_part<J>(pass, 0, saved), w.from(first_tensor<J, 0>),
                                              slot<J>(saved.core), layer + ".core", weights, scratch, sums);
      if constexpr (integrates<J> && Integrated<J>::mixture_weights > 0) {
        weights.resize(pass.samples * Map<J>::positions * Integrated<J>::mixture_weights);
        mixture<J>(pass, w, saved, weights.data(), scratch);
        sums.template add<Integrated<J>>(layer + ".integrate", J, at_map<J>(pass, saved), weights.data());
      }
      if constexpr (mixes_of<Epilogue<J>>())
        Epilogue<J>::template for_each_mixture<C>(own_part<J, 2>(pass, 0, saved), w.from(first_tensor<J, 2>),
                                                  slot<J>(saved.epilogue), layer + ".epilogue", weights, scratch, sums);
    });
  }

 private:
  /// Whether what works from phase `first` to `last` is called in this one.
  static constexpr bool works([[maybe_unused]] std::size_t phase, [[maybe_unused]] std::size_t first,
                              [[maybe_unused]] std::size_t last) {
    if constexpr (phases == 0)
      return true;
    else
      return phase >= first && phase <= last;
  }
  /// What the core of layer J knows, which began in phase `first`.
  template <std::size_t J, Capability C>
  static constexpr Pass core_part(const Pass& pass, std::size_t first, const Saved<C>& saved) {
    Pass p = pass.part(3 * J, detail::count_tables_of_cores<Layers, J>());
    p.enter(phases == 0 ? 0 : pass.phase - first);
    if constexpr (J > 0) p.lengths = lengths<J - 1>(pass, saved);
    return p;
  }
  /// What integration (1) and epilogue (2) of layer J know.
  template <std::size_t J, std::size_t Part, Capability C>
  static constexpr Pass own_part(const Pass& pass, std::size_t first, const Saved<C>& saved) {
    Pass p = pass.part(3 * J + Part);
    p.enter(phases == 0 ? 0 : pass.phase - first);
    p.lengths = lengths<J>(pass, saved);
    return p;
  }
  /// The pass with the valid steps of layer J's map.
  template <std::size_t J, Capability C>
  static constexpr Pass at_map(Pass pass, const Saved<C>& saved) {
    pass.lengths = lengths<J>(pass, saved);
    return pass;
  }
  /// Valid steps at the positions of layer J.
  template <std::size_t J, Capability C>
  static constexpr const std::int32_t* lengths(const Pass& pass, const Saved<C>& saved) {
    if constexpr (maps_lengths<J>)
      return saved.lengths[J].of(pass);
    else
      return pass.lengths;
  }

  template <std::size_t J, Capability C>
  static constexpr auto core_input(const ElementOf<In, S>* x, const Saved<C>& saved) {
    if constexpr (J == 0)
      return x;
    else if constexpr (concatenates<J>)
      return static_cast<const S*>(saved.joined[J]);
    else
      return static_cast<const S*>(saved.map[J - 1]);
  }

  /// The earlier maps that layer J integrates, at its positions.
  template <std::size_t J, Capability C>
  static constexpr auto gather(const Pass& pass, const Saved<C>& saved, S* y) {
    std::array<const S*, depth + 1> before{};
    for_each_index<reads<J>>([&](auto i) {
      constexpr std::size_t From = first_read<J> + i;
      before[i] = saved.published(From, y);
      if constexpr (needs_pooling<From, Map<J>>) {
        if constexpr (pooler[J][From] == J)
          Pooling<Map<From>, Map<J>, Backend>::forward(at_map<From>(pass, saved), before[i],
                                                       saved.pooled[pool<J, From>]);
        before[i] = saved.pooled[pool<J, From>];
      }
    });
    return before;
  }

  template <std::size_t J, Capability C>
  static constexpr void integrate_backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own,
                                           const S* d_sum, S* d_own, Gradients<S> g, Saved<C>& saved, S* scratch) {
    std::array<const S*, depth + 1> before{};
    std::array<S*, depth + 1> d_before{};
    for_each_index<reads<J>>([&](auto i) {
      constexpr std::size_t From = first_read<J> + i;
      before[i] = saved.map[From];
      d_before[i] = saved.gradient[From];
      if constexpr (needs_pooling<From, Map<J>>) {
        before[i] = saved.pooled[pool<J, From>];
        d_before[i] = saved.pooled_gradient[pool<J, From>];
        if constexpr (reads_last(J, From))
          std::fill_n(d_before[i], pass.samples * Map<J>::positions * Map<From>::features, S(0));
      }
    });
    Pass here = own_part<J, 1>(pass, pass.phase, saved);
    zero_gradients<Integrated<J>>(here, g.from(first_tensor<J, 1>));
    Integrate<J>::template backward<C>(here, w.from(first_tensor<J, 1>), packed_weights + packed_offset[3 * J + 1], own,
                                       before.data(), d_sum, d_own, d_before.data(), g.from(first_tensor<J, 1>),
                                       slot<J>(saved.integration), scratch);
    for_each_index<reads<J>>([&](auto i) {
      constexpr std::size_t From = first_read<J> + i;
      if constexpr (needs_pooling<From, Map<J>> && pooler[J][From] == J)
        Pooling<Map<From>, Map<J>, Backend>::backward(at_map<From>(pass, saved), d_before[i], saved.gradient[From]);
    });
  }

  /// f(number of the map, its first feature in the concatenation h_{J-1}, ..., h_0).
  template <std::size_t J, class F>
  static constexpr void for_each_joined(F&& f) {
    std::size_t column = 0;
    for_each_index_down<J>([&](auto i) {
      f(i, column);
      column += Map<i>::features;
    });
  }

  template <std::size_t J, Capability C>
  static constexpr void join(const Pass& pass, const Saved<C>& saved, S* y, S* scratch) {
    constexpr std::size_t width = CoreIn<J>::features;
    const std::size_t rows = pass.samples * CoreIn<J>::positions;
    for_each_joined<J>([&](auto i, std::size_t column) {
      constexpr std::size_t features = Map<i>::features;
      const S* from = saved.published(i, y);
      if constexpr (needs_pooling<i, CoreIn<J>>) {
        Pooling<Map<i>, CoreIn<J>, Backend>::forward(at_map<i>(pass, saved), from, scratch);
        from = scratch;
      }
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t f = 0; f < features; ++f) saved.joined[J][r * width + column + f] = from[r * features + f];
    });
  }

  template <std::size_t J, Capability C>
  static constexpr void split(const Pass& pass, const Saved<C>& saved, const S* d_joined, S* d_pooled) {
    constexpr std::size_t width = CoreIn<J>::features;
    const std::size_t rows = pass.samples * CoreIn<J>::positions;
    for_each_joined<J>([&](auto i, std::size_t column) {
      constexpr std::size_t features = Map<i>::features;
      constexpr bool pooled = needs_pooling<i, CoreIn<J>>;
      S* to = pooled ? d_pooled : saved.gradient[i];
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t f = 0; f < features; ++f) {
          const S d = d_joined[r * width + column + f];
          to[r * features + f] = pooled ? d : to[r * features + f] + d;
        }
      if constexpr (pooled)
        Pooling<Map<i>, CoreIn<J>, Backend>::backward(at_map<i>(pass, saved), d_pooled, saved.gradient[i]);
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
