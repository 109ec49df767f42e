// A vision transformer for small images such as CIFAR's.
#pragma once

#include "../core/macros_aside.hpp"

#include "../compose/network.hpp"
#include "../compose/transformer_block.hpp"
#include "../layer/class_token.hpp"
#include "../layer/linear.hpp"
#include "../layer/patch_embedding.hpp"
#include "../layer/positions.hpp"

namespace aila::inline v0::zoo {

/// [H, W, C] -> [Classes]: patches of 4 x 4 pixels as steps of `Width` features, a class token and learned positions,
/// `Depth` pre-norm blocks of `HeadCount` heads and 4 Width hidden features, LayerNorm (epsilon 1e-5) of the token's
/// step, a linear map. Source: Dosovitskiy et al., arXiv 2010.11929.
template <class Input = Image<32, 32, 3>, std::size_t Classes = 10, std::size_t Width = 128, std::size_t Depth = 6,
          std::size_t HeadCount = 4>
struct VisionTransformer
    : Network<Input, PatchEmbedding<4, Width>, ClassToken, LearnedPositions,
              Repeat<Depth, TransformerBlock<HeadCount, 4 * Width>>, FirstStep, LayerNorm, Linear<Classes>> {};

}  // namespace aila::inline v0::zoo

#include "../core/macros_back.hpp"
