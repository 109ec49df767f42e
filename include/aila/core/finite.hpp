// Whether numbers are finite.
#pragma once

#include "macros_aside.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "config.hpp"

namespace aila::inline v0::detail {

template <class T>
bool are_finite(const T* values, std::size_t count) {
  return std::all_of(values, values + count, [](T v) { return std::isfinite(v); });
}

}  // namespace aila::inline v0::detail

#include "macros_back.hpp"
