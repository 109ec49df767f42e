// The class of a sample.
#pragma once

#include "../core/macros_aside.hpp"

#include <cstdint>

#include "../core/config.hpp"

namespace aila::inline v0::data {

/// A class by number, from 0 on: int32, as the numbers of tokens are.
using Label = std::int32_t;

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
