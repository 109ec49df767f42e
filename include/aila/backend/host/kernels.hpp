// The kernels that all host backends share.
#pragma once

#include "batch_norm.hpp"
#include "bidirectional.hpp"
#include "body.hpp"
#include "chain.hpp"
#include "class_token.hpp"
#include "dropout.hpp"
#include "embedding.hpp"
#include "frozen.hpp"
#include "pool.hpp"
#include "positions.hpp"
#include "readout.hpp"
#include "shortcut.hpp"
#include "slice.hpp"
#include "stack.hpp"
#include "sum.hpp"
