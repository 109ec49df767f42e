// Bidirectional on the host: the layer's kernel twice, once over reversed copies. The copies are bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "../../layer/bidirectional.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

namespace detail {
template <class L>
struct BidirectionalInPhases {
  static consteval int say() {
    constexpr bool alone = std::is_void_v<L>;
    static_assert(alone, "aila: Bidirectional holds no layer that needs the whole batch, as BatchNorm does");
    return 0;
  }
};
}  // namespace detail

template <class L, class In, class Backend>
struct BidirectionalKernel {
  static constexpr const char* name = "host bidirectional";
  using Scalar = typename Backend::Scalar;
  using S = Scalar;
  using Each = Placed<L, In>;
  using Kernel = KernelFor<Each, Backend>;
  using Half = typename Each::Out;
  using Refusal =
      std::conditional_t<phases_of<Kernel>() == 0, detail::RefusalOf<Kernel>, detail::BidirectionalInPhases<L>>;
  using MissingBackward = detail::MissingBackward<Kernel>;
  static constexpr std::size_t steps = In::positions, features = In::features, units = Half::features;
  static constexpr std::size_t packed_each = round_up(Kernel::packed, alignment_elements);
  static constexpr std::size_t packed = 2 * packed_each;

  /// Of both directions: what L keeps, and its output; the input from its last valid step to its first.
  template <Capability C>
  struct Saved {
    typename Kernel::template Saved<C> ahead{}, back{};
    S* y_ahead = nullptr;
    S* y_back = nullptr;
    S* reversed = nullptr;
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      ahead.bind(arena, samples);
      back.bind(arena, samples);
      y_ahead = arena.take(samples * Half::elements);
      y_back = arena.take(samples * Half::elements);
      reversed = arena.take(samples * In::elements);
    }
  };
  static constexpr void pack(Weights<S> w, S* to) {
    Kernel::pack(w, to);
    Kernel::pack(w.from(Each::tensors), to + packed_each);
  }
  /// Gradients of half the output, and of the reversed input; the scratch of L.
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    Arena<S> arena;
    if (keeps_for_backward(c)) {
      arena.take(samples * Half::elements);
      arena.take(samples * In::elements);
    }
    return arena.used() + Kernel::scratch(samples, c);
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, S* y,
                                Saved<C>& saved, S* scratch) {
    reverse<features, features, false>(pass, x, saved.reversed);
    Kernel::template forward<C>(pass.part(0), w, packed_weights, x, saved.y_ahead, saved.ahead, scratch);
    Kernel::template forward<C>(pass.part(1), w.from(Each::tensors), packed_weights + packed_each,
                                static_cast<const S*>(saved.reversed), saved.y_back, saved.back, scratch);
    copy<units, 2 * units>(pass, saved.y_ahead, y);
    reverse<units, 2 * units, false>(pass, saved.y_back, y + units);
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, const S*,
                                 const S* dy, S* dx, Gradients<S> g, Saved<C>& saved, S* scratch) {
    Arena<S> arena(scratch);
    S* const d_half = arena.take(pass.samples * Half::elements);
    S* const d_reversed = arena.take(pass.samples * In::elements);
    S* const rest = scratch + arena.used();
    copy<2 * units, units>(pass, dy, d_half);
    Kernel::template backward<C>(pass.part(0), w, packed_weights, x, static_cast<const S*>(saved.y_ahead),
                                 static_cast<const S*>(d_half), dx, g, saved.ahead, rest);
    if (dx != nullptr) std::fill_n(d_reversed, pass.samples * In::elements, S(0));
    reverse<2 * units, units, false>(pass, dy + units, d_half);
    Kernel::template backward<C>(pass.part(1), w.from(Each::tensors), packed_weights + packed_each,
                                 static_cast<const S*>(saved.reversed), static_cast<const S*>(saved.y_back),
                                 static_cast<const S*>(d_half), dx == nullptr ? nullptr : d_reversed,
                                 g.from(Each::tensors), saved.back, rest);
    if (dx != nullptr) reverse<features, features, true>(pass, d_reversed, dx);
  }

  /// f(path, map, elements) for the maps of both directions, each in the order in which it reads the steps.
  template <Capability C, class F>
  static void for_each_map(std::size_t samples, Saved<C>& saved, S*, const std::string& path, F&& f) {
    const auto direction = [&](typename Kernel::template Saved<C>& kept, S* y, const std::string& its_path) {
      detail::maps_of_part<Kernel, C>(samples, kept, y, its_path, f);
      f(its_path, static_cast<const S*>(y), samples * Half::elements);
    };
    direction(saved.ahead, saved.y_ahead, before(path) + "forward");
    direction(saved.back, saved.y_back, before(path) + "backward");
  }

  static constexpr bool mixes = mixes_of<Kernel>();
  /// The mixture weights of all stacks inside, after a forward that kept for backward.
  template <Capability C, class Sums>
  static void for_each_mixture(const Pass& pass, Weights<S> w, Saved<C>& saved, const std::string& path,
                               std::vector<S>& weights, S* scratch, Sums& sums) {
    if constexpr (mixes) {
      Kernel::template for_each_mixture<C>(pass.part(0), w, saved.ahead, before(path) + "forward", weights, scratch,
                                           sums);
      Kernel::template for_each_mixture<C>(pass.part(1), w.from(Each::tensors), saved.back, before(path) + "backward",
                                           weights, scratch, sums);
    }
  }

 private:
  static std::string before(const std::string& path) { return path.empty() ? path : path + "."; }

  /// The first features of rows of From into rows of To.
  template <std::size_t From, std::size_t To>
  static constexpr void copy(const Pass& pass, const S* from, S* to) {
    for (std::size_t r = 0; r < pass.samples * steps; ++r)
      for (std::size_t f = 0; f < std::min(From, To); ++f) to[r * To + f] = from[r * From + f];
  }
  /// The same, the valid steps of each sample from the last to the first; zeros behind them, or nothing with Add.
  template <std::size_t From, std::size_t To, bool Add>
  static constexpr void reverse(const Pass& pass, const S* from, S* to) {
    for (std::size_t n = 0; n < pass.samples; ++n, from += steps * From, to += steps * To) {
      const std::size_t length = pass.length(n, steps);
      for (std::size_t t = 0; t < length; ++t)
        for (std::size_t f = 0; f < std::min(From, To); ++f) {
          const S value = from[(length - 1 - t) * From + f];
          S& target = to[t * To + f];
          target = Add ? target + value : value;
        }
      for (std::size_t t = length; !Add && t < steps; ++t)
        for (std::size_t f = 0; f < std::min(From, To); ++f) to[t * To + f] = S(0);
    }
  }
};

template <class L, class In, HostBackend Backend>
BidirectionalKernel<L, In, Backend> select_kernel(rank::Layer, Placed<Bidirectional<L>, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
