// The arithmetic of batch normalisation over the rows of a map, for maps of any size.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>

#include "../../core/math.hpp"
#include "../kernel.hpp"
#include "rows.hpp"

namespace aila::inline v0::detail {

/// What batch normalisation keeps between forward and backward: a number for each feature.
template <class S>
struct BatchNormSaved {
  S* mean = nullptr;
  S* inverse = nullptr;  ///< 1 / sqrt(variance + epsilon)
  S* scale = nullptr;
  S* shift = nullptr;
  S* variance = nullptr;  ///< of the batch
  double count = 0;       ///< rows of the batch; of one row, or none, there are no statistics

  constexpr void take(Arena<S>& arena, std::size_t features) {
    for (S** of : {&mean, &inverse, &scale, &shift, &variance}) *of = arena.take(features);
  }
};

/// Sizes are numbers of the program's run, so that all maps share this code. Rows are gone through in blocks of 32 that
/// stay in the cache, a vector of features at a time, with what is one number a feature in registers. Sums are made in
/// Scalars over a block and in double beyond, so that they are as exact as the rows. A group's squares are taken about
/// its own mean: what groups add up then cancels in double only.
template <class Backend>
struct BatchNormRows {
  using S = typename Backend::Scalar;
  using V = typename Lanes<Backend>::V;
  using Saved = BatchNormSaved<S>;
  static constexpr std::size_t block = 32;

  std::size_t features;
  std::size_t positions;
  bool is_sequence;
  double rate;
  double epsilon;

  /// Numbers that a group deposits: count, sums, and sums of squares.
  constexpr std::size_t deposit() const { return 1 + 2 * features; }
  constexpr std::size_t padded() const { return round_up(features, alignment_elements); }

  /// `packed` holds scale and shift by the running statistics, or is null. `scratch` is memory for two numbers a
  /// feature.
  [[gnu::noinline]] constexpr void forward(const Pass& pass, Weights<S> w, const S* packed, const S* x, S* y,
                                           Saved& saved, S* scratch, bool keeps_for_backward) const {
    const bool learns = learns_statistics(pass, w);
    if (pass.phase == 0) {
      if (learns) deposit_moments(pass, x, scratch, scratch + padded());
      return;
    }
    if (learns) saved.count = pass.all_reduce->total[0];
    if (learns && saved.count > 1) {
      take_moments(pass, w, saved);
      apply(pass.samples, x, saved.scale, saved.shift, y);
    } else {
      if (packed == nullptr) fold(w, w[2], w[3], saved.scale, saved.shift);
      if (keeps_for_backward) keep_running(w, saved);
      const S* scale = packed == nullptr ? saved.scale : packed;
      const S* shift = packed == nullptr ? saved.shift : packed + padded();
      apply(pass.samples, x, scale, shift, y);
    }
  }

  /// `scratch` is memory for three numbers a feature.
  [[gnu::noinline]] constexpr void backward(const Pass& pass, Weights<S> w, const S* x, const S* dy, S* dx,
                                            Gradients<S> g, const Saved& saved, S* scratch) const {
    const bool batch = learns_statistics(pass, w) && saved.count > 1;
    if (pass.phase == 0) {
      double* sums = pass.all_reduce->own;
      gradient_sums(pass, x, dy, saved, sums, scratch);
      pass.all_reduce->count = batch ? 2 * features : 0;
      if (g)
        for (std::size_t f = 0; f < features; ++f) {
          g[0][f] += static_cast<S>(sums[features + f]);
          g[1][f] += static_cast<S>(sums[f]);
        }
      if (g && batch && pass.collects && pass.first_sample == 0) collect(w, saved, g);
      return;
    }
    if (dx == nullptr) return;
    S* const scale = scratch;
    S* const bias_mean = scratch + padded();
    S* const weight_mean = scratch + 2 * padded();
    const double share = batch ? 1 / saved.count : 0;
    for (std::size_t f = 0; f < features; ++f) {
      scale[f] = saved.inverse[f] * w[0][f];
      bias_mean[f] = batch ? static_cast<S>(pass.all_reduce->total[f] * share) : S(0);
      weight_mean[f] = batch ? static_cast<S>(pass.all_reduce->total[features + f] * share) : S(0);
    }
    // Two functions, so that in each a product is fused with what it is added to.
    if (pass.sets_input_gradient)
      input_gradient<false>(pass, x, dy, saved, scale, bias_mean, weight_mean, dx);
    else
      input_gradient<true>(pass, x, dy, saved, scale, bias_mean, weight_mean, dx);
  }

  /// scale and shift of y = x scale + shift, by given statistics.
  constexpr void fold(Weights<S> w, const S* mean, const S* variance, S* scale, S* shift) const {
    for (std::size_t f = 0; f < features; ++f) {
      scale[f] = w[0][f] / math::sqrt(variance[f] + S(epsilon));
      shift[f] = w[1][f] - mean[f] * scale[f];
    }
  }
  /// For the backward of a forward by running statistics.
  constexpr void keep_running(Weights<S> w, Saved& saved) const {
    for (std::size_t f = 0; f < features; ++f) {
      saved.mean[f] = w[2][f];
      saved.inverse[f] = S(1) / math::sqrt(w[3][f] + S(epsilon));
    }
  }

 private:
  /// Whether this is a step that takes the batch's statistics, if there are any: its running ones are not frozen.
  static constexpr bool learns_statistics(const Pass& pass, Weights<S> w) {
    return pass.training && !pass.freezes(w, 2) && !pass.freezes(w, 3);
  }
  constexpr void apply(std::size_t samples, const S* x, const S* scale, const S* shift, S* y) const {
    for_blocks(0, samples * positions, [&](std::size_t first, std::size_t rows) {
      over_row<Backend>(features, [&](auto part) {
        const V factor = part.load(scale), offset = part.load(shift);
        for (std::size_t at = first * features; at < (first + rows) * features; at += features)
          part.store(y + at, part.load(x + at) * factor + offset);
      });
    });
  }

  /// Count, sums and sums of squares of the group, to the pass's all-reduce. `sums` and `mean` are memory for the
  /// features.
  constexpr void deposit_moments(const Pass& pass, const S* x, S* sums, S* mean) const {
    double* const count = pass.all_reduce->own;
    double* const sum = count + 1;
    double* const squares = sum + features;
    std::fill_n(count, deposit(), 0.0);
    for_valid_blocks(pass, [&](std::size_t first, std::size_t rows) {
      *count += static_cast<double>(rows);
      over_row<Backend>(features, [&](auto part) {
        V total(S(0));
        for (std::size_t at = first * features; at < (first + rows) * features; at += features)
          total = total + part.load(x + at);
        part.store(sums, total);
      });
      for (std::size_t f = 0; f < features; ++f) sum[f] += static_cast<double>(sums[f]);
    });
    const double share = *count > 0 ? 1 / *count : 0;
    for (std::size_t f = 0; f < features; ++f) mean[f] = static_cast<S>(sum[f] * share);
    for_valid_blocks(pass, [&](std::size_t first, std::size_t rows) {
      over_row<Backend>(features, [&](auto part) {
        const V middle = part.load(mean);
        V total(S(0));
        for (std::size_t at = first * features; at < (first + rows) * features; at += features) {
          const V d = part.load(x + at) - middle;
          total = total + d * d;
        }
        part.store(sums, total);
      });
      for (std::size_t f = 0; f < features; ++f) squares[f] += static_cast<double>(sums[f]);
    });
    // About `mean`, which is the group's up to rounding, to about zero: sum x^2 = sum (x - m)^2 + 2 m sum x - n m^2.
    for (std::size_t f = 0; f < features; ++f) {
      const auto m = static_cast<double>(mean[f]);
      squares[f] += m * (2 * sum[f] - *count * m);
    }
    pass.all_reduce->count = deposit();
  }

  /// The batch's statistics from the sums over all groups, and scale and shift by them.
  constexpr void take_moments(const Pass& pass, Weights<S> w, Saved& saved) const {
    const double* const count = pass.all_reduce->total;
    const double* const sum = count + 1;
    const double* const squares = sum + features;
    const double share = 1 / *count;
    for (std::size_t f = 0; f < features; ++f) {
      const double mean = sum[f] * share;
      const double variance = std::max(squares[f] * share - mean * mean, 0.0);
      saved.mean[f] = static_cast<S>(mean);
      saved.variance[f] = static_cast<S>(variance);
      saved.inverse[f] = static_cast<S>(1 / math::sqrt(variance + epsilon));
      saved.scale[f] = saved.inverse[f] * w[0][f];
      saved.shift[f] = w[1][f] - saved.mean[f] * saved.scale[f];
    }
  }

  /// Sums over the group of dy, then of dy times normalised x: 2 features numbers. `part_sums` is memory for as many.
  constexpr void gradient_sums(const Pass& pass, const S* x, const S* dy, const Saved& saved, double* sums,
                               S* part_sums) const {
    S* const weight_sums = part_sums + padded();
    std::fill_n(sums, 2 * features, 0.0);
    for_valid_blocks(pass, [&](std::size_t first, std::size_t rows) {
      over_row<Backend>(features, [&](auto part) {
        const V mean = part.load(saved.mean), inverse = part.load(saved.inverse);
        V bias(S(0)), weight(S(0));
        for (std::size_t at = first * features; at < (first + rows) * features; at += features) {
          const V d = part.load(dy + at);
          bias = bias + d;
          weight = weight + d * ((part.load(x + at) - mean) * inverse);
        }
        part.store(part_sums, bias);
        part.store(weight_sums, weight);
      });
      for (std::size_t f = 0; f < features; ++f) {
        sums[f] += static_cast<double>(part_sums[f]);
        sums[features + f] += static_cast<double>(weight_sums[f]);
      }
    });
  }

  /// dx = scale (dy - mean of dy - normalised x times mean of dy times normalised x), or with `adds` dx += it.
  template <bool adds>
  constexpr void input_gradient(const Pass& pass, const S* x, const S* dy, const Saved& saved, const S* scale,
                                const S* bias_mean, const S* weight_mean, S* dx) const {
    for_valid_blocks(pass, [&](std::size_t first, std::size_t rows) {
      over_row<Backend>(features, [&](auto part) {
        const V mean = part.load(saved.mean), inverse = part.load(saved.inverse), factor = part.load(scale);
        const V bias = part.load(bias_mean), weight = part.load(weight_mean);
        for (std::size_t at = first * features; at < (first + rows) * features; at += features) {
          const V d = part.load(dy + at) - bias - (part.load(x + at) - mean) * inverse * weight;
          if constexpr (adds)
            part.store(dx + at, part.load(dx + at) + factor * d);
          else
            part.store(dx + at, factor * d);
        }
      });
    });
    if (adds || !is_sequence || pass.lengths == nullptr) return;
    for (std::size_t n = 0; n < pass.samples; ++n)
      std::fill(dx + (n * positions + pass.length(n, positions)) * features, dx + (n + 1) * positions * features, S(0));
  }

  /// By how much the running statistics are to change.
  constexpr void collect(Weights<S> w, const Saved& saved, Gradients<S> g) const {
    const double n = saved.count;
    const S step = S(rate), unbias = static_cast<S>(n / (n - 1));
    for (std::size_t f = 0; f < features; ++f) {
      g[2][f] += step * (saved.mean[f] - w[2][f]);
      g[3][f] += step * (saved.variance[f] * unbias - w[3][f]);
    }
  }

  /// f(first row, rows) for blocks of the rows [first, last).
  template <class F>
  static constexpr void for_blocks(std::size_t first, std::size_t last, F&& f) {
    for (; first < last; first += block) f(first, std::min(block, last - first));
  }
  /// The same for the rows that count: all, or the valid steps of each sample.
  template <class F>
  constexpr void for_valid_blocks(const Pass& pass, F&& f) const {
    if (!is_sequence || pass.lengths == nullptr)
      for_blocks(0, pass.samples * positions, f);
    else
      for (std::size_t n = 0; n < pass.samples; ++n)
        for_blocks(n * positions, n * positions + pass.length(n, positions), f);
  }
};

}  // namespace aila::inline v0::detail

#include "../../core/macros_back.hpp"
