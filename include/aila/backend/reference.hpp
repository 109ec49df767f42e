// backend::Reference: plain loops, the readable definition of every layer, usable in constant expressions.
#pragma once

#include "host/kernels.hpp"
#include "reference/linear.hpp"
#include "reference/lstm.hpp"
