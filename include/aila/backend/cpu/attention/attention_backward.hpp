// Self-attention of one sample, backward.
//
// The weights are computed again, block by block as in forward: keeping them would be n^2 numbers a head. Cost of a
// head of width w over n steps: 10 n^2 w FLOP in five products, and n^2 exponentials. In the two products that add to
// the gradients of keys and values, the features of a head lie in the lanes.
// Measured as in attention_forward.hpp: 78 % with one head, 72 % with four.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <cstring>

#include "attention_forward.hpp"

namespace aila::inline v0::cpu {

/// d_o [length, features] -> d_qkv [length, 3 features], for qkv, o and statistics of forward.
template <class Scalar, class Arch>
[[gnu::noinline]] void attention_backward(AttentionSizes<Scalar, Arch> sizes, std::size_t length, const Scalar* qkv,
                                          const Scalar* o, const Scalar* statistics, const Scalar* d_o, Scalar* d_qkv,
                                          Scalar* scratch) noexcept {
  const std::size_t w = sizes.head(), d = sizes.features, stride = 3 * d;
  const Scalar d_scale = sizes.scale(), scale = d_scale * Scalar(log2_of_e);
  Scalar* const scores = scratch;
  Scalar* const d_scores = scores + sizes.scores_size();
  Scalar* const queries = d_scores + sizes.scores_size();
  Scalar* const d_outputs = queries + sizes.panel_size();
  Scalar* const outputs = d_outputs + sizes.panel_size();
  Scalar* const sums = outputs + sizes.panel_size();
  Scalar* const tile = sums + sizes.panel_size();
  Scalar* const query_rows = tile + sizes.tile_size();
  Scalar* const d_output_rows = query_rows + sizes.rows_size();
  Scalar* const dot = d_output_rows + sizes.rows_size();
  for (std::size_t t = 0; t < length; ++t) std::memset(d_qkv + t * stride + d, 0, 2 * d * sizeof(Scalar));
  const Parts panels(ceil_div(length, sizes.W), panel_vectors);
  for (std::size_t h = 0; h < sizes.heads; ++h) {
    const Scalar* const q = qkv + h * w;
    Scalar* const dq = d_qkv + h * w;
    const Scalar* const largest = statistics + 2 * h * sizes.queries();
    const Scalar* const inverse = largest + sizes.queries();
    for (std::size_t p = 0; p < panels.count; ++p) {
      const AttentionBlock<Scalar, Arch> at(sizes, panels, p, length);
      const Scalar* const rows = q + at.first * stride;
      const Scalar* const d_rows = d_o + at.first * d + h * w;
      pack<Scalar, Arch>(rows, 1, stride, w, at.queries, queries);
      pack<Scalar, Arch>(d_rows, 1, d, w, at.queries, d_outputs);
      pack<Scalar, Arch>(o + at.first * d + h * w, 1, d, w, at.queries, outputs);
      pack<Scalar, Arch>(rows, stride, 1, at.queries, w, query_rows);
      pack<Scalar, Arch>(d_rows, d, 1, at.queries, w, d_output_rows);
      multiply_packed<Scalar, Arch>(at.keys, w, at.lanes, q + d, stride, 1, queries, nullptr, scores, at.lanes, false);
      multiply_packed<Scalar, Arch>(at.keys, w, at.lanes, q + 2 * d, stride, 1, d_outputs, nullptr, d_scores, at.lanes,
                                    false);
      with_constant<panel_vectors>(at.vectors, [&](auto vectors) {
        constexpr std::size_t V = decltype(vectors)::value;
        dot_columns<Scalar, Arch, V>(w, d_outputs, outputs, dot);
        softmax_columns_backward<Scalar, Arch, V>(at.keys, at.diagonal, scale, d_scale, largest + at.first,
                                                  inverse + at.first, dot, scores, d_scores);
      });
      multiply_packed<Scalar, Arch>(at.keys, at.queries, w, scores, at.lanes, 1, d_output_rows, nullptr, dq + 2 * d,
                                    stride, true);
      multiply_packed<Scalar, Arch>(at.keys, at.queries, w, d_scores, at.lanes, 1, query_rows, nullptr, dq + d, stride,
                                    true);
      multiply_packed<Scalar, Arch>(w, at.keys, at.lanes, q + d, 1, stride, d_scores, nullptr, sums, at.lanes, false);
      store_columns<Scalar, Arch>(w, at.queries, sums, at.lanes, nullptr, dq + at.first * stride, stride, tile);
    }
  }
}

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
