// What memory holds in a check, that has to be written before it is read.
#pragma once

#include "../core/macros_aside.hpp"

#include <limits>

#include "../core/config.hpp"

namespace aila::inline v0::detail {

/// A number that no calculation gives, not so large that adding to it is lost; and one that is none. Code that guards
/// against one of them shows with the other.
inline constexpr double odd_number = 0x1.8d3c5b7a91e2fp+13;
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline constexpr double poisons[] = {odd_number, not_a_number};

/// Equal, or both no numbers.
inline bool same_number(double a, double b) {
  return a == b || (a != a && b != b);
}

}  // namespace aila::inline v0::detail

#include "../core/macros_back.hpp"
