// The layers, one line each.
//
//   Chain<layers...>           one after the other
//   Dropout<Percent>           zeroes elements at random while training
//   Flatten                    [positions..., F] -> [positions * F]
//   Frozen<layer>              the layer, its parameters kept as they are
//   Gelu, Identity, Relu, Sigmoid, Silu, Tanh      element by element
//   LastStep                   [steps, F] -> [F], the last (valid) step
//   LayerNorm                  normalises the features of each position
//   Linear<Features>           an affine map at every position
//   Lstm<Units>                [steps, F] -> [steps, Units]
//   MeanOverPositions          [positions..., F] -> [F], over the (valid) positions
//   ReluLayerNorm              LayerNorm(max(x, 0)), the default epilogue of a stack
//   Repeat<N, layers...>       N times the layers, inside a Chain, a Stack or a Network
//   Residual<layers...>        x + Chain<layers...>(x)
//   Softmax                    over the features of a position
//   Stack<policy, layers...>   layers that integrate the outputs of the layers before them
#pragma once

#include "../network/chain.hpp"
#include "../network/stack.hpp"
#include "activation.hpp"
#include "dropout.hpp"
#include "frozen.hpp"
#include "layer_norm.hpp"
#include "linear.hpp"
#include "lstm.hpp"
#include "readout.hpp"
