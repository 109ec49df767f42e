// Valid steps behind layers that change the number of steps: computed once a forward, kept in the workspace.
#pragma once

#include "../../core/macros_aside.hpp"

#include <cstdint>
#include <new>
#include <type_traits>

#include "../kernel.hpp"

namespace aila::inline v0::detail {

/// The lengths of a group's samples behind some layers, where they differ from those before.
template <class Scalar>
class MappedLengths {
 public:
  constexpr void bind(Arena<Scalar>& arena, std::size_t samples) {
    Scalar* memory = arena.take((samples * sizeof(std::int32_t) + sizeof(Scalar) - 1) / sizeof(Scalar));
    if (memory != nullptr && !std::is_constant_evaluated())
      lengths_ = new (static_cast<void*>(memory)) std::int32_t[samples];
  }
  /// Those behind the layer L on In, for every sample of the pass; nothing where all steps are valid.
  template <class Joints, class L, class In>
  constexpr void set(const Pass& pass) {
    if (pass.lengths != nullptr && lengths_ != nullptr) Joints::template map_lengths<L, In>(pass, lengths_);
  }
  constexpr const std::int32_t* of(const Pass& pass) const { return pass.lengths == nullptr ? nullptr : lengths_; }

 private:
  std::int32_t* lengths_ = nullptr;
};

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
