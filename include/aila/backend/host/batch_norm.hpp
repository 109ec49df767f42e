// Batch normalisation on the host: sums of a group, a meeting of the groups, then one pass. Bound by memory.
#pragma once

#include <algorithm>

#include "../../core/math.hpp"
#include "../../layer/batch_norm.hpp"
#include "../kernel.hpp"
#include "rows.hpp"

namespace aila::inline v0 {

/// Sums over rows are made in Scalars for up to 32 rows and in double beyond, so that they are as exact as the rows.
/// A group's squares are taken about its own mean: what groups add up then cancels in double only.
template <class L, class In, class Backend>
struct BatchNormKernel {
  static constexpr const char* name = "host batch norm";
  using Scalar = typename Backend::Scalar;
  using S = Scalar;
  static constexpr std::size_t F = In::features;
  static constexpr std::size_t block = 32;  ///< rows
  static constexpr std::size_t phases = 1;
  static constexpr std::size_t meeting = 1 + 2 * F;

  /// Prediction needs scale and shift alone: y = x scale + shift.
  static constexpr std::size_t shift_offset = round_up(F, alignment_elements);
  static constexpr std::size_t packed = 2 * shift_offset;
  static constexpr void pack(Weights<S> w, S* to) { fold(w, w[2], w[3], to, to + round_up(F, alignment_elements)); }

  template <Capability C>
  struct Saved {
    S* mean = nullptr;
    S* inverse = nullptr;  ///< 1 / sqrt(variance + epsilon)
    S* scale = nullptr;
    S* shift = nullptr;
    S* variance = nullptr;  ///< of the batch
    double count = 0;       ///< rows of the batch
    constexpr void bind(Arena<S>& arena, std::size_t) {
      mean = arena.take(F);
      inverse = arena.take(F);
      scale = arena.take(F);
      shift = arena.take(F);
      variance = arena.take(F);
    }
  };
  static constexpr std::size_t scratch(std::size_t, Capability) { return 4 * round_up(F, alignment_elements); }

  template <Capability C>
  static constexpr void forward(const Pass& pass, Weights<S> w, const S* packed_weights, const S* x, S* y,
                                Saved<C>& saved, S* scratch) {
    if (!pass.training || pass.frozen) {
      if (pass.phase < phases) return;
      const S* shift = packed_weights == nullptr ? saved.shift : packed_weights + round_up(F, alignment_elements);
      const S* scale = packed_weights == nullptr ? saved.scale : packed_weights;
      if (packed_weights == nullptr) fold(w, w[2], w[3], saved.scale, saved.shift);
      if constexpr (keeps_for_backward(C))
        for (std::size_t f = 0; f < F; ++f) {
          saved.mean[f] = w[2][f];
          saved.inverse[f] = S(1) / math::sqrt(w[3][f] + S(L::epsilon));
        }
      apply(pass, x, scale, shift, y);
    } else if (pass.phase == 0) {
      deposit_moments(pass, x, scratch);
    } else {
      take_moments(pass, saved);
      for (std::size_t f = 0; f < F; ++f) {
        saved.scale[f] = saved.inverse[f] * w[0][f];
        saved.shift[f] = w[1][f] - saved.mean[f] * saved.scale[f];
      }
      apply(pass, x, saved.scale, saved.shift, y);
    }
  }

  template <Capability C>
  static constexpr void backward(const Pass& pass, Weights<S> w, const S*, const S* x, const S*, const S* dy, S* dx,
                                 Gradients<S> g, Saved<C>& saved, S* scratch) {
    const bool batch = pass.training && !pass.frozen;
    S* const d_bias = scratch;
    S* const d_weight = scratch + round_up(F, alignment_elements);
    if (pass.phase == 0) {
      double* sums = pass.meeting->own;
      std::fill_n(sums, 2 * F, 0.0);
      add_gradient_sums(pass, x, dy, saved, sums, sums + F, d_bias, d_weight);
      pass.meeting->count = batch ? 2 * F : 0;
      if (g)
        for (std::size_t f = 0; f < F; ++f) {
          g[0][f] += static_cast<S>(sums[F + f]);
          g[1][f] += static_cast<S>(sums[f]);
        }
      if (g && batch && pass.collects && pass.first_sample == 0) collect(w, saved, g);
      return;
    }
    if (dx == nullptr) return;
    S* const scale = scratch + 2 * round_up(F, alignment_elements);
    const double share = batch && saved.count > 0 ? 1 / saved.count : 0;
    for (std::size_t f = 0; f < F; ++f) {
      scale[f] = saved.inverse[f] * w[0][f];
      d_bias[f] = batch ? static_cast<S>(pass.meeting->total[f] * share) : S(0);
      d_weight[f] = batch ? static_cast<S>(pass.meeting->total[F + f] * share) : S(0);
    }
    for_each_valid_run(pass, [&](std::size_t first, std::size_t rows) {
      for (std::size_t r = first; r < first + rows; ++r)
        over_row<Backend>(F, [&](auto part) {
          const auto normalised = (part.load(x + r * F) - part.load(saved.mean)) * part.load(saved.inverse);
          const auto d = part.load(dy + r * F) - part.load(d_bias) - normalised * part.load(d_weight);
          part.store(dx + r * F, part.load(dx + r * F) + part.load(scale) * d);
        });
    });
  }

 private:
  static constexpr void fold(Weights<S> w, const S* mean, const S* variance, S* scale, S* shift) {
    for (std::size_t f = 0; f < F; ++f) {
      scale[f] = w[0][f] / math::sqrt(variance[f] + S(L::epsilon));
      shift[f] = w[1][f] - mean[f] * scale[f];
    }
  }

  static constexpr void apply(const Pass& pass, const S* x, const S* scale, const S* shift, S* y) {
    for (std::size_t r = 0; r < pass.samples * In::positions; ++r)
      over_row<Backend>(
          F, [&](auto part) { part.store(y + r * F, part.load(x + r * F) * part.load(scale) + part.load(shift)); });
  }

  /// f(first row, rows) for the rows that count: all, or the valid steps of each sample.
  template <class Fn>
  static constexpr void for_each_valid_run(const Pass& pass, Fn&& f) {
    if (In::rank != 2 || pass.lengths == nullptr)
      f(std::size_t{0}, pass.samples * In::positions);
    else
      for (std::size_t n = 0; n < pass.samples; ++n) f(n * In::positions, pass.length(n, In::positions));
  }
  /// The same, in blocks of rows few enough for sums in Scalars.
  template <class Fn>
  static constexpr void for_each_block(const Pass& pass, Fn&& f) {
    for_each_valid_run(pass, [&](std::size_t first, std::size_t rows) {
      for (std::size_t at = 0; at < rows; at += block) f(first + at, std::min(block, rows - at));
    });
  }

  /// own = count, sums, and sums of squares.
  static constexpr void deposit_moments(const Pass& pass, const S* x, S* scratch) {
    double* const count = pass.meeting->own;
    double* const sum = count + 1;
    double* const squares = sum + F;
    std::fill_n(count, meeting, 0.0);
    S* const sums = scratch;
    for_each_block(pass, [&](std::size_t first, std::size_t rows) {
      *count += static_cast<double>(rows);
      std::fill_n(sums, F, S(0));
      for (std::size_t r = first; r < first + rows; ++r)
        over_row<Backend>(F, [&](auto part) { part.store(sums, part.load(sums) + part.load(x + r * F)); });
      for (std::size_t f = 0; f < F; ++f) sum[f] += static_cast<double>(sums[f]);
    });
    S* const mean = scratch + round_up(F, alignment_elements);
    const double share = *count > 0 ? 1 / *count : 0;
    for (std::size_t f = 0; f < F; ++f) mean[f] = static_cast<S>(sum[f] * share);
    for_each_block(pass, [&](std::size_t first, std::size_t rows) {
      std::fill_n(sums, F, S(0));
      for (std::size_t r = first; r < first + rows; ++r)
        over_row<Backend>(F, [&](auto part) {
          const auto d = part.load(x + r * F) - part.load(mean);
          part.store(sums, part.load(sums) + d * d);
        });
      for (std::size_t f = 0; f < F; ++f) squares[f] += static_cast<double>(sums[f]);
    });
    // About `mean`, which is the group's up to rounding, to about zero: sum x^2 = sum (x - m)^2 + 2 m sum x - n m^2.
    for (std::size_t f = 0; f < F; ++f) {
      const auto m = static_cast<double>(mean[f]);
      squares[f] += m * (2 * sum[f] - *count * m);
    }
    pass.meeting->count = meeting;
  }

  template <Capability C>
  static constexpr void take_moments(const Pass& pass, Saved<C>& saved) {
    const double* const count = pass.meeting->total;
    const double* const sum = count + 1;
    const double* const squares = sum + F;
    const double share = *count > 0 ? 1 / *count : 0;
    saved.count = *count;
    for (std::size_t f = 0; f < F; ++f) {
      const double mean = sum[f] * share;
      const double variance = std::max(squares[f] * share - mean * mean, 0.0);
      saved.mean[f] = static_cast<S>(mean);
      saved.variance[f] = static_cast<S>(variance);
      saved.inverse[f] = static_cast<S>(1 / math::sqrt(variance + L::epsilon));
    }
  }

  /// Sums over the group of dy, and of dy times normalised x.
  template <Capability C>
  static constexpr void add_gradient_sums(const Pass& pass, const S* x, const S* dy, const Saved<C>& saved,
                                          double* d_bias, double* d_weight, S* bias_part, S* weight_part) {
    for_each_block(pass, [&](std::size_t first, std::size_t rows) {
      std::fill_n(bias_part, F, S(0));
      std::fill_n(weight_part, F, S(0));
      for (std::size_t r = first; r < first + rows; ++r)
        over_row<Backend>(F, [&](auto part) {
          const auto d = part.load(dy + r * F);
          const auto normalised = (part.load(x + r * F) - part.load(saved.mean)) * part.load(saved.inverse);
          part.store(bias_part, part.load(bias_part) + d);
          part.store(weight_part, part.load(weight_part) + d * normalised);
        });
      for (std::size_t f = 0; f < F; ++f) {
        d_bias[f] += static_cast<double>(bias_part[f]);
        d_weight[f] += static_cast<double>(weight_part[f]);
      }
    });
  }

  /// By how much the running statistics are to change.
  template <Capability C>
  static constexpr void collect(Weights<S> w, const Saved<C>& saved, Gradients<S> g) {
    const double n = saved.count;
    const S rate = S(L::rate), unbias = n > 1 ? static_cast<S>(n / (n - 1)) : S(1);
    for (std::size_t f = 0; f < F; ++f) {
      g[2][f] += rate * (saved.mean[f] - w[2][f]);
      g[3][f] += rate * (saved.variance[f] * unbias - w[3][f]);
    }
  }
};

template <class... Options, class In, HostBackend Backend>
BatchNormKernel<BatchNorm<Options...>, In, Backend> select_kernel(rank::Layer, Placed<BatchNorm<Options...>, In>,
                                                                  Backend);

}  // namespace aila::inline v0
