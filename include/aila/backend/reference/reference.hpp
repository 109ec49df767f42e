// The Reference backend: one lane, plain loops, float or double; in double it is the oracle of the tests.
#pragma once

#include "../../core/macros_aside.hpp"

#include <concepts>

#include "../backend.hpp"
#include "../host/lanes.hpp"

namespace aila::inline v0 {
namespace backend {

/// The mode of the floating-point unit stays as the host has it.
struct HostFloatMode {
  constexpr HostFloatMode() = default;
};

template <std::floating_point ScalarType>
struct Reference : OnHost<ScalarType> {
  using FloatMode = HostFloatMode;
  static constexpr const char* name = "reference";
};

}  // namespace backend

template <class S>
struct Lanes<backend::Reference<S>> {
  using V = S;
  static constexpr std::size_t count = 1;
  static constexpr V load(const S* p) { return *p; }
  static constexpr void store(S* p, V v) { *p = v; }
  static constexpr V load_first(const S* p, std::size_t) { return *p; }
  static constexpr void store_first(S* p, V v, std::size_t) { *p = v; }
  static constexpr V* tile(S* scratch) { return scratch; }
  static constexpr void load_rows(const S* row, std::size_t, std::size_t width, V* tile) {
    for (std::size_t f = 0; f < width; ++f) tile[f] = row[f];
  }
  static constexpr void load_rows_or_zero(const S* row, std::size_t valid, std::size_t width, V* tile) {
    load_rows(row, valid, width, tile);
  }
  static constexpr void store_rows(S* row, std::size_t, std::size_t width, const V* tile) {
    for (std::size_t f = 0; f < width; ++f) row[f] = tile[f];
  }
  static constexpr void add_rows(S* row, std::size_t, std::size_t width, const V* tile) {
    for (std::size_t f = 0; f < width; ++f) row[f] += tile[f];
  }
};

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
