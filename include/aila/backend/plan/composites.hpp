// The kernels of composites, on any backend that runs plans.
#pragma once

#include "bidirectional.hpp"
#include "chain.hpp"
#include "frozen.hpp"
#include "stack.hpp"
#include "sum.hpp"
