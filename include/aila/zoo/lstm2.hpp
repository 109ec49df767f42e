// Two LSTMs, one above the other: the plain recurrent network that others are compared with.
#pragma once

#include "../core/macros_aside.hpp"

#include "../compose/network.hpp"
#include "../layer/linear.hpp"
#include "../layer/lstm.hpp"
#include "../layer/readout.hpp"

namespace aila::inline v0::zoo {

/// [steps, F] -> [Outputs]: two LSTMs of `Units`, the last (valid) step, a linear map.
/// Source: Hochreiter and Schmidhuber 1997, stacked as in arXiv 1303.5778.
template <class Input, std::size_t Outputs, std::size_t Units = 64>
struct Lstm2 : Network<Input, Repeat<2, Lstm<Units>>, LastStep, Linear<Outputs>> {};

}  // namespace aila::inline v0::zoo

#include "../core/macros_back.hpp"
