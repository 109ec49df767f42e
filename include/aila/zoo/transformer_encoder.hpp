// Four transformer blocks over a sequence.
#pragma once

#include "../core/macros_aside.hpp"

#include "../compose/network.hpp"
#include "../compose/transformer_block.hpp"
#include "../layer/class_token.hpp"
#include "../layer/linear.hpp"
#include "../layer/positions.hpp"
#include "../layer/readout.hpp"

namespace aila::inline v0::zoo {

/// [steps, F] -> [Outputs]: a linear map to `Width` features, Positions (SinusoidalPositions or LearnedPositions), four
/// pre-norm blocks of `HeadCount` heads and 4 Width hidden features, LayerNorm, Readout, a linear map. Readout is
/// MeanOverPositions, over the valid steps, or FirstStep: then a ClassToken comes before the positions.
/// Source: Vaswani et al., arXiv 1706.03762; LayerNorm before each part as in arXiv 2002.04745.
template <class Input, std::size_t Outputs, std::size_t Width = 64, std::size_t HeadCount = 4,
          class Positions = SinusoidalPositions, class Readout = MeanOverPositions>
struct TransformerEncoder : Network<Input, Linear<Width>, Positions, Repeat<4, TransformerBlock<HeadCount, 4 * Width>>,
                                    LayerNorm, Readout, Linear<Outputs>> {};

template <class Input, std::size_t Outputs, std::size_t Width, std::size_t HeadCount, class Positions>
struct TransformerEncoder<Input, Outputs, Width, HeadCount, Positions, FirstStep>
    : Network<Input, Linear<Width>, ClassToken, Positions, Repeat<4, TransformerBlock<HeadCount, 4 * Width>>, FirstStep,
              LayerNorm, Linear<Outputs>> {};

}  // namespace aila::inline v0::zoo

#include "../core/macros_back.hpp"
