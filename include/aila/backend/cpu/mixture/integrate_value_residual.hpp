// The value residual on the CPU: values of rows mixed with those of the first core, the rest passed on; bound by
// memory.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../integrate/value_residual.hpp"
#include "../../host/rows.hpp"
#include "../../kernel.hpp"
#include "../rows/row.hpp"

namespace aila::inline v0 {

template <class S, class Arch, class Open, class Own>
struct CpuValueResidual : KernelDefaults<S> {
  static constexpr const char* name = "cpu value residual, rows";
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr InPlace in_place{.backward = true};
  using V = simd::Batch<S, Arch>;
  using Row = cpu::Row<S, Arch, Open::width>;
  static constexpr std::size_t features = Own::features, value = Open::value, behind = value + Open::width;

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S*, const S* own, const S* const* before, S* z,
                      NothingSaved&, S*) {
    const V first(w[0][0]), self(w[0][1]);
    const S* from = before[0];
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t valid = pass.length(n, Own::positions);
      for (std::size_t t = 0; t < valid; ++t, own += features, from += features, z += features) {
        std::copy_n(own, value, z);
        for (std::size_t k = 0; k < Row::vectors; ++k)
          Row::store(z + value, k, simd::fmadd(first, Row::load(from + value, k), self * Row::load(own + value, k)));
        std::copy(own + behind, own + features, z + behind);
      }
      const std::size_t rest = (Own::positions - valid) * features;
      std::fill_n(z, rest, S(0));
      own += rest;
      from += rest;
      z += rest;
    }
  }

  /// d_own may be dz.
  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S*, const S* own, const S* const* before, const S* dz,
                       S* d_own, S* const* d_before, Gradients<S> g, NothingSaved&, S*) {
    const V first(w[0][0]), self(w[0][1]);
    V of_first(S(0)), of_self(S(0));
    for (std::size_t n = 0; n < pass.samples; ++n) {
      const std::size_t valid = pass.length(n, Own::positions);
      for (std::size_t t = 0; t < valid; ++t) {
        const std::size_t at = (n * Own::positions + t) * features;
        if (d_own != dz) {
          add(dz + at, d_own + at, value);
          add(dz + at + behind, d_own + at + behind, features - behind);
        }
        for (std::size_t k = 0; k < Row::vectors; ++k) {
          const S *const up_row = dz + at + value, *const own_row = own + at + value;
          const V up = Row::load(up_row, k);
          of_first = simd::fmadd(up, Row::load(before[0] + at + value, k), of_first);
          of_self = simd::fmadd(up, Row::load(own_row, k), of_self);
          Row::store(d_before[0] + at + value, k, simd::fmadd(first, up, Row::load(d_before[0] + at + value, k)));
          Row::store(d_own + at + value, k,
                     d_own == dz ? self * up : simd::fmadd(self, up, Row::load(d_own + at + value, k)));
        }
      }
    }
    if (!g) return;
    g[0][0] += simd::reduce_add(of_first);
    g[0][1] += simd::reduce_add(of_self);
  }

 private:
  static void add(const S* from, S* to, std::size_t count) {
    over_row<backend::CpuOn<Arch, S>>(count, [&](auto part) { part.store(to, part.load(to) + part.load(from)); });
  }
};

template <class Policy, class Own, class Before, class Arch, class S>
  requires requires { typename Policy::MixesValuesOf; }
CpuValueResidual<S, Arch, typename Policy::MixesValuesOf, Own> select_kernel(rank::Layer,
                                                                             Integration<Policy, Own, Before>,
                                                                             backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
