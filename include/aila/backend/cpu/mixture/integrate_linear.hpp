// Linear integration on the CPU: see depth_linear.hpp for how, and for what bounds it.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../integrate/linear.hpp"
#include "depth_integration.hpp"
#include "depth_linear.hpp"

namespace aila::inline v0 {

template <class H, class T, class Sees, class Own, class Before, class Arch, class S,
          class P = integrate::LinearOf<H, T, Sees>>
CpuDepthIntegration<S, Arch, Integration<P, Own, Before>, cpu::DepthLinear<S, Arch, P, Own::features>> select_kernel(
    rank::Layer, Integration<integrate::LinearOf<H, T, Sees>, Own, Before>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
