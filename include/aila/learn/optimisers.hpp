// The optimisers, one line each.
#pragma once

#include "adam.hpp"  // Adam: steps of a size of their own for each parameter; AdamW: with decoupled weight decay
#include "gradient_norm.hpp"  // gradient_norm, clip_factor: gradient clipping
#include "sgd.hpp"            // Sgd{.momentum, .nesterov}: steps along the gradient
