// Stacks of convolutions that integrate all layers before them.
#pragma once

#include "../core/macros_aside.hpp"

#include "../compose/network.hpp"
#include "../integrate/policies.hpp"
#include "../layer/conv.hpp"
#include "../layer/linear.hpp"
#include "../layer/readout.hpp"

namespace aila::inline v0::zoo {

/// [H, W, C] -> [Classes]: a stack of four convolutions of 3 x 3 and `Filters` filters, with strides 1, 2, 2, 1, under
/// a policy such as integrate::Linear<Heads<4>> or integrate::Attention<TiedValues>, the mean over pixels, a linear
/// map. Height and width must be multiples of 4. Source: arXiv 2503.22742.
template <class Policy, class Input = Image<32, 32, 3>, std::size_t Classes = 10, std::size_t Filters = 64>
struct AilaImage
    : Network<Input, Stack<Policy, Conv<Filters>, Conv<Filters, Stride<2>>, Conv<Filters, Stride<2>>, Conv<Filters>>,
              MeanOverPositions, Linear<Classes>> {};

}  // namespace aila::inline v0::zoo

#include "../core/macros_back.hpp"
