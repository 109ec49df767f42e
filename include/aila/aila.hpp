// aila: neural networks as types. A table of contents of what a program needs to train and predict. Extra are
// <aila/io.hpp> (files, JSON), <aila/eigen.hpp> and <aila/eigen_tensor.hpp>, <aila/any_model.hpp>, the data sets
// (data/), the networks of papers (zoo/zoo.hpp), and the tools network/summary.hpp, graph.hpp, mixture_weights.hpp and
// learn/check_gradients.hpp.
#pragma once

#include "core/version.hpp"

// From the ground up: compilers name a header by the way that first led to it.
#ifdef AILA_SUPPORTED_COMPILER
#include "contract/layer.hpp"
#include "contract/policy.hpp"

#include "integrate/policies.hpp"

#include "compose/network.hpp"

#include "layer/layers.hpp"

#include "backend/kernel.hpp"

#include "backend/cpu.hpp"
#include "backend/reference.hpp"
#include "core/thread_pool.hpp"
#include "learn/evaluate.hpp"
#include "learn/fit.hpp"
#include "learn/losses.hpp"
#include "learn/metrics.hpp"
#include "learn/optimisers.hpp"
#include "learn/trainer.hpp"
#include "network/model.hpp"
#include "network/predictor.hpp"
#include "network/stream.hpp"
#include "network/wavefront.hpp"
#endif
