// What the networks read: the vectors of a review's words.
#pragma once

#include <aila/core/shape.hpp>
#include <cstddef>

namespace sentiment {

/// Words that a network reads of a review, and numbers in the vector of a word.
inline constexpr std::size_t most_tokens = 200, dimension = 100;
using In = aila::Sequence<most_tokens, dimension>;

}  // namespace sentiment
