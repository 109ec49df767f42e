// Self-attention of one sample, forward.
//
// A block of up to four vectors of queries at a time: its scores [keys, block] are the keys times the block transposed,
// and its outputs transposed are the values transposed times the weights. Both products have whole vectors of queries
// in the lanes, whatever the width of a head, and the weights are packed as they are. Cost of a head of width w over n
// steps: 4 n^2 w FLOP, and n^2 exponentials, which at w = 16 take as long. The scores of a block stay in the
// second-level cache.
// Measured on a core of Zen 4 (AVX-512), 200 steps of 64 features, projections included: 88 % of the peak of fused
// multiply-adds with one head, 77 % with four.
#pragma once

#include "../../../core/macros_aside.hpp"

#include "../../../core/math.hpp"
#include "attention_tile.hpp"

namespace aila::inline v0::cpu {

/// Where everything of a sample lies. A row of `qkv` is q, k and v of one step, heads side by side.
template <class Scalar, class Arch>
struct AttentionSizes {
  std::size_t steps, features, heads;
  bool causal;

  static constexpr std::size_t W = simd::width<Scalar, Arch>;
  static constexpr std::size_t block = panel_vectors * W;  ///< queries
  static constexpr std::size_t line = 128 / sizeof(Scalar);
  static constexpr std::size_t round(std::size_t n) noexcept { return ceil_div(n, line) * line; }

  /// What scores are multiplied by.
  Scalar scale() const noexcept { return Scalar(1) / math::sqrt(static_cast<Scalar>(head())); }
  constexpr std::size_t head() const noexcept { return features / heads; }
  constexpr std::size_t qkv_size() const noexcept { return round(3 * steps * features); }
  constexpr std::size_t o_size() const noexcept { return round(steps * features); }
  /// Of one head: the largest score of every query, then their inverses.
  constexpr std::size_t queries() const noexcept { return ceil_div(steps, W) * W; }
  constexpr std::size_t statistics_size() const noexcept { return round(2 * heads * queries()); }
  constexpr std::size_t saved_size() const noexcept { return qkv_size() + o_size() + statistics_size(); }

  constexpr std::size_t scores_size() const noexcept { return round(steps * block); }
  /// A block transposed.
  constexpr std::size_t panel_size() const noexcept { return round(head() * block); }
  constexpr std::size_t tile_size() const noexcept { return round(head() * W); }
  /// A block's rows of one head, packed.
  constexpr std::size_t rows_size() const noexcept { return round(packed_size<Scalar, Arch>(block, head())); }
  constexpr std::size_t forward_scratch() const noexcept { return scores_size() + 2 * panel_size() + tile_size(); }
  constexpr std::size_t backward_scratch() const noexcept {
    return qkv_size() + o_size() + 2 * scores_size() + 4 * panel_size() + tile_size() + 2 * rows_size() + round(block);
  }

  /// Packed weights: of the input and output maps, each as for y = W x, then as for dx = W^T dy.
  constexpr std::size_t input_back_at() const noexcept {
    return round(packed_size<Scalar, Arch>(features, 3 * features));
  }
  constexpr std::size_t output_at() const noexcept {
    return input_back_at() + round(packed_size<Scalar, Arch>(3 * features, features));
  }
  constexpr std::size_t output_back_at() const noexcept {
    return output_at() + round(packed_size<Scalar, Arch>(features, features));
  }
  constexpr std::size_t packed() const noexcept {
    return output_back_at() + round(packed_size<Scalar, Arch>(features, features));
  }
};

/// The queries of one block, and the keys they attend to.
template <class Scalar, class Arch>
struct AttentionBlock {
  std::size_t vectors, lanes, first, queries, keys, diagonal;

  AttentionBlock(AttentionSizes<Scalar, Arch> sizes, const Parts& panels, std::size_t p, std::size_t length) noexcept
      : vectors(panels.size(p)),
        lanes(vectors * sizes.W),
        first(panels.begin(p) * sizes.W),
        queries(smaller(lanes, length - first)),
        keys(sizes.causal ? first + queries : length),
        diagonal(sizes.causal ? first : length) {}
};

/// qkv [length, 3 features] -> o [length, features], and the statistics of the softmax.
template <class Scalar, class Arch>
[[gnu::noinline]] void attention_forward(AttentionSizes<Scalar, Arch> sizes, std::size_t length, const Scalar* qkv,
                                         Scalar* o, Scalar* statistics, Scalar* scratch) noexcept {
  const std::size_t w = sizes.head(), d = sizes.features, stride = 3 * d;
  const Scalar scale = sizes.scale() * Scalar(log2_of_e);
  Scalar* const scores = scratch;
  Scalar* const queries = scores + sizes.scores_size();
  Scalar* const sums = queries + sizes.panel_size();
  Scalar* const tile = sums + sizes.panel_size();
  const Parts panels(ceil_div(length, sizes.W), panel_vectors);
  for (std::size_t h = 0; h < sizes.heads; ++h) {
    const Scalar* const q = qkv + h * w;
    Scalar* const largest = statistics + 2 * h * sizes.queries();
    Scalar* const inverse = largest + sizes.queries();
    for (std::size_t p = 0; p < panels.count; ++p) {
      const AttentionBlock<Scalar, Arch> at(sizes, panels, p, length);
      pack<Scalar, Arch>(q + at.first * stride, 1, stride, w, at.queries, queries);
      multiply_packed<Scalar, Arch>(at.keys, w, at.lanes, q + d, stride, 1, queries, nullptr, scores, at.lanes, false);
      with_constant<panel_vectors>(at.vectors, [&](auto vectors) {
        softmax_columns<Scalar, Arch, decltype(vectors)::value>(at.keys, at.diagonal, scale, scores, largest + at.first,
                                                                inverse + at.first);
      });
      multiply_packed<Scalar, Arch>(w, at.keys, at.lanes, q + 2 * d, 1, stride, scores, nullptr, sums, at.lanes, false);
      store_columns<Scalar, Arch>(w, at.queries, sums, at.lanes, inverse + at.first, o + at.first * d + h * w, d, tile);
    }
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
