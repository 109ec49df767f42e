// Pools: the greatest or the mean of each feature over a window, or over all positions.
#pragma once

#include "../core/macros_aside.hpp"

#include "window.hpp"

namespace aila::inline v0 {

namespace role {
struct Width;
}

/// The width of a pool's window on an image, where it differs from the height.
template <std::size_t N>
struct Width {
  using role = role::Width;
  using Refusal = detail::RefusalOfWindow<1, (N > 0)>;
  static constexpr std::size_t value = N;
};

namespace detail {

template <bool at_most_half>
struct PoolPadding {
  static consteval int say() {
    constexpr bool fits = at_most_half;
    static_assert(fits, "aila: the padding of a pool is at most half its window");
    return 0;
  }
};

/// What MaxPool and AveragePool share.
template <class Size, class Step, class Border>
struct Pool : Windowed<FilterEachFeature, Size, Step, Dilation<1>, Border> {
  static constexpr Window size = Size::value, step = Step::value, border = Border::value;
  static constexpr bool at_most_half = 2 * border.height <= size.height && 2 * border.width <= size.width;
  using Refusal = std::conditional_t<at_most_half, NoRefusal, PoolPadding<at_most_half>>;

  template <class In>
  static consteval std::size_t flops() {
    constexpr WindowPlan w = Pool::template window<In>;
    return w.out_positions() * In::features * w.taps();
  }

  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: MaxPool and AveragePool cannot stream: windows wait for later steps");
    return 0;
  }

  /// "2", "3, stride 2, padding 1"
  static std::string options() {
    return window_text(size) + (step == size ? "" : ", stride " + window_text(step)) +
           (border.is(0) ? "" : ", padding " + window_text(border));
  }
};

struct NoWidth {
  static constexpr std::size_t value = 0;
};
template <std::size_t Height, std::size_t Width>
struct PoolSize {
  using Size = Kernel<Height, Width>;
  using Step = Stride<Height, Width>;
};
template <std::size_t Height>
struct PoolSize<Height, 0> {
  using Size = Kernel<Height>;
  using Step = Stride<Height>;
};

template <std::size_t Height, class... Options>
struct PoolChoice {
  using Choice = OptionsOf<PoolChoice, List<role::Width, role::Stride, role::Padding>, Options...>;
  using Numbers = PoolSize<Height, Choice::template Pick<role::Width, NoWidth>::value>;
  using Size = typename Numbers::Size;
  using Step = typename Choice::template Pick<role::Stride, typename Numbers::Step>;
  using Border = typename Choice::template Pick<role::Padding, Padding<0>>;
  using Refusal = FirstRefusal<Choice, Size>;
  template <class P>
  using OrRefusal = std::conditional_t<std::is_same_v<Refusal, NoRefusal>, P, Refuse<Refusal>>;
};

}  // namespace detail

/// MaxPool with options in one order; write `MaxPool<Size, options...>`.
template <class Size, class Step, class Border>
struct MaxPoolOf : detail::Pool<Size, Step, Border> {
  static constexpr const char* name = "max_pool";
  static constexpr bool is_max_pool = true;
};
/// AveragePool with options in one order; write `AveragePool<Size, options...>`.
template <class Size, class Step, class Border>
struct AveragePoolOf : detail::Pool<Size, Step, Border> {
  static constexpr const char* name = "average_pool";
  static constexpr bool is_average_pool = true;
};

/// y[q, f] = the greatest x[p, f] over the window of q: [steps, F] or [H, W, F], positions as for Conv. `MaxPool<2>`
/// has windows of 2 steps or of 2 x 2 pixels, `MaxPool<2, Width<3>>` of 2 rows and 3 columns. Positions outside the
/// map, and steps beyond a sample's length, do not count; a number that is not one wins. The gradient goes to the first
/// of equal ones. Options in any order: Width<...> (Size), Stride<...> (the window's size), Padding<...> (0; at most
/// half the window). As PyTorch's max_pool1d and max_pool2d.
template <std::size_t Size, class... Options>
using MaxPool = typename detail::PoolChoice<Size, Options...>::template OrRefusal<
    MaxPoolOf<typename detail::PoolChoice<Size, Options...>::Size, typename detail::PoolChoice<Size, Options...>::Step,
              typename detail::PoolChoice<Size, Options...>::Border>>;

/// y[q, f] = the mean of x[p, f] over the window of q. Positions outside the map, and steps beyond a sample's length,
/// count as zeros, as in PyTorch's avg_pool1d and avg_pool2d. Options as MaxPool's.
template <std::size_t Size, class... Options>
using AveragePool = typename detail::PoolChoice<Size, Options...>::template OrRefusal<AveragePoolOf<
    typename detail::PoolChoice<Size, Options...>::Size, typename detail::PoolChoice<Size, Options...>::Step,
    typename detail::PoolChoice<Size, Options...>::Border>>;

/// [positions..., F] -> [F]: the greatest of each feature over all positions, over the valid steps where lengths are
/// given; 0 of a sample without any. The gradient goes to the first of equal ones. The mean is MeanOverPositions.
struct GlobalMaxPool {
  static constexpr const char* name = "global_max_pool";
  template <class In>
  static constexpr bool accepts = RealShape<In> && In::rank >= 2;
  template <class In>
  static consteval int expect() {
    constexpr bool positions = accepts<In>;
    static_assert(positions, "aila: GlobalMaxPool takes a map with positions; this input is a vector");
    return 0;
  }
  template <class In>
  using Out = Vector<In::features>;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = VectorShape<In>;
    static_assert(bounded, "aila: GlobalMaxPool cannot stream: it needs every step; LastStep can");
    return 0;
  }
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
