// Mixtures of rows by scores that look at them: one learned vector, or one for each item, asks items as they are or
// divided by their root mean square.
//
// In blocks of rows, a position in each lane where a position has one number. Bound by the items, which forward reads
// twice (scores, sum), the second time out of the first-level cache, and backward twice, with their gradients. About 4
// d operations an item forward, 10 d back. How many items there are is an argument, so that a deep stack has this once.
#pragma once

#include "../../../core/macros_aside.hpp"

#include <algorithm>

#include "../../../core/arena.hpp"
#include "../../../core/parameter.hpp"
#include "normalise_block.hpp"

namespace aila::inline v0::cpu {

/// P is the axes of a mixture over items of d features, whose heads are whole vectors of a row, or one.
template <class S, class Arch, class P, std::size_t d, std::size_t heads>
struct MixScored {
  using Row = cpu::Row<S, Arch, d>;
  using V = typename Row::V;
  static constexpr std::size_t W = block_rows<S, Arch>, slice = d / heads;
  using Slice = cpu::Row<S, Arch, slice>;
  static constexpr bool rms = P::rms_keys, each = P::scores_each, averages = P::averages_weights && heads > 1;
  static_assert(heads == 1 || slice % W == 0);

  /// Kept for backward, of each block of rows: weights [heads, n], and of normalised keys scores [heads, n] and factors
  /// [n], each in W lanes.
  static constexpr std::size_t kept_of_block(std::size_t n) { return (heads + (rms ? heads + 1 : 0)) * n * W; }
  static constexpr std::size_t kept(std::size_t n, std::size_t rows) { return (rows + W - 1) / W * kept_of_block(n); }
  /// What a block keeps, or slopes of weights and scores; means over the heads; what is taken off an item.
  static constexpr std::size_t scratch(std::size_t n) {
    return std::max(kept_of_block(n), 2 * heads * n * W) + 2 * n * W + alignment_elements;
  }

  struct Block {
    S *weights, *scores, *factors;
    Block(S* memory, std::size_t n)
        : weights(memory), scores(memory + heads * n * W), factors(scores + (rms ? heads * n * W : 0)) {}
  };
  /// The vector that asks item i, of head h.
  static const S* asked(const S* query, std::size_t n, std::size_t h, std::size_t i) {
    return query + (each ? (h * n + i) * slice : h * slice);
  }
  static constexpr std::size_t head_of(std::size_t k) { return heads == 1 || averages ? 0 : k * W / slice; }

  /// to [rows, d] of items [n][rows, d]; `kept` is null where nobody goes back.
  [[gnu::noinline]] static void forward(std::size_t n, const S* const* items, std::size_t rows, const S* query, S* to,
                                        S* kept, S* scratch) noexcept {
    S* const mean = scratch + kept_of_block(n);
    for (std::size_t row = 0; row < rows; row += W) {
      const std::size_t valid = std::min(W, rows - row), at = row * d;
      const Block block(kept != nullptr ? kept + row / W * kept_of_block(n) : scratch, n);
      weigh(n, items, at, valid, query, block);
      const S* weights = block.weights;
      if constexpr (averages) {
        mean_of_heads(n, block.weights, mean);
        weights = mean;
      }
      mix(n, items, at, valid, weights, to + at);
    }
  }

  /// Adds to d_items (null where nobody asks) and to d_query (likewise).
  [[gnu::noinline]] static void backward(std::size_t n, const S* const* items, S* const* d_items, std::size_t rows,
                                         const S* query, const S* d_to, S* d_query, S* kept, S* scratch) noexcept {
    S *const slopes = scratch, *const d_scores = slopes + heads * n * W;
    S *const mean = d_scores + heads * n * W, *const taken = mean + n * W;
    for (std::size_t row = 0; row < rows; row += W) {
      const std::size_t valid = std::min(W, rows - row), at = row * d;
      const Block block(kept + row / W * kept_of_block(n), n);
      const S* weights = block.weights;
      if constexpr (averages) {
        mean_of_heads(n, block.weights, mean);
        weights = mean;
      }
      score_slopes(n, items, at, valid, block, d_to + at, slopes, d_scores);
      if constexpr (rms) key_slopes(n, block, d_scores, taken);
      for (std::size_t i = 0; i < n; ++i)
        item_back(n, i, items[i] + at, d_items[i] == nullptr ? nullptr : d_items[i] + at, valid, query, weights,
                  d_scores, taken + i * W, d_to + at, d_query);
    }
  }

 private:
  static V load(const S* at) { return simd::load<S, Arch>(at); }

  static void weigh(std::size_t n, const S* const* items, std::size_t at, std::size_t valid, const S* query,
                    const Block& block) {
    if constexpr (rms)
      for (std::size_t i = 0; i < n; ++i) {
        const V square = block_products<d, S, Arch>(items[i] + at, d, items[i] + at, d, valid);
        simd::store(block.factors + i * W,
                    V(S(1)) / math::sqrt(simd::fmadd(square, V(S(1) / S(d)), V(S(P::Keys::eps)))));
      }
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t i = 0; i < n; ++i) {
        V score = block_products<slice, S, Arch>(items[i] + at + h * slice, d, asked(query, n, h, i), 0, valid);
        if constexpr (rms) {
          score = score * load(block.factors + i * W);
          simd::store(block.scores + (h * n + i) * W, score);
        }
        simd::store(block.weights + (h * n + i) * W, score);
      }
      normalise_block<typename P::Normaliser, S, Arch>(block.weights + h * n * W, n);
    }
  }

  static void mean_of_heads(std::size_t n, const S* weights, S* mean) {
    for (std::size_t i = 0; i < n; ++i) {
      V sum = load(weights + i * W);
      for (std::size_t h = 1; h < heads; ++h) sum += load(weights + (h * n + i) * W);
      simd::store(mean + i * W, sum * V(S(1) / S(heads)));
    }
  }

  static void mix(std::size_t n, const S* const* items, std::size_t at, std::size_t valid, const S* weights, S* to) {
    constexpr std::size_t part = std::min<std::size_t>(Row::vectors, 4);
    for (std::size_t p = 0; p < valid; ++p, at += d, to += d)
      for (std::size_t first = 0; first < Row::vectors; first += part) {
        V sum[part];
        AILA_UNROLL
        for (std::size_t k = 0; k < part; ++k) sum[k] = V(S(0));
        for (std::size_t i = 0; i < n; ++i) {
          const S* const item = items[i] + at;
          AILA_UNROLL
          for (std::size_t k = 0; k < part; ++k)
            if (first + k < Row::vectors)
              sum[k] =
                  simd::fmadd(V(weights[(head_of(first + k) * n + i) * W + p]), Row::load(item, first + k), sum[k]);
        }
        AILA_UNROLL
        for (std::size_t k = 0; k < part; ++k)
          if (first + k < Row::vectors) Row::store(to, first + k, sum[k]);
      }
  }

  static void score_slopes(std::size_t n, const S* const* items, std::size_t at, std::size_t valid, const Block& block,
                           const S* d_to, S* slopes, S* d_scores) {
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t i = 0; i < n; ++i) {
        V slope;
        if constexpr (averages) {
          slope = h > 0 ? load(slopes + i * W)
                        : block_products<d, S, Arch>(items[i] + at, d, d_to, d, valid) * V(S(1) / S(heads));
        } else {
          slope = block_products<slice, S, Arch>(items[i] + at + h * slice, d, d_to + h * slice, d, valid);
        }
        simd::store(slopes + (h * n + i) * W, slope);
      }
      normalise_block_backward<typename P::Normaliser, S, Arch>(block.weights + h * n * W, slopes + h * n * W, n,
                                                                d_scores + h * n * W);
    }
  }

  /// Of k = r v: slopes of <q, v> in the place of those of <q, k>, and how much of v is taken off its gradient: r (sum
  /// over heads of ds s) / d, times r once more.
  static void key_slopes(std::size_t n, const Block& block, S* d_scores, S* taken) {
    for (std::size_t i = 0; i < n; ++i) {
      const V factor = load(block.factors + i * W);
      V sum(S(0));
      for (std::size_t h = 0; h < heads; ++h) {
        S* const slope = d_scores + (h * n + i) * W;
        sum = simd::fmadd(load(slope), load(block.scores + (h * n + i) * W), sum);
        simd::store(slope, load(slope) * factor);
      }
      simd::store(taken + i * W, sum * factor * factor * V(S(1) / S(d)));
    }
  }

  static void item_back(std::size_t n, std::size_t i, const S* item, S* d_item, std::size_t valid, const S* query,
                        const S* weights, const S* d_scores, [[maybe_unused]] const S* taken, const S* d_to,
                        S* d_query) {
    for (std::size_t k = 0; k < Row::vectors; ++k) {
      const std::size_t h = heads == 1 ? 0 : k * W / slice, within = k - h * Slice::vectors;
      const S* const weight = weights + (head_of(k) * n + i) * W;
      const S* const slope = d_scores + (h * n + i) * W;
      const V asks = Slice::load(asked(query, n, h, i), within);
      V sum(S(0));
      for (std::size_t p = 0; p < valid; ++p) {
        const V x = Row::load(item + p * d, k), s(slope[p]);
        sum = simd::fmadd(s, x, sum);
        if (d_item == nullptr) continue;
        V g = simd::fmadd(V(weight[p]), Row::load(d_to + p * d, k), Row::load(d_item + p * d, k));
        g = simd::fmadd(s, asks, g);
        if constexpr (rms) g = g - V(taken[p]) * x;
        Row::store(d_item + p * d, k, g);
      }
      if (d_query == nullptr) continue;
      S* const to = d_query + (each ? (h * n + i) * slice : h * slice);
      Slice::store(to, within, Slice::load(to, within) + sum);
    }
  }
};

}  // namespace aila::inline v0::cpu

#include "../../../core/macros_back.hpp"
