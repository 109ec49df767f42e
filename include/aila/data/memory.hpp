// Sizes that a caller gives and no memory holds.
#pragma once

#include <new>
#include <stdexcept>

#include "../core/error.hpp"

namespace aila::inline v0::data {

/// What make() returns; throws Error with sentence() where it asks for more memory than there is.
template <class Make, class Sentence>
auto or_no_memory(Make&& make, Sentence&& sentence) {
  try {
    return make();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  throw Error(sentence());
}

}  // namespace aila::inline v0::data
