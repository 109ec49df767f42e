// The residual connection on a GPU: sums of maps, bound by memory.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../integrate/controls.hpp"
#include "depth.hpp"

namespace aila::inline v0 {

/// Zero at padded steps, which pass nothing back.
template <class Own>
struct CudaResidual : KernelDefaults<float> {
  static constexpr const char* name = "cuda residual, vectors";
  static constexpr BackwardNeeds backward_needs{.input = false, .output = false};
  static constexpr InPlace in_place{.forward = true, .backward = true};

  template <Capability C>
  static void forward(const Pass& pass, Weights<float>, const float*, const float* own, const float* const* before,
                      float* z, NothingSaved&, float*);
  template <Capability C>
  static void backward(const Pass& pass, Weights<float>, const float*, const float*, const float* const*,
                       const float* dz, float* d_own, float* const* d_before, Gradients<float>, NothingSaved&, float*);
};

#ifdef __CUDACC__
namespace cuda::depth {

/// Element by element, or four of a row at once.
template <class T, int features>
struct AddMaps {
  tile::Rows rows;
  const T *own, *before;
  T* z;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t vectors = features * sizeof(float) / sizeof(T);
    z[i] = rows.lengths == nullptr || rows.counts(i / vectors) ? sum_of(own[i], before[i]) : T{};
  }
};
template <class T, int features>
struct PassOnMap {
  tile::Rows rows;
  const T* dz;
  T *d_own, *d_before;
  __device__ void operator()(std::size_t i) const {
    constexpr std::size_t vectors = features * sizeof(float) / sizeof(T);
    const bool is_over = d_own == dz;
    if (rows.lengths != nullptr && !rows.counts(i / vectors)) {
      if (is_over) d_own[i] = T{};
      return;
    }
    const T up = dz[i];
    if (d_own != nullptr && !is_over) d_own[i] = sum_of(d_own[i], up);
    if (d_before != nullptr) d_before[i] = sum_of(d_before[i], up);
  }
};

}  // namespace cuda::depth

template <class Own>
template <Capability C>
[[gnu::used]] void CudaResidual<Own>::forward(const Pass& pass, Weights<float>, const float*, const float* own,
                                              const float* const* before, float* z, NothingSaved&, float*) {
  using T = cuda::depth::VectorOf<Own::features>;
  const auto rows = cuda::rows_of(pass, Own::positions, Own::rank == 2 && C != Capability::stream);
  cuda::over_elements(pass, pass.samples * Own::elements * sizeof(float) / sizeof(T),
                      cuda::depth::AddMaps<T, Own::features>{rows, cuda::depth::as<T>(own),
                                                             cuda::depth::as<T>(before[0]), cuda::depth::as<T>(z)});
}
template <class Own>
template <Capability C>
[[gnu::used]] void CudaResidual<Own>::backward(const Pass& pass, Weights<float>, const float*, const float*,
                                               const float* const*, const float* dz, float* d_own,
                                               float* const* d_before, Gradients<float>, NothingSaved&, float*) {
  using T = cuda::depth::VectorOf<Own::features>;
  const auto rows = cuda::rows_of(pass, Own::positions, Own::rank == 2);
  cuda::over_elements(pass, pass.samples * Own::elements * sizeof(float) / sizeof(T),
                      cuda::depth::PassOnMap<T, Own::features>{rows, cuda::depth::as<T>(dz), cuda::depth::as<T>(d_own),
                                                               cuda::depth::as<T>(d_before[0])});
}
#endif

template <class Own, class Before, CudaBackend Backend>
CudaResidual<Own> select_kernel(rank::Layer, Integration<integrate::Residual, Own, Before>, Backend);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
