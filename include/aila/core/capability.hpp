// What a workspace is made for: it decides which buffers exist.
#pragma once

#include "macros_aside.hpp"

#include "config.hpp"

namespace aila::inline v0 {

enum class Capability {
  predict,         ///< forward only
  input_gradient,  ///< forward, and backward to the input
  train,           ///< forward, and backward to the input and the parameters
  stream  ///< forward of consecutive steps of one sample; what a layer carries from step to step is in its Saved
};

/// What of the maps that are computed stays in a workspace: what is needed further on, or all of it, for tools.
enum class Retain { needed, all };

constexpr bool keeps_for_backward(Capability c) {
  return c == Capability::input_gradient || c == Capability::train;
}

}  // namespace aila::inline v0

#include "macros_back.hpp"
