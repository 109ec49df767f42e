// Shortcut: how a map passes beside layers that make it smaller and wider.
#pragma once

#include "../core/macros_aside.hpp"

#include "window.hpp"

namespace aila::inline v0 {

namespace detail {
template <std::size_t features>
struct NoShortcutFeatures {
  static consteval int say() {
    constexpr bool some = features > 0;
    static_assert(some, "aila: Shortcut needs at least one output feature");
    return 0;
  }
};
}  // namespace detail

/// Shortcut with its options in one order; write `Shortcut<Features, options...>`.
template <std::size_t Features, class Step>
struct ShortcutOf : Windowed<detail::CountedFilters<Features, 1>, Kernel<1>, Step, Dilation<1>, Padding<0>> {
  using Slides = Windowed<detail::CountedFilters<Features, 1>, Kernel<1>, Step, Dilation<1>, Padding<0>>;
  static constexpr const char* name = "shortcut";
  static constexpr bool is_shortcut = true;

  template <class In>
  static constexpr bool accepts = Slides::template accepts<In> && In::features <= Features;
  template <class In>
  static consteval int expect() {
    constexpr bool axes = Slides::template accepts<In>;
    constexpr bool keeps = !axes || accepts<In>;
    static_assert(axes, "aila: Shortcut takes a sequence or an image, and a stride of one number or one for each axis");
    static_assert(keeps, "aila: Shortcut keeps all features of its input; it needs at least as many as that has");
    return 0;
  }
  template <class In>
  static constexpr bool streams = Slides::template of_one_step<In>;
  template <class In>
  static consteval int expect_stream() {
    constexpr bool bounded = streams<In>;
    static_assert(bounded, "aila: Shortcut streams with Stride<1> alone; others leave steps out");
    return 0;
  }
  template <class In>
  static consteval std::size_t flops() {
    return 0;
  }
  static std::string options() { return Step::value.is(1) ? "" : "stride " + detail::window_text(Step::value); }
};

namespace detail {
template <std::size_t Features, class... Options>
struct ShortcutChoice {
  using Choice = OptionsOf<ShortcutChoice, List<role::Stride>, Options...>;
  using Refusal = std::conditional_t<(Features > 0), RefusalOf<Choice>, NoShortcutFeatures<Features>>;
  using type = std::conditional_t<std::is_same_v<Refusal, NoRefusal>,
                                  ShortcutOf<Features, typename Choice::template Pick<role::Stride, Stride<1>>>,
                                  Refuse<Refusal>>;
};
}  // namespace detail

/// y[q, f] = x[stride q, f], and 0 for the features that x has not: [steps, F] or [H, W, F] to fewer positions, n' =
/// ceil(n / stride) along each axis, and Features >= F features. No parameters. Option: Stride<...> (1).
/// Source: the shortcut of option A in arXiv 1512.03385, section 3.3.
template <std::size_t Features, class... Options>
using Shortcut = typename detail::ShortcutChoice<Features, Options...>::type;

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
