// The one exception type of the library.
#pragma once

#include <stdexcept>

namespace aila::inline v0 {

/// Thrown at the edges (files, options, data). The message is one sentence: what was expected, what was found, where.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace aila::inline v0
