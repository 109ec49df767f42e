// The losses, one line each.
#pragma once

#include "binary_cross_entropy.hpp"  // BinaryCrossEntropy{.label_smoothing}: yes or no, of logits; target 0 to 1
#include "cross_entropy.hpp"        // CrossEntropy{.label_smoothing}: one of C classes, of logits; target a class index
#include "huber.hpp"                // Huber{.delta}: square near the target, absolute far from it
#include "mean_absolute_error.hpp"  // MeanAbsoluteError: mean |o - t|
#include "mean_squared_error.hpp"   // MeanSquaredError: mean (o - t)^2
#include "quantile.hpp"             // Quantile{.q}: the q-quantile of the target
