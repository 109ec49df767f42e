// The kernels of layers and policies that all host backends share.
#pragma once

#include "batch_norm.hpp"
#include "body.hpp"
#include "class_token.hpp"
#include "dropout.hpp"
#include "embedding.hpp"
#include "pool.hpp"
#include "positions.hpp"
#include "readout.hpp"
#include "shortcut.hpp"
#include "slice.hpp"
