// Sums of layers on the host: each layer's kernel over the same input, then one pass over their maps.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "../../network/sum.hpp"
#include "../kernel.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

/// Every branch keeps its own map, which its backward may read; the sum's gradient is that of each of them.
template <class L, class In, class Backend>
struct SumKernel {
  static constexpr const char* name = "host sum";
  using Scalar = typename Backend::Scalar;
  using S = Scalar;
  using Plan = typename L::template Plan<In>;
  using Children = typename Plan::Children;
  using Out = typename Plan::Out;
  static constexpr std::size_t size = Children::size;
  template <std::size_t I>
  using ChildKernel = KernelFor<At<Children, I>, Backend>;

  /// Branch i works from phase first_phase[i] of a forward to first_phase[i + 1]; in a backward counted from the end.
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

  template <class Indices>
  struct Kernels;
  template <std::size_t... I>
  struct Kernels<std::index_sequence<I...>> {
    using Any = detail::FirstRefusal<ChildKernel<I>...>;
    using Backward = detail::FirstMissingBackward<ChildKernel<I>...>;
    template <Capability C>
    using Saved = Slots<typename ChildKernel<I>::template Saved<C>...>;
  };
  using All = Kernels<std::make_index_sequence<size>>;
  using Refusal = typename All::Any;
  using MissingBackward = typename All::Backward;

  template <Capability C>
  struct Saved {
    typename All::template Saved<C> child;
    std::array<S*, size + 1> map{};
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      for_each_index<size>([&](auto i) {
        slot<i>(child).bind(arena, samples);
        map[i] = arena.take(samples * Out::elements);
      });
    }
  };

  static constexpr auto packed_offset = [] {
    std::array<std::size_t, size + 1> offset{};
    for_each_index<size>(
        [&](auto i) { offset[i + 1] = offset[i] + round_up(ChildKernel<i>::packed, alignment_elements); });
    return offset;
  }();
  static constexpr std::size_t packed = packed_offset[size];
  static constexpr void pack(Weights<S> w, S* to) {
    for_each_index<size>([&](auto i) { ChildKernel<i>::pack(w.from(Plan::first_tensor[i]), to + packed_offset[i]); });
  }
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    std::size_t most = 0;
    for_each_index<size>([&](auto i) { most = std::max(most, ChildKernel<i>::scratch(samples, c)); });
    return most;
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                S* y, Saved<C>& saved, S* scratch) {
    for_each_index<size>([&](auto i) {
      if (!works(pass.phase, first_phase[i], first_phase[i + 1])) return;
      ChildKernel<i>::template forward<C>(part<i>(pass, first_phase[i]), w.from(Plan::first_tensor[i]),
                                          packed_weights + packed_offset[i], x, saved.map[i], slot<i>(saved.child),
                                          scratch);
    });
    if (phases == 0 || pass.phase == phases) add(pass.samples * Out::elements, saved.map, y);
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                 const S*, const S* dy, S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    for_each_index_down<size>([&](auto i) {
      constexpr std::size_t first = phases - first_phase[i + 1];
      if (!works(pass.phase, first, phases - first_phase[i])) return;
      ChildKernel<i>::template backward<C>(part<i>(pass, first), w.from(Plan::first_tensor[i]),
                                           packed_weights + packed_offset[i], x, saved.map[i], dy, dx,
                                           g.from(Plan::first_tensor[i]), slot<i>(saved.child), scratch);
    });
  }

  /// f(path, map, elements) for the output of every branch, after a forward.
  template <Capability C, class F>
  static void for_each_map(std::size_t samples, Saved<C>& saved, S*, const std::string& path, F&& f) {
    const std::vector<std::string> names = detail::child_paths(path, Children{});
    for_each_index<size>([&](auto i) {
      S* out = saved.map[i];
      detail::maps_of_part<ChildKernel<i>, C>(samples, slot<i>(saved.child), out, names[i], f);
      f(names[i], static_cast<const S*>(out), samples * Out::elements);
    });
  }

  /// The mixture weights of all stacks inside, after a forward that kept for backward.
  template <Capability C, class Sums>
  static void for_each_mixture(const Pass& pass, Weights<S> w, Saved<C>& saved, const std::string& path,
                               std::vector<S>& weights, S* scratch, Sums& sums) {
    const std::vector<std::string> names = detail::child_paths(path, Children{});
    for_each_index<size>([&](auto i) {
      if constexpr (mixes_of<ChildKernel<i>>())
        ChildKernel<i>::template for_each_mixture<C>(part<i>(pass, 0), w.from(Plan::first_tensor[i]),
                                                     slot<i>(saved.child), names[i], weights, scratch, sums);
    });
  }

 private:
  /// Whether a branch that works from phase `first` to `last` is called in this one.
  static constexpr bool works([[maybe_unused]] std::size_t phase, [[maybe_unused]] std::size_t first,
                              [[maybe_unused]] std::size_t last) {
    if constexpr (phases == 0)
      return true;
    else
      return phase >= first && phase <= last;
  }
  template <std::size_t I>
  static constexpr Pass part(const Pass& pass, std::size_t first) {
    Pass p = pass.part(I, detail::count_tables<Children, I>());
    p.enter(phases == 0 ? 0 : pass.phase - first);
    return p;
  }
  /// y = the sum of the branches' maps.
  static constexpr void add(std::size_t elements, const std::array<S*, size + 1>& map, S* y) {
    over_row<Backend>(elements, [&](auto part) {
      auto sum = part.load(map[0]);
      for (std::size_t i = 1; i < size; ++i) sum = sum + part.load(map[i]);
      part.store(y, sum);
    });
  }
};

template <class L, class In, HostBackend Backend>
  requires(L::is_sum)
SumKernel<L, In, Backend> select_kernel(rank::Layer, Placed<L, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
