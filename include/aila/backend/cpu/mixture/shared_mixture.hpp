// Kernels of integrations that share their code over the layers of a stack: what they say with their own numbers.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../host/body.hpp"
#include "../../kernel.hpp"
#include "../simd/cpu.hpp"

namespace aila::inline v0 {

/// Of a kernel K that has `Shared` and `static constexpr Shared::Numbers numbers`: the calls that a single layer gets,
/// and the weights of its mixture, which its body tells.
template <class K, class S, class Arch, class Part, class SharedType>
struct SharedMixture {
  using Scalar = S;
  using SharesFor = K;  ///< not for what derives from it
  using Shared = SharedType;
  using Body = PolicyBodyKernel<Part, backend::CpuOn<Arch, S>>;
  static constexpr BackwardNeeds backward_needs{.output = false};
  static constexpr std::size_t packed = 0;
  static void pack(Weights<S> w, S* to) { Shared::pack(K::numbers, w, to); }

  template <Capability C>
  struct Saved : Shared::template Saved<C> {
    constexpr void bind(Arena<S>& arena, std::size_t samples) {
      Shared::template bind<C>(K::numbers, *this, arena, samples);
    }
  };
  static constexpr std::size_t scratch(std::size_t samples, Capability c) {
    return Shared::scratch(K::numbers, samples, c);
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                      S* z, Saved<C>& saved, S* scratch) {
    Shared::template forward<C>(K::numbers, pass, w, packed_weights, own, before, z, saved, scratch);
  }
  template <Capability C>
  static void backward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* own, const S* const* before,
                       const S* dz, S* d_own, S* const* d_before, Gradients<S> g, Saved<C>& saved, S* scratch) {
    Shared::template backward<C>(K::numbers, pass, w, packed_weights, own, before, dz, d_own, d_before, g, saved,
                                 scratch);
  }

  /// weights [rows, heads, items]
  static void mixture(const Pass& pass, Weights<S> w, const S* own, const S* const* before, S* weights, S* scratch) {
    Body::mixture(pass, w, own, before, weights, scratch);
  }

 private:
  SharedMixture() = default;
  friend K;
};

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
