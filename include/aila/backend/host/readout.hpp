// Flatten, LastStep and MeanOverPositions on the host: copies and sums, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/readout.hpp"
#include "../kernel.hpp"
#include "padding.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

/// Of padded steps y has zeros.
template <class In, class Backend>
struct FlattenKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host flatten";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool stays_normal = true;
  static constexpr bool copies = true;
  using S = typename Backend::Scalar;
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    std::copy_n(x, pass.samples * In::elements, y);
    if constexpr (C != Capability::stream) detail::clear_padding<In>(pass, y);
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    if (In::rank != 2 || pass.lengths == nullptr) return add_maps<Backend>(pass.samples * In::elements, dx, dy, dx);
    for (std::size_t n = 0; n < pass.samples; ++n, dy += In::elements, dx += In::elements)
      add_maps<Backend>(pass.length(n, In::positions) * In::features, dx, dy, dx);
  }
};

/// A sample of length 0 reads its first step.
template <class In, class Backend>
struct LastStepKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host last step";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr bool stays_normal = true;
  static constexpr bool copies = In::positions == 1;
  using S = typename Backend::Scalar;
  static constexpr std::size_t row(const Pass& pass, std::size_t n) {
    const std::size_t length = pass.length(n, In::positions);
    return n * In::positions + (length > 0 ? length - 1 : 0);
  }
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t f = 0; f < In::features; ++f) y[n * In::features + f] = x[row(pass, n) * In::features + f];
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t f = 0; f < In::features; ++f) dx[row(pass, n) * In::features + f] += dy[n * In::features + f];
  }
};

/// Only sequences have lengths. A sample of length 0 has the mean 0.
template <class In, class Backend>
struct MeanKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host mean";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  using S = typename Backend::Scalar;
  using V = typename Lanes<Backend>::V;
  static constexpr std::size_t valid(const Pass& pass, std::size_t n) {
    return In::rank == 2 ? pass.length(n, In::positions) : In::positions;
  }
  /// Wide rows are added one after the other; of narrow ones a vector is summed over all positions.
  static constexpr bool wide = In::features >= 8 * Lanes<Backend>::count;
  static constexpr void add_rows(const S* x, std::size_t count, S* y) {
    for (std::size_t f = 0; f < In::features; ++f) y[f] = S(0);
    for (std::size_t p = 0; p < count; ++p, x += In::features)
      over_row<Backend>(In::features, [&](auto part) { part.store(y, part.load(y) + part.load(x)); });
  }
  /// In four chains, for the latency of an addition.
  template <class Part>
  static constexpr V sum(Part part, const S* row, std::size_t count) {
    V sums[4] = {V(S(0)), V(S(0)), V(S(0)), V(S(0))};
    for (std::size_t p = count / 4; p-- > 0; row += 4 * In::features) {
      sums[0] += part.load(row);
      sums[1] += part.load(row + In::features);
      sums[2] += part.load(row + 2 * In::features);
      sums[3] += part.load(row + 3 * In::features);
    }
    for (std::size_t p = count % 4; p-- > 0; row += In::features) sums[0] += part.load(row);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, y += In::features) {
      const std::size_t count = valid(pass, n);
      const V share(count > 0 ? S(1) / S(count) : S(0));
      if (wide) {
        add_rows(x, count, y);
        over_row<Backend>(In::features, [&](auto part) { part.store(y, part.load(y) * share); });
      } else {
        over_row<Backend>(In::features, [&](auto part) { part.store(y, sum(part, x, count) * share); });
      }
    }
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    for (std::size_t n = 0; n < pass.samples; ++n, dx += In::elements, dy += In::features) {
      const std::size_t count = valid(pass, n);
      const V share(count > 0 ? S(1) / S(count) : S(0));
      S* row = dx;
      for (std::size_t p = count; p-- > 0; row += In::features)
        over_row<Backend>(In::features, [&](auto part) { part.store(row, part.load(row) + part.load(dy) * share); });
    }
  }
};

template <class In, HostBackend Backend>
FlattenKernel<In, Backend> select_kernel(rank::Layer, Placed<Flatten, In>, Backend);
template <class In, HostBackend Backend>
LastStepKernel<In, Backend> select_kernel(rank::Layer, Placed<LastStep, In>, Backend);
template <class In, HostBackend Backend>
MeanKernel<In, Backend> select_kernel(rank::Layer, Placed<MeanOverPositions, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
