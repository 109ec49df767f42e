// The layers, one line each.
//
//   Attend<Heads, options...>  queries, keys and values side by side -> what attention takes of them
//   AttentionPooling<Width>    [steps, F] -> [F], a mean weighed by learned scores
//   AveragePool<Size, options...>   the mean over a window
//   BatchNorm<options...>      normalises each feature over the batch and its positions
//   Bidirectional<layer>       the layer, and another that reads from the end, side by side
//   Chain<layers...>           one after the other
//   ClassToken                 [steps, F] -> [1 + steps, F], a trainable step before the first
//   Concat<layers...>          [x, Chain<layers...>(x)], features side by side
//   Conv<Filters, options...>   a convolution over steps or pixels
//   DepthwiseConv<options...>  the same, each feature by itself
//   Dropout<Percent>           zeroes elements at random while training
//   Embedding<Width>           tokens [steps] -> [steps, Width], rows of a table
//   FirstStep                  [steps, F] -> [F], the first step
//   Flatten                    [positions..., F] -> [positions * F]
//   Frozen<layer>              the layer, its parameters kept as they are
//   Gelu, Identity, Relu, Sigmoid, Silu, Tanh      element by element
//   GlobalMaxPool              [positions..., F] -> [F], the greatest over the (valid) positions
//   Gru<Units>                 [steps, F] -> [steps, Units]
//   LastStep                   [steps, F] -> [F], the last (valid) step
//   LayerNorm                  normalises the features of each position
//   LearnedPositions           adds a trainable table [steps, F]
//   Linear<Features>           an affine map at every position
//   Lstm<Units>                [steps, F] -> [steps, Units]
//   MaxPool<Size, options...>  the greatest over a window
//   MeanOverPositions          [positions..., F] -> [F], over the (valid) positions
//   PatchEmbedding<Patch, Width>    an image -> the sequence of its patches, [patches, Width]
//   ReluLayerNorm              LayerNorm(max(x, 0)), the default epilogue of a stack
//   Repeat<N, layers...>       N times the layers, inside a Chain, a Stack or a Network
//   Residual<layers...>        x + Chain<layers...>(x)
//   SelfAttention<Heads>       steps attend to each other
//   Shortcut<Features, options...>  every Stride-th position, zeros as further features
//   SinusoidalPositions        adds sines and cosines that tell the step
//   Slice<First, Count>        some of the features
//   Softmax                    over the features of a position
//   SqueezeExcitation<Squeezed>     features weighed by what their means say
//   Stack<policy, layers...>   layers that integrate the outputs of the layers before them
//   StochasticDepth<Percent>   leaves whole samples out at random while training
//   Sum<layers...>             layers side by side on one input, their results added
//   TransformerBlock<Heads, Hidden>    self-attention and a feed-forward network, each a Residual
#pragma once

#include "activation.hpp"
#include "attend.hpp"
#include "attention_pooling.hpp"
#include "batch_norm.hpp"
#include "class_token.hpp"
#include "conv.hpp"
#include "dropout.hpp"
#include "embedding.hpp"
#include "gru.hpp"
#include "layer_norm.hpp"
#include "linear.hpp"
#include "lstm.hpp"
#include "patch_embedding.hpp"
#include "pool.hpp"
#include "positions.hpp"
#include "readout.hpp"
#include "self_attention.hpp"
#include "shortcut.hpp"
#include "slice.hpp"
#include "stochastic_depth.hpp"

#include "../compose/bidirectional.hpp"
#include "../compose/frozen.hpp"
#include "../compose/merge.hpp"
#include "../compose/squeeze_excitation.hpp"
#include "../compose/stack.hpp"
#include "../compose/sum.hpp"
#include "../compose/transformer_block.hpp"
