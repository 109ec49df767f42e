// SIMD for kernels of the CPU: batches, their mathematics, shuffles and tiles. Kernels include this and never xsimd.
#pragma once

#include "batch.hpp"
#include "batch_math.hpp"
#include "partial.hpp"
#include "shuffle.hpp"
#include "tile.hpp"
#include "value.hpp"
