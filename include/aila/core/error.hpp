// The one exception type of the library.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include "config.hpp"

namespace aila::inline v0 {

/// Thrown at the edges (files, options, data). The message is one sentence: what was expected, what was found, where.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Extents as messages show them: "[256, 64]".
inline std::string extents_text(const std::size_t* extents, std::size_t rank) {
  std::string text = "[";
  for (std::size_t i = 0; i < rank; ++i) text += (i > 0 ? ", " : "") + std::to_string(extents[i]);
  return text + "]";
}

}  // namespace aila::inline v0
