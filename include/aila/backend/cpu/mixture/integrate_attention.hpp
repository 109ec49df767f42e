// Attention integration on the CPU: see depth_attention.hpp for how, and for what bounds it.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../integrate/attention.hpp"
#include "depth_attention.hpp"
#include "depth_integration.hpp"

namespace aila::inline v0 {

template <class H, class K, class Vs, class Cb, class Own, class Before, class Arch, class S,
          class P = integrate::AttentionOf<H, K, Vs, Cb>>
CpuDepthIntegration<S, Arch, Integration<P, Own, Before>,
                    cpu::DepthAttention<S, Arch, P, Own::features, Before::features(0), P::template has_query<Before>>>
    select_kernel(rank::Layer, Integration<integrate::AttentionOf<H, K, Vs, Cb>, Own, Before>, backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
