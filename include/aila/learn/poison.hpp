// What memory holds in a check, that has to be written before it is read.
#pragma once

#include <limits>

namespace aila::inline v0::detail {

/// A number that is none, and, for code that guards against those, one that no calculation gives.
inline constexpr double poisons[] = {std::numeric_limits<double>::quiet_NaN(), 0x1.8d3c5b7a91e2fp+67};

/// Equal, or both no numbers.
inline bool same_number(double a, double b) {
  return a == b || (a != a && b != b);
}

}  // namespace aila::inline v0::detail
