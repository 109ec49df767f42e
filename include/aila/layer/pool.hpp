// Pools: the greatest or the mean of each feature over a window, or over all positions.
#pragma once

#include "window.hpp"

namespace aila::inline v0 {

namespace detail {

/// A window's size, stride or padding as an option of Windowed.
template <Window W>
struct WindowNumbers {
  static constexpr bool same = false;
  static constexpr Window value = W;
};

template <bool at_most_half>
struct PoolPadding {
  static consteval int say() {
    constexpr bool fits = at_most_half;
    static_assert(fits, "aila: the padding of a pool is at most half its window");
    return 0;
  }
};

/// What MaxPool and AveragePool share.
template <Window Size, Window Step, Window Border>
struct Pool : Windowed<FilterEachFeature, WindowNumbers<Size>, WindowNumbers<Step>, WindowNumbers<Window(1)>,
                       WindowNumbers<Border>> {
  static constexpr bool at_most_half = 2 * Border.height <= Size.height && 2 * Border.width <= Size.width;
  using Refusal = std::conditional_t<
      Size.positive() && at_most_half, NoRefusal,
      std::conditional_t<Size.positive(), PoolPadding<at_most_half>, WrongWindow<1, Size.positive()>>>;

  template <class In>
  static consteval std::size_t flops() {
    constexpr WindowPlan w = Pool::template window<In>;
    return w.out_positions() * In::features * w.taps();
  }

  /// "2", "3, stride 2, padding 1"
  static std::string options() {
    return window_text(Size) + (Step == Size ? "" : ", stride " + window_text(Step)) +
           (Border.is(0) ? "" : ", padding " + window_text(Border));
  }
};

template <Window Size, class... Options>
struct PoolChoice {
  using Choice = OptionsOf<PoolChoice, List<role::Stride, role::Padding>, Options...>;
  static constexpr Window step = Choice::template Pick<role::Stride, WindowNumbers<Size>>::value;
  static constexpr Window border = Choice::template Pick<role::Padding, Padding<0>>::value;
  template <class P>
  using OrRefusal = std::conditional_t<Refused<Choice>, Refuse<RefusalOf<Choice>>, P>;
};

}  // namespace detail

/// MaxPool with options in one order; write `MaxPool<Size, options...>`.
template <Window Size, Window Step, Window Border>
struct MaxPoolOf : detail::Pool<Size, Step, Border> {
  static constexpr const char* name = "max_pool";
  static constexpr bool is_max_pool = true;
};
/// AveragePool with options in one order; write `AveragePool<Size, options...>`.
template <Window Size, Window Step, Window Border>
struct AveragePoolOf : detail::Pool<Size, Step, Border> {
  static constexpr const char* name = "average_pool";
  static constexpr bool is_average_pool = true;
};

/// y[q, f] = the greatest x[p, f] over the window of q: [steps, F] or [H, W, F], positions as for Conv. `MaxPool<2>`,
/// `MaxPool<Window{2, 3}>` (height, width). Positions outside the map, and steps beyond a sample's length, do not
/// count; a number that is not one wins. The gradient goes to the first of equal ones.
/// Options in any order: Stride<...> (the window's size), Padding<...> (0; at most half the window). As PyTorch's
/// max_pool1d and max_pool2d.
template <Window Size, class... Options>
using MaxPool = typename detail::PoolChoice<Size, Options...>::template OrRefusal<
    MaxPoolOf<Size, detail::PoolChoice<Size, Options...>::step, detail::PoolChoice<Size, Options...>::border>>;

/// y[q, f] = the mean of x[p, f] over the window of q. Positions outside the map, and steps beyond a sample's length,
/// count as zeros, as in PyTorch's avg_pool1d and avg_pool2d. Options as MaxPool's.
template <Window Size, class... Options>
using AveragePool = typename detail::PoolChoice<Size, Options...>::template OrRefusal<
    AveragePoolOf<Size, detail::PoolChoice<Size, Options...>::step, detail::PoolChoice<Size, Options...>::border>>;

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
};

}  // namespace aila::inline v0
