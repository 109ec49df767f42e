// Stacks of LSTMs that integrate all layers before them.
#pragma once

#include "../core/macros_aside.hpp"

#include "../compose/network.hpp"
#include "../integrate/policies.hpp"
#include "../layer/linear.hpp"
#include "../layer/lstm.hpp"
#include "../layer/readout.hpp"

namespace aila::inline v0::zoo {

/// [steps, F] -> [Outputs]: a stack of `Depth` LSTMs of `Units` under a policy such as integrate::Linear<Heads<4>> or
/// integrate::Attention<TiedValues>, a readout (LastStep, MeanOverPositions, AttentionPooling<64>), a linear map.
/// Source: arXiv 2503.22742.
template <class Policy, class Input, std::size_t Outputs, class Readout = LastStep, std::size_t Depth = 4,
          std::size_t Units = 64>
struct AilaSequence : Network<Input, Stack<Policy, Repeat<Depth, Lstm<Units>>>, Readout, Linear<Outputs>> {};

}  // namespace aila::inline v0::zoo

#include "../core/macros_back.hpp"
