// Chain and Residual on the host: the kernels of the parts one after the other.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "../../network/chain.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

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
  /// Outputs that are kept here: all but the last, which is y. Under Residual y is another sum, so the last is kept
  /// too.
  static constexpr std::size_t kept = L::adds_input ? size : size - (size > 0 ? 1 : 0);

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

  template <Capability C>
  struct Saved {
    typename SavedSlots<C, Kernels>::type child;
    std::array<S*, size + 1> map{};       ///< output of each child
    std::array<S*, size + 1> gradient{};  ///< its gradient

    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      for_each_index<size>([&](auto i) {
        slot<i>(child).bind(arena, samples);
        if constexpr (i < kept) {
          map[i] = arena.take(samples * Child<i>::Out::elements);
          if constexpr (keeps_for_backward(C) && i + 1 < size)
            gradient[i] = arena.take(samples * Child<i>::Out::elements);
        }
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

  static constexpr void pack(Weights<S> w, S* packed_weights) {
    for_each_index<size>(
        [&](auto i) { ChildKernel<i>::pack(w.from(Plan::first_tensor[i]), packed_weights + packed_offset[i]); });
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
      S* out = i < kept ? saved.map[i] : y;
      ChildKernel<i>::template forward<C>(pass.part(i), w.from(Plan::first_tensor[i]),
                                          packed_weights + packed_offset[i], input<i>(x, saved), out,
                                          slot<i>(saved.child), scratch);
    });
    if constexpr (L::adds_input)
      for (std::size_t i = 0; i < pass.samples * In::elements; ++i) y[i] = x[i] + saved.map[size - 1][i];
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const ElementOf<In, S>* x,
                                 const S* y, const S* dy, S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    if constexpr (L::adds_input)
      if (dx != nullptr)
        for (std::size_t i = 0; i < pass.samples * In::elements; ++i) dx[i] += dy[i];
    for_each_index_down<size>([&](auto i) {
      S* down = dx;
      if constexpr (i > 0) {
        down = saved.gradient[i - 1];
        std::fill_n(down, pass.samples * Child<i>::In::elements, S(0));
      }
      const S* out = i < kept ? saved.map[i] : y;
      const S* d_out = dy;
      if constexpr (i + 1 < size) d_out = saved.gradient[i];
      ChildKernel<i>::template backward<C>(pass.part(i), w.from(Plan::first_tensor[i]),
                                           packed_weights + packed_offset[i], input<i>(x, saved), out, d_out, down,
                                           g.from(Plan::first_tensor[i]), slot<i>(saved.child), scratch);
    });
  }

  /// f(path, map, elements) for the output of every part, in the order of computation, after a forward.
  template <Capability C, class F>
  static void for_each_map(std::size_t samples, Saved<C>& saved, S* y, const std::string& path, F&& f) {
    std::size_t i = 0;
    std::array<std::string, size + 1> names;
    L::template for_each_part<In>(path, [&]<class Part>(const std::string& part) { names[i++] = part; });
    for_each_index<size>([&](auto c) {
      S* out = c < kept ? saved.map[c] : y;
      if constexpr (requires { ChildKernel<c>::template for_each_map<C>(samples, slot<c>(saved.child), out, path, f); })
        ChildKernel<c>::template for_each_map<C>(samples, slot<c>(saved.child), out, names[c], f);
      f(names[c], static_cast<const S*>(out), samples * Child<c>::Out::elements);
    });
  }

  /// The mixture weights of all stacks inside, after a forward that kept for backward.
  template <Capability C, class Sums>
  static void for_each_mixture(const Pass& pass, Weights<S> w, Saved<C>& saved, const std::string& path,
                               std::vector<S>& weights, S* scratch, Sums& sums) {
    std::size_t i = 0;
    std::array<std::string, size + 1> names;
    L::template for_each_part<In>(path, [&]<class Part>(const std::string& part) { names[i++] = part; });
    for_each_index<size>([&](auto c) {
      if constexpr (requires { &ChildKernel<c>::template for_each_mixture<C, Sums>; })
        ChildKernel<c>::template for_each_mixture<C>(pass, w.from(Plan::first_tensor[c]), slot<c>(saved.child),
                                                     names[c], weights, scratch, sums);
    });
  }

 private:
  template <std::size_t I, Capability C>
  static constexpr auto input(const ElementOf<In, S>* x, const Saved<C>& saved) {
    if constexpr (I == 0)
      return x;
    else
      return static_cast<const S*>(saved.map[I - 1]);
  }
};

template <class L, class In, HostBackend Backend>
  requires(L::is_chain)
ChainKernel<L, In, Backend> select_kernel(rank::Layer, Placed<L, In>, Backend);

}  // namespace aila::inline v0
