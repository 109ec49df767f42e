// Patch embedding on the CPU: the patches of a sample side by side as rows, then packed products.
//
// A row of a patch is one run of Patch x channels numbers in the image, so patches are gathered in the order (row,
// column, channel), and the weights are packed in that order. Bound by fused multiply-adds; the copies take
// 1 / (2 Width) of the operations.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../layer/patch_embedding.hpp"
#include "../../kernel.hpp"
#include "../product/product.hpp"
#include "../simd/cpu.hpp"

namespace aila::inline v0 {

template <class S, class Arch, std::size_t Patch, std::size_t Width, class In>
struct CpuPatchEmbedding : KernelDefaults<S> {
  static constexpr const char* name = "cpu patch embedding, packed products";
  static constexpr std::size_t channels = In::features, columns = In::extents[1] / Patch;
  static constexpr std::size_t patches = In::positions / (Patch * Patch), size = channels * Patch * Patch;
  static constexpr std::size_t run = Patch * channels, image_row = In::extents[1] * channels;

  /// Packed for y, packed for dx, and the weights [Width, size] in the order of a gathered patch.
  static constexpr std::size_t back_at = round_up(cpu::packed_size<S, Arch>(size, Width), alignment_elements);
  static constexpr std::size_t ordered_at =
      back_at + round_up(cpu::packed_size<S, Arch>(Width, size), alignment_elements);
  static constexpr std::size_t packed = ordered_at + round_up(Width * size, alignment_elements);

  /// Element e of a gathered patch in PyTorch's order (channel, row, column).
  static constexpr std::size_t in_weight(std::size_t e) {
    return e % channels * Patch * Patch + e / run * Patch + e % run / channels;
  }
  static void pack(Weights<S> w, S* to) {
    for (std::size_t o = 0; o < Width; ++o)
      for (std::size_t e = 0; e < size; ++e) to[ordered_at + o * size + e] = w[0][o * size + in_weight(e)];
    cpu::pack<S, Arch>(to + ordered_at, 1, size, size, Width, to);
    cpu::pack<S, Arch>(to + ordered_at, size, 1, Width, size, to + back_at);
  }

  /// The patches of one sample, their gradients, and the weights' gradient in the order of a patch.
  static constexpr std::size_t patches_size = round_up(patches * size, alignment_elements);
  static constexpr std::size_t scratch(std::size_t, Capability c) {
    return keeps_for_backward(c) ? 2 * patches_size + Width * size : patches_size;
  }

  /// f(offset in the gathered patches, offset in the image) for every run.
  template <class F>
  static void for_each_run(F&& f) {
    for (std::size_t p = 0; p < patches; ++p)
      for (std::size_t r = 0; r < Patch; ++r)
        f(p * size + r * run, (p / columns * Patch + r) * image_row + p % columns * run);
  }

  template <Capability C>
  static void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, S* y, NothingSaved&,
                      S* gathered) {
    for (std::size_t n = 0; n < pass.samples; ++n, x += In::elements, y += patches * Width) {
      for_each_run([&](std::size_t at, std::size_t pixel) { std::copy_n(x + pixel, run, gathered + at); });
      cpu::multiply_packed<S, Arch>(patches, size, Width, gathered, size, 1, packed_weights, w[1], y, Width, false);
    }
  }

  template <Capability C>
  static void backward(const Pass& pass, Weights<S>, const S* packed_weights, const S* x, const S*, const S* dy, S* dx,
                       Gradients<S> g, NothingSaved&, S* scratch) {
    S* gathered = scratch;
    S* d_gathered = gathered + patches_size;
    S* d_weight = d_gathered + patches_size;
    if (g) {
      std::fill_n(d_weight, Width * size, S(0));
      cpu::add_columns<S, Arch>(pass.samples * patches, Width, dy, Width, g[1]);
    }
    for (std::size_t n = 0; n < pass.samples; ++n, dy += patches * Width) {
      const std::size_t image = n * In::elements;
      if (g) {
        for_each_run([&](std::size_t at, std::size_t pixel) { std::copy_n(x + image + pixel, run, gathered + at); });
        cpu::multiply_transposed_add<S, Arch>(patches, Width, size, dy, Width, gathered, size, d_weight, size);
      }
      if (dx == nullptr) continue;
      cpu::multiply_packed<S, Arch>(patches, Width, size, dy, Width, 1, packed_weights + back_at, nullptr, d_gathered,
                                    size, false);
      for_each_run([&](std::size_t at, std::size_t pixel) {
        for (std::size_t i = 0; i < run; ++i) dx[image + pixel + i] += d_gathered[at + i];
      });
    }
    if (g)
      for (std::size_t o = 0; o < Width; ++o)
        for (std::size_t e = 0; e < size; ++e) g[0][o * size + in_weight(e)] += d_weight[o * size + e];
  }
};

template <std::size_t Patch, std::size_t Width, class In, class Arch, class S>
CpuPatchEmbedding<S, Arch, Patch, Width, In> select_kernel(rank::Layer, Placed<PatchEmbedding<Patch, Width>, In>,
                                                           backend::CpuOn<Arch, S>);

}  // namespace aila::inline v0

#include "../../../core/macros_back.hpp"
