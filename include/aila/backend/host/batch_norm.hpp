// Batch normalisation on the host: sums of a group, an all-reduce of the groups, then one pass. Bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/batch_norm.hpp"
#include "batch_norm_rows.hpp"

namespace aila::inline v0 {

template <class L, class In, class Backend>
struct BatchNormKernel {
  static constexpr const char* name = "host batch norm";
  using Scalar = typename Backend::Scalar;
  using S = Scalar;
  static constexpr std::size_t F = In::features;
  static constexpr detail::BatchNormRows<Backend> rows{F, In::positions, In::rank == 2, L::rate, L::epsilon};
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr bool sets_input_gradient = true;
  static constexpr std::size_t phases = 1;
  static constexpr std::size_t all_reduce = rows.deposit();

  /// Prediction needs scale and shift alone: y = x scale + shift.
  static constexpr std::size_t shift_offset = rows.padded();
  static constexpr std::size_t packed = 2 * shift_offset;
  static constexpr void pack(Weights<S> w, S* to) { rows.fold(w, w[2], w[3], to, to + shift_offset); }

  template <Capability C>
  struct Saved : detail::BatchNormSaved<S> {
    constexpr void bind(Arena<S>& arena, std::size_t) { this->take(arena, F); }
  };
  static constexpr std::size_t scratch(std::size_t, Capability) { return 3 * rows.padded(); }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, S* y,
                                Saved<C>& saved, S* scratch) {
    rows.forward(pass, w, packed_weights, x, y, saved, scratch, keeps_for_backward(C));
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                                 Gradients<S> g, Saved<C>& saved, S* scratch) {
    rows.backward(pass, w, x, dy, dx, g, saved, scratch);
  }
};

template <class... Options, class In, HostBackend Backend>
BatchNormKernel<BatchNorm<Options...>, In, Backend> select_kernel(rank::Layer, Placed<BatchNorm<Options...>, In>,
                                                                  Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
