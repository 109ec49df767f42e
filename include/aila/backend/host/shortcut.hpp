// Shortcuts on the host: rows copied with a stride, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../layer/shortcut.hpp"
#include "../kernel.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

template <class L, class In, class Backend>
struct ShortcutKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host shortcut";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  using S = typename Backend::Scalar;
  using Out = typename L::template Out<In>;
  static constexpr WindowPlan plan = L::template window<In>;
  static constexpr std::size_t features = In::features;

  /// f(row of x, row of y) for every position of y.
  template <class F>
  static constexpr void for_each_row(std::size_t samples, F&& f) {
    std::size_t to = 0;
    for (std::size_t n = 0; n < samples; ++n)
      for (std::size_t i = 0; i < plan.y.out(); ++i)
        for (std::size_t j = 0; j < plan.x.out(); ++j, ++to)
          f((n * plan.y.in + i * plan.y.stride) * plan.x.in + j * plan.x.stride, to);
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for_each_row(pass.samples, [&](std::size_t from, std::size_t to) {
      S* row = y + to * Out::features;
      std::copy_n(x + from * features, features, row);
      std::fill_n(row + features, Out::features - features, S(0));
    });
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    for_each_row(pass.samples, [&](std::size_t from, std::size_t to) {
      over_row<Backend>(features, [&](auto part) {
        S* row = dx + from * features;
        part.store(row, part.load(row) + part.load(dy + to * Out::features));
      });
    });
  }
};

template <class L, class In, HostBackend Backend>
  requires(L::is_shortcut)
ShortcutKernel<L, In, Backend> select_kernel(rank::Layer, Placed<L, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
