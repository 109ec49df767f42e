// Reviews typed at the prompt.
#pragma once

#include "explain.hpp"

namespace sentiment {

/// Classifies and explains one text on standard output.
void answer(const AnyNetwork& network, const Words& words, const Reading& reading, const std::string& text);

/// Reads reviews from standard input, one a line, until it ends, and answers each.
void prompt(const AnyNetwork& network, const Words& words, const Reading& reading);

}  // namespace sentiment
