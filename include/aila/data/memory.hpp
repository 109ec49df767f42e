// Sizes that a caller gives and no memory holds.
#pragma once

#include "../core/macros_aside.hpp"

#include <new>
#include <stdexcept>

#include "../core/error.hpp"

namespace aila::inline v0::data {

/// What make() returns; throws Error with sentence() where it asks for more memory than there is.
template <class Make, class Sentence>
auto or_no_memory(Make&& make, Sentence&& sentence) {
  const auto instead = [&](const auto&) { return sentence(); };
  return aila::detail::rephrasing<std::bad_alloc>(
      [&] { return aila::detail::rephrasing<std::length_error>(make, instead); }, instead);
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
