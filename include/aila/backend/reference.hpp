// backend::Reference: plain loops, the readable definition of every layer, usable in constant expressions.
#pragma once

#include "host/kernels.hpp"
#include "plan/composites.hpp"
#include "reference/attention_pooling.hpp"
#include "reference/conv.hpp"
#include "reference/gru.hpp"
#include "reference/linear.hpp"
#include "reference/lstm.hpp"
#include "reference/patch_embedding.hpp"
#include "reference/self_attention.hpp"
