// The residual connection on the CPU: sums of maps, bound by memory.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../integrate/controls.hpp"
#include "../../host/rows.hpp"
#include "../../kernel.hpp"
#include "../simd/cpu.hpp"

namespace aila::inline v0 {

template <class S, class Arch, class Own>
struct CpuResidual : KernelDefaults<S> {
  static constexpr const char* name = "cpu residual, vectors";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr InPlace in_place{.forward = true, .backward = true};
  using Backend = backend::CpuOn<Arch, S>;

  template <Capability C>
  static void forward(const Pass& pass, Weights<S>, const S*, const S* own, const S* const* before, S* z, NothingSaved&,
                      S*) {
    add_maps<Backend>(pass.samples * Own::elements, own, before[0], z);
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S>, const S*, const S*, const S* const*, const S* dz, S* d_own,
                       S* const* d_before, Gradients<S>, NothingSaved&, S*) {
    if (d_own != dz) add_maps<Backend>(pass.samples * Own::elements, d_own, dz, d_own);
    add_maps<Backend>(pass.samples * Own::elements, d_before[0], dz, d_before[0]);
  }
};

template <class Own, class Before, class Arch, class S>
CpuResidual<S, Arch, Own> select_kernel(rank::Layer, Integration<integrate::Residual, Own, Before>,
                                        backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
