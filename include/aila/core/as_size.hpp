// Sizes that files and random numbers give in 64 bits, as sizes of memory.
#pragma once

#include "macros_aside.hpp"

#include <cstddef>

#include "config.hpp"

namespace aila::inline v0::detail {

/// The number, which fits, as a std::size_t. A template, as that may be its own type: a cast to it would be called
/// useless there, and none would be called a loss elsewhere.
template <class Number>
constexpr std::size_t as_size(Number number) noexcept {
  return static_cast<std::size_t>(number);
}

}  // namespace aila::inline v0::detail

#include "macros_back.hpp"
