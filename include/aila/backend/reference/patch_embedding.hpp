// Patch embedding in plain loops.
#pragma once

#include "../../core/macros_aside.hpp"

#include "../../layer/patch_embedding.hpp"
#include "../kernel.hpp"
#include "reference.hpp"

namespace aila::inline v0 {

template <class S, std::size_t Patch, std::size_t Width, class In>
struct ReferencePatchEmbedding : KernelDefaults<S> {
  static constexpr const char* name = "reference patch embedding";
  static constexpr std::size_t channels = In::features, columns = In::extents[1] / Patch;
  static constexpr std::size_t patches = In::positions / (Patch * Patch), size = channels * Patch * Patch;

  /// Where element e (channel, row, column) of patch p lies in a sample's image.
  static constexpr std::size_t pixel(std::size_t p, std::size_t e) {
    const std::size_t row = p / columns * Patch + e / Patch % Patch, column = p % columns * Patch + e % Patch;
    return (row * In::extents[1] + column) * channels + e / (Patch * Patch);
  }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S*, const S* x, S* y, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements)
      for (std::size_t p = 0; p < patches; ++p)
        for (std::size_t o = 0; o < Width; ++o) {
          S sum = w[1][o];
          for (std::size_t e = 0; e < size; ++e) sum += w[0][o * size + e] * x[pixel(p, e)];
          y[(n * patches + p) * Width + o] = sum;
        }
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                                 Gradients<S> g, NothingSaved&, S*) {
    for (std::size_t n = 0; n < pass.samples; ++n)
      for (std::size_t p = 0; p < patches; ++p)
        for (std::size_t o = 0; o < Width; ++o) {
          const S d = dy[(n * patches + p) * Width + o];
          if (g) g[1][o] += d;
          for (std::size_t e = 0; e < size; ++e) {
            const std::size_t at = n * In::elements + pixel(p, e);
            if (g) g[0][o * size + e] += d * x[at];
            if (dx != nullptr) dx[at] += w[0][o * size + e] * d;
          }
        }
  }
};

template <class S, std::size_t Patch, std::size_t Width, class In>
ReferencePatchEmbedding<S, Patch, Width, In> select_kernel(rank::Layer, Placed<PatchEmbedding<Patch, Width>, In>,
                                                           backend::Reference<S>);

}  // namespace aila::inline v0

#include "../../core/macros_back.hpp"
