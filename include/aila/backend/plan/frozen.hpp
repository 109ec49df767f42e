// Frozen: the inner layer's kernel, with no gradient of its parameters.
#pragma once

#include "../../core/macros_aside.hpp"

#include <array>

#include "../../compose/frozen.hpp"
#include "../kernel.hpp"

namespace aila::inline v0 {

/// Backward costs what the gradient of the input costs, and nothing where nobody asks for that. Batch normalisation
/// inside keeps to its running statistics.
template <class L, class In, class Backend>
struct FrozenKernel : KernelFor<Placed<L, In>, Backend> {
  using Inner = KernelFor<Placed<L, In>, Backend>;
  using S = typename Backend::Scalar;

  template <Capability C>
  static constexpr void forward(Pass pass, Weights<S> w, const S* packed, const ElementOf<In, S>* x, S* y,
                                typename Inner::template Saved<C>& saved, S* scratch) {
    pass.frozen = true;
    Inner::template forward<C>(pass, w, packed, x, y, saved, scratch);
  }
  template <Capability C>
  static constexpr void backward(Pass pass, Weights<S> w, const S* packed, const ElementOf<In, S>* x, const S* y,
                                 const S* dy, S* dx, Gradients<S>, typename Inner::template Saved<C>& saved,
                                 S* scratch) {
    if (dx == nullptr) return;
    pass.frozen = true;
    Inner::template backward<C>(pass, w, packed, x, y, dy, dx, Gradients<S>(nullptr, no_offsets.data()), saved,
                                scratch);
  }

 private:
  static constexpr std::array<std::uint32_t, Placed<L, In>::tensors + 1> no_offsets{};
};

template <class L, class In, PlanBackend Backend>
FrozenKernel<L, In, Backend> select_kernel(rank::Layer, Placed<Frozen<L>, In>, Backend);

/// The stack that a frozen integration belongs to runs the integration's own kernel; this tells tools which one it is.
template <class P, class Own, class Before, PlanBackend Backend>
KernelFor<Integration<P, Own, Before>, Backend> select_kernel(rank::Fused,
                                                              Integration<detail::FrozenPolicy<P>, Own, Before>,
                                                              Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
