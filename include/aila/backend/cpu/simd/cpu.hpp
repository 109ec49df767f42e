// The Cpu backend: a type that carries the architecture, so that it is in every kernel's symbol.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <concepts>

#include "../../backend.hpp"
#include "../../host/lanes.hpp"
#include "batch_functions.hpp"
#include "float_mode.hpp"
#include "simd.hpp"

namespace aila::inline v0 {
namespace backend {

/// Kernels for one of xsimd's architectures. Translation units compiled with different flags have different types here
/// and share no code. Kernels that store or compute in other types than the Scalar are selected for a backend that says
/// so, `CpuOn<Arch, float, Types<...>>`, and never for another; where such a backend has no kernel for a layer, it is
/// refused.
template <class ArchType, std::floating_point ScalarType = float, class TypesOfKernels = Types<ScalarType>>
struct CpuOn : OnHost<ScalarType, TypesOfKernels> {
  using Arch = ArchType;
  using FloatMode = FlushDenormals;
  static constexpr const char* name = "cpu";
};

/// The best architecture that the compiler's flags allow, in float.
using Cpu = CpuOn<simd::DefaultArch, float>;
/// The same in double.
using CpuDouble = CpuOn<simd::DefaultArch, double>;

}  // namespace backend

template <class Arch, class S, class Types>
struct Lanes<backend::CpuOn<Arch, S, Types>> {
  using V = simd::Value<S, Arch>;
  static constexpr std::size_t count = simd::width<S, Arch>;
  static V load(const S* p) { return V::load_unaligned(p); }
  static void store(S* p, const V& v) { v.store_unaligned(p); }
  static V load_first(const S* p, std::size_t n) { return V(simd::load_first<S, Arch>(p, n)); }
  static void store_first(S* p, const V& v, std::size_t n) { simd::store_first(p, v.lanes, n); }
  static V* tile(S* scratch) { return simd::as_vectors<V>(scratch); }
  static void load_rows(const S* rows, std::size_t valid, std::size_t width, V* tile) {
    simd::load_tile(rows, width, valid, width, batches(tile));
  }
  static void load_rows_or_zero(const S* rows, std::size_t valid, std::size_t width, V* tile) {
    load_rows(rows, valid, width, tile);
    if (valid == count) return;
    alignas(64) S ones[count] = {};
    for (std::size_t i = 0; i < valid; ++i) ones[i] = S(1);
    const V zero(S(0));
    const auto keep = load(ones) > zero;
    for (std::size_t f = 0; f < width; ++f) tile[f] = math::select(keep, tile[f], zero);
  }
  static void store_rows(S* rows, std::size_t valid, std::size_t width, const V* tile) {
    simd::store_tile(rows, width, valid, width, batches(tile));
  }
  static void add_rows(S* rows, std::size_t valid, std::size_t width, const V* tile) {
    simd::add_tile(rows, width, valid, width, batches(tile));
  }

 private:
  static simd::Batch<S, Arch>* batches(V* tile) { return simd::as_vectors<simd::Batch<S, Arch>>(tile); }
  static const simd::Batch<S, Arch>* batches(const V* tile) { return batches(const_cast<V*>(tile)); }
};

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
