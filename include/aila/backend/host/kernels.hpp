// The kernels that all host backends share.
#pragma once

#include "body.hpp"
#include "chain.hpp"
#include "dropout.hpp"
#include "frozen.hpp"
#include "readout.hpp"
#include "stack.hpp"
