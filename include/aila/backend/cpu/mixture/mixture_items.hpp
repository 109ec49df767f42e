// The items of a mixture in one list: the newest stands where its axes say.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <cstddef>

#include "../../../core/arena.hpp"
#include "../../../core/config.hpp"

namespace aila::inline v0 {

/// Lists in scratch memory: what grows with the depth has no place on the stack.
template <class S>
struct MixtureItems {
  std::size_t n, own;  ///< items, and which of them is the newest; n: none is
  const S** maps;
  S** d_maps = nullptr;

  /// Scalars that n items need.
  static constexpr std::size_t room(std::size_t n) {
    return round_up((2 * n + 1) * sizeof(S*) / sizeof(S), alignment_elements);
  }
  MixtureItems(std::size_t count, std::size_t newest, const S* own_map, const S* const* before, S* memory)
      : n(count), own(newest) {
    void* const at = memory;
    maps = static_cast<const S**>(at);
    for (std::size_t i = 0; i < n; ++i) maps[i] = i == own ? own_map : before[i - (i > own ? 1 : 0)];
  }
  void add_gradients(S* d_own, S* const* d_before) {
    void* const at = maps + n;
    d_maps = static_cast<S**>(at);
    for (std::size_t i = 0; i < n; ++i) d_maps[i] = i == own ? d_own : d_before[i - (i > own ? 1 : 0)];
  }
};

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
