// Pools on the host: one pass over the map, features in the lanes, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../core/math.hpp"
#include "../../layer/pool.hpp"
#include "../kernel.hpp"
#include "pool_window.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

template <class L, class In, class Backend>
struct MaxPoolKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host max pool";
  using S = typename Backend::Scalar;
  using V = typename Lanes<Backend>::V;
  static constexpr std::size_t features = In::features;

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    detail::for_each_window<In>(
        L::template window<In>, pass,
        [&](std::size_t to, const detail::PoolWindow& window) {
          over_row<Backend>(features, [&](auto part) {
            V best = part.load(x + window.first * features);
            window.for_each([&](std::size_t from) { best = detail::greater(best, part.load(x + from * features)); });
            part.store(y + to * features, best);
          });
        },
        [&](std::size_t first, std::size_t last) { detail::fill_zero(y, first, last, features); });
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S* x, const S* y, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    const V zero(S(0));
    detail::for_each_window<In>(
        L::template window<In>, pass,
        [&](std::size_t to, const detail::PoolWindow& window) {
          over_row<Backend>(features, [&](auto part) {
            const V best = part.load(y + to * features);
            V rest = part.load(dy + to * features);  // what no position has got yet
            window.for_each([&](std::size_t from) {
              S* row = dx + from * features;
              const auto hit = part.load(x + from * features) == best;
              part.store(row, part.load(row) + math::select(hit, rest, zero));
              rest = math::select(hit, zero, rest);
            });
          });
        },
        [](std::size_t, std::size_t) {});
  }
};

template <class L, class In, class Backend>
struct AveragePoolKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host average pool";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  using S = typename Backend::Scalar;
  using V = typename Lanes<Backend>::V;
  static constexpr std::size_t features = In::features;
  static constexpr S share = S(1) / S(L::template window<In>.taps());

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    detail::for_each_window<In>(
        L::template window<In>, pass,
        [&](std::size_t to, const detail::PoolWindow& window) {
          over_row<Backend>(features, [&](auto part) {
            V sum(S(0));
            window.for_each([&](std::size_t from) { sum += part.load(x + from * features); });
            part.store(y + to * features, sum * V(share));
          });
        },
        [&](std::size_t first, std::size_t last) { detail::fill_zero(y, first, last, features); });
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S*, const S*, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    detail::for_each_window<In>(
        L::template window<In>, pass,
        [&](std::size_t to, const detail::PoolWindow& window) {
          over_row<Backend>(features, [&](auto part) {
            const V d = part.load(dy + to * features) * V(share);
            window.for_each([&](std::size_t from) {
              S* row = dx + from * features;
              part.store(row, part.load(row) + d);
            });
          });
        },
        [](std::size_t, std::size_t) {});
  }
};

template <class In, class Backend>
struct GlobalMaxPoolKernel : KernelDefaults<typename Backend::Scalar> {
  static constexpr const char* name = "host global max pool";
  using S = typename Backend::Scalar;
  using V = typename Lanes<Backend>::V;
  static constexpr std::size_t features = In::features;
  static constexpr std::size_t valid(const Pass& pass, std::size_t n) {
    return In::rank == 2 ? pass.length(n, In::positions) : In::positions;
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S>, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, y += features) {
      const std::size_t count = valid(pass, n);
      over_row<Backend>(features, [&](auto part) {
        V best = count > 0 ? part.load(x) : V(S(0));
        V other = best;  // two chains, for the latency of a comparison
        const S* row = x;
        for (std::size_t pairs = count / 2; pairs-- > 0; row += 2 * features) {
          best = detail::greater(best, part.load(row));
          other = detail::greater(other, part.load(row + features));
        }
        if (count % 2 == 1) best = detail::greater(best, part.load(row));
        part.store(y, detail::greater(best, other));
      });
    }
  }
  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S>, const S*, const S* x, const S* y, const S* dy, S* dx,
                                 Gradients<S>, NothingSaved&, S*) {
    if (dx == nullptr) return;
    const V zero(S(0));
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, dx += In::elements, y += features, dy += features)
      over_row<Backend>(features, [&](auto part) {
        const V best = part.load(y);
        V rest = part.load(dy);
        const S* row = x;
        S* d = dx;
        for (std::size_t p = valid(pass, n); p-- > 0; row += features, d += features) {
          const auto hit = part.load(row) == best;
          part.store(d, part.load(d) + math::select(hit, rest, zero));
          rest = math::select(hit, zero, rest);
        }
      });
  }
};

template <class L, class In, HostBackend Backend>
  requires(L::is_max_pool)
MaxPoolKernel<L, In, Backend> select_kernel(rank::Layer, Placed<L, In>, Backend);
template <class L, class In, HostBackend Backend>
  requires(L::is_average_pool)
AveragePoolKernel<L, In, Backend> select_kernel(rank::Layer, Placed<L, In>, Backend);
template <class In, HostBackend Backend>
GlobalMaxPoolKernel<In, Backend> select_kernel(rank::Layer, Placed<GlobalMaxPool, In>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
