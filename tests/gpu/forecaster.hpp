// A network that is compiled for GPUs wherever a CUDA compiler is found.
#pragma once

#include <aila/any_model.hpp>

namespace gpu {

struct Forecaster
    : aila::Network<aila::Sequence<12, 1>,
                    aila::Stack<aila::integrate::Attention<aila::TiedValues>, aila::Repeat<4, aila::Lstm<64>>>,
                    aila::LastStep, aila::Linear<1>> {};

}  // namespace gpu
