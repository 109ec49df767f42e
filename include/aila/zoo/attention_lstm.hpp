// Two LSTMs whose steps are weighed by additive attention.
#pragma once

#include "../core/macros_aside.hpp"

#include "../compose/network.hpp"
#include "../layer/attention_pooling.hpp"
#include "../layer/linear.hpp"
#include "../layer/lstm.hpp"

namespace aila::inline v0::zoo {

/// [steps, F] -> [Outputs]: Lstm2 with the mean of all (valid) steps, weighed by learned scores, in place of the last.
/// Source: the additive score of Bahdanau, Cho and Bengio, arXiv 1409.0473, over one sequence as in arXiv 1512.08756.
template <class Input, std::size_t Outputs, std::size_t Units = 64>
struct AttentionLstm : Network<Input, Repeat<2, Lstm<Units>>, AttentionPooling<Units>, Linear<Outputs>> {};

}  // namespace aila::inline v0::zoo

#include "../core/macros_back.hpp"
