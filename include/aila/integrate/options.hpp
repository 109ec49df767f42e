// Options of the adaptive policies.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstddef>

#include "../core/config.hpp"
#include "../core/refusal.hpp"

namespace aila::inline v0 {

namespace role {
struct Heads;
struct Task;
struct Score;
struct KeyWidth;
struct Values;
struct Combine;
}  // namespace role

namespace detail {
template <std::size_t heads>
struct NoHeads {
  static consteval int say() {
    constexpr bool some = heads > 0;
    static_assert(some, "aila: Heads needs at least one head");
    return 0;
  }
};
template <std::size_t width>
struct NoKeyWidth {
  static consteval int say() {
    constexpr bool some = width > 0;
    static_assert(some, "aila: KeyWidth needs at least one feature");
    return 0;
  }
};
}  // namespace detail

/// The number of heads.
template <std::size_t H>
struct Heads {
  using Refusal = std::conditional_t<(H > 0), detail::NoRefusal, detail::NoHeads<H>>;
  using role = role::Heads;
  static constexpr std::size_t value = H == 0 ? 1 : H;
};

/// Linear integration: a learned vector is one more item.
struct TaskEmbedding {
  using role = role::Task;
  static constexpr bool value = true;
};
struct NoTaskEmbedding {
  using role = role::Task;
  static constexpr bool value = false;
};

/// What a score of linear integration sees: the item it scores, or the slices of all items.
struct PerItem {
  static constexpr bool context = false;
};
struct Context {
  static constexpr bool context = true;
};
template <class Sees>
struct Score {
  using role = role::Score;
  static constexpr bool context = Sees::context;
};

/// Width of queries and keys of each head of attention; the default is the layer's width over the heads.
template <std::size_t K>
struct KeyWidth {
  using Refusal = std::conditional_t<(K > 0), detail::NoRefusal, detail::NoKeyWidth<K>>;
  using role = role::KeyWidth;
  static constexpr std::size_t value = K;
};
struct WidthOverHeads {
  using role = role::KeyWidth;
  static constexpr std::size_t value = 0;
};

/// One value map for every earlier layer, or a map for each.
struct TiedValues {
  using role = role::Values;
  static constexpr bool tied = true;
};
struct OwnValues {
  using role = role::Values;
  static constexpr bool tied = false;
};

/// Heads of width d/H side by side, or heads of width d averaged.
struct Concatenate {
  using role = role::Combine;
  static constexpr bool mean = false;
};
struct MeanOfHeads {
  using role = role::Combine;
  static constexpr bool mean = true;
};

}  // namespace aila::inline v0

#include "../core/macros_back.hpp"
