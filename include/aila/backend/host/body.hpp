// Kernels made from bodies: a layer or policy written once over a scalar-or-batch type runs on every host backend.
//
// Lanes of the batch are positions (or samples, for sample-wise layers). Rows of a map are transposed tile by tile, so
// that a body reads like scalar code. Cost: the transpositions, about 2 loads or stores an element, beside the body.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../kernel.hpp"
#include "lanes.hpp"
#include "padding.hpp"

namespace aila::inline v0 {

template <class L, class V>
concept ElementWiseBody = requires(V v) {
  { L::template value<V>(v) };
};
template <class L, class In, class V>
concept ForwardBody = requires(const V* x, Weights<ScalarOf<V>> w, V* y) { L::template forward<In>(x, w, y); } ||
                      requires(const V* x, Weights<ScalarOf<V>> w, V* y) {
                        L::template scratch<In>;
                        L::template forward<In>(x, w, y, y);
                      };

namespace detail {
/// Of `g.add`: what is called where an argument is missing.
template <class Value = void>
struct ShortOfAnArgument {
  struct Any {
    template <class T>
    constexpr Any(const T&) {}
  };
  void add(std::size_t, Any) {
    constexpr bool complete = !std::is_void_v<Value>;
    static_assert(complete, "aila: g.add takes three arguments: g.add(tensor, element, value)");
  }
};
}  // namespace detail

/// Where a body's `g.add` goes: the lanes of a tile are summed into the group's gradient.
template <class V>
struct TileGradient : detail::ShortOfAnArgument<> {
  Gradients<ScalarOf<V>> tensors;
  constexpr explicit TileGradient(Gradients<ScalarOf<V>> g) : tensors(g) {}
  using ShortOfAnArgument::add;
  constexpr void add(std::size_t tensor, std::size_t element, V value) {
    if (tensors) tensors[tensor][element] += math::reduce_add(value);
  }
};

template <class L, class In, class V>
concept BackwardBody = requires(const V* x, Weights<ScalarOf<V>> w, V* y, TileGradient<V>& g) {
  L::template backward<In>(x, w, x, y, g);
} || requires(const V* x, Weights<ScalarOf<V>> w, V* y, TileGradient<V>& g) {
  L::template scratch<In>;
  L::template backward<In>(x, w, x, y, g, y);
};

template <class L, class V>
concept SlopeBody = requires(V v) {
  { L::template slope<V>(v, v) };
};

namespace detail {
template <class Layer>
struct LayerWithoutBackward {
  static consteval int say() {
    constexpr bool exists = std::is_void_v<Layer>;
    static_assert(exists, "aila: training needs this layer's backward(x, w, dy, dx, g)");
    return 0;
  }
};
template <class Layer>
struct LayerWithoutSlope {
  static consteval int say() {
    constexpr bool exists = std::is_void_v<Layer>;
    static_assert(exists, "aila: training needs this layer's slope(x, y), which is dy/dx");
    return 0;
  }
};
template <class Policy>
struct PolicyWithoutBackward {
  static consteval int say() {
    constexpr bool exists = std::is_void_v<Policy>;
    static_assert(exists, "aila: training needs this policy's backward; see contract/policy.hpp");
    return 0;
  }
};
/// Calls a body's function: f(arguments..., scratch) where the body asks for scratch and f takes it, else
/// f(arguments...).
template <bool asks, class V, class F, class... T>
constexpr void call_body([[maybe_unused]] V* scratch, F&& f, T&&... arguments) {
  if constexpr (asks && std::is_invocable_v<F, T..., V*>)
    f(arguments..., scratch);
  else
    f(arguments...);
}

/// Calls of the functions of a body. Kernels name them where they begin (CompiledFirst).
template <class L, class V>
struct ElementWiseCalls {
  static void forward(V x) { static_cast<void>(L::template value<V>(x)); }
  static void backward(V x) {
    if constexpr (SlopeBody<L, V>) static_cast<void>(L::template slope<V>(x, x));
  }
};
template <class L, class In, class V>
struct LayerCalls {
  static void forward(const V* x, Weights<ScalarOf<V>> w, V* y) {
    if constexpr (requires { L::template forward<In>(x, w, y); })
      L::template forward<In>(x, w, y);
    else
      L::template forward<In>(x, w, y, y);
  }
  static void backward(const V* x, Weights<ScalarOf<V>> w, V* dx, TileGradient<V>& g) {
    if constexpr (requires { L::template backward<In>(x, w, x, dx, g); })
      L::template backward<In>(x, w, x, dx, g);
    else if constexpr (BackwardBody<L, In, V>)
      L::template backward<In>(x, w, x, dx, g, dx);
  }
};
template <class P, class Own, class Before, class V>
struct PolicyCalls {
  static void forward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* a) {
    if constexpr (requires { P::template forward<Own, Before>(own, before, w, a); })
      P::template forward<Own, Before>(own, before, w, a);
    else
      P::template forward<Own, Before>(own, before, w, a, a);
  }
  static void backward(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* d_own, V* const* d_before,
                       TileGradient<V>& g) {
    if constexpr (requires { P::template backward<Own, Before>(own, before, w, own, d_own, d_before, g); })
      P::template backward<Own, Before>(own, before, w, own, d_own, d_before, g);
    else if constexpr (requires { P::template backward<Own, Before>(own, before, w, own, d_own, d_before, g, d_own); })
      P::template backward<Own, Before>(own, before, w, own, d_own, d_before, g, d_own);
  }
};
/// What a kernel of a body keeps, which is nothing. Who trains asks for it first.
template <bool keeps, class Calls>
struct NothingSavedBy {
  using type = NothingSaved;
};
template <class Calls>
struct NothingSavedBy<true, Calls> {
  using type = NothingSaved;
  enum { compiled = CompiledFirst<&Calls::backward>::here };
};

template <class L>
constexpr bool is_position_wise() {
  if constexpr (requires { L::position_wise; })
    return L::position_wise;
  else
    return false;
}

/// The loops of an element-wise body; any number of elements, so that all maps share this code.
template <class L, class Backend>
struct ElementWiseLoops {
  using S = typename Backend::Scalar;
  using Lane = Lanes<Backend>;
  using V = typename Lane::V;
  [[gnu::noinline]] static constexpr void forward(std::size_t n, const S* x, S* y) {
    std::size_t i = 0;
    for (; i + Lane::count <= n; i += Lane::count) Lane::store(y + i, L::template value<V>(Lane::load(x + i)));
    if (i < n) Lane::store_first(y + i, L::template value<V>(Lane::load_first(x + i, n - i)), n - i);
  }
  /// dx = dy times the slope, or with `adds` dx += it.
  template <bool adds>
  [[gnu::noinline]] static constexpr void backward(std::size_t n, const S* x, const S* y, const S* dy, S* dx) {
    const auto added = [](const V& before, const V& more) {
      if constexpr (adds) return before + more;
      return more;
    };
    std::size_t i = 0;
    for (; i + Lane::count <= n; i += Lane::count)
      Lane::store(dx + i, added(Lane::load(dx + i),
                                Lane::load(dy + i) * L::template slope<V>(Lane::load(x + i), Lane::load(y + i))));
    if (i < n) {
      const std::size_t rest = n - i;
      const V slope = L::template slope<V>(Lane::load_first(x + i, rest), Lane::load_first(y + i, rest));
      Lane::store_first(dx + i, added(Lane::load_first(dx + i, rest), Lane::load_first(dy + i, rest) * slope), rest);
    }
  }
};
}  // namespace detail

/// y = value(x), element by element.
template <class L, class In, class Backend>
struct ElementWiseKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "body, element by element";
  using S = typename Backend::Scalar;
  using Lane = Lanes<Backend>;
  using V = typename Lane::V;
  using Calls = detail::ElementWiseCalls<L, V>;
  enum { compiled = detail::CompiledFirst<&Calls::forward>::here };
  template <Capability C>
  using Saved = typename detail::NothingSavedBy<keeps_for_backward(C), Calls>::type;
  using MissingBackward = std::conditional_t<SlopeBody<L, V>, detail::NoRefusal, detail::LayerWithoutSlope<L>>;
  static constexpr BackwardNeeds backward_needs = [] {
    if constexpr (requires { L::slope_needs; }) return L::slope_needs;
    return BackwardNeeds{};
  }();
  static constexpr InPlace in_place{.forward = true, .backward = true};
  static constexpr bool sets_input_gradient = true;

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    detail::ElementWiseLoops<L, Backend>::forward(pass.samples * In::elements, x, y);
    if constexpr (C != Capability::stream) detail::clear_padding<In>(pass, y);
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S* x, const S* y, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if constexpr (SlopeBody<L, V>) {
      using Loops = detail::ElementWiseLoops<L, Backend>;
      if (dx == nullptr) return;
      const auto loop = [&](std::size_t n, std::size_t at) {
        if (pass.sets_input_gradient)
          Loops::template backward<false>(n, x + at, y + at, dy + at, dx + at);
        else
          Loops::template backward<true>(n, x + at, y + at, dy + at, dx + at);
      };
      if (In::rank != 2 || pass.lengths == nullptr) return loop(pass.samples * In::elements, 0);
      for (std::size_t n = 0; n < pass.samples; ++n) {
        const std::size_t at = n * In::elements, valid = pass.length(n, In::extents[0]) * In::features;
        loop(valid, at);
        if (pass.sets_input_gradient) std::fill(dx + at + valid, dx + at + In::elements, S(0));
      }
    } else {
      enum { checked = MissingBackward::say() };
    }
  }
};

/// A position-wise or sample-wise body, tile by tile.
template <class L, class In, class Backend>
struct BodyKernel : KernelDefaults<typename Backend::Scalar> {
  using S = typename Backend::Scalar;
  using Lane = Lanes<Backend>;
  using V = typename Lane::V;
  using Calls = detail::LayerCalls<L, In, V>;
  enum { compiled = detail::CompiledFirst<&Calls::forward>::here };
  template <Capability C>
  using Saved = typename detail::NothingSavedBy<keeps_for_backward(C), Calls>::type;
  using Out = typename L::template Out<In>;
  using MissingBackward =
      std::conditional_t<BackwardBody<L, In, V>, detail::NoRefusal, detail::LayerWithoutBackward<L>>;
  static constexpr bool position_wise = detail::is_position_wise<L>();
  static constexpr const char* name = position_wise ? "body, lanes of positions" : "body, lanes of samples";
  static constexpr std::size_t rows_per_sample = position_wise ? In::positions : 1;
  static constexpr std::size_t width_in = In::elements / rows_per_sample;
  static constexpr std::size_t width_out = Out::elements / rows_per_sample;
  /// Whether samples may have padded steps, and whether lanes hold those beside valid ones.
  static constexpr bool has_padding = In::rank == 2;
  static constexpr bool mixes_steps = has_padding && !position_wise;
  static constexpr void clear_steps(const Pass& pass, std::size_t first, std::size_t rows, V* tile) {
    if (pass.lengths != nullptr)
      detail::clear_steps_of_lanes<Backend>(pass, In::positions, In::features, first, rows, tile);
  }
  static constexpr bool asks = requires { L::template scratch<In>; };
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr InPlace in_place{.forward = width_in == width_out};

  static constexpr std::size_t scratch(std::size_t, Capability c) {
    return ((width_in + width_out) * (keeps_for_backward(c) ? 2 : 1) + detail::body_scratch<L, In>()) * Lane::count;
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S* scratch) {
    V* tile_x = Lane::tile(scratch);
    V* tile_y = tile_x + width_in;
    const std::size_t rows = pass.samples * rows_per_sample;
    for (std::size_t r = 0; r < rows; r += Lane::count) {
      const std::size_t valid = rows - r < Lane::count ? rows - r : Lane::count;
      Lane::load_rows(x + r * width_in, valid, width_in, tile_x);
      if constexpr (mixes_steps && C != Capability::stream) clear_steps(pass, r, valid, tile_x);
      detail::call_body<asks>(
          tile_y + width_out,
          [](auto&&... a) -> decltype(L::template forward<In>(a...)) { return L::template forward<In>(a...); },
          static_cast<const V*>(tile_x), w, tile_y);
      Lane::store_rows(y + r * width_out, valid, width_out, tile_y);
    }
    if constexpr (C != Capability::stream) detail::clear_padding_after<L, In>(pass, y);
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                                 Gradients<S> g, NothingSaved&, S* scratch) {
    if constexpr (BackwardBody<L, In, V>) {
      V* tile_x = Lane::tile(scratch);
      V* tile_dx = tile_x + width_in;
      V* tile_dy = tile_dx + width_in;
      TileGradient<V> gradient{g};
      const std::size_t rows = pass.samples * rows_per_sample;
      for (std::size_t r = 0; r < rows; r += Lane::count) {
        const std::size_t valid = rows - r < Lane::count ? rows - r : Lane::count;
        Lane::load_rows(x + r * width_in, valid, width_in, tile_x);
        Lane::load_rows_or_zero(dy + r * width_out, valid, width_out, tile_dy);
        if constexpr (has_padding && position_wise)
          if (pass.lengths != nullptr) {
            const auto lanes = detail::valid_rows<Backend>(pass, rows_per_sample, r, valid);
            if (lanes.none()) continue;
            lanes.repeat(tile_x, width_in);
            lanes.clear(tile_dy, width_out);
          }
        if constexpr (mixes_steps) clear_steps(pass, r, valid, tile_x);
        for (std::size_t i = 0; i < width_in; ++i) tile_dx[i] = V(S(0));
        detail::call_body<asks>(
            tile_dy + width_out,
            [](auto&&... a) -> decltype(L::template backward<In>(a...)) { return L::template backward<In>(a...); },
            static_cast<const V*>(tile_x), w, static_cast<const V*>(tile_dy), tile_dx, gradient);
        if constexpr (mixes_steps) clear_steps(pass, r, valid, tile_dx);
        if (dx != nullptr) Lane::add_rows(dx + r * width_in, valid, width_in, tile_dx);
      }
    } else {
      enum { checked = MissingBackward::say() };
    }
  }
};

template <class P, class Own, class Before, class V>
concept PolicyBackwardBody =
    requires(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* d_own, V* const* d_before,
             TileGradient<V>& g) { P::template backward<Own, Before>(own, before, w, own, d_own, d_before, g); } ||
    requires(const V* own, const V* const* before, Weights<ScalarOf<V>> w, V* d_own, V* const* d_before,
             TileGradient<V>& g) {
      P::template scratch<Own, Before>;
      P::template backward<Own, Before>(own, before, w, own, d_own, d_before, g, d_own);
    };

/// The integration of a policy's body.
template <class Part, class Backend>
struct PolicyBodyKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "body, lanes of positions";
  using S = typename Backend::Scalar;
  using Lane = Lanes<Backend>;
  using V = typename Lane::V;
  using P = typename Part::Policy;
  using Own = typename Part::Own;
  using Before = typename Part::Before;
  using Calls = detail::PolicyCalls<P, Own, Before, V>;
  enum { compiled = detail::CompiledFirst<&Calls::forward>::here };
  template <Capability C>
  using Saved = typename detail::NothingSavedBy<keeps_for_backward(C), Calls>::type;
  /// Features of its own map and of what it gives, which is own + a or a alone.
  static constexpr std::size_t d = Own::features, width = Part::Out::features;
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr std::size_t before_width = [] {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < Before::count; ++i) sum += Before::features(i);
    return sum;
  }();
  static constexpr bool asks = requires { P::template scratch<Own, Before>; };
  static constexpr bool has_backward = PolicyBackwardBody<P, Own, Before, V>;
  using MissingBackward = std::conditional_t<has_backward, detail::NoRefusal, detail::PolicyWithoutBackward<P>>;

  static constexpr std::size_t scratch(std::size_t, Capability) {
    return (2 * d + width + 2 * before_width + Part::mixture_weights + detail::policy_scratch<P, Own, Before>()) *
           Lane::count;
  }

  /// The tiles of one row of lanes.
  struct Tiles {
    V* own;
    V* a;
    V* d_own;
    V* weights;
    V* scratch;
    const V* before[Before::count + 1]{};
    V* before_values[Before::count + 1]{};
    V* d_before[Before::count + 1]{};

    constexpr explicit Tiles(V* next) {
      const auto take = [&](std::size_t n) {
        V* p = next;
        next += n;
        return p;
      };
      own = take(d);
      a = take(width);
      d_own = take(d);
      weights = take(Part::mixture_weights);
      for (std::size_t i = 0; i < Before::count; ++i) {
        before[i] = before_values[i] = take(Before::features(i));
        d_before[i] = take(Before::features(i));
      }
      scratch = next;
    }
    constexpr void load(const S* own_rows, const S* const* before_rows, std::size_t row, std::size_t valid) {
      Lane::load_rows(own_rows + row * d, valid, d, own);
      for (std::size_t i = 0; i < Before::count; ++i)
        Lane::load_rows(before_rows[i] + row * Before::features(i), valid, Before::features(i), before_values[i]);
    }
    /// Padded steps repeat a valid one.
    constexpr void repeat(const detail::ValidLanes<Backend>& lanes) {
      lanes.repeat(own, d);
      for (std::size_t i = 0; i < Before::count; ++i) lanes.repeat(before_values[i], Before::features(i));
    }
  };

  template <class F>
  static constexpr void for_each_tile(const Pass& pass, F&& f) {
    const std::size_t rows = pass.samples * Own::positions;
    for (std::size_t r = 0; r < rows; r += Lane::count) f(r, rows - r < Lane::count ? rows - r : Lane::count);
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* own, const S* const* before, S* z,
                                NothingSaved&, S* scratch) {
    Tiles t(Lane::tile(scratch));
    for_each_tile(pass, [&](std::size_t row, std::size_t valid) {
      t.load(own, before, row, valid);
      detail::call_body<asks>(
          t.scratch,
          [](auto&&... a) -> decltype(P::template forward<Own, Before>(a...)) {
            return P::template forward<Own, Before>(a...);
          },
          static_cast<const V*>(t.own), t.before, w, t.a);
      if constexpr (Part::adds_own)
        for (std::size_t f = 0; f < d; ++f) t.a[f] += t.own[f];
      Lane::store_rows(z + row * width, valid, width, t.a);
    });
    if constexpr (C != Capability::stream) detail::clear_padding<typename Part::Out>(pass, z);
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* own, const S* const* before,
                                 const S* dz, S* d_own, S* const* d_before, Gradients<S> g, NothingSaved&, S* scratch) {
    if constexpr (has_backward) {
      Tiles t(Lane::tile(scratch));
      TileGradient<V> gradient{g};
      for_each_tile(pass, [&](std::size_t row, std::size_t valid) {
        t.load(own, before, row, valid);
        Lane::load_rows_or_zero(dz + row * width, valid, width, t.a);
        if constexpr (Own::rank == 2)
          if (pass.lengths != nullptr) {
            const auto lanes = detail::valid_rows<Backend>(pass, Own::positions, row, valid);
            if (lanes.none()) return;
            t.repeat(lanes);
            lanes.clear(t.a, width);
          }
        for (std::size_t f = 0; f < d; ++f) t.d_own[f] = Part::adds_own ? t.a[f] : V(S(0));
        for (std::size_t i = 0; i < Before::count; ++i)
          for (std::size_t f = 0; f < Before::features(i); ++f) t.d_before[i][f] = V(S(0));
        detail::call_body<asks>(
            t.scratch,
            [](auto&&... a) -> decltype(P::template backward<Own, Before>(a...)) {
              return P::template backward<Own, Before>(a...);
            },
            static_cast<const V*>(t.own), t.before, w, static_cast<const V*>(t.a), t.d_own, t.d_before, gradient);
        if (d_own != nullptr) Lane::add_rows(d_own + row * d, valid, d, t.d_own);
        for (std::size_t i = 0; i < Before::count; ++i)
          if (d_before[i] != nullptr)
            Lane::add_rows(d_before[i] + row * Before::features(i), valid, Before::features(i), t.d_before[i]);
      });
    } else {
      enum { checked = MissingBackward::say() };
    }
  }

  static constexpr void mixture(const Pass& pass, Weights<S> w, const S* own, const S* const* before, S* weights,
                                S* scratch) {
    if constexpr (Part::mixture_weights > 0) {
      Tiles t(Lane::tile(scratch));
      for_each_tile(pass, [&](std::size_t row, std::size_t valid) {
        t.load(own, before, row, valid);
        detail::call_body<asks>(
            t.scratch,
            [](auto&&... a) -> decltype(P::template mixture<Own, Before>(a...)) {
              return P::template mixture<Own, Before>(a...);
            },
            static_cast<const V*>(t.own), t.before, w, t.weights);
        Lane::store_rows(weights + row * Part::mixture_weights, valid, Part::mixture_weights, t.weights);
      });
    }
  }
};

template <class Part, class Backend>
concept PolicyBody =
    requires(const typename Lanes<Backend>::V* own, const typename Lanes<Backend>::V* const* before,
             Weights<typename Backend::Scalar> w, typename Lanes<Backend>::V* a) {
      Part::Policy::template forward<typename Part::Own, typename Part::Before>(own, before, w, a);
    } ||
    requires(const typename Lanes<Backend>::V* own, const typename Lanes<Backend>::V* const* before,
             Weights<typename Backend::Scalar> w, typename Lanes<Backend>::V* a) {
      Part::Policy::template scratch<typename Part::Own, typename Part::Before>;
      Part::Policy::template forward<typename Part::Own, typename Part::Before>(own, before, w, a, a);
    };

template <class L, class In, HostBackend Backend>
  requires ElementWiseBody<L, typename Lanes<Backend>::V>
ElementWiseKernel<L, In, Backend> select_kernel(rank::Body, Placed<L, In>, Backend);

template <class L, class In, HostBackend Backend>
  requires(!ElementWiseBody<L, typename Lanes<Backend>::V> && ForwardBody<L, In, typename Lanes<Backend>::V>)
BodyKernel<L, In, Backend> select_kernel(rank::Body, Placed<L, In>, Backend);

template <class P, class Own, class Before, HostBackend Backend>
  requires PolicyBody<Integration<P, Own, Before>, Backend>
PolicyBodyKernel<Integration<P, Own, Before>, Backend> select_kernel(rank::Body, Integration<P, Own, Before>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
