// Patch embedding on a GPU: a convolution whose windows lie side by side.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/patch_embedding.hpp"
#include "conv.hpp"

namespace aila::inline v0 {

namespace cuda::detail {
/// Weights lie as those of a convolution do.
template <std::size_t Patch, std::size_t Width>
struct PatchConvolution {
  static constexpr bool has_bias = true;
  template <class In>
  static constexpr ConvPlan plan{
      {{In::extents[0], Patch, Patch, 1, 0}, {In::extents[1], Patch, Patch, 1, 0}}, In::features, Width, 1};
};
}  // namespace cuda::detail

template <std::size_t Patch, std::size_t Width, class In>
struct CudaPatchEmbedding : CudaConv<cuda::detail::PatchConvolution<Patch, Width>, In> {
  static constexpr const char* name = "cuda patch embedding, three products of TF32";
};

template <std::size_t Patch, std::size_t Width, class In>
CudaPatchEmbedding<Patch, Width, In> select_kernel(rank::Layer, Placed<PatchEmbedding<Patch, Width>, In>,
                                                   backend::Cuda);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
